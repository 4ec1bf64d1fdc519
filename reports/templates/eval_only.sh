#!/bin/sh
# Predicts the dev questions again from this entry's checkpoint and scores them, with expctl on the PATH.
# Usage: eval_only.sh DEV_FILE [OUT_FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dev=${1:?usage: eval_only.sh DEV_FILE [OUT_FOLDER]}
out=${2:-eval_only}
expctl --quiet predict {{{models}}} {{{weights}}}{{{settings}}} --input "$dev" --out "$out" >/dev/null
expctl score "$dev" "$out/predictions.json"
