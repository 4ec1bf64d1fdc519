"""Runs side by side on one GPU: features a second of all of them together.

    gpu_seeds.py BIN_DIR MODEL TRAIN_FILE WORK_DIR [--batch 32] [--runs 1,2,3] [--window 5] [--title "time slicing"] [--gpus 0]

Counted in WINDOW seconds in which all are past their first 40 steps; then they are ended.
"""
import argparse
import os
import shutil
import time

import measure
import worker

WARM = 40
WAIT_S = 90


def steps_so_far(folder):
    try:
        return worker.steps_of(folder)
    except (FileNotFoundError, ValueError):  # not there yet, or its last line half written
        return []


def total_rate(args, count):
    folders = [os.path.join(args.work, f"{count}-{k}") for k in range(count)]
    for seed, folder in enumerate(folders):
        shutil.rmtree(folder, ignore_errors=True)
        keys = {"max_steps": 10**6, "batch_size": args.batch, "micro_batch": args.batch, "precision": "bf16", "save_every": 10**6, "seed": seed}
        worker.write_request(folder, model=args.model, train=args.train, keys=keys, threads=max(1, os.cpu_count() // count), gpus=args.gpus)
    processes = [worker.start(args.bin, folder) for folder in folders]
    try:
        give_up = time.time() + WAIT_S
        while any(len(steps_so_far(folder)) < WARM for folder in folders):
            time.sleep(0.2)
            for process, folder in zip(processes, folders):
                if process.poll() is not None:
                    worker.finish(process, folder)
            assert time.time() < give_up, f"{count} runs did not come to step {WARM} in {WAIT_S} s"
        begin = time.time()
        time.sleep(args.window)
        end = time.time()
        assert all(process.poll() is None for process in processes), "a run has ended meanwhile"
    finally:
        for process in processes:
            process.kill()
            process.wait()
    steps = 0
    for folder in folders:
        with open(os.path.join(folder, "metrics.jsonl")) as f:
            whole = f.read().rpartition("\n")[0]  # a killed one may leave half a line
        with open(os.path.join(folder, "metrics.jsonl"), "w") as f:
            f.write(whole)
        steps += sum(begin < s["time"] <= end for s in worker.steps_of(folder))
    return steps * args.batch / (end - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "model", "train", "work"):
        parser.add_argument(name)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--runs", default="1,2,3")
    parser.add_argument("--window", type=float, default=5)
    parser.add_argument("--title", default="time slicing")
    parser.add_argument("--gpus", nargs="*", default=["0"])
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    one = None
    for count in map(int, args.runs.split(",")):
        rate = total_rate(args, count)
        one = one or rate / count
        measure.figure(f"{args.title}, batch {args.batch}: {count} at once", f"{rate:.0f} features/s together, {rate / one:.2f} times the first")


main()
