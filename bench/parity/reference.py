"""What run_qa trains on and how, stated with transformers and PyTorch: features with labels, one unpadded sequence at a time."""
import json
import math
import os
import re
import shutil

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
import transformers
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, BertConfig, BertForQuestionAnswering, get_scheduler

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


def with_head(model, folder, seed=1):
    """A copy of a model's folder that has a span head, a new one where it had none: what both sides then start from."""
    torch.manual_seed(seed)
    AutoModelForQuestionAnswering.from_pretrained(model).save_pretrained(folder)
    for name in os.listdir(model):
        if name == "vocab.txt" or name.startswith("tokenizer"):
            shutil.copy(os.path.join(model, name), os.path.join(folder, name))
    return folder


def random_base(folder, vocab, **sizes):
    """BERT-base's real size, or another, with random weights."""
    BertForQuestionAnswering(BertConfig(vocab_size=sum(1 for _ in open(vocab, encoding="utf-8")), **sizes)).save_pretrained(folder)
    shutil.copy(vocab, os.path.join(folder, "vocab.txt"))
    return folder


def cut(path, out, count):
    """The first `count` questions of a dataset as a file of its own."""
    with open(path, encoding="utf-8") as f:
        data = json.load(f)
    for article in data["data"]:
        for paragraph in article["paragraphs"]:
            paragraph["qas"] = paragraph["qas"][:count]
            count -= len(paragraph["qas"])
        article["paragraphs"] = [p for p in article["paragraphs"] if p["qas"]]
    data["data"] = [a for a in data["data"] if a["paragraphs"]]
    with open(out, "w", encoding="utf-8") as f:
        json.dump(data, f)
    return out


def questions(path):
    with open(path, encoding="utf-8") as f:
        for article in json.load(f)["data"]:
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    yield qa["question"].lstrip(), paragraph["context"], qa["answers"]


def label(offsets, context, answers):
    """First and last token of the answer's span in a window; (0, 0), which is [CLS], where it does not hold all of it."""
    if not answers:
        return 0, 0
    begin = answers[0]["answer_start"]
    end = begin + len(answers[0]["text"])
    if offsets[context[0]][0] > begin or offsets[context[-1]][1] < end:
        return 0, 0
    return max(i for i in context if offsets[i][0] <= begin), min(i for i in context if offsets[i][1] >= end)


def features(model, path, max_seq_length, doc_stride):
    """A list of {"input_ids", "token_type_ids", "start_positions", "end_positions"} of tensors with a batch of one."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.backend_tokenizer.no_padding()
    out = []
    for question, context, answers in questions(path):
        encoded = tokenizer(question, context, truncation="only_second", max_length=max_seq_length, stride=doc_stride,
                            return_overflowing_tokens=True, return_offsets_mapping=True)
        for i, ids in enumerate(encoded["input_ids"]):
            parts = encoded.sequence_ids(i)
            start, end = label(encoded["offset_mapping"][i], [k for k, part in enumerate(parts) if part == 1], answers)
            out.append({"input_ids": torch.tensor([ids]), "token_type_ids": torch.tensor([encoded["token_type_ids"][i]]),
                        "start_positions": torch.tensor([start]), "end_positions": torch.tensor([end])})
    return out


def load_model(folder):
    """Without dropout: nothing random is left but the order of the data."""
    return AutoModelForQuestionAnswering.from_pretrained(folder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0).train()


def zero_gradient(names):
    """Softmax is blind to what is added to all of its inputs: a bias of all keys, of all span logits, of the last states."""
    last = max(int(m.group(1)) for n in names if (m := re.search(r"\.layer\.(\d+)\.", n)))
    return {n for n in names if n.endswith("attention.self.key.bias") or n == "qa_outputs.bias"
            or n == f"bert.encoder.layer.{last}.output.LayerNorm.bias"}


class AdamWithoutCorrection(torch.optim.Optimizer):
    """The optimizer of Google's BERT: no bias correction, decay added to the update."""

    def __init__(self, groups, lr, eps):
        super().__init__(groups, {"lr": lr, "eps": eps, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                m, v = state.setdefault("m", torch.zeros_like(p)), state.setdefault("v", torch.zeros_like(p))
                m.mul_(0.9).add_(p.grad, alpha=0.1)
                v.mul_(0.999).addcmul_(p.grad, p.grad, value=0.001)
                p.sub_(m / (v.sqrt() + group["eps"]) + group["weight_decay"] * p, alpha=group["lr"])


def make_optimizer(model, keys):
    decayed = [p for n, p in model.named_parameters() if "LayerNorm" not in n and not n.endswith(".bias")]
    rest = [p for n, p in model.named_parameters() if "LayerNorm" in n or n.endswith(".bias")]
    groups = [{"params": decayed, "weight_decay": keys.get("weight_decay", 0.0)}, {"params": rest, "weight_decay": 0.0}]
    if keys.get("bias_correction", True):
        return torch.optim.AdamW(groups, lr=keys["learning_rate"], eps=1e-8)
    return AdamWithoutCorrection(groups, keys["learning_rate"], 1e-8)


def train(model, data, orders, keys):
    """Trains in place for keys["max_steps"] steps. Returns each step's loss, learning rate and norm, and the first gradients."""
    optimizer = make_optimizer(model, keys)
    warmup = math.ceil(keys["max_steps"] * keys.get("warmup_ratio", 0.0))
    scheduler = get_scheduler(keys.get("schedule", "linear"), optimizer, num_warmup_steps=warmup, num_training_steps=keys["max_steps"])
    size, steps, first = keys["batch_size"], [], {}
    batches = (order[k:k + size] for order in orders for k in range(0, len(order), size))
    for batch, _ in zip(batches, range(keys["max_steps"])):
        optimizer.zero_grad()
        loss = 0.0
        for i in batch:
            part = model(**data[i]).loss / len(batch)
            part.backward()
            loss += part.item()
        if not first:
            first = {n: p.grad.clone() for n, p in model.named_parameters()}
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), keys.get("max_grad_norm", 1.0)).item()
        steps.append({"loss": loss, "learning_rate": optimizer.param_groups[0]["lr"], "grad_norm": norm, "features": len(batch)})
        optimizer.step()
        scheduler.step()
    return steps, first
