"""How well F1 at a length of 128 ranks F1 at 384: runs of a workspace evaluated at both.

    lengths.py EXPCTL WORKSPACE RUN ...

What has been evaluated already is not evaluated again. Printed: a line for each run, the spread at each length, and how well one length ranks the
other: Pearson's and Spearman's correlation, and of how many pairs of runs both lengths say the same is the better one.
"""
import argparse
import itertools
import json
import subprocess

import numpy

LENGTHS = (384, 128)


def ranks(values):
    """1 for the lowest, ties share their mean."""
    return [sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2 for value in values]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("expctl")
    parser.add_argument("workspace")
    parser.add_argument("runs", nargs="+")
    args = parser.parse_args()

    def expctl(*words):
        command = [args.expctl, "--workspace", args.workspace, "--json", "--quiet", *words]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)

    print("| run | | " + " | ".join(f"F1 at {length}" for length in LENGTHS) + " |")
    print("| --- | --- |" + " --- |" * len(LENGTHS))
    scores = []
    for run in args.runs:
        shown = expctl("runs", "show", run)
        known = {evaluation["settings"]["max_seq_length"]: evaluation["f1"] for evaluation in shown["evaluations"]}
        scores.append([known.get(length) or expctl("evaluate", run, "--set", f"eval_max_seq_length={length}")["f1"] for length in LENGTHS])
        params = " ".join(f"{key}={value}" for key, value in {**shown["params"], "seed": shown["seed"]}.items())
        print(f"| {run} | {params} | " + " | ".join(f"{f1:.2f}" for f1 in scores[-1]) + " |", flush=True)
    columns = list(zip(*scores))
    for length, column in zip(LENGTHS, columns):
        print(f"at {length}: mean {numpy.mean(column):.2f}, standard deviation {numpy.std(column, ddof=1):.2f}")
    pairs = list(itertools.combinations(scores, 2))
    agreed = sum((a[0] - b[0]) * (a[1] - b[1]) > 0 for a, b in pairs)
    print(f"Pearson {numpy.corrcoef(*columns)[0, 1]:.3f}, Spearman {numpy.corrcoef(ranks(columns[0]), ranks(columns[1]))[0, 1]:.3f}, "
          f"the same order in {agreed} of {len(pairs)} pairs")


if __name__ == "__main__":
    main()
