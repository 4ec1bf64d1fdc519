"""What run_qa trains on and how, stated with transformers and PyTorch: features with labels, one unpadded sequence at a time."""
import json
import math
import os
import re
import shutil

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
import torch.nn.functional as F
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


def number_of_layer(name, layers):
    """As BEiT numbers them: embeddings 0, layer i (from 0) i + 1, the head one more than the last layer."""
    if name.startswith("qa_outputs."):
        return layers + 1
    found = re.search(r"\.layer\.(\d+)\.", name)
    return int(found.group(1)) + 1 if found else 0


def make_optimizer(model, keys):
    layers, groups = model.config.num_hidden_layers, {}
    for n, p in model.named_parameters():
        factor = keys.get("layerwise_lr_decay", 1.0) ** (layers + 1 - number_of_layer(n, layers))
        decay = 0.0 if "LayerNorm" in n or n.endswith(".bias") else keys.get("weight_decay", 0.0)
        group = {"params": [], "weight_decay": decay, "lr": keys["learning_rate"] * factor, "factor": factor}
        groups.setdefault((decay, factor), group)["params"].append(p)
    groups = list(groups.values())
    if keys.get("bias_correction", True):
        return torch.optim.AdamW(groups, lr=keys["learning_rate"], eps=1e-8)
    return AdamWithoutCorrection(groups, keys["learning_rate"], 1e-8)


def loss_of(model, feature, keys, teacher):
    """transformers' own loss, or what docs/training.md says of label_smoothing and distillation; `teacher` is (start, end) logits."""
    smoothing, part = keys.get("label_smoothing", 0.0), keys.get("distillation", 0.0)
    if smoothing == 0 and part == 0:
        return model(**feature).loss
    out = model(input_ids=feature["input_ids"], token_type_ids=feature["token_type_ids"])
    loss = 0
    for i, (logits, label) in enumerate([(out.start_logits, feature["start_positions"]), (out.end_logits, feature["end_positions"])]):
        loss = loss + (1 - part) / 2 * F.cross_entropy(logits, label, label_smoothing=smoothing)
        if part > 0:
            loss = loss + part / 2 * F.cross_entropy(logits, teacher[i].softmax(0)[None])
    return loss


def add_gradients(model, data, batch, keys, teacher):
    """Of the mean over the batch, which it returns."""
    loss = 0.0
    for i in batch:
        part = loss_of(model, data[i], keys, teacher[i] if teacher else None) / len(batch)
        part.backward()
        loss += part.item()
    return loss


class Average:
    """torch_ema's: ema_decay of docs/training.md."""

    def __init__(self, model, decay):
        self.decay, self.updates = decay, 0
        self.shadow = [p.detach().clone() for p in model.parameters()]

    @torch.no_grad()
    def update(self, model):
        self.updates += 1
        d = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for s, p in zip(self.shadow, model.parameters()):
            s.sub_((1 - d) * (s - p))

    @torch.no_grad()
    def put_into(self, model):
        for s, p in zip(self.shadow, model.parameters()):
            p.copy_(s)


def add_attacked_gradients(model, data, batch, keys, teacher):
    """adversarial = "fgm": those at word embeddings moved by g / ||g||."""
    words = model.get_input_embeddings().weight
    before = words.detach().clone()
    with torch.no_grad():
        words.add_(words.grad / words.grad.norm())
    add_gradients(model, data, batch, keys, teacher)
    with torch.no_grad():
        words.copy_(before)


def train(model, data, orders, keys, teacher=None):
    """Trains in place for keys["max_steps"] steps, and leaves the model as it is to be kept. Returns each step's loss, learning
    rate and norm, and the first gradients. `teacher` has (start, end) logits of each feature."""
    optimizer = make_optimizer(model, keys)
    average = Average(model, keys["ema_decay"]) if keys.get("ema_decay", 0) > 0 else None
    warmup = math.ceil(keys["max_steps"] * keys.get("warmup_ratio", 0.0))
    scheduler = get_scheduler(keys.get("schedule", "linear"), optimizer, num_warmup_steps=warmup, num_training_steps=keys["max_steps"])
    size, steps, first = keys["batch_size"], [], {}
    batches = (order[k:k + size] for order in orders for k in range(0, len(order), size))
    for batch, _ in zip(batches, range(keys["max_steps"])):
        optimizer.zero_grad()
        loss = add_gradients(model, data, batch, keys, teacher)
        if keys.get("adversarial") == "fgm":
            add_attacked_gradients(model, data, batch, keys, teacher)
        if not first:
            first = {n: p.grad.clone() for n, p in model.named_parameters()}
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), keys.get("max_grad_norm", 1.0)).item()
        steps.append({"loss": loss, "learning_rate": optimizer.param_groups[0]["lr"] / optimizer.param_groups[0]["factor"], "grad_norm": norm, "features": len(batch)})
        optimizer.step()
        scheduler.step()
        if average:
            average.update(model)
    if average:
        average.put_into(model)
    return steps, first
