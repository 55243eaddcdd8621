#!/usr/bin/env bash
# Measures how long `cfn` takes to compile in debug, and how large it is; with its default features, or with those named:
#     benches/cfn_compile.sh [--json] [FEATURE...]        all: several minutes and 5 GB of memory
# From nothing (dependencies too), and again with the dependencies there. `--json` prints a line of JSON, for `make bench`.
set -euo pipefail
cd "$(dirname "$0")/.."
json=false
if [ "${1-}" = --json ]; then json=true && shift; fi
features=()
if [ $# -gt 0 ]; then features=(--no-default-features --features "$*"); fi
target=$(mktemp -d)
trap 'rm -rf "$target"' EXIT
cargo=(cargo build --quiet --locked --offline --package cfn --target-dir "$target" "${features[@]}")
seconds() {
    local start
    start=$(date +%s.%N)
    # `set -e` does not reach into what is called for its output.
    "$@" || return
    awk -v start="$start" -v end="$(date +%s.%N)" 'BEGIN { printf "%.1f", end - start }'
}
cargo fetch --quiet --locked
# Before it is measured, which is a load itself.
load=$(cut -d' ' -f1 /proc/loadavg)
whole=$(seconds "${cargo[@]}")
cargo clean --quiet --package cfn --target-dir "$target"
alone=$(seconds "${cargo[@]}")
bytes=$(stat -c %s "$target"/debug/libcfn.rlib)
if $json; then
    printf '{"what": "%s", "with_dependencies_seconds": %s, "alone_seconds": %s, "library_bytes": %s}\n' \
        "${*:-default}" "$whole" "$alone" "$bytes"
else
    echo "cfn with ${*:-its default features}, $(nproc) processors, load $load:"
    echo "  with its dependencies: $whole s"
    echo "  alone:                 $alone s"
    echo "  library:               $(awk -v bytes="$bytes" 'BEGIN { printf "%.1f", bytes / 1e6 }') MB"
fi
