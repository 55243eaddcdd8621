#!/usr/bin/env bash
# Measures how long `cfn` takes to compile in debug, and how large it is; with its default features, or with those named:
#     benches/cfn_compile.sh [FEATURE...]        all: several minutes and 5 GB of memory
# From nothing (dependencies too), and again with the dependencies there.
set -euo pipefail
cd "$(dirname "$0")/.."
features=()
if [ $# -gt 0 ]; then features=(--no-default-features --features "$*"); fi
target=$(mktemp -d)
trap 'rm -rf "$target"' EXIT
cargo=(cargo build --quiet --locked --offline --package cfn --target-dir "$target" "${features[@]}")
seconds() {
    local start
    start=$(date +%s.%N)
    "$@"
    awk -v start="$start" -v end="$(date +%s.%N)" 'BEGIN { printf "%.1f s", end - start }'
}
cargo fetch --quiet --locked
echo "cfn with ${*:-its default features}, $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg):"
echo "  with its dependencies: $(seconds "${cargo[@]}")"
cargo clean --quiet --package cfn --target-dir "$target"
echo "  alone:                 $(seconds "${cargo[@]}")"
echo "  library:               $(stat -c %s "$target"/debug/libcfn.rlib | awk '{ printf "%.1f MB", $1 / 1e6 }')"
