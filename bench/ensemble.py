"""Combining, decoding and scoring five members over the whole dev set, and a greedy search among twenty, beside numpy.

    ensemble.py BENCH_ENSEMBLE EXPCTL VOCAB DEV_FILE WORK_DIR LOGITS ...

LOGITS are members' logits.safetensors over DEV_FILE, one or more; copies with noise (standard deviation 0.5) make up the rest. numpy
combines, takes each window's 20 best starts and ends, and of their pairs the best that is legal; texts are cut out of the context by
offsets, and each is scored once (evaluate-v1.1's F1 in Python, remembered as expctl remembers it). It makes no n-best lists and no
final texts, so it does less.
"""
import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

import measure

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reports", "templates"))

N_BEST, LONGEST = 20, 30


def read(path):
    with safe_open(path, framework="numpy") as file:
        return file.get_tensor("start"), file.get_tensor("end"), file.get_tensor("offsets"), file.metadata()


def fill_up(paths, count, folder):
    """So many files of logits: the given ones, and noisy copies of them."""
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(0)
    filled = list(paths[:count])
    while len(filled) < count:
        start, end, offsets, metadata = read(paths[len(filled) % len(paths)])
        path = os.path.join(folder, f"{len(filled)}.safetensors")
        noisy = {name: (values + rng.normal(0, 0.5, len(values))).astype(np.float32) for name, values in (("start", start), ("end", end))}
        save_file({**noisy, "offsets": offsets}, path, metadata)
        filled.append(path)
    return filled


class NumpyPool:
    """The dev set as numpy sees it: windows padded to one length, legal tokens marked."""

    def __init__(self, expctl, vocabulary, dev, f1_of):
        dump = subprocess.run([expctl, "features", dev, "--vocab", vocabulary, "--dump"], check=True, stdout=subprocess.PIPE, text=True).stdout
        features = [json.loads(line) for line in dump.splitlines()]
        lengths = [len(feature["input_ids"]) for feature in features]
        self.shape = (len(features), max(lengths))
        self.filled = np.arange(self.shape[1])[None, :] < np.array(lengths)[:, None]
        self.legal = np.zeros(self.shape, bool)
        self.offsets = [feature["offsets"] for feature in features]
        for i, offsets in enumerate(self.offsets):
            self.legal[i, : len(offsets)] = [end > begin for begin, end in offsets]
        with open(dev, encoding="utf-8") as file:
            data = json.load(file)
        self.context, self.gold, order = {}, {}, {}
        for article in data["data"]:
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    order[qa["id"]] = len(order)
                    self.context[qa["id"]] = paragraph["context"]
                    self.gold[qa["id"]] = [answer["text"] for answer in qa["answers"]]
        self.ids = list(order)
        self.question = np.array([order[feature["question_id"]] for feature in features])
        self.f1_of, self.known = f1_of, {}

    def padded(self, logits):
        whole = np.full(self.shape, -1e30, np.float32)
        whole[self.filled] = logits
        return whole

    def f1(self, start, end):
        """Mean F1 (percent) of the best answers by the padded logits [windows, tokens]."""
        best_starts = np.argpartition(-start, N_BEST, axis=1)[:, :N_BEST]
        best_ends = np.argpartition(-end, N_BEST, axis=1)[:, :N_BEST]
        rows = np.arange(len(start))[:, None]
        scores = start[rows, best_starts][:, :, None] + end[rows, best_ends][:, None, :]
        s, e = best_starts[:, :, None], best_ends[:, None, :]
        allowed = (e >= s) & (e - s < LONGEST) & self.legal[rows, best_starts][:, :, None] & self.legal[rows, best_ends][:, None, :]
        scores = np.where(allowed, scores, -np.inf).reshape(len(start), -1)
        pair = scores.argmax(axis=1)
        score = scores[rows[:, 0], pair]
        order = np.lexsort((-score, self.question))
        first = order[np.unique(self.question[order], return_index=True)[1]]
        total = 0.0
        for window in first:
            key = (window, best_starts[window, pair[window] // N_BEST], best_ends[window, pair[window] % N_BEST])
            if key not in self.known:
                question = self.ids[self.question[window]]
                begin, end_at = self.offsets[window][key[1]][0], self.offsets[window][key[2]][1]
                self.known[key] = max(self.f1_of(self.context[question][begin:end_at], gold) for gold in self.gold[question])
            total += self.known[key]
        return 100 * total / len(self.ids)


def greedy(pool, members, size=10):
    """Caruana's selection with replacement, on the sums."""
    alone = [pool.f1(*member) for member in members]
    sums = [values.copy() for values in members[int(np.argmax(alone))]]
    best = max(alone)
    for count in range(2, size + 1):
        scores = [pool.f1((sums[0] + m[0]) / count, (sums[1] + m[1]) / count) for m in members]
        chosen = int(np.argmax(scores))
        sums = [a + b for a, b in zip(sums, members[chosen])]
        best = max(best, scores[chosen])
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bench", "expctl", "vocabulary", "dev", "work"):
        parser.add_argument(name)
    parser.add_argument("logits", nargs="+")
    args = parser.parse_args()
    import eval_only  # a submission's script: the official F1 in Python

    paths = fill_up(args.logits, 20, os.path.join(args.work, "noisy"))
    threads = str(os.cpu_count())

    def ours(task, count):
        return json.loads(measure.seconds_of([args.bench, args.dev, args.vocabulary, threads, task, *paths[:count]])[1])

    five, twenty = ours("combine", 5), ours("greedy", 20)
    pool = NumpyPool(args.expctl, args.vocabulary, args.dev, eval_only.f1_of)
    members = [tuple(pool.padded(side) for side in read(path)[:2]) for path in paths]
    numpy_five = float("inf")
    for _ in range(5):  # the best of five, each scored anew, as expctl's
        pool.known.clear()
        began = time.perf_counter()
        theirs = pool.f1(*(np.mean([member[side] for member in members[:5]], axis=0) for side in (0, 1)))
        numpy_five = min(numpy_five, time.perf_counter() - began)
    began = time.perf_counter()
    theirs_greedy = greedy(pool, members)
    numpy_greedy = time.perf_counter() - began
    print(f"{five['features']} features, {five['tokens']} tokens, {threads} threads; {len(args.logits)} real members, noisy copies of them for the rest")
    print(f"combining, decoding and scoring 5: {1e3 * five['whole_s']:.0f} ms ({1e3 * five['combine_s']:.0f} + {1e3 * five['decode_s']:.0f} + "
          f"{1e3 * five['score_s']:.0f}), at most {five['largest_mib']:.0f} MiB; numpy {1e3 * numpy_five:.0f} ms: ratio {numpy_five / five['whole_s']:.1f}")
    print(f"greedy selection from 20, {twenty['tried']} ensembles tried: {twenty['greedy_s']:.2f} s; numpy {numpy_greedy:.1f} s: ratio {numpy_greedy / twenty['greedy_s']:.1f}")
    print(f"F1 of the 5: {five['f1']:.4f}, numpy {theirs:.4f}; of the greedy choice: {twenty['f1']:.4f}, numpy {theirs_greedy:.4f}")


main()
