#!/usr/bin/env python3
"""Measures the debug build of `infra-gen synth` for the whole project, from the start of the process to its end: as a line of
text, or with `--json` a line of JSON, which `make bench` reads. Each run writes every file, into an empty folder.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 20
ROOT = Path(__file__).resolve().parent.parent
INFRA_GEN = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / "infra-gen"


def synth(folder):
    begun = time.monotonic()
    subprocess.run([INFRA_GEN, "synth", "--out", folder], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    took = time.monotonic() - begun
    return took, sum(path.is_file() for path in Path(folder).rglob("*"))


def main():
    subprocess.run(["cargo", "build", "--locked", "-p", "infra-gen"], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    runs = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(synth(folder))
    seconds, files = statistics.median(took for took, _ in runs), runs[-1][1]
    if "--json" in sys.argv[1:]:
        print(json.dumps({"what": "synth", "seconds": seconds, "files": files}))
    else:
        print(f"{files} files in {seconds * 1e3:.1f} ms, the median of {RUNS} runs")


if __name__ == "__main__":
    main()
