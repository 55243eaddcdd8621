"""Measures our synth beside aws-cdk-lib's, in one run of hyperfine, and fails when an aim is missed.

    bench.py [--json [NAME...]]     --json prints a line of JSON for each of COMMANDS, or of those named, and leaves the aims to
                                    the reader, which is `make bench`

Like with like: crates/cfn/examples/order_saga.rs is the stack of the CDK app. Shown beside it is what this project has
become since: one stage and both, each three stacks with twice the resources, the state machines, schemas and pictures.
The validator that the CDK runs by default is cloudformation-validate, so
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
SAME = f"{TARGET / 'release' / 'examples' / 'order_saga'} {OUT}/same/prod/order.yaml"
PYTHON, LINT = ROOT / ".venv" / "bin" / "python", ROOT / "stacks" / "lint" / "lint.py"
OURS = f"{INFRA_GEN} synth --stage prod --out {OUT}/ours"
APP = f"CDK_OUTDIR={OUT}/app node app.js"
CLI = f"node_modules/.bin/cdk synth --quiet --no-notices --output {OUT}/cli"

COMMANDS = {
    "cfn, the same stack": SAME,
    "infra-gen synth, one stage": OURS,
    "infra-gen synth, both stages": f"{INFRA_GEN} synth --out {OUT}/both",
    "cfn, 500 resources": f"{SYNTH_500} text",
    "node app.js, CDK_VALIDATION=false": f"env -C {HERE} CDK_VALIDATION=false {APP}",
    "cdk synth, CDK_VALIDATION=false": f"env -C {HERE} CDK_VALIDATION=false {CLI}",
    "cfn, the same stack + cloudformation-validate": f"sh -c '{SAME} && {PYTHON} {LINT} {OUT}/same cloudformation_validate'",
    "infra-gen synth + cloudformation-validate": f"sh -c '{OURS} && {PYTHON} {LINT} {OUT}/ours cloudformation_validate'",
    "node app.js": f"env -C {HERE} {APP}",
    "cdk synth": f"env -C {HERE} {CLI}",
    "infra-gen synth + all four linters": f"sh -c '{OURS} && {PYTHON} {LINT} {OUT}/ours'",
}

# How many times faster the first must be than the second.
AIMS = [("cfn, the same stack", "node app.js, CDK_VALIDATION=false", 100)]
# What nothing of ours can reach: to load the validator alone takes a tenth of what the CDK takes for everything.
OUT_OF_REACH = [("cfn, the same stack + cloudformation-validate", "node app.js", 10)]


def main():
    if not shutil.which("hyperfine"):
        sys.exit("hyperfine is needed: apt-get install hyperfine")
    (OUT / "same" / "prod").mkdir(parents=True, exist_ok=True)
    if sys.argv[1:2] == ["--json"]:
        return print_json(sys.argv[2:] or list(COMMANDS))
    results = measure(COMMANDS)
    print(f"\nThe CDK app has {theirs()} resources, the same stack in Rust {same()}; one stage of this project has {ours()}.\n")
    print("| what | median | least | runs | CPU |\n| --- | ---: | ---: | ---: | ---: |")
    for name, result in results.items():
        processor = result["user"] + result["system"]
        print(f"| {name} | {text(result['median'])} | {text(result['min'])} | {len(result['times'])} | {text(processor)} |")
    print()
    missed = 0
    for fast, slow, aim in AIMS + OUT_OF_REACH:
        times = results[slow]["median"] / results[fast]["median"]
        missed += times < aim and (fast, slow, aim) in AIMS
        print(f"{fast}: {times:.1f} times as fast as {slow}; the aim is {aim}: {'MISSED' if times < aim else 'met'}")
    print(f"\nTo load cloudformation-validate takes {text(load_seconds())}, whatever it then looks at.")
    return 1 if missed else 0


def print_json(names):
    if unknown := set(names) - set(COMMANDS):
        sys.exit(f"{sorted(unknown)} are not measured: use some of {list(COMMANDS)}")
    for name, result in measure(names).items():
        seconds = {"median_seconds": result["median"], "least_seconds": result["min"]}
        seconds["processor_seconds"] = result["user"] + result["system"]
        print(json.dumps({"what": name, **seconds}))
    print(json.dumps({"what": "to load the validator", "seconds": load_seconds()}))
    print(json.dumps({"what": "resources of one stage", "resources": ours()}))
    return 0


def measure(names):
    export = OUT / "hyperfine.json"
    titles = [part for name in names for part in ("--command-name", name)]
    # Everything is written anew in each run.
    clean = f"rm -rf {OUT}/ours {OUT}/both {OUT}/app {OUT}/cli {OUT}/same/prod/order.yaml"
    options = ["--shell", "none", "--warmup", "1", "--min-runs", "3", "--prepare", clean, "--style", "basic"]
    hyperfine = ["hyperfine", *options, "--export-json", export, *titles, *(COMMANDS[name] for name in names)]
    # What it says on the way is not the result.
    subprocess.run(hyperfine, check=True, cwd=ROOT, stdout=sys.stderr)
    return dict(zip(names, json.loads(export.read_text())["results"]))


def load_seconds():
    program = "import time, cloudformation_validate as c; t = time.monotonic(); c.CompositeEngine(); print(time.monotonic() - t)"
    return float(subprocess.run([PYTHON, "-c", program], check=True, capture_output=True, text=True).stdout)


def theirs():
    """Written once more, as the last run's files are gone."""
    folder = OUT / "app"
    environment = {**os.environ, "CDK_OUTDIR": str(folder), "CDK_VALIDATION": "false"}
    subprocess.run(["node", "app.js"], check=True, cwd=HERE, env=environment)
    return len(json.loads((folder / "OrderSaga.template.json").read_text())["Resources"])


def ours():
    return resources((ROOT / "stacks" / "templates" / "prod").glob("*.yaml"))


def same():
    subprocess.run(SAME.split(), check=True)
    return resources((OUT / "same" / "prod").glob("*.yaml"))


def resources(templates):
    return sum(line.startswith("    Type: AWS::") for file in templates for line in file.read_text().splitlines())


def text(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


sys.exit(main())
