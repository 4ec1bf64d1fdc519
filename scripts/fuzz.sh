#!/usr/bin/env bash
# Builds every fuzz target with clang and runs each for SECONDS (default 60). Usage: scripts/fuzz.sh [SECONDS]
# It starts from the stored inputs tests/data/fuzz/TARGET. What it finds stays in build/fuzz/corpus/TARGET, with the input that crashed beside it.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}

cmake --preset fuzz >/dev/null
mapfile -t targets < <(basename -s .cpp tests/fuzz/*_fuzz.cpp)
cmake --build --preset fuzz --target "${targets[@]}"
for target in "${targets[@]}"; do
  corpus=build/fuzz/corpus/$target
  mkdir -p "$corpus"
  echo "== $target, ${seconds} s"
  "build/fuzz/bin/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="build/fuzz/corpus/$target-" "$corpus" "tests/data/fuzz/${target%_fuzz}" 2>&1 | tail -12
done
