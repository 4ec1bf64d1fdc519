"""Combines runs' answers in numpy and compares with the entry that expctl has made of them: every prediction and n-best text,
logits within 1e-6, EM and F1 to the last digit.

Usage: ensemble_parity.py RUNS_FOLDER ENSEMBLE_ID DEV_FILE EVAL_ONLY.py    (exit 0 where nothing differs)

Members, weights, scales and the method are read from ensemble.json; features, decoding and scoring are those of eval_only.py, which
knows nothing of expctl.
"""
import importlib.util
import json
import math
import pathlib
import sys

import numpy as np
from safetensors import safe_open
from transformers import AutoTokenizer

runs, ensemble_id, dev_file, script = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), sys.argv[4]
runs = pathlib.Path(runs)
spec = importlib.util.spec_from_file_location("eval_only", script)
eval_only = importlib.util.module_from_spec(spec)
spec.loader.exec_module(eval_only)

entry = json.loads((runs / ensemble_id / "ensemble.json").read_text())
members, method, train = entry["members"], entry["method"], entry["train"]
settings = {
    "max_seq_length": train["eval_max_seq_length"], "doc_stride": train["eval_doc_stride"], "window": train["eval_window"],
    "max_query_length": train["max_query_length"], "n_best": train["n_best"], "max_answer_length": train["max_answer_length"],
    "decode": train["decode"],
}
weights = np.array([member["weight"] for member in members], dtype=np.float64)
weights /= weights.sum()
scales = [member.get("scale", 1.0) for member in members]


def read_logits(folder):
    with safe_open(folder / "logits.safetensors", framework="numpy") as file:
        return [file.get_tensor(name) for name in ("start", "end", "offsets")]


tokenizer = AutoTokenizer.from_pretrained(runs / members[0]["id"] / "checkpoint")
questions = eval_only.read_questions(dev_file)
contexts, windows = {}, []
for index, (_, question, context, _) in enumerate(questions):
    if context not in contexts:
        encoded = tokenizer(context, add_special_tokens=False, return_offsets_mapping=True)
        contexts[context] = (encoded["input_ids"], encoded["offset_mapping"])
    question_ids = tokenizer(question, add_special_tokens=False)["input_ids"]
    windows += eval_only.make_windows(index, question_ids, contexts[context][0], tokenizer, settings)
of_question = [[] for _ in questions]
for i, window in enumerate(windows):
    of_question[window.question].append(i)
lengths = [len(window.ids) for window in windows]
offsets = np.concatenate([[0], np.cumsum(lengths)])


def decode(start, end):
    """n-best of every question from logits of all tokens."""
    answers = []
    for index, (_, _, context, _) in enumerate(questions):
        own = [(start[offsets[i] : offsets[i + 1]].tolist(), end[offsets[i] : offsets[i + 1]].tolist()) for i in of_question[index]]
        answers.append(eval_only.best_answers(tokenizer, settings, context, *contexts[context], [windows[i] for i in of_question[index]], own))
    return answers


def joint_softmax(values):
    result = np.empty_like(values)
    for chosen in of_question:
        begin, end = offsets[chosen[0]], offsets[chosen[-1] + 1]  # a question's windows follow one another
        part = np.exp(values[begin:end] - values[begin:end].max())
        result[begin:end] = part / part.sum()
    return result


worst = 0.0
if method == "nbest":
    lists = [json.loads((runs / member["id"] / "nbest_predictions.json").read_text()) for member in members]
    answers = []
    for question_id, _, _, _ in questions:
        mass = {}
        for weight, nbest in zip(weights, lists):
            for answer in nbest[question_id]:
                mass[answer["text"]] = mass.get(answer["text"], 0.0) + weight * answer["probability"]
        order = sorted(mass, key=lambda text: -mass[text])[: settings["n_best"]]
        total = math.fsum(mass[text] for text in order)
        answers.append([{"text": text, "probability": mass[text] / total} for text in order])
else:
    sides = []
    for side in (0, 1):
        mean = np.zeros(offsets[-1], dtype=np.float64)
        for weight, scale, member in zip(weights, scales, members):
            logits = read_logits(runs / member["id"])
            assert (logits[2] == offsets).all(), member["id"]
            values = scale * logits[side].astype(np.float64)
            mean += weight * (joint_softmax(values) if method == "probabilities" else values)
        sides.append(np.log(np.maximum(mean, np.finfo(np.float32).tiny)) if method == "probabilities" else mean)
    recorded = read_logits(runs / ensemble_id)
    worst = max(np.abs(mine - theirs).max() for mine, theirs in zip(sides, recorded))
    answers = decode(recorded[0].astype(np.float64), recorded[1].astype(np.float64))
    own = decode(*[side.astype(np.float32).astype(np.float64) for side in sides])
    others = sum(a[0]["text"] != b[0]["text"] for a, b in zip(answers, own))
    print(f"answers of numpy's own logits that differ: {others}")
    worst = max(worst, float(others))

nbest = json.loads((runs / ensemble_id / "nbest_predictions.json").read_text())
predictions = json.loads((runs / ensemble_id / "predictions.json").read_text())
differences = sum(predictions[question[0]] != answer[0]["text"] for question, answer in zip(questions, answers))
lists_apart = sum(
    len(nbest[question[0]]) != len(answer)
    or any(a["text"] != b["text"] or abs(a["probability"] - b["probability"]) > 1e-9 for a, b in zip(nbest[question[0]], answer))
    for question, answer in zip(questions, answers)
)
score = eval_only.score(questions, {question[0]: answer[0]["text"] for question, answer in zip(questions, answers)})
line = json.dumps(score)
recorded_line = (runs / ensemble_id / "eval.json").read_text().strip()
print(f"{method} of {len(members)}: {len(questions)} questions, largest difference of a logit {worst:.1e}, predictions that differ {differences}, "
      f"n-best lists that differ {lists_apart}; {line} and {recorded_line}")
sys.exit(worst > 1e-6 or differences != 0 or lists_apart != 0 or line != recorded_line)
