#!/usr/bin/env python3
"""Predicts the questions of a SQuAD 1.1 file again from the checkpoints beside this script, and scores the answers.

Usage: eval_only.py DEV_FILE [--out FOLDER]. Needs Python with torch and transformers, and nothing of expctl. How the answers
are made (length, stride, window, decoding, an ensemble's members and weights) is read from manifest.json. Computes in fp32.
"""
import argparse
import collections
import json
import math
import pathlib
import re
import string
import sys

import torch
from transformers import AutoConfig, AutoModelForQuestionAnswering, AutoTokenizer, BertForQuestionAnswering
from transformers.modeling_outputs import QuestionAnsweringModelOutput

HERE = pathlib.Path(__file__).resolve().parent
Window = collections.namedtuple("Window", "question first last prefix ids")  # context tokens [first, last)


def read_questions(path):
    """[(id, question, context, gold answers)] in file order."""
    questions = []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                gold = [answer["text"] for answer in qa.get("answers", [])]
                questions.append((qa["id"], qa["question"], paragraph["context"], gold))
    return questions


def make_windows(index, question_ids, context_ids, tokenizer, settings):
    if settings["max_query_length"]:
        question_ids = question_ids[: settings["max_query_length"]]
    room = settings["max_seq_length"] - len(question_ids) - 3
    step = settings["doc_stride"] if settings["window"] == "advance" else room - settings["doc_stride"]
    windows, first = [], 0
    while True:
        last = min(first + room, len(context_ids))
        prefix = [tokenizer.cls_token_id, *question_ids, tokenizer.sep_token_id]
        windows.append(Window(index, first, last, len(prefix), prefix + context_ids[first:last] + [tokenizer.sep_token_id]))
        if last == len(context_ids):
            return windows
        first += min(step, last - first)


class BertWithMlpHead(BertForQuestionAnswering):
    """Logits are qa_outputs(gelu(qa_head.dense(h))) of the last hidden states h, where BERT's are qa_outputs(h)."""

    def __init__(self, config):
        super().__init__(config)
        self.qa_head = torch.nn.ModuleDict({"dense": torch.nn.Linear(config.hidden_size, config.hidden_size)})
        self.post_init()

    def forward(self, **inputs):
        hidden = torch.nn.functional.gelu(self.qa_head["dense"](self.bert(**inputs).last_hidden_state))
        start, end = self.qa_outputs(hidden).unbind(dim=-1)
        return QuestionAnsweringModelOutput(start_logits=start, end_logits=end)


def load_model(checkpoint):
    """BERT with its standard head, or with the one that config.json names."""
    head = getattr(AutoConfig.from_pretrained(checkpoint), "expctl_head", "linear")
    kind = {"linear": AutoModelForQuestionAnswering, "mlp": BertWithMlpHead}[head]
    return kind.from_pretrained(checkpoint)


def predict_logits(checkpoint, windows, batch_size=16):
    """Start and end logits of each window's own tokens."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = load_model(checkpoint).float().to(device).eval()
    logits = [None] * len(windows)
    order = sorted(range(len(windows)), key=lambda i: -len(windows[i].ids))
    for begin in range(0, len(order), batch_size):
        chosen = order[begin : begin + batch_size]
        length = len(windows[chosen[0]].ids)
        ids, types, mask = (torch.zeros(len(chosen), length, dtype=torch.long) for _ in range(3))
        for row, i in enumerate(chosen):
            window = windows[i]
            ids[row, : len(window.ids)] = torch.tensor(window.ids)
            types[row, window.prefix : len(window.ids)] = 1
            mask[row, : len(window.ids)] = 1
        with torch.no_grad():
            out = model(input_ids=ids.to(device), token_type_ids=types.to(device), attention_mask=mask.to(device))
        for row, i in enumerate(chosen):
            size = len(windows[i].ids)
            logits[i] = (out.start_logits[row, :size].double().cpu(), out.end_logits[row, :size].double().cpu())
    return logits


def joint_softmax(parts, scale):
    """Softmax over all tokens of all parts together."""
    whole = torch.softmax(scale * torch.cat(parts), dim=0)
    return list(torch.split(whole, [len(part) for part in parts]))


def average(models, windows, method):
    """Start and end logits of each window: the weighted mean of the models' (or the logarithm of that of their probabilities)."""
    of_question = collections.defaultdict(list)
    for i, window in enumerate(windows):
        of_question[window.question].append(i)
    total = sum(model["weight"] for model in models)
    mean = None
    for model in models:
        share, scale = model["weight"] / total, model.get("scale", 1.0)
        part = predict_logits(HERE / "checkpoint" / model["member"], windows)
        if method == "probabilities":
            for chosen in of_question.values():
                sides = [joint_softmax([part[i][side] for i in chosen], scale) for side in (0, 1)]
                for i, start, end in zip(chosen, *sides):
                    part[i] = (start, end)
            scale = 1.0
        scaled = [(share * scale * start, share * scale * end) for start, end in part]
        mean = scaled if mean is None else [(a + c, b + d) for (a, b), (c, d) in zip(mean, scaled)]
    if method == "probabilities":
        least = torch.finfo(torch.float32).tiny
        mean = [(start.clamp(min=least).log(), end.clamp(min=least).log()) for start, end in mean]
    # Logits are stored in single precision, so an average is too.
    return [(start.float().tolist(), end.float().tolist()) for start, end in mean]


def merge_answers(members, weights, n_best):
    """One question's answers out of several lists: probabilities are averaged text by text."""
    merged = {}
    for answers, weight in zip(members, weights):
        for answer in answers:
            merged[answer["text"]] = merged.get(answer["text"], 0.0) + weight / sum(weights) * answer["probability"]
    best = sorted(merged.items(), key=lambda item: -item[1])[:n_best]
    mass = sum(probability for _, probability in best)
    return [
        {"text": text, "probability": p / mass, "start_logit": math.log(max(p / mass, 1e-300)) / 2, "end_logit": math.log(max(p / mass, 1e-300)) / 2}
        for text, p in best
    ]


def has_most_context(windows, which, position):
    """Whether this window gives the token more context than any other that holds it (the first of equals)."""
    best, best_score = None, None
    for i, window in enumerate(windows):
        if window.first <= position < window.last:
            score = min(position - window.first, window.last - 1 - position) + 0.01 * (window.last - window.first)
            if best is None or score > best_score:
                best, best_score = i, score
    return best == which


def basic_text(tokenizer, text):
    backend = tokenizer.backend_tokenizer
    return " ".join(word for word, _ in backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(text)))


def without_spaces(text):
    """The text without its spaces, and where each kept character stood."""
    kept = [(i, c) for i, c in enumerate(text) if c != " "]
    return "".join(c for _, c in kept), [i for i, _ in kept]


def final_text(tokenizer, pieces_text, original):
    """The part of the original text that the pieces stand for; the whole where they cannot be aligned."""
    basic = basic_text(tokenizer, original)
    at = basic.find(pieces_text)
    if at < 0:
        return original
    basic_bare, basic_places = without_spaces(basic)
    original_bare, original_places = without_spaces(original)
    if len(basic_bare) != len(original_bare):
        return original
    begin = basic_places.index(at)
    end = basic_places.index(at + len(pieces_text) - 1)
    return original[original_places[begin] : original_places[end] + 1]


def word_spans(context):
    """Where the words between white space begin and end, and of every character the number of its word."""
    spans, word_of, open_word = [], [], False
    for i, c in enumerate(context):
        if c in " \t\r\n\u202f":
            open_word = False
        elif open_word:
            spans[-1][1] = i + 1
        else:
            spans.append([i, i + 1])
            open_word = True
        word_of.append(len(spans) - 1)
    return spans, word_of


def answer_text(tokenizer, settings, context, words, ids, offsets, first, last):
    begin, end = offsets[first][0], offsets[last][1]
    if settings["decode"] == "run_qa":
        return context[begin:end]
    pieces = tokenizer.convert_ids_to_tokens(ids[first : last + 1])
    pieces_text = " ".join(" ".join(pieces).replace(" ##", "").replace("##", "").split())
    spans, word_of = words
    covered = spans[word_of[begin] : word_of[end - 1] + 1]
    return final_text(tokenizer, pieces_text, " ".join(context[a:b] for a, b in covered))


def best_answers(tokenizer, settings, context, context_ids, offsets, windows, logits):
    n_best, run_squad = settings["n_best"], settings["decode"] == "run_squad"
    spans = []
    for which, (window, (start, end)) in enumerate(zip(windows, logits)):
        best = [sorted(range(len(side)), key=lambda i: -side[i])[:n_best] for side in (start, end)]
        for s in best[0]:
            for e in best[1]:
                inside = window.prefix <= s <= e < len(window.ids) - 1
                if not inside or e - s + 1 > settings["max_answer_length"]:
                    continue
                position = window.first + s - window.prefix
                if run_squad and not has_most_context(windows, which, position):
                    continue
                spans.append((start[s] + end[e], start[s], end[e], position, window.first + e - window.prefix))
    spans.sort(key=lambda span: -span[0])
    words = word_spans(context)
    answers, seen = [], set()
    for _, start_logit, end_logit, first, last in spans:
        if len(answers) >= n_best:
            break
        text = answer_text(tokenizer, settings, context, words, context_ids, offsets, first, last)
        if run_squad and text in seen:
            continue
        seen.add(text)
        answers.append({"text": text, "probability": 0.0, "start_logit": start_logit, "end_logit": end_logit})
    answers = answers or [{"text": "empty", "probability": 0.0, "start_logit": 0.0, "end_logit": 0.0}]
    scores = [answer["start_logit"] + answer["end_logit"] for answer in answers]
    parts = [math.exp(score - max(scores)) for score in scores]
    for answer, part in zip(answers, parts):
        answer["probability"] = part / sum(parts)
    return answers


def normalized(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def f1_of(prediction, gold):
    prediction, gold = normalized(prediction), normalized(gold)
    same = sum((collections.Counter(prediction) & collections.Counter(gold)).values())
    if same == 0:
        return 0
    precision, recall = 1.0 * same / len(prediction), 1.0 * same / len(gold)
    return (2 * precision * recall) / (precision + recall)


def score(questions, predictions):
    exact = f1 = 0
    for question_id, _, _, gold in questions:
        text = predictions[question_id]
        exact += max(normalized(text) == normalized(answer) for answer in gold)
        f1 += max(f1_of(text, answer) for answer in gold)
    return {"exact_match": 100.0 * exact / len(questions), "f1": 100.0 * f1 / len(questions)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dev_file", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, help="write predictions.json and nbest_predictions.json here")
    args = parser.parse_args()
    manifest = json.loads((HERE / "manifest.json").read_text())
    settings = manifest["evaluation"]
    tokenizer = AutoTokenizer.from_pretrained(HERE / "checkpoint" / manifest["models"][0]["member"])
    questions = read_questions(args.dev_file)

    contexts = {}
    for _, _, context, _ in questions:
        if context not in contexts:
            encoded = tokenizer(context, add_special_tokens=False, return_offsets_mapping=True)
            contexts[context] = (encoded["input_ids"], encoded["offset_mapping"])
    windows = []
    for index, (_, question, context, _) in enumerate(questions):
        question_ids = tokenizer(question, add_special_tokens=False)["input_ids"]
        windows += make_windows(index, question_ids, contexts[context][0], tokenizer, settings)
    of_question = collections.defaultdict(list)
    for i, window in enumerate(windows):
        of_question[window.question].append(i)

    def decode(logits):
        answers = []
        for index, (_, _, context, _) in enumerate(questions):
            chosen = of_question[index]
            own = [windows[i] for i in chosen], [logits[i] for i in chosen]
            answers.append(best_answers(tokenizer, settings, context, *contexts[context], *own))
        return answers

    models, method = manifest["models"], manifest["method"]
    if method == "nbest":
        members = [decode(average([{**model, "weight": 1.0}], windows, "logits")) for model in models]
        weights = [model["weight"] for model in models]
        answers = [merge_answers(lists, weights, settings["n_best"]) for lists in zip(*members)]
    else:
        answers = decode(average(models, windows, method))
    nbest = {question[0]: answer for question, answer in zip(questions, answers)}
    predictions = {question_id: answers[0]["text"] for question_id, answers in nbest.items()}
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "predictions.json").write_text(json.dumps(predictions, indent=2, ensure_ascii=False), encoding="utf-8")
        (args.out / "nbest_predictions.json").write_text(json.dumps(nbest, indent=2, ensure_ascii=False), encoding="utf-8")
    recorded = json.loads((HERE / "predictions.json").read_text(encoding="utf-8"))
    if recorded.keys() == predictions.keys():
        others = sum(recorded[key] != predictions[key] for key in recorded)
        print(f"{others} of {len(recorded)} answers differ from predictions.json", file=sys.stderr)
    if all(gold for _, _, _, gold in questions):
        print(json.dumps(score(questions, predictions)))


if __name__ == "__main__":
    main()
