#!/bin/sh
# `make doctor`: looks at everything that a person meets first, says what is there and what to do about what is not.
#
#     sh tools/doctor.sh             everything, a line each; exits with 1 when something that `make demo` needs is missing
#     sh tools/doctor.sh rust venv   these checks alone, and only what is wrong, in a line: what the Makefile asks first
#
# `ok` is as it should be; `missing` and `old` keep `make demo` from working; `note` does not. It needs a POSIX shell and
# nothing else: neither make nor Python nor cargo. PYTHON= says which Python, as for make.

cd "$(dirname "$0")/.." || exit 1
root=$(pwd)
python=${PYTHON:-python3}
# What is written from nothing, with what cargo keeps for the next time and the crates in its home; measured on Linux.
demo_mb=4000
test_mb=8000
port=4566

checks="system path make rust linker python venv environment disk network proxy port files lints package"
brief=${1:+yes}
failed=0
scratch=

# --- What is said -----------------------------------------------------------------------------------------------------

# say WORD NAME FOUND [WHAT TO DO]
say() {
    case $1 in missing | old) failed=1 ;; esac
    if [ -z "$brief" ]; then
        printf '%-8s%-12s%s\n' "$1" "$2" "$3"
        [ -z "$4" ] || printf '%20s%s\n' "" "$4"
    elif [ "$1" = missing ] || [ "$1" = old ]; then
        printf '%s: %s; %s (`make doctor` looks at everything)\n' "$2" "$3" "$4" >&2
    fi
}

# install DEBIAN FEDORA MACOS: the command for the packages, by what this machine installs packages with.
install() {
    case $(uname -s) in
    Darwin) echo "$3" ;;
    *)
        if has apt-get; then echo "sudo apt-get install $1"
        elif has dnf; then echo "sudo dnf install $2"
        else echo "install it as your system does (Debian and Ubuntu: apt-get install $1; Fedora: dnf install $2)"
        fi
        ;;
    esac
}

has() { command -v "$1" >/dev/null 2>&1 && ! is_stub "$1"; }

# Before its tools are installed, macOS has programs in their places that open a window.
is_stub() {
    [ "$(uname -s)" = Darwin ] || return 1
    case $(command -v "$1") in
    /usr/bin/*) ! xcode-select -p >/dev/null 2>&1 ;;
    *) return 1 ;;
    esac
}

# is_at_least FOUND LEAST, of versions: is 3.9.1 at least 3.10?
is_at_least() {
    found_major=${1%%.*} found_minor=${1#*.} least_major=${2%%.*} least_minor=${2#*.}
    found_minor=${found_minor%%.*} least_minor=${least_minor%%.*}
    [ "$found_major" -gt "$least_major" ] ||
        { [ "$found_major" -eq "$least_major" ] && [ "$found_minor" -ge "$least_minor" ]; }
} 2>/dev/null

# The first version in what a program says about itself.
version_in() { sed -n 's/^[^0-9]*\([0-9][0-9]*\.[0-9][0-9.]*\).*/\1/p' | head -n 1; }

# within SECONDS FILE COMMAND...: runs the command with its output in the file, and ends it when its time is over.
within() {
    limit=$1 output=$2
    shift 2
    "$@" >"$output" 2>&1 </dev/null &
    job=$!
    { sleep "$limit" && echo "no answer within $limit s" >>"$output" && kill "$job"; } >/dev/null 2>&1 &
    watcher=$!
    wait "$job" 2>/dev/null
    ended=$?
    kill "$watcher" 2>/dev/null
    return "$ended"
}

# make_scratch NAME: a folder for what the check tries, in the checkout: there cargo finds the configuration that it finds for
# the project.
make_scratch() {
    [ -z "$scratch" ] || return 0
    if [ "$(free_mb "$root")" -ge 10 ] && mkdir -p ".flyover/doctor.$$/crate/src" 2>/dev/null; then
        scratch=$root/.flyover/doctor.$$
        trap 'rm -rf "$scratch"; rmdir .flyover 2>/dev/null' EXIT
        trap 'exit 130' INT TERM
    else
        say note "$1" "not tried: nothing can be written to $root" "see \`disk\`, and whose the checkout is"
        return 1
    fi
}

# --- What is looked at ------------------------------------------------------------------------------------------------

check_system() {
    kernel=$(uname -s) machine=$(uname -m)
    case $kernel in
    Linux) name="Linux" ;;
    Darwin) name="macOS $(sw_vers -productVersion 2>/dev/null)" ;;
    MINGW* | MSYS* | CYGWIN* | Windows*)
        say missing system "$kernel" "Windows is not enough: run \`wsl --install\`, and then everything in its Linux"
        return
        ;;
    *)
        say missing system "$kernel" "use Linux, macOS or WSL"
        return
        ;;
    esac
    if uname -r | grep -qi microsoft; then name="Linux (WSL)"; fi
    case $machine in
    x86_64 | amd64 | aarch64 | arm64) say ok system "$name, $machine" ;;
    *) say missing system "$name, $machine" "Lambda has x86_64 and arm64 only, and its functions run on this machine: use another" ;;
    esac
    case $name$root in
    *WSL*/mnt/?/*) say note system "the checkout is on a disk of Windows" "compiling is several times as fast in WSL's own file system: clone it below ~" ;;
    esac
}

check_path() {
    case $root in
    # cargo and Python's venv both put folders into lists that a colon separates.
    *:*) say missing path "$root has a colon in it" "move the checkout: neither cargo nor Python's venv can work there" ;;
    *) say ok path "$root" ;;
    esac
}

check_make() {
    for make in make gmake; do
        if has "$make" && "$make" --version 2>/dev/null | grep -q '^GNU Make'; then
            say ok make "$("$make" --version | version_in) ($make)"
            [ "$make" = make ] || say note make "\`make\` is not GNU's" "say \`gmake\` for \`make\`"
            return
        fi
    done
    say missing make "there is no GNU make" "$(install make make 'xcode-select --install')"
}

check_rust() {
    least=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    for tool in cargo "${RUSTC:-rustc}"; do
        if ! has "$tool"; then
            if [ -x "$HOME/.cargo/bin/$tool" ]; then
                say missing rust "$tool is in ~/.cargo/bin, which is not on the PATH" ". ~/.cargo/env"
            else
                say missing rust "there is no $tool, and $least or later is needed" "$(install_rust)"
            fi
            return
        fi
        told=$("$tool" --version 2>&1)
        found=$(echo "$told" | grep -E '^(cargo|rustc) [0-9]' | version_in)
        if [ -z "$found" ]; then
            # rustup is there, and has no toolchain or not the one that is asked for.
            say missing rust "$tool does not run: $(echo "$told" | head -n 1)" "${RUSTUP_TOOLCHAIN:+unset RUSTUP_TOOLCHAIN && }rustup default stable"
            return
        elif ! is_at_least "$found" "$least"; then
            remedy=$(install_rust)
            if has rustup; then remedy="${RUSTUP_TOOLCHAIN:+unset RUSTUP_TOOLCHAIN && }rustup update stable && rustup default stable"; fi
            say old rust "$tool is $found ($(command -v "$tool")), and $least or later is needed" "$remedy"
            return
        fi
    done
    say ok rust "$found, $least or later is needed ($(command -v cargo))"
}

install_rust() { echo "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"; }

# What links programs, with the C library's own files: crates with C in them need it too.
check_linker() {
    remedy=$(install build-essential gcc 'xcode-select --install')
    if ! has cc; then
        say missing linker "there is no C compiler \`cc\`, which Rust links with" "$remedy"
        return
    fi
    make_scratch linker || return 0
    echo 'int main(void) { return 0; }' >"$scratch/linked.c"
    if cc -o "$scratch/linked" "$scratch/linked.c" >"$scratch/linked.txt" 2>&1; then
        say ok linker "$(cc --version 2>/dev/null | head -n 1)"
    else
        say missing linker "cc cannot link a program: $(grep -v '^$' "$scratch/linked.txt" | head -n 1)" "$remedy"
    fi
}

# python_version PROGRAM
python_version() { "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null | grep '^[0-9]'; }

# The least Python is written beside the versions that need it.
least_python() { sed -n 's/.*for Python \([0-9.]*[0-9]\) and later.*/\1/p' tests/emulator/requirements.txt; }

check_python() {
    least=$(least_python)
    found=
    if has "$python"; then found=$(python_version "$python"); fi
    if is_at_least "${found:-0.0}" "$least"; then
        say ok python "$found, $least or later is needed ($(command -v "$python"))"
        return
    fi
    remedy="$(install 'python3 python3-venv' python3 'brew install python'), or name another: export PYTHON=/where/it/is"
    [ -z "$found" ] || remedy="install a newer one beside it and name it: export PYTHON=/where/it/is"
    for other in 3.15 3.14 3.13 3.12 3.11 3.10; do
        if is_at_least "$other" "$least" && has "python$other" && [ -n "$(python_version "python$other")" ]; then
            remedy="name the one that is there: export PYTHON=python$other"
            break
        fi
    done
    if [ -n "$found" ]; then
        say old python "$python is $found, and $least or later is needed" "$remedy"
    elif has "$python"; then
        say missing python "$python does not run: $("$python" --version 2>&1 | head -n 1)" "$remedy"
    else
        say missing python "there is no $python, and $least or later is needed" "$remedy"
    fi
}

# Debian and Ubuntu have the module that makes environments apart from Python.
check_venv() {
    found=$(python_version "$python")
    is_at_least "${found:-0.0}" "$(least_python)" || return 0
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        say ok venv "$python makes virtual environments"
    else
        apart=python${found%.*}-venv
        say missing venv "$python $found cannot make virtual environments: it lacks its modules venv or ensurepip" \
            "$(install "$apart" python3 'brew install python'), or name another: export PYTHON=/where/it/is"
    fi
}

# What is installed in the checkout: the Makefile makes it when it lacks or does not run.
check_environment() {
    for folder in .venv .venv-checkov .venv-localstack; do
        [ -e "$folder" ] || [ -h "$folder" ] || continue
        if "$folder/bin/python" -c 'import pip' 2>/dev/null; then
            say ok environment "$folder, Python $(python_version "$folder/bin/python")"
        else
            say note environment "$folder/bin/python does not run any more: its Python was upgraded, moved or removed" \
                "nothing: make installs it again when it is needed"
        fi
    done
    [ -e .venv ] || [ -h .venv ] || say note environment "no .venv yet" "\`make demo\` installs the emulator there"
}

# free_mb FOLDER; a name of a file system may have blanks in it, so the field is found by the one behind it, as in 86%.
free_mb() { df -Pk "$1" 2>/dev/null | awk 'NR == 2 { for (i = 3; i <= NF; i++) if ($i ~ /^[0-9]+%$/) { print int($(i - 1) / 1024); exit } }'; }

check_disk() {
    folder=${CARGO_TARGET_DIR:-$root}
    [ -d "$folder" ] || folder=$root
    free=$(free_mb "$folder")
    need=$demo_mb
    if [ -x "${CARGO_TARGET_DIR:-target}/debug/demo" ]; then
        # What changes is compiled again, beside what is there.
        need=1000
    elif [ -d "${CARGO_TARGET_DIR:-target}" ]; then
        need=$((need - $(du -sk "${CARGO_TARGET_DIR:-target}" | awk '{ print int($1 / 1024) }')))
        [ "$need" -ge 1000 ] || need=1000
    fi
    if [ "${free:-$need}" -lt "$need" ]; then
        say missing disk "$free MB are free in $folder, and \`make demo\` needs $need MB" "make room; \`make clean\` deletes what was built here before"
    elif [ -n "$free" ] && [ "$need" -eq "$demo_mb" ] && [ "$free" -lt "$test_mb" ]; then
        say note disk "$free MB are free in $folder: enough for \`make demo\` (about $demo_mb MB)" "\`make test\` needs about $test_mb MB"
    else
        say ok disk "$free MB are free in $folder; from nothing \`make demo\` takes about $demo_mb MB, \`make test\` about $test_mb MB"
    fi
}

# The indexes that cargo and pip are configured for, through the proxies they are configured for, by the smallest question.
check_network() {
    make_scratch network || return 0
    # Who has everything can do without.
    word=missing
    if [ -x target/debug/demo ] && [ -e .venv/stamp ]; then word=note; fi
    if has cargo; then
        : >"$scratch/crate/src/lib.rs"
        printf '[package]\nname = "reach"\nversion = "0.0.0"\n[dependencies]\ncfg-if = "1"\n[workspace]\n' >"$scratch/crate/Cargo.toml"
        if (cd "$scratch/crate" && CARGO_NET_RETRY=1 CARGO_HTTP_TIMEOUT=10 within 20 "$scratch/cargo.txt" cargo generate-lockfile); then
            say ok network "cargo reaches its index"
        else
            say "$word" network "cargo does not reach its index: $(cargo_reason "$scratch/cargo.txt")" \
                "behind a proxy: export HTTPS_PROXY=http://host:port; with a mirror: replace-with in ~/.cargo/config.toml"
        fi
    fi
    pip=$python
    "$pip" -m pip --version >/dev/null 2>&1 || pip=.venv/bin/python
    if "$pip" -m pip --version >/dev/null 2>&1; then
        small=$(sed -n 's/^\(six==[0-9.]*\).*/\1/p' tests/emulator/requirements.txt)
        if within 20 "$scratch/pip.txt" "$pip" -m pip download --disable-pip-version-check --quiet --no-deps --no-cache-dir \
            --retries 1 --timeout 5 --dest "$scratch/wheels" "$small"; then
            say ok network "pip reaches its index"
        else
            say "$word" network "pip does not reach its index: $(pip_reason "$scratch/pip.txt")" \
                "behind a proxy: export HTTPS_PROXY=http://host:port; with a mirror: export PIP_INDEX_URL=https://host/simple"
        fi
    elif has "$python"; then
        say note network "pip's index was not tried: $python has no pip" "\`make venv\` brings its own and tries it"
    fi
}

cargo_reason() { { grep '^ *\[[0-9]*\] ' "$1" || grep -v '^ *$' "$1"; } | tail -n 1 | sed 's/^ *//'; }

pip_reason() {
    { sed -n "s/.*connection broken by '\(.*\)': .*/\1/p" "$1" | grep . || grep -v '^ *$' "$1"; } | tail -n 1 |
        sed -e 's/<[^>]*>: //g' -e 's/^ERROR: //'
}

check_proxy() {
    set_ones=
    for name in HTTPS_PROXY https_proxy HTTP_PROXY http_proxy ALL_PROXY all_proxy; do
        # Its value may have a password in it.
        if [ -n "$(printenv "$name")" ]; then set_ones="$set_ones $name"; fi
    done
    [ -n "$set_ones" ] || return 0
    say note proxy "set:$set_ones" "what is fetched goes through it, what talks to this machine (emulator, functions, gateway) never does"
}

check_port() {
    pid=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' .flyover/emulator.pid 2>/dev/null)
    url=$(sed -n 's/.*"endpoint_url": *"\([^"]*\)".*/\1/p' .flyover/emulator.pid 2>/dev/null)
    # The file is left behind by a crash.
    if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && is_taken "${url##*:}"; then
        say ok port "the emulator of \`make up\` runs at $url (process $pid)"
    elif is_taken "$port"; then
        say note port "$port, which \`make up\` takes, is taken$(taken_by "$port")" "end it, or choose another: make up PORT=4567 (\`make demo\` takes any)"
    else
        say ok port "$port, which \`make up\` takes, is free"
    fi
}

is_taken() {
    if [ -r /proc/net/tcp ]; then
        # The state 0A is LISTEN, and ports are written in hexadecimal.
        cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -qi "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") [0-9A-F]*:0000 0A "
    else
        netstat -an -p tcp 2>/dev/null | grep LISTEN | grep -q "[.:]$1 "
    fi
}

taken_by() {
    if has lsof; then
        lsof -nP -iTCP:"$1" -sTCP:LISTEN 2>/dev/null | awk 'NR == 2 { print " by " $1 " (process " $2 ")" }'
    elif has ss; then
        ss -ltnpH "sport = :$1" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/ by \1 (process \2)/p' | head -n 1
    fi
}

# In the tests the emulator has hundreds of files open. It raises its own limit as far as it may.
check_files() {
    hard=$(ulimit -Hn 2>/dev/null)
    case $hard in
    '' | unlimited) ;;
    *)
        if [ "$hard" -lt 1024 ]; then
            say note files "a process may have $hard files open at most, and the emulator had over 700 in the tests" "raise the hard limit: ulimit -Hn 4096, as root or in /etc/security/limits.conf"
            return
        fi
        ;;
    esac
    say ok files "a process may have ${hard:-any number of} files open"
}

check_lints() {
    has cargo || return 0
    for tool in fmt clippy; do
        if cargo "$tool" --version >/dev/null 2>&1; then
            say ok "$tool" "$(cargo "$tool" --version | version_in), for \`make test\`"
        else
            component=$tool
            [ "$tool" = clippy ] || component=rustfmt
            say note "$tool" "is not there: \`make test\` needs it, \`make demo\` does not" "rustup component add $component"
        fi
    done
}

# cargo-lambda, its linker zig and the linters of templates, with their Node.js, are Python packages that make installs.
check_package() {
    has "${RUSTC:-rustc}" || return 0
    target=aarch64-unknown-linux-gnu
    if [ -d "$("${RUSTC:-rustc}" --print target-libdir --target "$target" 2>/dev/null)" ]; then
        say ok package "Rust for Lambda on Arm is there ($target), for \`make deploy\`"
    else
        say note package "Rust for Lambda on Arm is not there: only \`make deploy\` needs it" "rustup target add $target"
    fi
}

for check in ${*:-$checks}; do
    case " $checks " in
    *" $check "*) "check_$check" ;;
    *)
        echo "there is no check \`$check\`: use some of $checks" >&2
        exit 2
        ;;
    esac
done
if [ -z "$brief" ]; then
    if [ "$failed" -eq 0 ]; then echo "\`make demo\` has what it needs"; else echo "\`make demo\` lacks something: see \`missing\` and \`old\` above"; fi
fi
exit "$failed"
