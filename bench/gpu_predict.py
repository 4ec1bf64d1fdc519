"""Prediction of a whole dataset on a GPU, in bf16: by inference_stats.json, and from start to end of the process.

    gpu_predict.py BIN_DIR MODEL DATA_FILE WORK_DIR [--gpus 0]
"""
import argparse
import json
import os
import time

import measure
import worker


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "model", "data", "work"):
        parser.add_argument(name)
    parser.add_argument("--gpus", nargs="*", default=["0"])
    args = parser.parse_args()
    folder = os.path.join(args.work, "run")
    worker.write_request(folder, model=args.model, dev=args.data, keys={"eval_precision": "bf16"}, task="predict", threads=os.cpu_count(), gpus=args.gpus)
    began = time.perf_counter()
    worker.finish(worker.start(args.bin, folder), folder)
    whole = time.perf_counter() - began
    with open(os.path.join(folder, "inference_stats.json")) as f:
        stats = json.load(f)
    measure.figure(f"prediction of {os.path.basename(args.data)}, {stats['precision']}",
                   f"{stats['throughput_average_sentences_per_s']:.0f} features/s in batches of {stats['batch_size']}; {stats['sentences']} features in "
                   f"{stats['total_inference_time_s']:.2f} s, whole process {whole:.1f} s")


main()
