"""One training on two ranks beside one rank, a thread each, at the same global batch; and beside two trainings that know nothing of each other.

    ranks.py BIN_DIR MODEL TRAIN_FILE WORK_DIR [--steps 8] [--rounds 3] [--batch 24] [--precision bf16]

Two processes on two cores share caches, memory and often more: what two independent ones do together is what two ranks could do at most. Each
round measures all three one after the other; the rates are those between a run's first and last step, and their medians over the rounds are compared.
"""
import argparse
import os
import shutil
import statistics

import measure  # noqa: F401 (finds bench/parity)
import worker


def rate_of(args, folder):
    steps = worker.steps_of(folder)
    return (len(steps) - 1) * args.batch / (steps[-1]["time"] - steps[0]["time"])


def rates(args, ranks, processes):
    """Features a second of so many trainings at once, together."""
    folders = [os.path.join(args.work, f"run{i}") for i in range(processes)]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        keys = {"max_steps": args.steps + 1, "batch_size": args.batch, "micro_batch": args.batch, "precision": args.precision, "save_every": 10**6}
        worker.write_request(folder, model=args.model, train=args.train, keys=keys, threads=ranks)
    running = [worker.start(args.bin, folder, ranks) for folder in folders]
    for process, folder in zip(running, folders):
        worker.finish(process, folder)
    return sum(rate_of(args, folder) for folder in folders)


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
    loads = []
    for _ in range(args.rounds):
        loads.append(f"{os.getloadavg()[0]:.1f}")
        for name, (ranks, processes) in kinds.items():
            seen[name].append(rates(args, ranks, processes))
    one, two, independent = (statistics.median(its) for its in seen.values())
    for name, its in seen.items():
        print(f"{name}, {args.precision}, batch {args.batch}: {', '.join(f'{rate:.2f}' for rate in its)} features/s", flush=True)
    print(f"load of the machine when each round began: {', '.join(loads)}", flush=True)
    print(f"two ranks are {two / one:.2f} times as fast as one, two independent trainings {independent / one:.2f} times: {100 * two / independent:.0f} % of what they do")


main()
