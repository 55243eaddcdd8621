"""Runs LocalStack 4.12.0 without Docker and without anything that it would download when it starts.

It takes LocalStack's own environment variables, and stops with its standard input when STOP_WITH_STDIN is 1, which is
how a container notices that whoever started it is gone.
"""

import os
import sys
import threading

import older_python


def stop_with_stdin():
    """Nobody ever writes: a read returns when the other end is gone."""

    def watch():
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def main():
    older_python.install()

    import lambda_process
    import ses_v2
    import stopped_executions
    import task_tokens

    lambda_process.install()
    ses_v2.install()
    stopped_executions.install()
    task_tokens.install()
    # The image of LocalStack brings these two along.
    if os.environ.get("DYNAMODB_LOCAL"):
        import dynamodb_local

        dynamodb_local.install(os.environ["DYNAMODB_LOCAL"])
    if os.environ.get("JSONATA") == "python":
        import jsonata_in_python

        jsonata_in_python.install()
    if os.environ.get("STOP_WITH_STDIN") == "1":
        stop_with_stdin()

    from localstack.runtime.main import main as run

    run()


if __name__ == "__main__":
    main()
