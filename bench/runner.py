"""What the runner costs: GPUs kept busy, jobs a second beside GNU parallel, and waiting over a long queue.

    runner.py EXPCTL FAKE_NVML_DIR WORK_DIR [--jobs 500] [--noops 1000] [--queued 10000]

The GPUs do not exist (tests/support/fake_nvml.cpp); GNU parallel is Debian's package of that name.
"""
import argparse
import collections
import glob
import os
import signal
import sqlite3
import subprocess
import tempfile
import time

import measure


def new_folder(args):
    """Never one that has just been emptied: ext4 looks long for inodes that were not deleted a moment ago."""
    os.makedirs(args.work, exist_ok=True)
    return tempfile.mkdtemp(dir=args.work)


def write_sweep(folder, text):
    path = os.path.join(folder, "sweep.toml")
    with open(path, "w") as f:
        f.write(text)
    return path


def fake_gpus(args, folder, count):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "gpus"), "w") as f:
        for i in range(count):
            f.write(f"GPU-{i:08d};NVIDIA H100;00000000:{16 + i:02X}:00.0;81559\n")
    return {**os.environ, "LD_LIBRARY_PATH": args.nvml, "FAKE_NVML": folder, "EXPCTL_GPU_LOCKS": os.path.join(folder, "locks")}


def uses_of(folders):
    """When each GPU was used, in order, by what the jobs have noted: nanoseconds."""
    uses = collections.defaultdict(list)
    for folder in folders:
        read = lambda name: open(os.path.join(folder, name)).read().strip()
        for gpu in read("devices").split(","):
            uses[gpu].append((int(read("begin")), int(read("end"))))
    return {gpu: sorted(its) for gpu, its in uses.items()}


def fill_gpus(args):
    """500 jobs of 10 to 200 ms on 1, 2 or 4 of 8 GPUs, those of 4 first in the file."""
    work = new_folder(args)
    sweep = write_sweep(work, f"""[command]
argv = ["/bin/sh", "-c", "date +%s%N > begin; echo $CUDA_VISIBLE_DEVICES > devices; sleep $(printf 0.%03d $((10 + {{seed}} * 7919 % 191))); date +%s%N > end"]
[sweep]
seeds = {list(range(1, args.jobs // 3 + 2))}
[sweep.space]
gpus = [4, 1, 2]
""")
    workspace = os.path.join(work, "runs")
    measure.seconds_of([args.expctl, "-q", "--workspace", workspace, "sweep", sweep, f"--max-runs={args.jobs}"], env=fake_gpus(args, os.path.join(work, "nvml"), 8))
    runs = {}
    for row in sqlite3.connect(os.path.join(workspace, "registry.db")).execute(
            "SELECT r.id, a.started, a.ended, json_extract(r.params, '$.gpus') FROM runs r JOIN attempts a ON a.run_id = r.id WHERE r.state = 'succeeded'"):
        runs[row[0]] = row[1:]
    assert len(runs) == args.jobs, f"{len(runs)} of {args.jobs} have succeeded"
    shared = 0
    for its in uses_of(os.path.join(workspace, run) for run in runs).values():
        shared += sum(a[1] > b[0] for a, b in zip(its, its[1:]))
    leases = sorted((started, ended) for started, ended, _ in runs.values())
    first, last = leases[0][0], max(start for start, _ in leases)  # until the queue is empty
    leased = sum(gpus * max(0, min(ended, last) - started) for started, ended, gpus in runs.values())
    print(f"{args.jobs} jobs of 10 to 200 ms on 1, 2 and 4 of 8 GPUs: {shared} times did two share one; until the queue is empty "
          f"{100 * leased / (8 * (last - first)):.1f} % of the GPU-time is leased; {args.jobs / (last - first):.1f} jobs a second", flush=True)


def idle_gpus(args):
    """How long a GPU has nothing to do between two jobs, by the jobs' own clocks."""
    work = new_folder(args)
    sweep = write_sweep(work, f"""[command]
argv = ["/bin/sh", "-c", "date +%s%N > begin; echo $CUDA_VISIBLE_DEVICES > devices; sleep 0.3; date +%s%N > end"]
[sweep]
seeds = {list(range(1, 101))}
""")
    workspace = os.path.join(work, "runs")
    measure.seconds_of([args.expctl, "-q", "--workspace", workspace, "sweep", sweep], env=fake_gpus(args, os.path.join(work, "nvml"), 2))
    gaps = []
    for its in uses_of(glob.glob(os.path.join(workspace, "run[0-9]*"))).values():
        gaps += [(b[0] - a[1]) / 1e6 for a, b in zip(its, its[1:])]
    gaps.sort()
    print(f"a GPU stands idle between two jobs for {gaps[len(gaps) // 2]:.0f} ms, {gaps[len(gaps) * 95 // 100]:.0f} ms at the 95th percentile, {gaps[-1]:.0f} ms at most",
          flush=True)


def no_ops(args):
    work = new_folder(args)
    sweep = write_sweep(work, f"[command]\nargv = [\"true\"]\n[sweep]\nseeds = {list(range(1, args.noops + 1))}\n")
    ours, _ = measure.seconds_of([args.expctl, "-q", "--workspace", os.path.join(work, "runs"), "sweep", sweep])
    log = os.path.join(work, "joblog")
    numbers = "\n".join(map(str, range(args.noops)))
    began = time.perf_counter()
    subprocess.run(["parallel", f"-j{os.cpu_count()}", "--joblog", log, "true", "#", "{}"], input=numbers, text=True, check=True)
    theirs = time.perf_counter() - began
    print(f"{args.noops} jobs that do nothing: expctl records {args.noops / ours:.0f} a second, GNU parallel with --joblog {args.noops / theirs:.0f}; "
          f"expctl is {theirs / ours:.2f} times as fast", flush=True)


def waiting(args):
    """Memory and CPU of expctl while one job holds all cores and the others wait."""
    work = new_folder(args)
    sweep = write_sweep(work, f"[command]\nargv = [\"sleep\", \"600\"]\n[sweep]\nseeds = {list(range(1, args.queued + 1))}\n[resources]\ncpus = {os.cpu_count()}\n")
    process = subprocess.Popen([args.expctl, "-q", "--workspace", os.path.join(work, "runs"), "sweep", sweep], stdout=subprocess.DEVNULL)
    while not glob.glob(os.path.join(work, "runs", "run1", "attempt.claim")):
        time.sleep(0.1)
    time.sleep(2)

    def cpu_s():
        fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before, seconds = cpu_s(), 10
    time.sleep(seconds)
    used = cpu_s() - before
    status = open(f"/proc/{process.pid}/status").read()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    process.send_signal(signal.SIGTERM)
    process.wait()
    print(f"{args.queued} queued runs: {peak:.0f} MiB at most, {100 * used / seconds:.1f} % of a core while waiting", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("expctl", "nvml", "work"):
        parser.add_argument(name)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--noops", type=int, default=1000)
    parser.add_argument("--queued", type=int, default=10000)
    args = parser.parse_args()
    fill_gpus(args)
    idle_gpus(args)
    no_ops(args)
    waiting(args)


main()
