"""F1 of expctl's runs beside Hugging Face's Trainer's, seed by seed, and whether expctl's mean is within 0.7 of either kind's.

    scores.py EXPCTL WORKSPACE PEER_FILE...

A PEER_FILE is PADDING-SEED.json, the last line that ../shared/peers/hf_qa.py printed.
"""
import collections
import json
import os
import statistics
import subprocess
import sys

ALLOWED = 0.7


def main():
    expctl, workspace, *peer_files = sys.argv[1:]
    listing = subprocess.run([expctl, "--workspace", workspace, "--json", "runs", "list"], check=True, capture_output=True, text=True)
    runs = json.loads(listing.stdout)["runs"]
    assert runs and all(run["state"] == "succeeded" for run in runs), "not every run has succeeded"
    scores = {"expctl": {run["seed"]: run["f1"] for run in runs}}
    peers = collections.defaultdict(dict)
    for path in peer_files:
        padding, seed = os.path.splitext(os.path.basename(path))[0].split("-")
        with open(path) as f:
            peers[f"Trainer, --padding {padding}"][int(seed)] = json.load(f)["f1"]
    scores.update(peers)
    means = {name: statistics.mean(of.values()) for name, of in scores.items()}
    for name, of in scores.items():
        print(f"{name}: mean F1 {means[name]:.2f} of", ", ".join(f"{f1:.2f} (seed {seed})" for seed, f1 in sorted(of.items())))
    lead = {name: means["expctl"] - means[name] for name in peers}
    for name, points in lead.items():
        print(f"expctl beside {name}: {points:+.2f} points (allowed {-ALLOWED:+.2f})")
    sys.exit(0 if lead and min(lead.values()) >= -ALLOWED else 1)


main()
