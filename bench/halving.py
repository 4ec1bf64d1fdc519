"""Learning curves of 27 configs, recorded from real trainings of MiniLM, and what early stopping would have made of them.

    halving.py EXPCTL BENCH_HALVING MODEL TRAIN EVAL WORK_DIR [--seeds 1 2 ...] [--steps 1000] [--articles 3]

Every config is trained to its end for every seed (short trainings at length 128, the dev score looked at each fifth of the way); each seed is one sweep of
27. They must be long enough to have left the plateau of some 10 F1, where MiniLM begins, by the first rung. bench_halving then plays each sweep in 200 random orders, with one run at a time and with four. What has been trained already is not
trained again.
"""
import argparse
import json
import os
import subprocess
import sys

SWEEP = """
[data]
train = "{train}"
dev = "eval.json"
[model]
init = "{model}"
[train]
max_steps = {steps}
eval_every = {every}
batch_size = 6
max_seq_length = 128
doc_stride = 46
[resources]
cpus = 1
[sweep]
seeds = [{seeds}]
[sweep.space]
learning_rate = [3e-5, 1e-4, 3e-4]
warmup_ratio = [0.0, 0.1, 0.3]
hidden_dropout = [0.0, 0.1, 0.2]
"""
FRACTIONS = (0.2, 0.6)  # the defaults of [early_stop]


def curve(folder, steps):
    scores = {}
    with open(os.path.join(folder, "metrics.jsonl"), encoding="utf-8") as file:
        for line in map(json.loads, file):
            if line.get("event") == "eval":
                scores[line["step"]] = line["f1"]
    with open(os.path.join(folder, "eval.json"), encoding="utf-8") as file:
        last = json.load(file)["f1"]
    return [scores[round(fraction * steps)] for fraction in FRACTIONS] + [last]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("expctl", "bench_halving", "model", "train", "eval", "work"):
        parser.add_argument(name)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--articles", type=int, default=3)
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    with open(args.eval, encoding="utf-8") as file:
        data = json.load(file)
    data["data"] = data["data"][:args.articles]
    with open(os.path.join(args.work, "eval.json"), "w", encoding="utf-8") as file:
        json.dump(data, file)
    with open(os.path.join(args.work, "s.toml"), "w", encoding="utf-8") as file:
        file.write(SWEEP.format(train=os.path.abspath(args.train), model=os.path.abspath(args.model), steps=args.steps,
                                every=args.steps // 5, seeds=", ".join(map(str, args.seeds))))
    listing = subprocess.run([os.path.abspath(args.expctl), "--json", "sweep", "s.toml"], cwd=args.work, check=True,
                             stdout=subprocess.PIPE).stdout
    sweeps = {}
    for run in json.loads(listing)["runs"]:
        sweeps.setdefault(run["seed"], []).append(
            {"id": run["id"], "scores": curve(os.path.join(args.work, "runs", run["id"]), args.steps)})
    curves = {"fractions": FRACTIONS,
              "sweeps": [{"name": f"seed {seed}", "runs": runs} for seed, runs in sorted(sweeps.items())]}
    path = os.path.join(args.work, "curves.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(curves, file)
    sys.exit(subprocess.run([args.bench_halving, path], check=False).returncode)


if __name__ == "__main__":
    main()
