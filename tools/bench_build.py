#!/usr/bin/env python3
"""Builds everything from nothing, first what `make demo` needs and then what `make test` needs, and says what that took.

A crate of others that both compile is compiled twice: its features, or those of what it is built on, differ.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time

FOLDER = "target/bench-build"
STEPS = {
    "`make demo`: every program": ["cargo", "build", "--workspace", "--bins"],
    "`make test` after it: every test": ["cargo", "test", "--workspace", "--no-run"],
}


def compiled(command):
    """The crates of others and the units that a command compiles, with the processor seconds and the seconds that takes."""
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [*command, "--locked", "--quiet", "--message-format=json-render-diagnostics"]
    environment = {**os.environ, "CARGO_TARGET_DIR": FOLDER, "CARGO_INCREMENTAL": "0"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as cargo:
        messages = [json.loads(line) for line in cargo.stdout]
    if cargo.returncode:
        sys.exit(f"{' '.join(command)} failed ({cargo.returncode})")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    new = [m for m in messages if m["reason"] == "compiler-artifact" and not m["fresh"]]
    others = {(m["package_id"], m["target"]["name"]) for m in new if m["package_id"].startswith("registry+")}
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return others, len(new), processor, time.monotonic() - begun


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    shutil.rmtree(FOLDER, ignore_errors=True)
    print("| what is built, from nothing | units | crates of others | of those compiled before | processor s | s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    seen = set()
    for what, command in STEPS.items():
        others, units, processor, seconds = compiled(command)
        print(f"| {what} | {units} | {len(others)} | {len(others & seen)} | {processor:.0f} | {seconds:.0f} |", flush=True)
        for package, _ in sorted(others & seen):
            print(f"compiled twice: {package}", file=sys.stderr)
        seen |= others
    shutil.rmtree(FOLDER, ignore_errors=True)


if __name__ == "__main__":
    main()
