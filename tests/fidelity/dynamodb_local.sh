#!/bin/sh
# Holds the store in memory against Amazon's own DynamoDB Local, from .venv-localstack and with the Java of the PATH, or
# against the DynamoDB at DYNAMODB_ENDPOINT. SEED=7 generates other transactions.
set -eu
cd "$(dirname "$0")/../.."

if [ -z "${DYNAMODB_ENDPOINT:-}" ]; then
    jar=$(find .venv-localstack/ -name DynamoDBLocal.jar | head -n 1)
    [ -n "$jar" ] || { echo "there is no DynamoDBLocal.jar below .venv-localstack: run \`make venv-localstack\`" >&2; exit 1; }
    home=$(dirname "$jar")
    port=${DYNAMODB_PORT:-18000}
    java "-Djava.library.path=$home/DynamoDBLocal_lib" -jar "$jar" -port "$port" -inMemory -disableTelemetry >/dev/null 2>&1 &
    java=$!
    trap 'kill $java' EXIT
    export DYNAMODB_ENDPOINT="http://127.0.0.1:$port"
    # It answers what is no request with an error of its own.
    tries=0
    until curl -s --noproxy '*' --max-time 2 "$DYNAMODB_ENDPOINT" | grep -q com.amazonaws.dynamodb; do
        tries=$((tries + 1))
        if [ $tries = 60 ] || ! kill -0 $java 2>/dev/null; then
            echo "DynamoDB Local does not answer at $DYNAMODB_ENDPOINT: is Java there, and the port free (DYNAMODB_PORT=)?" >&2
            exit 1
        fi
        sleep 1
    done
fi
cargo test -p tests --test fidelity the_store_in_memory -- --nocapture
