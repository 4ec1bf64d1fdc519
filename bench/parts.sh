# For scripts that are made of parts, each a function of its name: run_parts "ALL" "DEFAULT" "KEPT" WORK [PART ...]
# calls those named, or the default ones, each with a folder of its own in WORK; empty, but for the kept ones.
run_parts() {
  local all=" $1 " default=$2 kept=" $3 " work=$4 part began failed=0
  shift 4
  [ $# = 0 ] && set -- $default
  for part in "$@"; do
    [[ $all == *" $part "* ]] || { echo "no part '$part'; see the head of $0" >&2; return 2; }
  done
  for part in "$@"; do
    echo "== $part"
    [[ $kept == *" $part "* ]] || rm -rf "${work:?}/$part"
    mkdir -p "$work/$part"
    began=$SECONDS
    "$part" "$work/$part" || { echo "== $part does not hold"; failed=1; }
    echo "== $part took $((SECONDS - began)) s"
  done
  return $failed
}

# needs PACKAGE VERSION: installs it from PyPI for $python where it is missing.
needs() { "$python" -c "import $1" 2>/dev/null || "$python" -m pip install -q --disable-pip-version-check "$1==$2"; }
