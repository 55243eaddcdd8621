"""Measures our synth beside aws-cdk-lib's, in one run of hyperfine, and fails when an aim is missed.

Like with like: the CDK app is one stage of the order saga in one stack, so ours is one stage too (three stacks with more
resources, the state machines and the pictures). The validator that the CDK runs by default is cloudformation-validate, so
that is what is added to ours; what it takes with all four linters is shown too.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
OUT = TARGET / "bench-cdk"

INFRA_GEN = TARGET / "release" / "infra-gen"
SYNTH_500 = TARGET / "release" / "examples" / "synth_500"
PYTHON, LINT = ROOT / ".venv" / "bin" / "python", ROOT / "stacks" / "lint" / "lint.py"
OURS = f"{INFRA_GEN} synth --stage prod --out {OUT}/ours"
APP = f"CDK_OUTDIR={OUT}/app node app.js"
CLI = f"node_modules/.bin/cdk synth --quiet --no-notices --output {OUT}/cli"

COMMANDS = {
    "infra-gen synth, one stage": OURS,
    "infra-gen synth, both stages": f"{INFRA_GEN} synth --out {OUT}/both",
    "cfn, 500 resources": f"{SYNTH_500} text",
    "node app.js, CDK_VALIDATION=false": f"env -C {HERE} CDK_VALIDATION=false {APP}",
    "cdk synth, CDK_VALIDATION=false": f"env -C {HERE} CDK_VALIDATION=false {CLI}",
    "infra-gen synth + cloudformation-validate": f"sh -c '{OURS} && {PYTHON} {LINT} {OUT}/ours cloudformation_validate'",
    "node app.js": f"env -C {HERE} {APP}",
    "cdk synth": f"env -C {HERE} {CLI}",
    "infra-gen synth + all four linters": f"sh -c '{OURS} && {PYTHON} {LINT} {OUT}/ours'",
}

# How many times faster the first must be than the second.
AIMS = [
    ("infra-gen synth, one stage", "node app.js, CDK_VALIDATION=false", 100),
    ("infra-gen synth + cloudformation-validate", "node app.js", 10),
]


def main():
    if not shutil.which("hyperfine"):
        sys.exit("hyperfine is needed: apt-get install hyperfine")
    OUT.mkdir(parents=True, exist_ok=True)
    results = measure()
    print(f"\nThe CDK app has {theirs()} resources; one stage of ours has {ours()}.\n")
    print("| what | median | least | runs | CPU |\n| --- | ---: | ---: | ---: | ---: |")
    for name, result in results.items():
        processor = result["user"] + result["system"]
        print(f"| {name} | {text(result['median'])} | {text(result['min'])} | {len(result['times'])} | {text(processor)} |")
    print()
    missed = 0
    for fast, slow, aim in AIMS:
        times = results[slow]["median"] / results[fast]["median"]
        missed += times < aim
        print(f"{fast}: {times:.1f} times as fast as {slow}; the aim is {aim}: {'MISSED' if times < aim else 'met'}")
    return 1 if missed else 0


def measure():
    export = OUT / "hyperfine.json"
    names = [part for name in COMMANDS for part in ("--command-name", name)]
    # Everything is written anew in each run.
    clean = f"rm -rf {OUT}/ours {OUT}/both {OUT}/app {OUT}/cli"
    options = ["--shell", "none", "--warmup", "1", "--min-runs", "3", "--prepare", clean, "--style", "basic"]
    hyperfine = ["hyperfine", *options, "--export-json", export, *names, *COMMANDS.values()]
    subprocess.run(hyperfine, check=True, cwd=ROOT)
    return dict(zip(COMMANDS, json.loads(export.read_text())["results"]))


def theirs():
    """Written once more, as the last run's files are gone."""
    folder = OUT / "app"
    environment = {**os.environ, "CDK_OUTDIR": str(folder), "CDK_VALIDATION": "false"}
    subprocess.run(["node", "app.js"], check=True, cwd=HERE, env=environment)
    return len(json.loads((folder / "OrderSaga.template.json").read_text())["Resources"])


def ours():
    templates = (ROOT / "stacks" / "templates" / "prod").glob("*.yaml")
    return sum(line.startswith("    Type: AWS::") for file in templates for line in file.read_text().splitlines())


def text(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


sys.exit(main())
