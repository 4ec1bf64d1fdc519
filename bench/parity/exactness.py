"""Whether a training is a function of its seed, and resuming of nothing.

    exactness.py BIN_DIR MODEL TRAIN_FILE WORK_DIR [--steps 30] [--precision bf16] [--kill-seed 1] [--questions 500] [--max-seq-length 384] [--doc-stride 128]

Trains on the first questions of TRAIN_FILE.

The SHA-256 of model.safetensors: of the same seed twice, of a run whose worker is killed (SIGKILL) at three random steps and goes
on from its last saved state each time, and of another seed. In fp32, micro-batches of 6 beside one of 12: the largest relative
difference of a step's loss, and of any weight (but for those whose exact gradient is zero, where Adam turns rounding into steps).
"""
import argparse
import hashlib
import os
import random
import re
import signal
import sys
import time

from safetensors.torch import load_file

import reference
import worker

SAVE_EVERY = 3


def weights_of(folder):
    return os.path.join(folder, "checkpoint", "model.safetensors")


def sha256(folder):
    with open(weights_of(folder), "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def steps_done(folder):
    try:
        return len(worker.steps_of(folder))
    except (FileNotFoundError, ValueError):  # not there yet, or its last line half written
        return 0


def run(args, name, **changes):
    folder = os.path.join(args.work, name)
    keys = {"max_seq_length": args.max_seq_length, "doc_stride": args.doc_stride, "max_steps": args.steps, "learning_rate": 3e-5, "precision": args.precision, "save_every": SAVE_EVERY,
            "seed": 42, "micro_batch": 12, **changes}
    worker.write_request(folder, model=args.model, train=args.train, keys=keys, threads=os.cpu_count())
    return folder, worker.start(args.bin, folder)


def straight(args, name, **changes):
    folder, process = run(args, name, **changes)
    worker.finish(process, folder)
    return folder


def killed(args):
    """Kills the worker at a random step of each third, past a saved state, and starts it again after each."""
    rng = random.Random(args.kill_seed)
    third = args.steps // 3
    stops = [rng.randrange(i * third + SAVE_EVERY + 1, (i + 1) * third) for i in range(3)]
    folder, process = run(args, "killed")
    for stop in stops:
        while steps_done(folder) < stop and process.poll() is None:
            time.sleep(0.01)
        assert process.poll() is None, f"it ended before step {stop}"
        process.send_signal(signal.SIGKILL)
        process.wait()
        print(f"  killed with {steps_done(folder)} steps done")
        process = worker.start(args.bin, folder)
    worker.finish(process, folder)
    with open(os.path.join(folder, "train.log")) as f:
        resumed = [int(step) for step in re.findall(r"going on from step (\d+)", f.read())]
    print("  went on from steps", *resumed)
    assert len(set(resumed)) == 3 and min(resumed) > 0, "not every kill was resumed from a state of its own"
    return folder


def micro_batches(args):
    whole = straight(args, "whole", precision="fp32")
    parts = straight(args, "parts", precision="fp32", micro_batch=6)
    loss = max(abs(a["loss"] / b["loss"] - 1) for a, b in zip(worker.steps_of(whole), worker.steps_of(parts)))
    a, b = load_file(weights_of(whole)), load_file(weights_of(parts))
    return loss, max((a[n] - b[n]).abs().max().item() for n in a if n not in reference.zero_gradient(list(a)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "model", "train", "work"):
        parser.add_argument(name)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--kill-seed", type=int, default=1)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--max-seq-length", type=int, default=384)
    parser.add_argument("--doc-stride", type=int, default=128)
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    args.train = reference.cut(args.train, os.path.join(args.work, "train.json"), args.questions)
    first, second = straight(args, "first"), straight(args, "second")
    print(f"the same seed twice: {sha256(first)} {sha256(second)}")
    interrupted = killed(args)
    print(f"killed three times:  {sha256(interrupted)}")
    loss, weight = micro_batches(args)
    print(f"micro_batch 6 beside 12 in fp32: largest difference of a loss {loss:.1e} (relative), of a weight {weight:.1e}")
    other = straight(args, "other", seed=43)
    print(f"another seed:        {sha256(other)}")
    holds = sha256(first) == sha256(second) == sha256(interrupted) != sha256(other) and max(loss, weight) <= 1e-5
    print("holds" if holds else "does not hold")
    sys.exit(0 if holds else 1)


main()
