#!/usr/bin/env bash
# Tests and figures on a machine with an NVIDIA GPU, inside what scripts/bundle.sh has made or in a checkout that has been built there
# (docs/gpu.md has what was seen). Nothing else should be running. It leaves the card's settings alone.
# Usage: bench/gpu.sh [PART ...]     parts, in this order unless named; the times are expected on an H100
#   tests     test_cuda                                                                                         20 s
#   parity    100 steps beside transformers on the GPU, in fp32; logits beside the CPU's                         60 s
#   train     BERT-base's size in bf16, batches of 32 and 12, beside Hugging Face's Trainer                     210 s
#   seeds     1, 2 and 3 runs side by side on the one GPU                                                        60 s
#   predict   the whole dev set                                                                                  20 s
#   memcheck  test_cuda under compute-sanitizer                                                             (not yet seen)
#   cpu       (only where named) test_trainer, on whatever CPU that machine has                                  60 s
# The lines that begin with * are the figures; they come again at the end and in OUT (results) as summary.md, with all else as gpu.log.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. bench/parts.sh
if [ -f env.sh ]; then . ./env.sh || exit; fi
bin=${EXPCTL_BIN:-$PWD/build/release/bin}
python=${EXPCTL_PYTHON:-${EXPCTL_VENV:-$PWD/.venv}/bin/python}
shared=${EXPCTL_SHARED:-$PWD/../shared}
minilm=${EXPCTL_MINILM:-$PWD/build/models/minilm}
train=$shared/squad/train-40-articles.json
dev=$shared/squad/dev-v1.1.json
peer=$shared/peers/hf_qa.py
work=$PWD/build/gpu
results=${OUT:-$PWD/results}
unset EXPCTL_WORKSPACE EXPCTL_TRAIN EXPCTL_ISA
export PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=true CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES:-0}

bounded() { timeout -k 5 "$@"; }  # SECONDS COMMAND ...: with all that it has started
bench() { bounded "$1" "$python" "bench/$2" "${@:3}"; }
figure() { echo "* $1 | $2"; }

# model FOLDER [SIZE=N ...]: one with random weights, made once.
model() {
  [ -f "$1/vocab.txt" ] || "$python" -c "import sys; sys.path.insert(0, 'bench/parity'); import reference
reference.random_base('$1', '$minilm/vocab.txt', $(IFS=,; echo "${*:2}"))"
}

tests() {
  local code all skipped
  [ -x "$bin/test_cuda" ] || { figure "test_cuda" "is not built"; return 1; }
  bounded 120 "$bin/test_cuda" -d yes >"$results/test_cuda.log" 2>&1
  code=$?
  all=$("$bin/test_cuda" --list-test-names-only | wc -l)
  skipped=$(grep -c 'SKIPPED:' "$results/test_cuda.log")
  grep -v -E '^[0-9.]+ s: ' "$results/test_cuda.log" | tail -60
  figure "test_cuda" "$all tests, $skipped of them skipped, exit code $code"
  [ "$code" = 0 ] && [ "$skipped" -lt "$all" ]
}

# Several processes, each with its share of the tests: under the sanitizer the host is what takes long.
memcheck() {
  local i shares=8 failed=0 pids=() clean
  command -v compute-sanitizer >/dev/null || { figure "memcheck" "there is no compute-sanitizer"; return 1; }
  [ -x "$bin/test_cuda" ] || { figure "memcheck" "test_cuda is not built"; return 1; }
  for ((i = 0; i < shares; i++)); do
    "$bin/test_cuda" --list-test-names-only | awk -v n=$shares -v i="$i" 'NF && NR % n == i' | sed 's!,!\\,!g' >"$1/$i.names"
    # What the calls of CUDA return is looked at by the program; NCCL asks for kernels that it does not have.
    bounded 240 compute-sanitizer --tool memcheck --report-api-errors no --error-exitcode 9 "$bin/test_cuda" -d yes --input-file "$1/$i.names" >"$1/$i.log" 2>&1 &
    pids+=($!)
  done
  for ((i = 0; i < shares; i++)); do wait "${pids[i]}" || { failed=1; tail -30 "$1/$i.log"; }; done
  cat "$1"/*.log >"$results/memcheck.log"
  clean=$(grep -l 'ERROR SUMMARY: 0 errors' "$1"/*.log | wc -l)
  figure "memcheck of test_cuda, in $shares processes" "$clean without an error, $(grep -c -E '^[0-9.]+ s: ' "$results/memcheck.log") tests run"
  [ "$failed" = 0 ]
}

parity() {
  local small=$minilm failed=0
  if [ ! -f "$minilm/model.safetensors" ]; then
    small=$1/small
    model "$small" hidden_size=256 num_hidden_layers=4 num_attention_heads=4 intermediate_size=1024 || return
  fi
  bench 120 parity/steps.py "$bin" "$small" "$train" "$1/steps" --gpus 0 --questions 300 --case adamw --case accumulation |
    sed -E 's/^([a-z_]+): ([0-9]+ steps)/* beside transformers, \1 | \2/' || failed=1
  bench 60 parity/devices.py "$bin" "$small" "$shared/squad/eval-8-articles.json" "$1/logits" | sed -E 's/^logits: /* logits beside the CPU'\''s, fp32 | /' || failed=1
  return "$failed"
}

train() {
  local failed=0
  model "$work/base" || return
  figure "the Trainer's optimizer" "$("$python" -c "from transformers import TrainingArguments as t; print(t.__dataclass_fields__['optim'].default)")"
  bench 300 gpu_train.py "$bin" "$work/base" "$train" "$peer" "$1/32" --batch 32 || failed=1
  bench 120 gpu_train.py "$bin" "$work/base" "$train" "$peer" "$1/12" --batch 12 --kinds best || failed=1
  return "$failed"
}

# With CUDA's multi-process service too, where it is there and starts as the card is set.
seeds() {
  local failed=0 folder
  model "$work/base" || return
  bench 150 gpu_seeds.py "$bin" "$work/base" "$train" "$1/sliced" || failed=1
  command -v nvidia-cuda-mps-control >/dev/null || { figure "multi-process service" "is not there"; return "$failed"; }
  folder=$(mktemp -d)
  export CUDA_MPS_PIPE_DIRECTORY=$folder CUDA_MPS_LOG_DIRECTORY=$folder
  if bounded 20 nvidia-cuda-mps-control -d; then
    bench 60 gpu_seeds.py "$bin" "$work/base" "$train" "$1/service" --runs 3 --title "multi-process service" || figure "multi-process service" "does not run here"
    echo quit | bounded 20 nvidia-cuda-mps-control
  else
    figure "multi-process service" "does not start here"
  fi
  unset CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY
  return "$failed"
}

predict() { model "$work/base" && bench 60 gpu_predict.py "$bin" "$work/base" "$dev" "$1"; }

cpu() {
  bounded 180 "$bin/test_trainer" >"$1/log" 2>&1
  local code=$?
  tail -40 "$1/log"
  figure "test_trainer on $(sed -n 's/^model name\t: //p' /proc/cpuinfo | head -1)" "$(grep -c SKIPPED: "$1/log") skipped, exit code $code"
  return "$code"
}

# The weights that a bundle has as fp16.
widen() {
  [ ! -f "$minilm/model-fp16.safetensors" ] || [ -f "$minilm/model.safetensors" ] || "$python" -c "from safetensors.torch import load_file, save_file
save_file({n: t.float() if t.is_floating_point() else t for n, t in load_file('$minilm/model-fp16.safetensors').items()}, '$minilm/model.safetensors', {'format': 'pt'})"
}

run() {
  local gpu
  gpu=$(nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader -i "$CUDA_VISIBLE_DEVICES") || { echo "there is no GPU here"; return 1; }
  figure "GPU" "$gpu"
  figure "PyTorch, transformers" "$("$python" -c 'import torch, transformers; print(torch.__version__, transformers.__version__, sep=", ")')"
  widen && run_parts "tests parity train seeds predict memcheck cpu" "tests parity train seeds predict memcheck" "" "$work" "$@"
}

mkdir -p "$work" "$results"
run "$@" 2>&1 | tee "$results/gpu.log"
code=${PIPESTATUS[0]}
sed -n -e 's/^\* \(.*\)$/| \1 |/p' -e 's/^== \(.*\) took \(.* s\)$/| \1, the whole part | \2 |/p' -e 's/^== \(.*\) does not hold$/| \1 | DOES NOT HOLD |/p' "$results/gpu.log" |
  sed '1i | what | seen |\n| --- | --- |' | tee "$results/summary.md"
exit "$code"
