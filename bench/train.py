"""Training features per second: expctl-train beside Hugging Face's Trainer, in one run, each with all cores.

    train.py BIN_DIR MODEL TRAIN_FILE PEER WORK_DIR [--steps 60] [--kinds best,compiled,default]

PEER is ../shared/peers/hf_qa.py. Each side is timed between two steps, so that neither start nor warm-up (the Trainer's compiling)
counts: the Trainer by a short and a longer run, expctl by the times of its steps. Batch 12, length 384.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "parity"))
import worker

KINDS = {  # flags, runs to time between (steps)
    "best": ("bf16, dynamic padding, grouped by length, eager", ["--bf16", "--padding", "dynamic", "--group-by-length", "--attention", "eager"], 1),
    "sdpa": ("bf16, dynamic padding, grouped by length, sdpa", ["--bf16", "--padding", "dynamic", "--group-by-length", "--attention", "sdpa"], 1),
    "compiled": ("the best, compiled", ["--bf16", "--padding", "dynamic", "--group-by-length", "--attention", "eager", "--compile"], 4),
    "default": ("its default: fp32, padded to 384", [], 0.25),
}
BATCH = 12


def peer_seconds(args, flags, steps):
    out = os.path.join(args.work, "peer")
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, args.peer, "--model", args.model, "--train", args.train, "--eval", args.train, "--eval-limit", "12", "--out", out,
               "--batch-size", str(BATCH), "--max-steps", str(steps), *flags]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])["train_s"]


def peer_rate(args, kind):
    _, flags, share = KINDS[kind]
    steps = max(4, int(args.steps * share))
    short, long = peer_seconds(args, flags, steps // 4), peer_seconds(args, flags, steps + steps // 4)
    return steps * BATCH / (long - short)


def our_rate(args, precision="bf16"):
    folder = os.path.join(args.work, "run")
    shutil.rmtree(folder, ignore_errors=True)
    keys = {"max_steps": args.steps + 2, "batch_size": BATCH, "micro_batch": BATCH, "precision": precision, "save_every": 10**6}
    worker.write_request(folder, model=args.model, train=args.train, keys=keys, threads=os.cpu_count())
    worker.finish(worker.start(args.bin, folder), folder)
    steps = worker.steps_of(folder)[1:]
    return (len(steps) - 1) * BATCH / (steps[-1]["time"] - steps[0]["time"]), statistics.mean(s["tokens"] for s in steps)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "model", "train", "peer", "work"):
        parser.add_argument(name)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--kinds", default="best,default")
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    ours, tokens = our_rate(args)
    print(f"expctl, bf16: {ours:.1f} features/s ({tokens:.0f} tokens a step)", flush=True)
    for kind in args.kinds.split(","):
        theirs = peer_rate(args, kind)
        print(f"Trainer, {KINDS[kind][0]}: {theirs:.1f} features/s; expctl is {ours / theirs:.2f} times as fast", flush=True)


main()
