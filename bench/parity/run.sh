#!/usr/bin/env bash
# Runs transformers beside expctl-train and says for each part whether they agree (docs/training.md has what was seen).
# Usage: bench/parity/run.sh [PART ...]     parts, in this order unless named:
#   features    every window of the SQuAD 1.1 dev file at 384/128 and at 128/46
#   logits      256 dev features under both, in fp32, for MiniLM; the TensorFlow checkpoint's expected logits
#   steps       100 steps on the same batches, for each setting that changes them; first gradients, final weights
#   exactness   one seed twice, killed and resumed, in micro-batches; another seed
#   memory      BERT-base's size: 20 steps at full length
#   tokenizer   every character, 20,000 random strings
#   scores      (only where named: hours) F1 of 5 seeds of expctl, 3 of Hugging Face's Trainer, 1 padded; evaluation at 128
# Needs scripts/setup.sh --with-tests; all but memory and tokenizer also the shared folder beside the project
# (EXPCTL_SHARED). Work and results: build/parity/PART.
set -uo pipefail
cd "$(dirname "$0")/../.."
. bench/parts.sh
here=$PWD
bin=$PWD/build/release/bin
python=${EXPCTL_VENV:-$PWD/.venv}/bin/python
shared=${EXPCTL_SHARED:-$PWD/../shared}
minilm=$PWD/build/models/minilm
train=$shared/squad/train-40-articles.json
dev=$shared/squad/eval-8-articles.json
work=$PWD/build/parity
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE EXPCTL_WORKSPACE EXPCTL_TRAIN
parity() { "$python" "bench/parity/$1" "${@:2}"; }

features() {
  parity features.py "$bin/expctl" "$minilm" "$shared/squad/dev-v1.1.json" || return
  parity features.py "$bin/expctl" "$minilm" "$shared/squad/dev-v1.1.json" --max-seq-length 128 --doc-stride 46
}

logits() {
  "$python" -c "import sys; sys.path.insert(0, 'bench/parity'); import reference
reference.with_head('$minilm', '$1/minilm'); reference.cut('$dev', '$1/dev.json', 256)" || return
  "$bin/expctl" predict "$1/minilm" --input "$1/dev.json" --set eval_precision=fp32 --out "$1/minilm-logits" >/dev/null || return
  parity logits.py "$bin/expctl" "$1/minilm" "$1/dev.json" "$1/minilm-logits/logits.safetensors" 256 1e-4 || return
  "$bin/expctl" convert "$shared/tf-checkpoint" "$1/tf" && parity expected.py "$1/tf" "$shared/tf-checkpoint/expected.json" || return
  build/release/bin/test_trainer "Google's checkpoint gives*" || return
  cp -r "$shared/tf-checkpoint" "$1/damaged" && chmod -R u+w "$1/damaged" || return
  printf '\377' | dd of="$1/damaged/bert_model.ckpt.data-00000-of-00001" bs=1 seek=100000 conv=notrunc status=none
  echo "a damaged byte:"
  ! "$bin/expctl" convert "$1/damaged" "$1/damaged-out" 2>"$1/damaged.txt" || return
  cat "$1/damaged.txt"
  grep -q "tensor '.*checksum" "$1/damaged.txt"
}

steps() {
  parity steps.py "$bin" "$minilm" "$train" "$1/384" --case adamw --questions 300 || return
  parity steps.py "$bin" "$minilm" "$train" "$1/128" --max-seq-length 128 --doc-stride 46
}

exactness() { parity exactness.py "$bin" "$minilm" "$train" "$1"; }
memory() { parity memory.py "$bin" "$minilm/vocab.txt" "$1"; }
tokenizer() { parity tokenizer.py "$bin/expctl" "$minilm"; }

# Each run is done once; a second call goes on.
scores() {
  needs accelerate 1.15.0 || return
  "$bin/expctl" --workspace "$1/runs" sweep "$here/bench/parity/scores.toml" || return
  "$bin/expctl" --workspace "$1/runs" evaluate run1 && "$bin/expctl" --workspace "$1/runs" evaluate run1 --set eval_max_seq_length=128 || return
  local peer
  for peer in dynamic-42 dynamic-43 dynamic-44 max-42; do
    [ -s "$1/$peer.json" ] && continue
    echo "$peer"
    "$python" "$shared/peers/hf_qa.py" --model "$minilm" --train "$train" --eval "$dev" --out "$1/$peer" --learning-rate 1e-4 \
      --warmup-ratio 0.1 --bf16 --attention eager --padding "${peer%-*}" --seed "${peer#*-}" >"$1/$peer.log" 2>&1 || return
    tail -1 "$1/$peer.log" >"$1/$peer.json"
  done
  parity scores.py "$bin/expctl" "$1/runs" "$1"/*-4?.json
}

default="features logits steps exactness memory tokenizer"
run_parts "$default scores" "$default" scores "$work" "$@"
