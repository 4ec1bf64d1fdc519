"""Compares `expctl features --dump` with transformers' fast tokenizer: input ids and character offsets.

    features_parity.py EXPCTL MODEL_DIR DATASET...    every feature of each dataset (length 384, stride 128)
    features_parity.py EXPCTL MODEL_DIR --random N    N random Unicode texts as one dataset

Prints "differences 0 of N" and exits 0, or the first differences and 1.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import unicodedata

os.environ.setdefault("HF_HUB_OFFLINE", "1")
from transformers import AutoTokenizer


def random_text(rng):
    """Words of characters from many scripts, with controls, marks, spaces and punctuation between."""
    ranges = [(0x20, 0x7e), (0xa0, 0x24f), (0x300, 0x36f), (0x370, 0x5ff), (0x600, 0x6ff), (0x900, 0x97f), (0xe00, 0xe7f),
              (0x1e00, 0x1fff), (0x2000, 0x206f), (0x20a0, 0x20bf), (0x2150, 0x218f), (0x3000, 0x30ff), (0x4e00, 0x4eff),
              (0xac00, 0xacff), (0xfb00, 0xfb06), (0xff00, 0xffef), (0x1f600, 0x1f64f), (0x0, 0x1f), (0xe000, 0xe0ff)]
    text = []
    for _ in range(rng.randint(1, 40)):
        low, high = rng.choice(ranges[:1] * 6 + ranges)
        c = chr(rng.randint(low, high))
        # The tokenizers package has its punctuation from older tables than Unicode 14, expctl's version: U+061D is punctuation
        # here and a letter there. Unassigned characters are nobody's text.
        if unicodedata.category(c) != "Cn" and c != "\u061d":
            text.append(c)
    return "".join(text)


def random_dataset(count):
    rng = random.Random(1)
    paragraphs = [{"context": random_text(rng) + " end", "qas": [{"id": str(i), "question": "q " + random_text(rng), "answers": []}]}
                  for i in range(count)]
    return {"version": "1.1", "data": [{"title": "random", "paragraphs": paragraphs}]}


def expected(tokenizer, dataset):
    """(question id, ids, offsets) of each feature, offsets of everything but the context as [0, 0]."""
    for article in dataset["data"]:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                encoded = tokenizer(qa["question"].lstrip(), paragraph["context"], truncation="only_second", max_length=384,
                                    stride=128, return_overflowing_tokens=True, return_offsets_mapping=True)
                for i, ids in enumerate(encoded["input_ids"]):
                    part = encoded.sequence_ids(i)
                    offsets = [list(o) if p == 1 else [0, 0] for o, p in zip(encoded["offset_mapping"][i], part)]
                    yield qa["id"], ids, offsets


def compare(expctl, tokenizer, model, path):
    dump = subprocess.run([expctl, "features", path, "--vocab", os.path.join(model, "vocab.txt"), "--dump"], check=True,
                          capture_output=True, text=True).stdout.splitlines()
    with open(path, encoding="utf-8") as f:
        wanted = list(expected(tokenizer, json.load(f)))
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
    expctl, model, datasets = sys.argv[1], sys.argv[2], sys.argv[3:]
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.backend_tokenizer.no_padding()
    with tempfile.TemporaryDirectory() as folder:
        if datasets[0] == "--random":
            path = os.path.join(folder, "random.json")
            with open(path, "w", encoding="utf-8") as f:
                json.dump(random_dataset(int(datasets[1])), f)
            datasets = [path]
        total = 0
        for path in datasets:
            differences, features = compare(expctl, tokenizer, model, path)
            print(f"{os.path.basename(path)}: differences {differences} of {features}")
            total += differences
    sys.exit(1 if total else 0)


main()
