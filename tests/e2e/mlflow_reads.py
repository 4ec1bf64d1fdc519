"""Prints as JSON what MLflow's own client lists of a file store: mlflow_reads.py STORE"""
import json
import os
import sys

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
from mlflow import MlflowClient  # noqa: E402

client = MlflowClient("file:" + os.path.abspath(sys.argv[1]))


def artifacts(run_id, path=None):
    found = []
    for item in client.list_artifacts(run_id, path):
        found += artifacts(run_id, item.path) if item.is_dir else [item.path]
    return sorted(found)


def read_run(run):
    run_id = run.info.run_id
    history = {
        key: [[m.step, repr(m.value), m.timestamp] for m in client.get_metric_history(run_id, key)]
        for key in run.data.metrics
    }
    return {
        "run_id": run_id,
        "status": run.info.status,
        "start_time": run.info.start_time,
        "end_time": run.info.end_time,
        "params": run.data.params,
        "metrics": history,
        "tags": run.data.tags,
        "artifacts": artifacts(run_id),
    }


experiments = {}
for experiment in client.search_experiments():
    runs = client.search_runs([experiment.experiment_id])
    read = [(run.info.run_name, read_run(client.get_run(run.info.run_id))) for run in runs]
    assert len(dict(read)) == len(read), "two runs of one name"
    experiments[experiment.name] = dict(read)
print(json.dumps(experiments, indent=1))
