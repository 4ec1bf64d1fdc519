"""Features and scores of a SQuAD file: expctl's whole process beside transformers' fast tokenizer and beside a Python evaluation.

    squad.py EXPCTL MODEL DATA_FILE PREDICTIONS_FILE

transformers' time is that of one batched call, its import and its model's loading not counted; the Python evaluation, which says what
SQuAD's evaluate-v1.1 does, is a whole process as expctl is.
"""
import argparse
import os
import sys
import time

import measure

EVALUATION = '''
import collections, json, re, string, sys
def normalize(text):
    punctuation = set(string.punctuation)
    text = "".join(c for c in text.lower() if c not in punctuation)
    return " ".join(re.sub(r"\\b(a|an|the)\\b", " ", text).split())
def f1(prediction, gold):
    p, g = normalize(prediction).split(), normalize(gold).split()
    same = sum((collections.Counter(p) & collections.Counter(g)).values())
    return 2 * (same / len(p)) * (same / len(g)) / (same / len(p) + same / len(g)) if same else 0.0
data, predictions = (json.load(open(path)) for path in sys.argv[1:])
exact = total = count = 0
for article in data["data"]:
    for paragraph in article["paragraphs"]:
        for qa in paragraph["qas"]:
            count += 1
            if qa["id"] in predictions:
                answer, golds = predictions[qa["id"]], [a["text"] for a in qa["answers"]]
                exact += max(normalize(answer) == normalize(gold) for gold in golds)
                total += max(f1(answer, gold) for gold in golds)
print(json.dumps({"exact_match": 100.0 * exact / count, "f1": 100.0 * total / count}))
'''


def tokenizer_seconds(model, data, times):
    import reference
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.backend_tokenizer.no_padding()
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        pairs = list(reference.questions(data))
        encoded = tokenizer([p[0] for p in pairs], [p[1] for p in pairs], truncation="only_second", max_length=384, stride=128,
                            return_overflowing_tokens=True, return_offsets_mapping=True)
        best = min(best, time.perf_counter() - began)
    return best, len(encoded["input_ids"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("expctl", "model", "data", "predictions"):
        parser.add_argument(name)
    args = parser.parse_args()
    ours = measure.median_seconds([args.expctl, "features", args.data, "--vocab", os.path.join(args.model, "vocab.txt")], 9)
    theirs, count = tokenizer_seconds(args.model, args.data, 3)
    print(f"features: {count} by transformers' fast tokenizer in {theirs:.2f} s (the best of 3), by expctl in {1e3 * ours:.0f} ms (whole process, median of 9); "
          f"expctl is {theirs / ours:.1f} times as fast")
    ours = measure.median_seconds([args.expctl, "score", args.data, args.predictions], 21)
    theirs = measure.median_seconds([sys.executable, "-c", EVALUATION, args.data, args.predictions], 5)
    said, wanted = (measure.seconds_of(c)[1] for c in ([args.expctl, "score", args.data, args.predictions], [sys.executable, "-c", EVALUATION, args.data, args.predictions]))
    assert said == wanted, (said, wanted)
    print(f"score: Python's evaluation {1e3 * theirs:.0f} ms (median of 5), expctl {1e3 * ours:.0f} ms (median of 21), whole processes; expctl is "
          f"{theirs / ours:.1f} times as fast")


main()
