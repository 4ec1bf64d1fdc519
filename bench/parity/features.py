"""Compares `expctl features --dump` with transformers' fast tokenizer: input ids and character offsets.

    features.py EXPCTL MODEL_DIR DATASET... [--max-seq-length 384] [--doc-stride 128]

Every feature of each dataset. Prints "differences 0 of N" and exits 0, or the first differences and 1.
"""
import argparse
import json
import os
import subprocess
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
from transformers import AutoTokenizer


def expected(tokenizer, dataset, options):
    """(question id, ids, offsets) of each feature, offsets of everything but the context as [0, 0]."""
    for article in dataset["data"]:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                encoded = tokenizer(qa["question"].lstrip(), paragraph["context"], truncation="only_second",
                                    max_length=options.max_seq_length, stride=options.doc_stride,
                                    return_overflowing_tokens=True, return_offsets_mapping=True)
                for i, ids in enumerate(encoded["input_ids"]):
                    part = encoded.sequence_ids(i)
                    offsets = [list(o) if p == 1 else [0, 0] for o, p in zip(encoded["offset_mapping"][i], part)]
                    yield qa["id"], ids, offsets


def compare(tokenizer, path, options):
    dump = subprocess.run([options.expctl, "features", path, "--vocab", os.path.join(options.model, "vocab.txt"), "--dump",
                           "--max-seq-length", str(options.max_seq_length), "--doc-stride", str(options.doc_stride)],
                          check=True, capture_output=True, text=True).stdout.splitlines()
    with open(path, encoding="utf-8") as f:
        wanted = list(expected(tokenizer, json.load(f), options))
    differences = abs(len(dump) - len(wanted))
    for line, (qid, ids, offsets) in zip(dump, wanted):
        got = json.loads(line)
        if (got["question_id"], got["input_ids"], got["offsets"]) != (qid, ids, offsets):
            differences += 1
            if differences <= 3:
                print(qid, tokenizer.convert_ids_to_tokens(got["input_ids"]), tokenizer.convert_ids_to_tokens(ids),
                      [(a, b) for a, b in zip(got["offsets"], offsets) if a != b], sep="\n  ")
    return differences, len(wanted)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("expctl")
    parser.add_argument("model")
    parser.add_argument("datasets", nargs="+")
    parser.add_argument("--max-seq-length", type=int, default=384)
    parser.add_argument("--doc-stride", type=int, default=128)
    options = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    tokenizer.backend_tokenizer.no_padding()
    total = 0
    for path in options.datasets:
        differences, features = compare(tokenizer, path, options)
        print(f"{os.path.basename(path)}: differences {differences} of {features}")
        total += differences
    sys.exit(1 if total else 0)


main()
