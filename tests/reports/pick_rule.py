"""The contest's rule for picking, in plain words, for tests/reports/pick_test.cpp.

Reads cases, one JSON object a line: {"top", "average", "entries": [{"id", "age", "state", "f1", "probability"}]}, an F1 of null for
one that is no number. Writes a line for each: {"ids", "mean"}, or null where too few entries are scored. The lower age is the older.
"""
import json
import sys


def pick(case):
    scored = [e for e in case["entries"] if e["state"] == "succeeded" and e["f1"] is not None]
    if len(scored) < case["top"]:
        return None

    def merit(entry):
        return (-entry["f1"], entry["probability"] is None, -(entry["probability"] or 0.0), entry["age"])

    best = sorted(scored, key=merit)[: case["top"]]
    total = 0.0
    for entry in best[: case["average"]]:
        total += entry["f1"]
    return {"ids": [e["id"] for e in best], "mean": total / case["average"]}


for line in sys.stdin:
    print(json.dumps(pick(json.loads(line))))
