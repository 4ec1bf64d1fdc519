"""What ensembles gain over their members: means of 1 to 8 runs by each method, F1 on articles that no run was trained on.

    gain.py EXPCTL WORKSPACE EVAL_FILE OUT_DIR [--runs run1 run2 ...] [--subsets 8] [--soups 2 4 8]

WORKSPACE has the runs (default: its first eight) and gets the ensembles. Of each size up to --subsets ensembles of neighbouring runs (in a
circle) are made; gain is the ensemble's F1 less its members' mean F1, averaged over them, with the 95 % interval of a bootstrap over
paragraphs (2,000 resamples: questions of one paragraph are alike). A greedy choice is cross-fitted over folds of articles by expctl itself
and stands beside the plain mean of all. Writes OUT_DIR/gain.md.
"""
import argparse
import json
import os
import subprocess
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reports", "templates"))
import eval_only  # a submission's script: the official F1 in Python


class Questions:
    def __init__(self, path):
        self.gold, self.paragraph = {}, []
        with open(path, encoding="utf-8") as file:
            paragraphs = [p for article in json.load(file)["data"] for p in article["paragraphs"]]
        for number, paragraph in enumerate(paragraphs):
            for qa in paragraph["qas"]:
                self.gold[qa["id"]] = [answer["text"] for answer in qa["answers"]]
                self.paragraph.append(number)
        rng = np.random.default_rng(0)
        draws = rng.integers(0, len(paragraphs), (2000, len(paragraphs)))
        self.sizes = np.bincount(self.paragraph, minlength=len(paragraphs))
        self.draws = draws

    def f1(self, predictions):
        """F1 of each question, in percent."""
        return np.array([100 * max(eval_only.f1_of(predictions[key], gold) for gold in golds) for key, golds in self.gold.items()])

    def interval(self, values):
        """95 % of the bootstrap of the mean."""
        sums = np.bincount(self.paragraph, weights=values, minlength=len(self.sizes))
        means = sums[self.draws].sum(axis=1) / self.sizes[self.draws].sum(axis=1)
        return np.percentile(means, [2.5, 97.5])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("expctl", "workspace", "eval", "out"):
        parser.add_argument(name)
    parser.add_argument("--runs", nargs="+", default=[])
    parser.add_argument("--subsets", type=int, default=8)
    parser.add_argument("--soups", nargs="*", type=int, default=[2, 4, 8])
    args = parser.parse_args()

    def expctl(*words):
        command = [args.expctl, "--workspace", args.workspace, "--json", "--quiet", *words]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)

    runs = args.runs or [run["id"] for run in expctl("runs", "list", "--where", "f1 > 0", "--limit", "8")["runs"]]
    questions = Questions(args.eval)

    def f1_of(entry):
        with open(os.path.join(args.workspace, entry, "predictions.json"), encoding="utf-8") as file:
            return questions.f1(json.load(file))

    members = {run: f1_of(run) for run in runs}
    print("members:", ", ".join(f"{run} {values.mean():.2f}" for run, values in members.items()))
    lines = ["| method | members | F1 | gain over the mean member | 95 % interval |", "| --- | --- | --- | --- | --- |"]
    alone = np.mean(list(members.values()), axis=0)
    low, high = questions.interval(alone)
    lines.append(f"| one run | 1 | {alone.mean():.2f} ({low:.2f} to {high:.2f}) | | |")
    ways = [("logits", []), ("probabilities", []), ("nbest", []), ("probabilities, temperatures", ["--normalise", "temperature"]), ("soup", [])]
    for name, more in ways:
        method = name.split(",")[0]
        for size in range(2, len(runs) + 1):
            if method == "soup" and size not in args.soups:
                continue
            starts = [0] if size == len(runs) or method == "soup" else range(min(args.subsets, len(runs)))
            f1s, gains = [], []
            for start in starts:
                chosen = [runs[(start + i) % len(runs)] for i in range(size)]
                combined = f1_of(expctl("ensemble", *chosen, "--method", method, *more)["id"])
                f1s.append(combined)
                gains.append(combined - np.mean([members[run] for run in chosen], axis=0))
            gain = np.mean(gains, axis=0)
            low, high = questions.interval(gain)
            lines.append(f"| {name} | {size} | {np.mean(f1s):.2f} | {gain.mean():+.2f} | {low:+.2f} to {high:+.2f} |")
            print(lines[-1], flush=True)
    for name, more in (("greedy", []), ("greedy, 10 bags", ["--bags", "10"])):
        for method in ("logits", "probabilities"):
            chosen = expctl("ensemble", *runs, "--method", method, "--select", "greedy", *more)["selection"]
            lines.append(f"| {method}, chosen ({name}), cross-fitted | of {len(runs)} | {chosen['f1_cross_fitted']:.2f}, on what it was chosen on "
                         f"{chosen['f1_chosen_on']:.2f} | {chosen['f1_cross_fitted'] - chosen['f1_plain_mean_there']:+.2f} beside the plain mean of all | |")
            print(lines[-1], flush=True)
    with open(os.path.join(args.out, "gain.md"), "w") as file:
        file.write("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
