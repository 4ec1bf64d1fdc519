"""What each technique of docs/training.md does to F1 and time: MiniLM, paired seeds, against a plain recipe that was tuned.

    techniques.py EXPCTL MODEL TRAIN EVAL WORK_DIR STAGE [NAME ...] [--seeds 1 2 3]

The 40 training articles are parted: every fifth is for choosing (8), the others are trained on (32). The 8 evaluation articles are looked at in the
last stage only, by runs trained on all 40. Stages, in this order (what has been trained already is not trained again):

    tune     the plain recipe at each learning rate and number of epochs, the first seed
    each     the plain recipe and the techniques, those named or all: a table of F1 on the articles to choose by
    final    the plain recipe and the combinations named, trained on 40 articles: a table of F1 on the 8 evaluation articles

The teacher of "distillation" is the ensemble of the plain runs of the same stage.
"""
import argparse
import json
import os
import statistics
import subprocess

TUNED = {"learning_rate": [1e-4, 2e-4, 3e-4, 5e-4], "epochs": [2.0, 3.0, 4.0]}
PLAIN = {"batch_size": 32, "warmup_ratio": 0.1, "precision": "bf16", "learning_rate": 3e-4, "epochs": 2.0}
TECHNIQUES = {
    "layerwise_lr_decay 0.9": {"layerwise_lr_decay": 0.9},
    "label_smoothing 0.1": {"label_smoothing": 0.1},
    "ema_decay 0.99": {"ema_decay": 0.99},
    "head mlp": {"head": "mlp"},
    "rdrop 1": {"rdrop": 1.0},
    "adversarial fgm": {"adversarial": "fgm"},
    "distillation 0.5": {"distillation": 0.5},
}


class Bench:
    def __init__(self, args):
        self.args, self.workspace = args, os.path.join(args.work, "runs")
        self.teacher = self.path(args.stage + "_teacher.safetensors")
        os.makedirs(args.work, exist_ok=True)
        with open(args.train, encoding="utf-8") as file:
            data = json.load(file)
        articles = data["data"]
        for name, part in (("train", [a for i, a in enumerate(articles) if i % 5 != 4]), ("choose", articles[4::5])):
            path = self.path(name + ".json")
            if not os.path.exists(path):
                with open(path, "w", encoding="utf-8") as file:
                    json.dump({"version": data.get("version", "1.1"), "data": part}, file)

    def path(self, name):
        return os.path.abspath(os.path.join(self.args.work, name))

    def expctl(self, *words):
        command = [self.args.expctl, "--workspace", self.workspace, "--json", "--quiet", *words]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)

    def sweep_file(self, name, keys, seeds, space=None, train=None, dev=None):
        lines = ["[data]", f"train = {json.dumps(train or self.path('train.json'))}", f"dev = {json.dumps(dev or self.path('choose.json'))}"]
        if keys.get("distillation"):
            lines.append(f"teacher = {json.dumps(self.teacher)}")
        lines += ["[model]", f"init = {json.dumps(os.path.abspath(self.args.model))}", "[train]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        lines += ["[resources]", "cpus = 1", "[sweep]", f"seeds = {list(seeds)}"]
        if space:
            lines += ["[sweep.space]", *(f"{key} = {list(values)}" for key, values in space.items())]
        path = self.path("".join(c if c.isalnum() else "_" for c in name) + ".toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return path

    def sweeps(self, files):
        """Of {name: sweep file}, all at once: one is the scheduler, to which the others hand their runs. {name: run ids}."""
        command = [self.args.expctl, "--workspace", self.workspace, "--json", "--quiet", "sweep"]
        processes = {name: subprocess.Popen([*command, file], stdout=subprocess.PIPE, text=True) for name, file in files.items()}
        listings = {name: json.loads(process.communicate()[0]) for name, process in processes.items()}
        if any(process.returncode for process in processes.values()):
            raise SystemExit(f"a sweep failed: expctl --workspace {self.workspace} runs list")
        return {name: [run["id"] for run in sorted(listing["runs"], key=lambda run: run["seed"])] for name, listing in listings.items()}

    def f1(self, run):
        return self.expctl("runs", "show", run)["f1"]

    def make_teacher(self, runs, train):
        """The averaged logits of these runs over what they were trained on."""
        if os.path.exists(self.teacher):
            return
        ensemble = self.expctl("ensemble", *runs)["id"]
        made = self.expctl("evaluate", ensemble, "--data", train, "--name", "train")
        print(f"the teacher, {ensemble}: F1 {self.f1(ensemble):.2f} on the articles evaluated on, {made['f1']:.2f} on those trained on", flush=True)
        os.link(os.path.join(made["folder"], "logits.safetensors"), self.teacher)

    def seconds_a_token(self, runs):
        """Of the fastest tenth of the steps: whatever else the machine does slows the others."""
        times = []
        for run in runs:
            with open(os.path.join(self.workspace, run, "metrics.jsonl"), encoding="utf-8") as file:
                steps = [line for line in map(json.loads, file) if "loss" in line]
            times += [(b["time"] - a["time"]) / b["tokens"] for a, b in zip(steps, steps[1:])]
        return statistics.quantiles(times, n=10)[0]

    def table(self, configs):
        """configs: {name: run ids}; the first is what the others are compared with."""
        (_, plain), *others = configs.items()
        print("| recipe | F1 of the seeds | mean | difference | 95 % interval | by article | time |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        usual = self.seconds_a_token(plain)
        self.line(next(iter(configs)), plain, "", 1.0)
        for name, runs in others:
            against = [self.expctl("compare", plain[0], runs[0], "--configs", *more)["against_first"][0] for more in ([], ["--by", "article"])]
            spans = ["{low:+.2f} to {high:+.2f}".format(**one["interval"]) for one in against]
            self.line(name, runs, f"{against[0]['f1_difference']:+.2f} | {spans[0]} | {spans[1]}", self.seconds_a_token(runs) / usual)

    def line(self, name, runs, difference, time):
        f1s = [self.f1(run) for run in runs]
        print(f"| {name} | {', '.join(f'{f1:.2f}' for f1 in f1s)} | {statistics.mean(f1s):.2f} | {difference or '| | '} | {time:.2f} |", flush=True)


def combination(name):
    """The keys of "A + B", both of TECHNIQUES."""
    return {key: value for one in name.split(" + ") for key, value in TECHNIQUES[one].items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("expctl", "model", "train", "eval", "work"):
        parser.add_argument(name)
    parser.add_argument("stage", choices=["tune", "each", "final"])
    parser.add_argument("names", nargs="*", help="techniques, or their combination: 'rdrop 1 + ema_decay 0.99'")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    args = parser.parse_args()
    bench = Bench(args)
    if args.stage == "tune":
        keys = {key: value for key, value in PLAIN.items() if key not in TUNED}
        for run in bench.sweeps({"tune": bench.sweep_file("tune", keys, args.seeds[:1], TUNED)})["tune"]:
            shown = bench.expctl("runs", "show", run)
            print(shown["params"], f"F1 {shown['f1']:.2f}", f"{shown['ended'] - shown['started']:.0f} s")
        return
    data = {} if args.stage == "each" else {"train": os.path.abspath(args.train), "dev": os.path.abspath(args.eval)}
    names = args.names or (list(TECHNIQUES) if args.stage == "each" else [])
    keys_of = {"plain": {}, **{name: combination(name) for name in names}}
    files = {name: bench.sweep_file(f"{args.stage} {name}", {**PLAIN, **keys}, args.seeds, **data) for name, keys in keys_of.items()}
    taught = [name for name, keys in keys_of.items() if "distillation" in keys]
    runs = bench.sweeps({name: file for name, file in files.items() if name not in taught})
    if taught:
        bench.make_teacher(runs["plain"], data.get("train", bench.path("train.json")))
        runs.update(bench.sweeps({name: files[name] for name in taught}))
    bench.table({name: runs[name] for name in files})


if __name__ == "__main__":
    main()
