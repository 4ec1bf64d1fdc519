"""Whether transformers, given a folder, computes the logits that an expected.json holds.

    expected.py MODEL_DIR EXPECTED_JSON [--save-pickled DIR]

No key may be missing or unexpected. --save-pickled also writes the model as config.json, vocab.txt and pytorch_model.bin.
"""
import json
import os
import shutil
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
from transformers import AutoModelForQuestionAnswering


def main():
    folder, expected = sys.argv[1], json.load(open(sys.argv[2]))
    model, info = AutoModelForQuestionAnswering.from_pretrained(folder, output_loading_info=True)
    model.eval()
    worst = 0.0
    with torch.inference_mode():
        for case in expected["cases"]:
            out = model(input_ids=torch.tensor([case["input_ids"]]), token_type_ids=torch.tensor([case["token_type_ids"]]))
            for got, wanted in ((out.start_logits, case["start_logits"]), (out.end_logits, case["end_logits"])):
                worst = max(worst, (got[0] - torch.tensor(wanted)).abs().max().item())
    strange = [*info["missing_keys"], *info["unexpected_keys"]]
    print(f"keys missing or unexpected: {strange}; {len(expected['cases'])} cases, largest difference {worst:.3g} (limit {expected['tolerance']:g})")
    if sys.argv[3:4] == ["--save-pickled"]:
        os.makedirs(sys.argv[4])
        for name in ("config.json", "vocab.txt"):
            shutil.copy(os.path.join(folder, name), sys.argv[4])
        torch.save(model.state_dict(), os.path.join(sys.argv[4], "pytorch_model.bin"))
    sys.exit(0 if not strange and worst <= expected["tolerance"] else 1)


main()
