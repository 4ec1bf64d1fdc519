#!/bin/sh
# Predicts the dev questions again from this entry's checkpoint and scores them, with expctl on the PATH.
# Usage: eval_only.sh DEV_FILE [OUT_FOLDER]     (a new folder; without one nothing is kept)
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
dev=${1:?usage: eval_only.sh DEV_FILE [OUT_FOLDER]}
out=${2:-}
if [ -z "$out" ]; then
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  out=$scratch/predictions
fi
expctl --quiet predict {{{models}}} {{{method}}}{{{weights}}}{{{scales}}}{{{settings}}} --input "$dev" --out "$out" >/dev/null
expctl score "$dev" "$out/predictions.json"
