#!/usr/bin/env bash
# From a fresh Debian 12 machine to a verified submission: set-up, then the main job on generated data in a new folder,
# build/quickstart/N.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
PATH=$PWD/build/release/bin:$PATH
unset EXPCTL_WORKSPACE EXPCTL_TRAIN  # the person's own, not this job's

mkdir -p build/quickstart
n=1
while [ -e "build/quickstart/$n" ]; do n=$((n + 1)); done
mkdir "build/quickstart/$n"
cd "build/quickstart/$n"
started=$SECONDS

step() { printf '\n$ %s\n' "$*"; "$@"; }

step expctl doctor || true  # what it misses, it says
step expctl demo demo
step expctl sweep demo/demo.toml
best=$(expctl --json runs list --sort f1 --limit 2 | python3 -c 'import json, sys; print(*(r["id"] for r in json.load(sys.stdin)["runs"]))')
# shellcheck disable=SC2086  # two words
step expctl ensemble $best
step expctl package --top 5
step expctl runs list --sort f1

printf '\nThe mean F1 of the best three is %s; the submission lies in %s (%d s).\n' \
  "$(python3 -c 'import json; print(json.load(open("submission/summary.json"))["top3_mean"])')" "$PWD/submission" $((SECONDS - started))
