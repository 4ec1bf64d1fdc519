"""Seeds per hour of a sweep: 8 runs of 300 steps, from start to eval.json, one after the other on all cores and side by side on one each.

    seeds.py EXPCTL MODEL TRAIN_FILE DEV_FILE WORK_DIR [--runs 8] [--steps 300]

The share of step time is that between a run's first and last step, of the time that the sweep takes (divided by the runs side by side).
"""
import argparse
import glob
import json
import os
import shutil

import measure

SWEEP = """name = "seeds"
[data]
train = "{train}"
dev = "{dev}"
[model]
init = "{model}"
[train]
max_steps = {steps}
batch_size = 12
learning_rate = 1e-4
warmup_ratio = 0.1
precision = "bf16"
[resources]
cpus = {cpus}
[sweep]
seeds = {seeds}
"""


def step_seconds(workspace):
    """Of all runs: from the first step's end to the last one's, and once more the mean of a step for the first."""
    total = 0
    for path in glob.glob(os.path.join(workspace, "run*", "metrics.jsonl")):
        with open(path) as f:
            times = [line["time"] for line in map(json.loads, f) if "loss" in line]
        total += (times[-1] - times[0]) * len(times) / (len(times) - 1)
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("expctl", "model", "train", "dev", "work"):
        parser.add_argument(name)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--steps", type=int, default=300)
    args = parser.parse_args()
    cores = os.cpu_count()
    rates = []
    for beside in (1, cores):
        workspace = os.path.join(args.work, f"beside-{beside}")
        shutil.rmtree(workspace, ignore_errors=True)
        os.makedirs(workspace)
        sweep = os.path.join(workspace, "seeds.toml")
        with open(sweep, "w") as f:
            f.write(SWEEP.format(train=os.path.abspath(args.train), dev=os.path.abspath(args.dev), model=os.path.abspath(args.model), steps=args.steps,
                                 cpus=cores // beside, seeds=list(range(1, args.runs + 1))))
        seconds, _ = measure.seconds_of([args.expctl, "--workspace", workspace, "sweep", sweep])
        rates.append(args.runs * 3600 / seconds)
        print(f"{args.runs} runs of {args.steps} steps, {beside} at once with {cores // beside} threads each: {seconds:.0f} s, {rates[-1]:.1f} seeds an hour; "
              f"{100 * step_seconds(workspace) / beside / seconds:.0f} % of it is step time", flush=True)
    print(f"side by side is {rates[1] / rates[0]:.2f} times as fast")


main()
