"""Prints as JSON what TensorBoard's own reader finds below a folder: tensorboard_reads.py FOLDER"""
import json
import os
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

runs = {}
for folder, _, files in os.walk(sys.argv[1]):
    if not any("tfevents" in name for name in files):
        continue
    reader = EventAccumulator(folder, size_guidance={"scalars": 0})
    reader.Reload()
    parameters, status = {}, 0
    for content in reader.PluginTagToContent("hparams").values():
        data = plugin_data_pb2.HParamsPluginData.FromString(content)
        status = data.session_end_info.status or status
        for key, value in data.session_start_info.hparams.items():
            parameters[key] = getattr(value, value.WhichOneof("kind"))
    runs[os.path.relpath(folder, sys.argv[1])] = {
        "scalars": {
            tag: [[e.step, repr(e.value), e.wall_time] for e in reader.Scalars(tag)]
            for tag in reader.Tags()["scalars"]
        },
        "texts": {
            tag: reader.Tensors(tag)[0].tensor_proto.string_val[0].decode()
            for tag in reader.PluginTagToContent("text")
        },
        "parameters": parameters,
        "status": status,
    }
print(json.dumps(runs, indent=1))
