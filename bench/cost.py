"""What a training costs for 1/8, 1/4, 1/2 and all of a dataset, with 1 thread and with all cores: seconds and peak memory, as a plot.

    cost.py BIN_DIR MODEL TRAIN_FILE WORK_DIR PLOT_FILE

One epoch each of batches of 12 in bf16, the whole process. Needs matplotlib.
"""
import argparse
import os
import shutil
import time

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import measure  # finds the modules of parity
import reference
import worker

PARTS = (1 / 8, 1 / 4, 1 / 2, 1)


def train(args, data, threads):
    """Features, seconds and GiB of one epoch."""
    run = os.path.join(args.work, "run")
    shutil.rmtree(run, ignore_errors=True)
    keys = {"epochs": 1, "batch_size": 12, "micro_batch": 12, "learning_rate": 1e-4, "precision": "bf16", "save_every": 10**6}
    worker.write_request(run, model=args.model, train=data, keys=keys, threads=threads)
    began = time.perf_counter()
    _, status, usage = os.wait4(worker.start(args.bin, run).pid, 0)
    took = time.perf_counter() - began
    if status != 0:
        raise SystemExit(f"expctl-train failed; its log is in {run}")
    return worker.steps_of(run)[-1]["step"] * 12, took, usage.ru_maxrss / 2**20


def plot(results, path):
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    for threads, rows in results.items():
        features, seconds, gib = zip(*rows)
        label = f"{threads} thread{'s' if threads > 1 else ''}"
        left.plot(features, seconds, "o-", label=label)
        right.plot(features, gib, "o-", label=label)
    for axes, title in ((left, "seconds"), (right, "GiB, resident at most")):
        axes.set(xlabel="features", title=title, xlim=(0, None), ylim=(0, None))
        axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "model", "train", "work", "plot"):
        parser.add_argument(name)
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    count = sum(1 for _ in reference.questions(args.train))
    results = {}
    for threads in sorted({1, os.cpu_count()}, reverse=True):
        for part in PARTS:
            data = reference.cut(args.train, os.path.join(args.work, "part.json"), int(count * part))
            features, seconds, gib = train(args, data, threads)
            results.setdefault(threads, []).append((features, seconds, gib))
            print(f"{threads} threads, {part:g} of the data: {features} features in {seconds:.1f} s, {1e3 * seconds / features:.2f} ms each; {gib:.2f} GiB", flush=True)
    plot(results, args.plot)


main()
