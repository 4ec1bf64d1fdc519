"""Logits and gradients of a batch by transformers and autograd, with the head's class of eval_only.py.

Usage: mlp_head_parity.py CHECKPOINT BATCH.json EVAL_ONLY.py OUT.safetensors

The batch is a list of {"input_ids", "token_types", "start", "end"}, one unpadded sequence each. Writes "logits" [tokens, 2] and
"gradient/NAME" of the sum over sequences of the mean of start and end cross-entropy, in fp32.
"""
import importlib.util
import json
import sys

import torch
from safetensors.torch import save_file

checkpoint, batch, script, out = sys.argv[1:]
spec = importlib.util.spec_from_file_location("eval_only", script)
eval_only = importlib.util.module_from_spec(spec)
spec.loader.exec_module(eval_only)

model = eval_only.load_model(checkpoint).float().eval()
assert type(model) is eval_only.BertWithMlpHead, type(model)
logits, loss = [], 0.0
for sequence in json.load(open(batch)):
    ids = torch.tensor([sequence["input_ids"]])
    result = model(input_ids=ids, token_type_ids=torch.tensor([sequence["token_types"]]), attention_mask=torch.ones_like(ids))
    sides = result.start_logits, result.end_logits
    logits.append(torch.stack([side[0] for side in sides], dim=1))
    loss = loss + sum(torch.nn.functional.cross_entropy(side, torch.tensor([sequence[key]])) for side, key in zip(sides, ("start", "end"))) / 2
loss.backward()
tensors = {f"gradient/{name}": p.grad.contiguous() for name, p in model.named_parameters() if p.grad is not None}
save_file({"logits": torch.cat(logits).detach().contiguous(), **tensors}, out)
