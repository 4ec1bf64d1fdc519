"""One training on two ranks beside one rank, a thread each, at the same global batch; and beside two trainings that know nothing of each other.

    ranks.py BIN_DIR MODEL TRAIN_FILE WORK_DIR [--steps 8] [--rounds 3] [--batch 24] [--precision bf16]

Two processes on two cores share caches, memory and often more: what two independent ones do together is what two ranks could do at most. Each
round measures all three one after the other; the rates are those between a run's first and last step, and their medians over the rounds are compared.
"""
import argparse
import os
import resource
import shutil
import statistics
import time

import measure  # noqa: F401 (finds bench/parity)
import worker


def rate_of(args, folder):
    steps = worker.steps_of(folder)
    return (len(steps) - 1) * args.batch / (steps[-1]["time"] - steps[0]["time"])


def busy_s():
    """Core seconds that this machine has worked since it started."""
    with open("/proc/stat") as f:
        user, nice, system = map(int, f.readline().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def own_s():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def rates(args, ranks, processes):
    """Features a second of so many trainings at once, together; and how many cores others used meanwhile."""
    folders = [os.path.join(args.work, f"run{i}") for i in range(processes)]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        keys = {"max_steps": args.steps + 1, "batch_size": args.batch, "micro_batch": args.batch, "precision": args.precision, "save_every": 10**6}
        worker.write_request(folder, model=args.model, train=args.train, keys=keys, threads=ranks)
    began, busy, own = time.perf_counter(), busy_s(), own_s()
    running = [worker.start(args.bin, folder, ranks) for folder in folders]
    for process, folder in zip(running, folders):
        worker.finish(process, folder)
    others = (busy_s() - busy - own_s() + own) / (time.perf_counter() - began)
    return sum(rate_of(args, folder) for folder in folders), others


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "model", "train", "work"):
        parser.add_argument(name)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--precision", default="bf16")
    args = parser.parse_args()
    kinds = {"one rank": (1, 1), "two ranks": (2, 1), "two independent trainings": (1, 2)}
    seen = {name: [] for name in kinds}
    for _ in range(args.rounds):
        for name, (ranks, processes) in kinds.items():
            seen[name].append(rates(args, ranks, processes))
    one, two, independent = (statistics.median(rate for rate, _ in its) for its in seen.values())
    for name, its in seen.items():
        print(f"{name}, {args.precision}, batch {args.batch}: features/s: {', '.join(f'{rate:.2f} (others {cores:.2f} cores)' for rate, cores in its)}", flush=True)
    print(f"two ranks are {two / one:.2f} times as fast as one, two independent trainings {independent / one:.2f} times: {100 * two / independent:.0f} % of what they do")


main()
