"""Training features per second on a GPU: expctl-train beside Hugging Face's Trainer, in one run.

    gpu_train.py BIN_DIR MODEL TRAIN_FILE PEER WORK_DIR [--batch 32] [--kinds best,compiled,default] [--steps 600] [--limit 150]

PEER is ../shared/peers/hf_qa.py. Both are timed between steps, so that start, warm-up, captures and compiling do not count: expctl by the
times in metrics.jsonl, the Trainer by when it prints its log lines, 50 steps apart, the median of those after its warm-up (what it still
compiles then does not count either). A kind that has not come so far after LIMIT seconds is left out. bf16, length 384, dropout 0.1.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time

import measure
import worker

BEST = ["--bf16", "--padding", "dynamic", "--group-by-length", "--attention", "sdpa"]
KINDS = {  # flags, untimed steps, steps
    "best": ("bf16, sdpa, dynamic padding, grouped by length", BEST, 100, 500),
    "compiled": ("the same, compiled", [*BEST, "--compile"], 200, 400),
    "default": ("its default: fp32, padded to 384", [], 50, 150),
}
LOGGED = 50  # steps between the Trainer's lines
WARM = 40  # of ours
NVIDIA_PEAK = 989e12  # bf16, dense, of an H100 or H200 SXM
SQUAD = 2 * 88_524  # features of two epochs of SQuAD 1.1


def peer_rate(args, kind):
    """Features a second and MiB of the card; None for what did not come so far in time."""
    _, flags, warm, steps = KINDS[kind]
    out = os.path.join(args.work, f"peer-{kind}")
    os.makedirs(out, exist_ok=True)
    command = [sys.executable, "-u", args.peer, "--out", out, "--model", args.model, "--train", args.train, "--eval", args.train, "--eval-limit", "12",
               "--batch-size", str(args.batch), "--max-steps", str(steps), *flags]
    times = []
    log = os.path.join(out, "log")
    with measure.GpuMemory() as memory, open(log, "w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        timer = threading.Timer(args.limit, process.kill)
        timer.start()
        for line in process.stdout:
            if line.startswith("{'loss'"):
                times.append(time.perf_counter())
            if len(times) == steps // LOGGED:
                process.kill()  # its answers are of no interest here
                break
        process.wait()
        timer.cancel()
    timed = times[warm // LOGGED - 1:]
    if len(timed) < 3:
        with open(log) as f:
            print(f"Trainer, {kind}: {len(times) * LOGGED} steps, then:\n{f.read()[-1500:]}", flush=True)
        return None
    return args.batch * LOGGED / statistics.median(b - a for a, b in zip(timed, timed[1:])), memory.most


def our_rate(args):
    """Features a second, tokens a step, MiB of the card."""
    folder = os.path.join(args.work, "run")
    shutil.rmtree(folder, ignore_errors=True)
    keys = {"max_steps": WARM + args.steps, "batch_size": args.batch, "micro_batch": args.batch, "precision": "bf16", "save_every": 10**6}
    worker.write_request(folder, model=args.model, train=args.train, keys=keys, threads=os.cpu_count(), gpus=["0"])
    with measure.GpuMemory() as memory:
        worker.finish(worker.start(args.bin, folder), folder)
    steps = worker.steps_of(folder)[WARM - 1:]
    rate = (len(steps) - 1) * args.batch / (steps[-1]["time"] - steps[0]["time"])
    return rate, statistics.mean(s["tokens"] for s in steps[1:]), memory.most


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "model", "train", "peer", "work"):
        parser.add_argument(name)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--kinds", default="best,compiled,default")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--limit", type=float, default=150)
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    title = f"batch {args.batch}"
    ours, tokens, used = our_rate(args)
    peak = measure.gpu_product_peak()
    flops = 3 * measure.forward_flops(args.model, tokens, tokens / args.batch) * ours / args.batch
    measure.figure(f"{title}: expctl", f"{ours:.0f} features/s, {ours / args.batch:.1f} steps/s of {tokens:.0f} tokens; {used} MiB of the card at most")
    measure.figure(f"{title}: its products", f"{flops / 1e12:.0f} TFLOP/s: {100 * flops / peak:.1f} % of PyTorch's {peak / 1e12:.0f} here, "
                   f"{100 * flops / NVIDIA_PEAK:.1f} % of {NVIDIA_PEAK / 1e12:.0f}")
    measure.figure(f"{title}: 2 epochs of {SQUAD // 2} features at this rate", f"{SQUAD / ours:.1f} s")
    for kind in args.kinds.split(","):
        found = peer_rate(args, kind)
        if found is None:
            measure.figure(f"{title}: Trainer, {KINDS[kind][0]}", f"too few steps in {args.limit:.0f} s")
            continue
        theirs, used = found
        measure.figure(f"{title}: Trainer, {KINDS[kind][0]}", f"{theirs:.0f} features/s, {used} MiB; expctl is {ours / theirs:.2f} times as fast")


main()
