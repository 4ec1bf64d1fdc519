"""Compares a run's checkpoint under transformers with its logits.safetensors.

    logits.py EXPCTL CHECKPOINT_DIR DATASET LOGITS FEATURES TOLERANCE

Loads the checkpoint with AutoModelForQuestionAnswering (no key may be missing or unexpected but the pooler), feeds it the first
FEATURES windows of the dataset one by one, unpadded, in fp32, and compares start and end logits.
"""
import json
import os
import subprocess
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
from safetensors.torch import load_file
from transformers import AutoModelForQuestionAnswering


def main():
    expctl, checkpoint, dataset, logits_file, count, tolerance = sys.argv[1:7]
    dump = subprocess.run([expctl, "features", dataset, "--vocab", os.path.join(checkpoint, "vocab.txt"), "--dump", *sys.argv[7:]],
                          check=True, capture_output=True, text=True).stdout.splitlines()
    logits = load_file(logits_file)
    offsets = logits["offsets"].tolist()
    model, info = AutoModelForQuestionAnswering.from_pretrained(checkpoint, output_loading_info=True)
    strange = [k for k in [*info["missing_keys"], *info["unexpected_keys"]] if "pooler" not in k]
    worst = 0.0
    model.eval()
    with torch.inference_mode():
        for i, line in enumerate(dump[: int(count)]):
            feature = json.loads(line)
            ids = feature["input_ids"]
            # The context begins at the first token that has an offset.
            context = next(k for k, offset in enumerate(feature["offsets"]) if offset != [0, 0])
            types = [0] * context + [1] * (len(ids) - context)
            out = model(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([types]))
            for name, wanted in (("start", out.start_logits[0]), ("end", out.end_logits[0])):
                got = logits[name][offsets[i] : offsets[i + 1]]
                worst = max(worst, (got - wanted).abs().max().item())
    print(f"keys missing or unexpected: {strange}; features {min(int(count), len(dump))}; largest difference {worst:.3g}")
    sys.exit(0 if not strange and worst <= float(tolerance) else 1)


main()
