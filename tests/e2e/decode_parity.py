"""Decodes a run's logits.safetensors with the submission's eval_only.py (Python, transformers' tokenizer) and compares every
n-best list with the one that expctl has written: texts equal, logits equal, probabilities to 1e-9.

Usage: decode_parity.py ENTRY_FOLDER LOGITS DEV_FILE    (exit 0 where nothing differs)
"""
import importlib.util
import json
import pathlib
import sys

from safetensors.numpy import load_file
from transformers import AutoTokenizer

entry, logits_file, dev_file = (pathlib.Path(argument) for argument in sys.argv[1:4])
spec = importlib.util.spec_from_file_location("eval_only", entry / "eval_only.py")
eval_only = importlib.util.module_from_spec(spec)
spec.loader.exec_module(eval_only)

manifest = json.loads((entry / "manifest.json").read_text())
settings = manifest["evaluation"]
tokenizer = AutoTokenizer.from_pretrained(entry / "checkpoint" / manifest["models"][0]["member"])
logits = load_file(logits_file)
offsets = logits["offsets"].tolist()
recorded = json.loads((entry / "nbest_predictions.json").read_text())

feature = differences = 0
contexts = {}
for index, (question_id, question, context, _) in enumerate(eval_only.read_questions(dev_file)):
    if context not in contexts:
        encoded = tokenizer(context, add_special_tokens=False, return_offsets_mapping=True)
        contexts[context] = (encoded["input_ids"], encoded["offset_mapping"])
    question_ids = tokenizer(question, add_special_tokens=False)["input_ids"]
    windows = eval_only.make_windows(index, question_ids, contexts[context][0], tokenizer, settings)
    own = []
    for window in windows:
        begin, end = offsets[feature], offsets[feature + 1]
        assert end - begin == len(window.ids), question_id
        own.append((logits["start"][begin:end].astype(float).tolist(), logits["end"][begin:end].astype(float).tolist()))
        feature += 1
    mine = eval_only.best_answers(tokenizer, settings, context, *contexts[context], windows, own)
    theirs = recorded[question_id]
    same = len(mine) == len(theirs) and all(
        a["text"] == b["text"] and a["start_logit"] == b["start_logit"] and a["end_logit"] == b["end_logit"]
        and abs(a["probability"] - b["probability"]) < 1e-9
        for a, b in zip(mine, theirs)
    )
    if not same:
        differences += 1
        if differences <= 3:
            pair = next(((a, b) for a, b in zip(mine, theirs) if a != b), (len(mine), len(theirs)))
            print(question_id, *pair, sep="\n  ", file=sys.stderr)
assert feature == len(offsets) - 1
print(f"questions {index + 1}, features {feature}, n-best lists that differ: {differences}")
sys.exit(differences != 0)
