"""Prediction of a whole dataset: expctl, with n-best and statistics, beside transformers at its best (bf16, sorted by length).

    predict.py BIN_DIR MODEL DATA_FILE PEER WORK_DIR [--attention sdpa,eager]

transformers' time is that of its inference alone; expctl's is from start to end of the process, and that of its inference too.
"""
import argparse
import json
import os
import shutil

import measure
import reference


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "model", "data", "peer", "work"):
        parser.add_argument(name)
    parser.add_argument("--attention", default="sdpa,eager")
    args = parser.parse_args()
    shutil.rmtree(args.work, ignore_errors=True)
    os.makedirs(args.work)
    model = reference.with_head(args.model, os.path.join(args.work, "model"))
    out = os.path.join(args.work, "ours")
    whole, _ = measure.seconds_of([os.path.join(args.bin, "expctl"), "predict", model, "--input", args.data, "--set", "eval_precision=bf16", "--out", out])
    with open(os.path.join(out, "inference_stats.json")) as f:
        stats = json.load(f)
    features, inference = stats["sentences"], stats["total_inference_time_s"]
    print(f"expctl: {features} features in {whole:.1f} s, {features / whole:.1f} a second; its inference alone {features / inference:.1f}", flush=True)
    short = reference.cut(args.data, os.path.join(args.work, "one.json"), 12)
    for attention in args.attention.split(","):
        said = measure.peer(args.peer, os.path.join(args.work, "peer"), "--model", model, "--train", short, "--eval", args.data, "--max-steps", 1,
                            "--bf16", "--padding", "dynamic", "--attention", attention)
        rate = said["predict_features_per_s"]
        everything = said["tokenize_s"] + said["infer_s"] + said["post_s"]
        print(f"transformers, {attention}: inference {rate:.1f} a second, with features and answers {features / everything:.1f}; expctl's whole run is "
              f"{features / whole / rate:.2f} times as fast as its inference", flush=True)


main()
