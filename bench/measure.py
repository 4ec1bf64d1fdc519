"""What the benchmarks share: running both sides, the work that a model is, and how fast this machine multiplies matrices."""
import json
import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "parity"))


def seconds_of(command, **keywords):
    """Wall time of a whole process, which must succeed."""
    began = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **keywords)
    took = time.perf_counter() - began
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stderr}")
    return took, done.stdout


def median_seconds(command, times):
    return statistics.median(seconds_of(command)[0] for _ in range(times))


def peer(path, out, *flags):
    """What ../shared/peers/hf_qa.py says of itself."""
    _, text = seconds_of([sys.executable, path, "--out", out, *map(str, flags)])
    return json.loads(text.splitlines()[-1])


def forward_flops(model, tokens, length):
    """Of the matrix products of a BERT over so many tokens in sequences of a mean length."""
    with open(os.path.join(model, "config.json")) as f:
        config = json.load(f)
    hidden, wide = config["hidden_size"], config["intermediate_size"]
    return config["num_hidden_layers"] * tokens * (2 * (4 * hidden * hidden + 2 * hidden * wide) + 4 * length * hidden)


def product_peak():
    """LibTorch's bf16 products at their best on all cores, FLOP/s: large ones, several shapes, the fastest of many."""
    import torch
    best = 0
    for rows, k, columns in ((2048, 768, 3072), (4096, 1024, 4096), (2048, 2048, 2048)):
        a, b = torch.randn(rows, k, dtype=torch.bfloat16), torch.randn(columns, k, dtype=torch.bfloat16)
        for _ in range(20):
            began = time.perf_counter()
            torch.nn.functional.linear(a, b)
            best = max(best, 2 * rows * k * columns / (time.perf_counter() - began))
    return best


def loop_peak(bin_dir):
    """The same of expctl's own kernels' inner loop alone, out of the first cache: its instruction set, and FLOP/s."""
    name, best = seconds_of([os.path.join(bin_dir, "bench_products"), str(os.cpu_count())])[1].split()
    return name, float(best)


def figure(name, value):
    """A line of bench/gpu.sh's table."""
    print(f"* {name} | {value}", flush=True)


def gpu_product_peak():
    """FLOP/s of a large bf16 product on the GPU: the median of 20."""
    import torch
    size = 8192
    a, b = (torch.randn(size, size, dtype=torch.bfloat16, device="cuda") for _ in range(2))
    took = []
    for _ in range(25):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        a @ b
        end.record()
        end.synchronize()
        took.append(begin.elapsed_time(end) / 1e3)
    return 2 * size**3 / statistics.median(took[5:])


class GpuMemory:
    """with GpuMemory() as memory: ...: memory.most is the most MiB that nvidia-smi has seen in use, looking five times a second."""

    def __enter__(self):
        command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "-i", os.environ.get("CUDA_VISIBLE_DEVICES", "0"), "-lms", "200"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.most = max((int(line) for line in self.process.communicate()[0].split() if line.isdigit()), default=0)
