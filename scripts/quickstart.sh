#!/usr/bin/env bash
# From a fresh Debian 12 machine to generated data and a tiny BERT: set-up, then the demo in a new folder, build/quickstart/N.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
PATH=$PWD/build/release/bin:$PATH

mkdir -p build/quickstart
n=1
until mkdir "build/quickstart/$n" 2>/dev/null; do n=$((n + 1)); done
cd "build/quickstart/$n"

step() { printf '\n$ %s\n' "$*"; "$@"; }

step expctl doctor
step expctl demo demo
step expctl features demo/dev.json --vocab demo/model/vocab.txt --max-seq-length 192 --doc-stride 64
printf '\nThe demo lies in %s\n' "$PWD/demo"
