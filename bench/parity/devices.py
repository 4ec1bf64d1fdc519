"""Compares the logits of expctl-train on a GPU with its own on this machine's CPU, both in fp32.

    devices.py BIN_DIR MODEL DATA_FILE WORK_DIR [--features 256] [--limit 1e-4] [--gpus 0]

MODEL gets a new span head where it has none. The first FEATURES windows of the dataset. Exit code 1 where a logit differs by more than the limit.
"""
import argparse
import os
import sys

from safetensors.torch import load_file

import reference
import worker


def logits(args, name, gpus):
    folder = os.path.join(args.work, name)
    worker.write_request(folder, model=args.model, dev=args.data, keys={"eval_precision": "fp32"}, task="predict", threads=os.cpu_count(), gpus=gpus)
    worker.finish(worker.start(args.bin, folder), folder)
    return load_file(os.path.join(folder, "logits.safetensors"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "model", "data", "work"):
        parser.add_argument(name)
    parser.add_argument("--features", type=int, default=256)
    parser.add_argument("--limit", type=float, default=1e-4)
    parser.add_argument("--gpus", nargs="*", default=["0"])
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    args.model = reference.with_head(args.model, os.path.join(args.work, "model"))
    args.data = reference.cut(args.data, os.path.join(args.work, "dev.json"), args.features)
    cpu, gpu = logits(args, "cpu", []), logits(args, "gpu", args.gpus)
    offsets = cpu["offsets"].tolist()
    assert offsets == gpu["offsets"].tolist()
    count = min(args.features, len(offsets) - 1)
    worst = max((cpu[n][:offsets[count]] - gpu[n][:offsets[count]]).abs().max().item() for n in ("start", "end"))
    largest = max(cpu[n].abs().max().item() for n in ("start", "end"))
    print(f"logits: {count} features, largest difference {worst:.2e} (limit {args.limit:g}) of logits up to {largest:.2f}")
    sys.exit(0 if worst <= args.limit else 1)  # no number is no agreement


main()
