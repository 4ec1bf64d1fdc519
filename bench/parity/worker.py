"""Runs expctl-train by hand, as `expctl job` would: a request.json in a folder, and the program on it."""
import json
import os
import subprocess


def write_request(folder, *, model, train="", dev="", teacher="", keys=None, threads=1, gpus=(), task="train", **more):
    """`keys` are training keys, `more` other members of the request ("order", "save_gradients").

    `gpus` are as expctl would lease them; whoever starts the program says with CUDA_VISIBLE_DEVICES which it sees."""
    os.makedirs(folder, exist_ok=True)

    def given(path):
        return {"path": os.path.abspath(path) if path else "", "sha256": ""}

    request = {
        "schema_version": 1, "task": task, "run_id": os.path.basename(folder), "attempt": 1, "attempt_token": "parity",
        "argv": [], "environment": {}, "devices": {"gpus": list(gpus), "threads": threads, "cpu_ids": []},
        "spec": {"name": "parity", "params": {}, "train": keys or {}, "data": {"train": given(train), "dev": given(dev), **({"teacher": given(teacher)} if teacher else {})},
                 "model": {"init": given(model)}, "command": {"argv": []}, "resources": {}, "contest": {"rules": "none"}},
        **more}
    with open(os.path.join(folder, "request.json"), "w") as f:
        json.dump(request, f)


def start(bin_dir, folder, ranks=1):
    """Popen of expctl-train on the folder, under mpirun where it has several ranks; its output is appended to train.log there."""
    launcher = ["mpirun", "--allow-run-as-root", "-np", str(ranks), "--bind-to", "none", "--oversubscribe"] if ranks > 1 else []
    with open(os.path.join(folder, "train.log"), "a") as log:
        return subprocess.Popen([*launcher, os.path.join(bin_dir, "expctl-train"), folder], stdout=log, stderr=log)


def finish(process, folder):
    if process.wait() != 0:
        with open(os.path.join(folder, "train.log")) as f:
            raise SystemExit(f"expctl-train ended with {process.returncode}:\n{f.read()}")


def steps_of(folder):
    """The step lines of metrics.jsonl."""
    with open(os.path.join(folder, "metrics.jsonl")) as f:
        return [line for line in map(json.loads, f) if "loss" in line]
