#!/usr/bin/env bash
# Prints what expctl costs beside its peers on this machine, each figure as a ratio to a peer measured in the same run
# (docs/performance.md has what was seen). Nothing else should be running.
# Usage: bench/run.sh [PART ...]     parts, in this order unless named:
#   squad     features and scores beside transformers' tokenizer and a Python evaluation
#   train     a training step of MiniLM beside Hugging Face's Trainer: eager, sdpa, compiled, as it comes
#   base      the same of BERT-base's size with random weights
#   predict   the whole dev set
#   threads   the weights after 60 steps with 1 thread and with all
#   ranks     one training on two ranks of a thread each, beside one rank and two independent trainings
#   seeds     8 short runs of a sweep, one after the other and side by side
#   cost      time and memory against data and threads, as a plot
#   runner    GPUs kept busy, jobs a second beside GNU parallel, a long queue
#   ensemble  five members combined, decoded and scored over the dev set, and a greedy search among twenty, beside numpy
#   package   five runs of BERT-base's size packed, beside cp of the same files, and the memory of the archive
#   halving   (only where named: 40 minutes a seed) learning curves of 27 configs, and what early stopping saves and loses on them
#   gain      (only where named: an hour) 8 seeds of MiniLM, and what ensembles of 1 to 8 of them gain by each method
#   tpe       minima that sweeps of method tpe and random find, beside Optuna's TPE (fetches Optuna into build/optuna-venv)
#   registry  100,000 runs: how long commands take, and metric rows a second beside MLflow's SQLite store (fetches MLflow)
# Needs scripts/setup.sh --with-tests and the shared folder beside the project (EXPCTL_SHARED). Work and results: build/bench/PART.
set -uo pipefail
cd "$(dirname "$0")/.."
. bench/parts.sh
bin=$PWD/build/release/bin
python=${EXPCTL_VENV:-$PWD/.venv}/bin/python
shared=${EXPCTL_SHARED:-$PWD/../shared}
minilm=$PWD/build/models/minilm
train=$shared/squad/train-40-articles.json
dev=$shared/squad/dev-v1.1.json
peer=$shared/peers/hf_qa.py
work=$PWD/build/bench
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE EXPCTL_WORKSPACE EXPCTL_TRAIN EXPCTL_ISA
export OMP_NUM_THREADS=$(nproc)
bench() { "$python" "bench/$1" "${@:2}"; }

squad() { bench squad.py "$bin/expctl" "$minilm" "$dev" "$shared/squad/predictions/bert-ensemble.json"; }
train() { needs accelerate 1.15.0 && bench train.py "$bin" "$minilm" "$train" "$peer" "$1"; }
base() {
  needs accelerate 1.15.0 || return
  "$python" -c "import sys; sys.path.insert(0, 'bench/parity'); import reference; reference.random_base('$1/model', '$minilm/vocab.txt')" || return
  bench train.py "$bin" "$1/model" "$train" "$peer" "$1" --steps 20 --kinds best,sdpa
}
predict() { needs accelerate 1.15.0 && bench predict.py "$bin" "$minilm" "$dev" "$peer" "$1"; }
threads() {
  local count
  for count in 1 "$(nproc)"; do
    "$python" -c "import sys; sys.path.insert(0, 'bench/parity'); import worker
keys = {'max_steps': 60, 'batch_size': 12, 'learning_rate': 1e-4, 'precision': 'bf16'}
worker.write_request('$1/$count', model='$minilm', train='$train', keys=keys, threads=$count)
worker.finish(worker.start('$bin', '$1/$count'), '$1/$count')" || return
  done
  sha256sum "$1"/*/checkpoint/model.safetensors
  [ "$(sha256sum "$1"/*/checkpoint/model.safetensors | cut -d' ' -f1 | sort -u | wc -l)" = 1 ]
}
ranks() { bench ranks.py "$bin" "$minilm" "$train" "$1"; }
seeds() { bench seeds.py "$bin/expctl" "$minilm" "$train" "$shared/squad/eval-8-articles.json" "$1"; }
cost() { needs matplotlib 3.10.7 && bench cost.py "$bin" "$minilm" "$train" "$1" "$1/cost.png"; }
# Members: what gain has trained, where it has, else one run of 300 steps.
ensemble() {
  local run
  if [ ! -e "$work/gain/runs/run1/checkpoint" ]; then
    "$bin/expctl" --workspace "$1/runs" train bench/gain.toml --set seed=42 --set max_steps=300 || return
  fi
  for run in "$work"/gain/runs/run? "$1"/runs/run1; do
    [ -e "$run/checkpoint" ] && "$bin/expctl" -q predict "$run/checkpoint" --input "$dev" --out "$1/dev-$(basename "$run")" || continue
  done
  bench ensemble.py "$bin/bench_ensemble" "$bin/expctl" "$minilm/vocab.txt" "$dev" "$1" "$1"/dev-run*/logits.safetensors
}
gain() {
  "$bin/expctl" --workspace "$1/runs" sweep bench/gain.toml || return
  bench gain.py "$bin/expctl" "$1/runs" "$shared/squad/eval-8-articles.json" "$1"
}
halving() { bench halving.py "$bin/expctl" "$bin/bench_halving" "$minilm" "$train" "$shared/squad/eval-8-articles.json" "$1"; }
runner() { bench runner.py "$bin/expctl" "$PWD/build/release/fake_nvml" "$1"; }
package() {
  "$python" -c "import sys; sys.path.insert(0, 'bench/parity'); import reference; reference.random_base('$1/model', '$minilm/vocab.txt')" || return
  bench package.py "$bin/expctl" "$1/model" "$1/runs"
}
tpe() {
  local venv=$PWD/build/optuna-venv
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv" || return
  "$venv/bin/python" -c 'import optuna' 2>/dev/null || "$venv/bin/python" -m pip install -q --disable-pip-version-check optuna==5.0.0 || return
  "$venv/bin/python" bench/tpe.py "$bin/bench_tpe"
}
registry() {
  local venv=$work/mlflow
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv" || return
  "$venv/bin/python" -c 'import mlflow' 2>/dev/null || "$venv/bin/python" -m pip install -q --disable-pip-version-check mlflow==3.6.0 'sqlalchemy<2.1' || return
  bench registry.py "$bin/expctl" "$bin/bench_registry" "$1" --mlflow "$venv/bin/python"
}

cmake --build build/release --target bench_products bench_registry bench_ensemble bench_halving >/dev/null || exit
parts="squad train base predict threads ranks seeds cost runner ensemble package tpe registry"
run_parts "$parts halving gain" "$parts" "runner gain halving" "$work" "$@"
