"""Trains with expctl-train and with transformers' model on the same batches and compares step by step.

    steps.py BIN_DIR MODEL TRAIN_FILE WORK_DIR [--steps 100] [--max-seq-length 384] [--doc-stride 128] [--batch-size 12]
             [--learning-rate 3e-5] [--questions 500] [--case NAME ...] [--gpus 0]

MODEL gets a new span head where it has none. Trains on the first questions of TRAIN_FILE. fp32, dropout 0, the same order of the data; transformers' model is fed one unpadded sequence
at a time and its gradients are accumulated. Per case: the largest relative difference of a step's loss, of its learning rate and
of the gradient's norm; of the first gradients, tensor by tensor, relative to the tensor's norm; and the largest difference of any
final weight. Weights whose exact gradient is zero, where Adam turns rounding into steps, are shown apart. Exit code 1 where a
limit is passed: loss and rate 1e-4, first gradients 1e-5, weights 1e-4.

--gpus has both compute on the GPU that CUDA_VISIBLE_DEVICES shows; transformers there in fp32 without TF32, attention as plain products.
"""
import argparse
import json
import os
import random
import sys

import torch
from safetensors.torch import load_file

import reference
import worker

CASES = {
    "adamw": {},
    "no_bias_correction": {"bias_correction": False},
    "weight_decay": {"weight_decay": 0.01},
    "accumulation": {"micro_batch": 6},
    "warmup": {"warmup_ratio": 0.1},
    "layer_rates": {"layerwise_lr_decay": 0.8, "weight_decay": 0.01},
    "cosine": {"warmup_ratio": 0.1, "schedule": "cosine"},
    "smoothing": {"label_smoothing": 0.1},
    "average": {"ema_decay": 0.99},
    "attack": {"adversarial": "fgm"},
    "teacher": {"distillation": 0.5},
    "together": {"layerwise_lr_decay": 0.9, "label_smoothing": 0.1, "ema_decay": 0.9, "adversarial": "fgm", "distillation": 0.3,
                 "micro_batch": 5},
}
LIMITS = {"loss": 1e-4, "learning_rate": 1e-4, "gradient": 1e-5, "weight": 1e-4}


def relative(a, b):
    return abs(a - b) / max(abs(b), 1e-30)


def make_teacher(args, keys):
    """The file of a model trained on the same data, and its logits of each feature."""
    trained, logits = os.path.join(args.work, "teacher"), os.path.join(args.work, "teacher-logits")
    threads = os.cpu_count()
    worker.write_request(trained, model=args.model, train=args.train, keys=keys, threads=threads)
    worker.finish(worker.start(args.bin, trained), trained)
    worker.write_request(logits, model=os.path.join(trained, "checkpoint"), dev=args.train, keys=keys, threads=threads, task="predict")
    worker.finish(worker.start(args.bin, logits), logits)
    path = os.path.join(logits, "logits.safetensors")
    file = load_file(path)
    ends = file["offsets"].tolist()
    return path, [(file["start"][a:b].to(args.device), file["end"][a:b].to(args.device)) for a, b in zip(ends, ends[1:])]


def compare(args, name, keys, data, orders):
    path, teacher = args.teacher if keys.get("distillation") else ("", None)
    folder = os.path.join(args.work, f"{name}-{args.max_seq_length}")
    worker.write_request(folder, model=args.model, train=args.train, keys=keys, teacher=path, order=os.path.join(args.work, "order.json"),
                         save_gradients=True, threads=max(1, os.cpu_count() // 2), gpus=args.gpus)
    process = worker.start(args.bin, folder)
    model = reference.load_model(args.model).to(args.device)
    steps, gradients = reference.train(model, data, orders, keys, teacher)
    model.cpu()
    gradients = {n: g.cpu() for n, g in gradients.items()}
    worker.finish(process, folder)
    ours = worker.steps_of(folder)
    assert len(ours) == len(steps) == keys["max_steps"], (len(ours), len(steps))
    worst = {key: max(relative(a[key], b[key]) for a, b in zip(ours, steps)) for key in ("loss", "learning_rate", "grad_norm")}

    exact_zero = reference.zero_gradient(list(gradients))
    got = load_file(os.path.join(folder, "gradients.safetensors"))
    assert set(got) == set(gradients), set(got) ^ set(gradients)
    gradient = {n: ((got[n] - g).norm() / g.norm()).item() for n, g in gradients.items() if n not in exact_zero}
    final = load_file(os.path.join(folder, "checkpoint", "model.safetensors"))
    weight = {n: (final[n] - p.detach()).abs().max().item() for n, p in model.named_parameters()}
    moved = max((p.detach() - before).abs().max().item()
                for (n, p), before in zip(model.named_parameters(), reference.load_model(args.model).state_dict().values()))
    worst["gradient"] = max(gradient.values())
    worst["weight"] = max(d for n, d in weight.items() if n not in exact_zero)
    apart = max(weight[n] for n in exact_zero)
    print(f"{name}: {len(steps)} steps of up to {args.max_seq_length} tokens, batches of {sorted({s['features'] for s in steps})}; loss "
          f"{steps[0]['loss']:.3f} to {steps[-1]['loss']:.3f}; largest differences: loss {worst['loss']:.2e}, rate {worst['learning_rate']:.1e}, "
          f"norm {worst['grad_norm']:.1e}; first gradients {worst['gradient']:.2e} ({max(gradient, key=gradient.get)}); weights "
          f"{worst['weight']:.2e} of {moved:.1e} moved ({max((n for n in weight if n not in exact_zero), key=weight.get)}), "
          f"{len(exact_zero)} of exactly zero gradient apart {apart:.1e}", flush=True)
    return all(worst[key] <= limit for key, limit in LIMITS.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "model", "train", "work"):
        parser.add_argument(name)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--max-seq-length", type=int, default=384)
    parser.add_argument("--doc-stride", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=12)
    parser.add_argument("--learning-rate", type=float, default=3e-5)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--case", action="append", choices=list(CASES))
    parser.add_argument("--gpus", nargs="+", default=[])
    args = parser.parse_args()

    torch.set_num_threads(max(1, os.cpu_count() // 2))
    args.device = "cuda" if args.gpus else "cpu"
    if args.gpus:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.enable_mem_efficient_sdp(False)
    os.makedirs(args.work, exist_ok=True)
    args.model = reference.with_head(args.model, os.path.join(args.work, "model"))
    args.train = reference.cut(args.train, os.path.join(args.work, "train.json"), args.questions)
    data = [{k: v.to(args.device) for k, v in feature.items()}
            for feature in reference.features(args.model, args.train, args.max_seq_length, args.doc_stride)]
    steps_per_epoch = -(-len(data) // args.batch_size)
    rng = random.Random(7)
    orders = [rng.sample(range(len(data)), len(data)) for _ in range(-(-args.steps // steps_per_epoch))]
    with open(os.path.join(args.work, "order.json"), "w") as f:
        json.dump(orders, f)
    base = {"max_steps": args.steps, "batch_size": args.batch_size, "learning_rate": args.learning_rate, "precision": "fp32",
            "hidden_dropout": 0.0, "attention_dropout": 0.0, "max_seq_length": args.max_seq_length, "doc_stride": args.doc_stride}
    if any("distillation" in CASES[name] for name in args.case or CASES):
        args.teacher = make_teacher(args, base)
    results = [compare(args, name, {**base, **CASES[name]}, data, orders) for name in args.case or CASES]
    print(f"{sum(results)} of {len(results)} cases within the limits")
    sys.exit(0 if all(results) else 1)


main()
