"""The memory of a training of BERT-base's real size (12 layers, 768 wide), with random weights, at full length.

    memory.py BIN_DIR VOCAB_FILE WORK_DIR [--steps 20] [--micro-batch 4] [--limit-gib 6]

Every feature is cut to exactly 384 tokens. The worker's largest resident size is what the kernel counts (ru_maxrss).
"""
import argparse
import json
import os
import random
import resource
import statistics
import sys

import reference
import worker


def write_data(path, vocab, count):
    """Contexts of words that the vocabulary has whole, long enough to fill a window and no more than one."""
    with open(vocab, encoding="utf-8") as f:
        words = [w for w in map(str.strip, f) if w.isascii() and w.isalpha() and len(w) > 2]
    rng = random.Random(1)
    paragraphs = []
    for i in range(count):
        context = rng.choices(words, k=384 - 3 - 4)
        answer = {"text": context[5], "answer_start": len(" ".join(context[:5])) + 1}
        qa = {"id": str(i), "question": " ".join(rng.choices(words, k=4)), "answers": [answer]}
        paragraphs.append({"context": " ".join(context), "qas": [qa]})
    with open(path, "w") as f:
        json.dump({"version": "1.1", "data": [{"title": "random words", "paragraphs": paragraphs}]}, f)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "vocab", "work"):
        parser.add_argument(name)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--micro-batch", type=int, default=4)
    parser.add_argument("--limit-gib", type=float, default=6)
    args = parser.parse_args()
    model, data, run = (os.path.join(args.work, n) for n in ("model", "train.json", "run"))
    os.makedirs(args.work, exist_ok=True)
    reference.random_base(model, args.vocab)
    write_data(data, args.vocab, 12 * args.steps)
    worker.write_request(run, model=model, train=data, threads=os.cpu_count(),
                         keys={"max_steps": args.steps, "batch_size": 12, "micro_batch": args.micro_batch, "precision": "bf16",
                               "save_every": args.steps // 2})
    worker.finish(worker.start(args.bin, run), run)
    gib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    steps = worker.steps_of(run)
    assert len(steps) == args.steps and all(s["tokens"] == 12 * 384 for s in steps), [s["tokens"] for s in steps]
    seconds = statistics.median(b["time"] - a["time"] for a, b in zip(steps, steps[1:]))
    print(f"BERT-base, random weights: {len(steps)} steps of 12 features of 384 tokens, bf16, micro_batch {args.micro_batch}: largest resident size "
          f"{gib:.2f} GiB (limit {args.limit_gib:g}); loss {steps[0]['loss']:.2f} to {steps[-1]['loss']:.2f}; {seconds:.1f} s a step")
    sys.exit(0 if gib < args.limit_gib else 1)


main()
