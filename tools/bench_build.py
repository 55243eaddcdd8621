#!/usr/bin/env python3
"""Builds from nothing what `make synth` needs, then from nothing again what `make demo` needs, and after that what `make test`
needs, and says what that took: as a table, or with `--json` a line of JSON each, which `make bench` reads.

A crate of others that demo and tests both compile is compiled twice: its features, or those of what it is built on, differ.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time

FOLDER = "target/bench-build"
# What is built, its short name, the command, and whether it begins with nothing.
STEPS = [
    ("`make synth`: infra-gen", "infra-gen", ["cargo", "build", "-p", "infra-gen"], True),
    ("`make demo`: every program", "programs", ["cargo", "build", "--workspace", "--bins"], True),
    ("`make test` after it: every test", "tests", ["cargo", "test", "--workspace", "--no-run"], False),
]
SAY_EVERY_SECONDS = 10


def compiled(command):
    """The crates of others and the units that a command compiles, with the processor seconds and the seconds that takes."""
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [*command, "--locked", "--quiet", "--message-format=json-render-diagnostics"]
    environment = {**os.environ, "CARGO_TARGET_DIR": FOLDER, "CARGO_INCREMENTAL": "0"}
    new, said = [], begun
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as cargo:
        for line in cargo.stdout:
            message = json.loads(line)
            if message["reason"] == "compiler-artifact" and not message["fresh"]:
                new.append(message)
            if time.monotonic() - said > SAY_EVERY_SECONDS:
                said = time.monotonic()
                print(f"{len(new)} units compiled after {said - begun:.0f} s", file=sys.stderr, flush=True)
    if cargo.returncode:
        sys.exit(f"{' '.join(command)} failed ({cargo.returncode})")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    others = {(m["package_id"], m["target"]["name"]) for m in new if m["package_id"].startswith("registry+")}
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return others, len(new), processor, time.monotonic() - begun


def main():
    as_json = "--json" in sys.argv[1:]
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    if not as_json:
        print("| what is built, from nothing | units | crates of others | of those compiled before | processor s | s |")
        print("| --- | ---: | ---: | ---: | ---: | ---: |")
    seen = set()
    for what, name, command, is_from_nothing in STEPS:
        if is_from_nothing:
            shutil.rmtree(FOLDER, ignore_errors=True)
            seen = set()
        others, units, processor, seconds = compiled(command)
        if as_json:
            took = {"processor_seconds": processor, "seconds": seconds}
            print(json.dumps({"what": name, "units": units, "crates": len(others), "again": len(others & seen), **took}), flush=True)
        else:
            print(f"| {what} | {units} | {len(others)} | {len(others & seen)} | {processor:.0f} | {seconds:.0f} |", flush=True)
        for package, _ in sorted(others & seen):
            print(f"compiled twice: {package}", file=sys.stderr)
        seen |= others
    shutil.rmtree(FOLDER, ignore_errors=True)


if __name__ == "__main__":
    main()
