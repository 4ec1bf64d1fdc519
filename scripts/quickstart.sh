#!/usr/bin/env bash
# From a fresh Debian 12 machine to a packed submission: set-up, then the main job on generated data with a tiny BERT.
# Every call works in a new folder, build/quickstart/N.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
PATH=$PWD/build/release/bin:$PATH

n=1
while ! mkdir -p build/quickstart && ! mkdir "build/quickstart/$n" 2>/dev/null; do n=$((n + 1)); done
while [ -e "build/quickstart/$n/runs" ]; do n=$((n + 1)); mkdir -p "build/quickstart/$n"; done
cd "build/quickstart/$n"

step() { printf '\n$ %s\n' "$*"; "$@"; }

began=$(date +%s)
step expctl demo demo
step expctl sweep demo/demo.toml
# The two best runs, then everything into five folders.
mapfile -t best < <(expctl runs list --sort f1 --limit 2 --json | python3 -c 'import json, sys
for run in json.load(sys.stdin)["runs"]: print(run["id"])')
step expctl ensemble "${best[@]}"
step expctl package --top 5 --out submission
step expctl runs list --sort f1
printf '\nThe main job took %s s. The submission lies in %s\n' $(($(date +%s) - began)) "$PWD/submission"
