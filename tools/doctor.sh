#!/bin/sh
# Looks whether this machine has what the project needs, and says in a line what to do about whatever it has not.
# `make doctor`; where there is no make: `sh tools/doctor.sh`. Ends with 1 when `make demo` could not run.
#
# Nothing but what every POSIX system has, for it runs where everything else may be missing.
cd "$(dirname "$0")/.." || exit 1

python=${PYTHON:-python3}
port=${PORT:-4566}
least_python=$(sed -n 's/^LEAST_PYTHON := //p' Makefile)
least_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
# What a checkout grows to with `make demo` and `make test`, and the packages of cargo and Python beside it.
demo_gigabytes=6
test_gigabytes=12
# How long the package indexes may take to answer.
limit_seconds=20
failed=0

ok() { printf 'ok       %s\n' "$1"; }
note() { printf 'note     %s\n' "$1"; }
# What is needed for something that is not the demo.
later() { printf 'later    %s\n         -> %s\n' "$1" "$2"; }
bad() {
    printf 'MISSING  %s\n         -> %s\n' "$1" "$2"
    failed=1
}

has() { command -v "$1" >/dev/null 2>&1; }

# Whether version $1 is $2 or later, by number.
at_least() {
    awk -v have="$1" -v least="$2" 'BEGIN {
        split(have, h, "."); split(least, l, ".")
        for (i = 1; i <= 3; i++) if (h[i] + 0 != l[i] + 0) exit !(h[i] + 0 > l[i] + 0)
    }'
}

# The first number with dots in a text.
version() { printf '%s' "$1" | sed -n 's/^[^0-9]*\([0-9][0-9.]*[0-9]\).*/\1/p' | head -n 1; }

# A command that must answer soon.
soon() {
    "$@" >/dev/null 2>&1 &
    job=$!
    (sleep "$limit_seconds" && kill "$job") >/dev/null 2>&1 &
    watch=$!
    wait "$job"
    answer=$?
    kill "$watch" 2>/dev/null
    return "$answer"
}

system() {
    os=$(uname -s)
    machine="$os on $(uname -m)"
    case $os in
        Linux) ok "$machine$(grep -qi microsoft /proc/version 2>/dev/null && echo ' (WSL)')" ;;
        Darwin)
            ok "$machine"
            note "make chaos, and the storm in make test, need Linux: they are left out here"
            ;;
        *) bad "$machine" "use Linux, macOS, or WSL on Windows (https://learn.microsoft.com/windows/wsl/install)" ;;
    esac
    case $PWD in
        *" "* | *:*) bad "the folder $PWD has a blank or a colon in its name" "move the project: make takes neither in a path" ;;
    esac
}

make_is_there() {
    if ! has make; then
        bad "make" "Debian, Ubuntu: apt install make; Fedora: dnf install make; macOS: xcode-select --install"
    elif make --version 2>/dev/null | grep -q 'GNU Make'; then
        ok "make $(version "$(make --version | head -n 1)")"
    else
        bad "make is not GNU make" "install GNU make, and call it (gmake on BSD)"
    fi
}

rust() {
    if ! has cargo || ! has rustc; then
        bad "Rust" "https://rustup.rs installs it: Rust $least_rust or later"
        return
    fi
    found=$(version "$(rustc --version 2>&1)")
    if at_least "${found:-0}" "$least_rust"; then
        ok "Rust $found"
    else
        bad "Rust ${found:-of no version}, and $least_rust or later is needed" "rustup update stable"
    fi
    if has cc; then
        ok "a C linker, $(cc --version 2>/dev/null | head -n 1)"
    else
        bad "a C linker (cc)" "Debian, Ubuntu: apt install gcc libc6-dev; Fedora: dnf install gcc; macOS: xcode-select --install"
    fi
    for component in fmt clippy; do
        cargo "$component" --version >/dev/null 2>&1 ||
            later "cargo $component, for make test" "rustup component add $(echo "$component" | sed 's/fmt/rustfmt/')"
    done
    target=aarch64-unknown-linux-gnu
    [ -d "$(rustc --print target-libdir --target "$target" 2>/dev/null)" ] ||
        later "the Rust target $target, for make deploy to AWS" "rustup target add $target"
}

python_is_there() {
    if ! has "$python"; then
        bad "Python ($python)" "Debian, Ubuntu: apt install python3 python3-venv; Fedora: dnf install python3; macOS: xcode-select --install; or PYTHON=/path/to/python3"
        return
    fi
    found=$(version "$("$python" --version 2>&1)")
    if ! at_least "${found:-0}" "$least_python"; then
        bad "Python ${found:-of no version} ($python), and $least_python or later is needed" "install another beside it, and call make with PYTHON=python$least_python"
        return
    fi
    ok "Python $found"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        bad "Python's venv module" "Debian, Ubuntu: apt install python3-venv; or PYTHON=/path/to/another/python3"
    if [ -e .venv ] || [ -L .venv ]; then
        .venv/bin/python -c '' 2>/dev/null || bad ".venv is broken: its Python is gone" "rm -rf .venv: it is made again"
    fi
}

disk() {
    free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
    if [ "$free" -lt "$demo_gigabytes" ] && [ ! -d target ]; then
        bad "$free GB are free here, and make demo takes about $demo_gigabytes" "make room, or move the project"
    elif [ "$free" -lt 1 ]; then
        bad "less than 1 GB is free here" "make room: make clean gives back what was built"
    elif [ "$free" -lt "$test_gigabytes" ] && [ ! -d target ]; then
        later "$free GB are free here, and make test takes about $test_gigabytes" "make room"
    else
        ok "$free GB are free here"
    fi
}

network() {
    [ -z "${HTTPS_PROXY:-}${https_proxy:-}${HTTP_PROXY:-}${http_proxy:-}" ] ||
        note "a proxy is set: it is used for packages and AWS, never for addresses of this machine"
    if has cargo; then
        # From a folder of no project: one would be asked about first.
        if (cd / && CARGO_NET_RETRY=0 CARGO_HTTP_TIMEOUT=$limit_seconds && export CARGO_NET_RETRY CARGO_HTTP_TIMEOUT &&
            soon cargo info -q --registry crates-io serde); then
            ok "crates can be downloaded"
        else
            unreachable "crates" "cargo's registry" "$HOME/.cargo/registry/cache"
        fi
    fi
    if has "$python"; then
        if soon "$python" -m pip index versions --disable-pip-version-check --retries 0 --timeout "$limit_seconds" ministack ||
            soon .venv/bin/python -m pip index versions --disable-pip-version-check --retries 0 --timeout "$limit_seconds" ministack; then
            ok "Python packages can be downloaded"
        else
            unreachable "Python packages" "pip's index" .venv/stamp
        fi
    fi
}

# Without a network what was downloaded before is enough.
unreachable() {
    if [ -e "$3" ]; then
        note "$2 does not answer: what was downloaded before is used, and new $1 cannot be had"
    else
        bad "$2 does not answer, so $1 cannot be downloaded" "connect; behind a proxy set HTTPS_PROXY; with a mirror of your own configure it in cargo's config.toml and pip.conf"
    fi
}

ports() {
    has "$python" || return
    if [ -e .flyover/emulator.pid ]; then
        ok "port $port: the emulator of make up runs"
    elif "$python" -c 'import socket, sys; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", int(sys.argv[1])))' "$port" 2>/dev/null; then
        ok "port $port is free, for make up"
    else
        later "port $port is taken, which make up listens on" "make up PORT=4577; make demo takes any free one"
    fi
}

limits() {
    files=$(ulimit -n)
    [ "$files" = unlimited ] || [ "$files" -ge 1024 ] ||
        note "$files open files are allowed: with many sagas at a time the emulator needs more (ulimit -n 4096)"
}

system
make_is_there
rust
python_is_there
disk
network
ports
limits
if [ "$failed" -eq 0 ]; then
    echo "make demo can run"
else
    echo "make demo cannot run yet: see what is MISSING"
fi
exit "$failed"
