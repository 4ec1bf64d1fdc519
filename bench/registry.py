"""How long a registry of 100,000 runs and 10 million metric rows takes to answer, and how fast metric rows go in beside MLflow's SQLite store.

    registry.py EXPCTL BENCH_REGISTRY WORK_DIR [--runs 100000] [--rows 10000000] [--steps 14000] [--mlflow PYTHON]

Commands are timed as whole processes, the median of 20. Rows go in as expctl takes them when a run ends, STEPS of them at once; MLflow
gets its own batches of 1,000 through its client, the most that it takes. --mlflow: a Python that has MLflow.
"""
import argparse
import os
import subprocess

import measure

MLFLOW = """
import sys, time
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient
folder, steps = sys.argv[1], int(sys.argv[2])
client = MlflowClient("sqlite:///" + folder + "/mlflow.db")
experiment = client.create_experiment("speed")
rows = 0
took = 0.0
for _ in range(3):
    run = client.create_run(experiment)
    for first in range(0, steps // 3, 333):
        batch = [Metric(key, 5.0 / (1 + step), 1700000000000 + step, step) for step in range(first, first + 333) for key in ("epoch", "loss", "learning_rate")]
        began = time.perf_counter()
        client.log_batch(run.info.run_id, metrics=batch)
        took += time.perf_counter() - began
        rows += len(batch)
print(rows / took)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("expctl", "maker", "work"):
        parser.add_argument(name)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--steps", type=int, default=14_000)
    parser.add_argument("--mlflow")
    args = parser.parse_args()
    made = subprocess.run([args.maker, os.path.join(args.work, "registry.db"), str(args.runs), str(args.rows), str(args.steps)], check=True, stdout=subprocess.PIPE, text=True)
    ours = float(made.stdout)
    for words in (["runs", "list", "--limit", "20", "--sort", "f1"], ["runs", "show", "run50"], ["runs", "show", f"run{args.runs // 2}"]):
        measure.figure(" ".join(words), f"{1000 * measure.median_seconds([args.expctl, '--workspace', args.work, *words], 20):.0f} ms of {args.runs} runs and {args.rows} metric rows")
    measure.figure("metric rows", f"{ours:.0f} a second")
    if args.mlflow:
        theirs = float(subprocess.run([args.mlflow, "-c", MLFLOW, args.work, str(args.steps)], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1])
        measure.figure("metric rows, MLflow's SQLite store", f"{theirs:.0f} values a second; a row of expctl has 3 of them: it is {3 * ours / theirs:.0f} times as fast by values, {ours / theirs:.0f} by rows")


main()
