"""Training features per second: expctl-train beside Hugging Face's Trainer, in one run, each with all cores.

    train.py BIN_DIR MODEL TRAIN_FILE PEER WORK_DIR [--steps 60] [--kinds best,sdpa,compiled,default]

PEER is ../shared/peers/hf_qa.py. Each side is timed between two steps, so that neither start nor warm-up (the Trainer's compiling)
counts: the Trainer by a short and a longer run, expctl by the times of its steps. Batch 12, length 384.
"""
import argparse
import os
import shutil
import statistics

import measure
import worker

KINDS = {  # flags, steps to time beside expctl's, untimed steps before them
    "best": ("bf16, dynamic padding, grouped by length, eager", ["--bf16", "--padding", "dynamic", "--group-by-length", "--attention", "eager"], 1, 5),
    "sdpa": ("bf16, dynamic padding, grouped by length, sdpa", ["--bf16", "--padding", "dynamic", "--group-by-length", "--attention", "sdpa"], 1, 5),
    "compiled": ("the first of these, compiled", ["--bf16", "--padding", "dynamic", "--group-by-length", "--attention", "eager", "--compile"], 1, 300),
    "default": ("its default: fp32, padded to 384", [], 0.2, 2),
}
BATCH = 12


def peer_rate(args, kind):
    _, flags, share, warm = KINDS[kind]
    steps = max(4, int(args.steps * share))

    def seconds(count):
        out = os.path.join(args.work, "peer")
        shutil.rmtree(out, ignore_errors=True)
        return measure.peer(args.peer, out, "--model", args.model, "--train", args.train, "--eval", args.train, "--eval-limit", 12,
                            "--batch-size", BATCH, "--max-steps", count, *flags)["train_s"]

    return steps * BATCH / (seconds(warm + steps) - seconds(warm))


def our_rate(args):
    """Features a second and tokens a step, of bf16 where the CPU has it."""
    folder = os.path.join(args.work, "run")
    shutil.rmtree(folder, ignore_errors=True)
    keys = {"max_steps": args.steps + 2, "batch_size": BATCH, "micro_batch": BATCH, "precision": "bf16", "save_every": 10**6}
    worker.write_request(folder, model=args.model, train=args.train, keys=keys, threads=os.cpu_count())
    worker.finish(worker.start(args.bin, folder), folder)
    steps = worker.steps_of(folder)[1:]
    return (len(steps) - 1) * BATCH / (steps[-1]["time"] - steps[0]["time"]), statistics.mean(s["tokens"] for s in steps)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "model", "train", "peer", "work"):
        parser.add_argument(name)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--kinds", default="best,sdpa,compiled,default")
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    ours, tokens = our_rate(args)
    peak = measure.product_peak()
    isa, loop = measure.loop_peak(args.bin)
    flops = 3 * measure.forward_flops(args.model, tokens, tokens / BATCH) * ours / BATCH
    print(f"expctl, bf16: {ours:.1f} features/s ({tokens:.0f} tokens a step); {flops / 1e12:.2f} TFLOP/s of products, {100 * flops / peak:.0f} % of LibTorch's "
          f"{peak / 1e12:.2f}, {100 * flops / loop:.0f} % of an {isa} loop's {loop / 1e12:.2f}", flush=True)
    for kind in args.kinds.split(","):
        theirs = peer_rate(args, kind)
        print(f"Trainer, {KINDS[kind][0]}: {theirs:.1f} features/s; expctl is {ours / theirs:.2f} times as fast", flush=True)


main()
