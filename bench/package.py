"""Packaging beside cp: five runs of a random BERT-base, 440 MB each, and what the archive takes in memory.

    package.py EXPCTL MODEL WORK_DIR [--rounds 3] [--limit 1.3]

Each round packs the runs and copies the same files with cp -r, both into new folders of the same file system, and both to the
disk: package syncs every file that it writes, so cp is followed by sync. Sources are in the page cache. The medians are
compared. What packaging does besides copying: it scores all predictions again, hashes every file and the init, and looks
through all weights.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time

import measure

SWEEP = """
[data]
train = "demo/train.json"
dev = "demo/dev.json"
[model]
init = "{model}"
[train]
max_steps = 1
batch_size = 2
max_seq_length = 96
doc_stride = 32
[sweep]
seeds = [1, 2, 3, 4, 5]
"""


def make_runs(args):
    if os.path.exists(os.path.join(args.work, "runs/run5/eval.json")):
        return
    shutil.rmtree(args.work, ignore_errors=True)
    os.makedirs(args.work)
    subprocess.run([args.expctl, "-q", "demo", "demo"], cwd=args.work, check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(args.work, "s.toml"), "w") as f:
        f.write(SWEEP.format(model=os.path.abspath(args.model)))
    subprocess.run([args.expctl, "-q", "sweep", "s.toml"], cwd=args.work, check=True, stdout=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("expctl", "model", "work"):
        parser.add_argument(name)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1.3)
    args = parser.parse_args()
    args.expctl, args.work = os.path.abspath(args.expctl), os.path.abspath(args.work)
    make_runs(args)
    ours, plain, unsynced = [], [], []
    for _ in range(args.rounds):
        for folder in ("submission", "copy"):
            shutil.rmtree(os.path.join(args.work, folder), ignore_errors=True)
        os.sync()
        ours.append(measure.seconds_of([args.expctl, "-q", "package"], cwd=args.work)[0])
        os.sync()
        unsynced.append(measure.seconds_of(["cp", "-r", "submission", "copy"], cwd=args.work)[0])
        plain.append(unsynced[-1] + measure.seconds_of(["sync"])[0])
    size = sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(os.path.join(args.work, "submission")) for name in names)
    ratio = statistics.median(ours) / statistics.median(plain)
    print(f"packaging {size / 1e9:.2f} GB: {statistics.median(ours):.2f} s; cp -r of the same files and sync {statistics.median(plain):.2f} s "
          f"({statistics.median(unsynced):.2f} s without sync); {ratio:.2f} times (at most {args.limit})")
    shutil.rmtree(os.path.join(args.work, "copy"))
    began = time.perf_counter()
    child = subprocess.Popen([args.expctl, "-q", "package", "--archive", "--out", "archived"], cwd=args.work, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    took, peak = time.perf_counter() - began, usage.ru_maxrss
    if status != 0:
        raise SystemExit("expctl package --archive failed")
    packed = os.path.getsize(os.path.join(args.work, "archived.tar.zst"))
    print(f"with its archive ({packed / 1e9:.2f} GB): {took:.2f} s, at most {peak / 1024:.0f} MiB resident (under 300)")
    for folder in ("archived", "archived.tar.zst"):
        subprocess.run(["rm", "-rf", os.path.join(args.work, folder)], check=True)
    sys.exit(0 if ratio <= args.limit and peak / 1024 < 300 else 1)


if __name__ == "__main__":
    main()
