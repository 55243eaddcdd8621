#!/usr/bin/env python3
"""`make watch`: a local AWS with a payment gateway, and `infra-gen watch` on it.

The emulator is that of `make up`, which goes on when this ends, and so does what was deployed to it. The gateway ends with
this, and keeps its books in a file for the next time.
"""

import json
import os
import subprocess
import sys

import run

JOURNAL = ".flyover/gateway.journal"
# What the emulator takes for its root user, unless somebody says otherwise.
LOCAL = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


def emulator(program):
    """Where the emulator of `make up` listens; it is started if it does not run."""
    if subprocess.run([program, "up"]).returncode:
        sys.exit(1)
    with open(run.PID_FILE, encoding="utf-8") as file:
        return json.load(file)["endpoint_url"]


def gateway(program):
    """The gateway's process, and its URL."""
    process = subprocess.Popen([program, "--journal", JOURNAL], stdout=subprocess.PIPE, text=True)
    url = process.stdout.readline().strip()
    if not url:
        sys.exit("the payment gateway did not start: does another `make watch` run?")
    return process, url


def main(arguments):
    if problem := run.taken_port([]):
        sys.exit(problem)
    programs = run.built("watch")
    environment = {**LOCAL, **os.environ, "AWS_ENDPOINT_URL": emulator(programs["emulator"])}
    process, url = gateway(programs["gateway"])
    print(f"the payment gateway is at {url}", flush=True)
    deployed = ["--gateway-url", url, "--email-from", "orders@flyover.example"]
    try:
        watch = subprocess.Popen([programs["infra-gen"], "watch", *deployed, *arguments], env=environment)
        while True:
            try:
                sys.exit(watch.wait())
            except KeyboardInterrupt:
                # It has got the signal too, and ends in its own way.
                continue
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    run.to_project()
    main(sys.argv[1:])
