"""Fine-tunes a BERT on SQuAD with transformers, in one file: what hf_run_qa.toml schedules.

Windows, labels, loss and decoding are those of transformers' run_qa with its usual flags (length 384, stride 128, AdamW, a linear
schedule). Writes model/, predictions.json and nbest_predictions.json into --output_dir.
"""
import argparse
import collections
import json
import os
import random

import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, get_linear_schedule_with_warmup


def questions(path):
    with open(path, encoding="utf-8") as f:
        data = json.load(f)["data"]
    return [(qa["id"], qa["question"].lstrip(), paragraph["context"], qa.get("answers", []))
            for article in data for paragraph in article["paragraphs"] for qa in paragraph["qas"]]


def windows(tokenizer, asked, args):
    """One dict a window: its inputs, its question's place in `asked`, and for each token its place in the context or None."""
    encoded = tokenizer([a[1] for a in asked], [a[2] for a in asked], truncation="only_second", max_length=args.max_seq_length,
                        stride=args.doc_stride, return_overflowing_tokens=True, return_offsets_mapping=True)
    found = []
    for i, question in enumerate(encoded["overflow_to_sample_mapping"]):
        places = [offset if part == 1 else None for offset, part in zip(encoded["offset_mapping"][i], encoded.sequence_ids(i))]
        found.append({"inputs": {k: encoded[k][i] for k in ("input_ids", "token_type_ids", "attention_mask")}, "question": question, "places": places})
    return found


def label(window, answers):
    """First and last token of the first answer; [CLS] where the window does not hold all of it."""
    inside = [t for t, place in enumerate(window["places"]) if place]
    if not answers or not inside:
        return 0, 0
    begin, end = answers[0]["answer_start"], answers[0]["answer_start"] + len(answers[0]["text"])
    if window["places"][inside[0]][0] > begin or window["places"][inside[-1]][1] < end:
        return 0, 0
    return (max(t for t in inside if window["places"][t][0] <= begin), min(t for t in inside if window["places"][t][1] >= end))


def batch_of(tokenizer, chosen, device):
    return tokenizer.pad([w["inputs"] for w in chosen], return_tensors="pt").to(device)


def train(model, tokenizer, found, asked, args, device):
    rows = [(w, label(w, asked[w["question"]][3])) for w in found]
    per_epoch = -(-len(rows) // args.batch_size)
    total = args.max_steps if args.max_steps > 0 else args.epochs * per_epoch
    decayed = [p for n, p in model.named_parameters() if "bias" not in n and "LayerNorm" not in n]
    others = [p for n, p in model.named_parameters() if "bias" in n or "LayerNorm" in n]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": args.weight_decay}, {"params": others, "weight_decay": 0.0}], lr=args.learning_rate, fused=True)
    schedule = get_linear_schedule_with_warmup(optimizer, int(args.warmup_ratio * total), total)
    model.train()
    step = 0
    while step < total:
        random.shuffle(rows)
        if args.group_by_length:  # as the Trainer does: of 50 batches those of like length together, which pads less
            size = 50 * args.batch_size
            rows = [row for i in range(0, len(rows), size) for row in sorted(rows[i:i + size], key=lambda row: -len(row[0]["places"]))]
        for begin in range(0, len(rows), args.batch_size):
            chosen = rows[begin:begin + args.batch_size]
            spans = torch.tensor([span for _, span in chosen], device=device)
            with torch.autocast(device.type, torch.bfloat16, enabled=args.bf16):
                loss = model(**batch_of(tokenizer, [w for w, _ in chosen], device), start_positions=spans[:, 0], end_positions=spans[:, 1]).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            step += 1
            if step % 10 == 0 or step == total:
                print(f"step {step} of {total}, loss {loss.item():.4f}", flush=True)
            if step == total:
                return


def predict(model, tokenizer, found, asked, args, device):
    """{question id: its n-best answers}, as run_qa decodes: by the sum of the logits, spans of at most 30 tokens."""
    model.eval()
    spans = collections.defaultdict(list)
    found = sorted(found, key=lambda w: len(w["places"]))
    for begin in range(0, len(found), 32):
        chosen = found[begin:begin + 32]
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=args.bf16):
            out = model(**batch_of(tokenizer, chosen, device))
        for window, starts, ends in zip(chosen, out.start_logits.float().tolist(), out.end_logits.float().tolist()):
            best = lambda logits: sorted((t for t, place in enumerate(window["places"]) if place), key=lambda t: -logits[t])[:20]
            last = best(ends)
            for s in best(starts):
                spans[window["question"]] += [(starts[s] + ends[e], window["places"][s][0], window["places"][e][1], starts[s], ends[e])
                                              for e in last if s <= e < s + 30]
    answers = {}
    for i, (identity, _, context, _) in enumerate(asked):
        kept = sorted(spans[i], reverse=True)[:20] or [(0.0, 0, 0, 0.0, 0.0)]
        odds = torch.softmax(torch.tensor([k[0] for k in kept], dtype=torch.float64), 0).tolist()
        answers[identity] = [{"text": context[k[1]:k[2]], "probability": p, "start_logit": k[3], "end_logit": k[4]} for k, p in zip(kept, odds)]
    return answers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("model", "train_file", "dev_file", "output_dir"):
        parser.add_argument("--" + name, required=True)
    for name, kind, default in (("learning_rate", float, 3e-5), ("batch_size", int, 12), ("epochs", int, 2), ("max_steps", int, 0), ("warmup_ratio", float, 0.0),
                                ("weight_decay", float, 0.0), ("max_seq_length", int, 384), ("doc_stride", int, 128), ("seed", int, 42)):
        parser.add_argument("--" + name, type=kind, default=default)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--group_by_length", action="store_true")
    args = parser.parse_args()
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForQuestionAnswering.from_pretrained(args.model).to(device)
    asked = questions(args.train_file)
    train(model, tokenizer, windows(tokenizer, asked, args), asked, args, device)
    model.save_pretrained(os.path.join(args.output_dir, "model"))
    tokenizer.save_pretrained(os.path.join(args.output_dir, "model"))
    asked = questions(args.dev_file)
    answers = predict(model, tokenizer, windows(tokenizer, asked, args), asked, args, device)
    for name, content in (("nbest_predictions.json", answers), ("predictions.json", {i: best[0]["text"] for i, best in answers.items()})):
        with open(os.path.join(args.output_dir, name), "w", encoding="utf-8") as f:
            json.dump(content, f)


if __name__ == "__main__":
    main()
