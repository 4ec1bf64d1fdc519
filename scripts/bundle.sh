#!/usr/bin/env bash
# Makes a folder that takes expctl-train to a GPU machine which has a Python with PyTorch's libraries and nothing else of
# expctl's needs: docs/gpu.md. bench/gpu.sh is what runs there.
# Usage: scripts/bundle.sh [OUT]     (build/gpu-bundle)
# Of the build in EXPCTL_BUILD (build/release), the shared folder (EXPCTL_SHARED) and scripts/setup.sh --with-tests.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/gpu-bundle}
bin=${EXPCTL_BUILD:-build/release}/bin
shared=${EXPCTL_SHARED:-$PWD/../shared}
minilm=build/models/minilm
python=${EXPCTL_VENV:-$PWD/.venv}/bin/python
most=$((60 << 20))  # bytes; the way there has its limit

size() { du -sbc "$@" | tail -1 | cut -f1; }
mib() { echo "$(($1 >> 20)).$((($1 & 1048575) * 10 >> 20)) MiB"; }

# libraries PROGRAM ...: what they need that is neither of the system's C and C++ nor comes with PyTorch or CUDA.
libraries() {
  ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u | grep -v -E \
    '/site-packages/|/(lib)?(c|m|dl|rt|util|pthread|stdc\+\+|gcc_s|gomp|resolv|mvec|quadmath|gfortran)[.]so|/ld-linux|/lib(torch|c10|cuda|cublas|cudnn|cufft|cufile|cupti|curand|cusolver|cusparse|nccl|nv)[^/]*$'
}

# pack ARCHIVE PROGRAM ...: with the libraries, as bin and lib.
pack() {
  local library folder
  folder=$(mktemp -d)
  mkdir "$folder/bin" "$folder/lib"
  for library in $(libraries "${@:2}"); do cp -L "$library" "$folder/lib/"; done
  cp "${@:2}" "$folder/bin/"
  strip --strip-unneeded "$folder"/bin/*
  tar -C "$folder" -c bin lib | gzip -9n >"$1"
  rm -r "$folder"
}

# keep_if_room FILE WHAT
keep_if_room() {
  [ "$(size "$out")" -lt $most ] || { rm "$1"; echo "bundle: without $2, for which there is no room"; }
}

[ -f "$minilm/vocab.txt" ] || { echo "bundle: there is no $minilm; scripts/setup.sh --with-tests makes it" >&2; exit 1; }
[ -x "$bin/expctl-train" ] || { echo "bundle: there is no $bin/expctl-train; build it first (EXPCTL_BUILD)" >&2; exit 1; }
rm -rf "$out"
mkdir -p "$out"/{peers,squad,minilm}
programs=()
for file in expctl-train libexpctl_cuda.so test_cuda test_trainer; do
  if [ -e "$bin/$file" ]; then programs+=("$bin/$file"); else echo "bundle: without $file, which is not built"; fi
done
pack "$out/programs.tar.gz" "${programs[@]}"

cp -r bench "$out/"
find "$out/bench" -name __pycache__ -prune -exec rm -r {} +
if [ -d "$shared/squad" ]; then
  cp "$shared/peers/hf_qa.py" "$out/peers/"
  for file in train-40-articles dev-v1.1 eval-8-articles; do gzip -9nc "$shared/squad/$file.json" >"$out/squad/$file.json.gz"; done
else
  echo "bundle: without datasets and the Trainer: there is no $shared (EXPCTL_SHARED)"
fi

cat >"$out/env.sh" <<'END'
# Sourced: unpacks what is packed, tells programs where they find PyTorch's libraries, and bench/gpu.sh what lies here.
bundle=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for packed in "$bundle"/*.tar.gz; do [ ! -f "$packed" ] || { tar -C "$bundle" -xzf "$packed" && rm "$packed"; }; done
for packed in "$bundle"/*/*.gz; do [ ! -f "$packed" ] || gunzip "$packed"; done
export EXPCTL_PYTHON=${EXPCTL_PYTHON:-python3} EXPCTL_BIN=$bundle/bin EXPCTL_SHARED=$bundle EXPCTL_MINILM=$bundle/minilm
# Only those that the machine lacks: Python's own modules would be given the others too.
rm -rf "$bundle/lib/lacking"
mkdir -p "$bundle/lib/lacking"
there=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p)
for library in "$bundle"/lib/*.so*; do
  grep -q -F "$(basename "$library") " <<<"$there" || ln -s "$library" "$bundle/lib/lacking/"
done
LD_LIBRARY_PATH=$bundle/lib/lacking:$("$EXPCTL_PYTHON" -c '
import glob, os, torch
folders = [os.path.join(torch.__path__[0], "lib")]
try:
    import nvidia
    folders += [folder for path in nvidia.__path__ for folder in sorted(glob.glob(os.path.join(path, "*", "lib")))]
except ImportError:
    pass  # a PyTorch that has them all in its own folder
print(":".join(folders))')${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
END

# The weights of a small real model as fp16, half their size (bench/gpu.sh makes them fp32 again).
cp -L "$minilm"/{vocab.txt,config.json,tokenizer.json,tokenizer_config.json,special_tokens_map.json} "$out/minilm/"
weights=$out/minilm/model-fp16.safetensors
"$python" -c '
import sys
from safetensors.torch import load_file, save_file
save_file({n: t.half() if t.is_floating_point() else t for n, t in load_file(sys.argv[1]).items()}, sys.argv[2], {"format": "pt"})' \
  "$minilm/model.safetensors" "$weights"
gzip -9n "$weights"
keep_if_room "$weights.gz" "the weights of MiniLM"
# bench/gpu.sh does not call expctl, whose archive reader brings all of ICU along.
if [ -e "$bin/expctl" ]; then
  pack "$out/expctl.tar.gz" "$bin/expctl"
  keep_if_room "$out/expctl.tar.gz" "expctl"
fi

bytes=$(size "$out")
echo "bundle: $out, $(mib "$bytes") of $(mib $most)"
[ "$bytes" -lt $most ]
