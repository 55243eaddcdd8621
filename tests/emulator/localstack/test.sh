#!/bin/sh
# Runs the end-to-end suite against LocalStack, with the first of these that there is:
#   1. an endpoint that runs already: LOCALSTACK_ENDPOINT, or a LocalStack at its own port on this machine
#   2. a container, where there is a Docker engine (LOCALSTACK_DOCKER=0 goes on as if there were none)
#   3. LocalStack from .venv-localstack
# Its arguments go to the suite: a part of a test's name, for example.
set -eu
cd "$(dirname "$0")/../../.."

running() {
    # MiniStack answers here too, but has no session.
    curl -sf --noproxy '127.0.0.1,localhost' --max-time 2 "$1/_localstack/info" | grep -q '"session_id"'
}

unset AWS_ENDPOINT_URL
default=http://127.0.0.1:4566
if [ -n "${LOCALSTACK_ENDPOINT:-}" ]; then
    export AWS_ENDPOINT_URL="$LOCALSTACK_ENDPOINT"
elif running "$default"; then
    export AWS_ENDPOINT_URL="$default"
elif [ "${LOCALSTACK_DOCKER:-1}" != 0 ] && docker info >/dev/null 2>&1; then
    export FLYOVER_EMULATOR=localstack-docker
else
    make --no-print-directory venv-localstack
    export FLYOVER_EMULATOR=localstack
fi
echo "end to end against LocalStack: ${AWS_ENDPOINT_URL:-$FLYOVER_EMULATOR}" >&2
if [ "${FLYOVER_EMULATOR:-}" = localstack ]; then
    cargo test --workspace --test lifecycle -- --ignored localstack
fi
# The checker's world beside this one: only where the emulator is ours to fill.
if [ -n "${FLYOVER_EMULATOR:-}" ] && [ $# = 0 ]; then
    cargo test --workspace --test fidelity
fi
exec cargo test --workspace --test e2e -- "$@"
