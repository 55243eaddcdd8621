"""Checks the emitted templates and state machines with the linters that people trust. Prints a line per linter.

    lint.py [FOLDER] [LINTER...]     the templates of a folder, by default the committed ones; the linters are the functions
                                    below, by default all of them

Zero findings are allowed: errors and warnings alike. What does not apply is suppressed beside the resource in Rust
(`suppress_check`), with its reason, and a suppression of a check that does not exist is a finding too.
Each linter is also given a file of `refused/` in which it must find something.
"""

import itertools
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from cloudformation_validate import CompositeEngine, ReportStatus, Severity, ValidateConfig, version

HERE = Path(__file__).resolve().parent
TEMPLATES = HERE.parent / "templates"
CHECKOV = HERE.parent.parent / ".venv-checkov" / "bin" / "checkov"
ASL_VALIDATOR = HERE / "node_modules" / ".bin" / "asl-validator"


def main():
    folders = [Path(argument) for argument in sys.argv[1:] if Path(argument).is_dir()]
    folder = folders[0] if folders else TEMPLATES
    templates, machines = "*/*.yaml", "*/*.asl.json"
    refused_template, refused_machine = HERE / "refused" / "template.yaml", HERE / "refused" / "machine.asl.json"
    runs = [
        (checkov, templates, refused_template, "CKV_AWS_27"),
        (cfn_lint, templates, refused_template, "E3601"),
        (cloudformation_validate, templates, refused_template, "F3002"),
        (asl_validator, machines, refused_machine, "MISSING_TRANSITION_TARGET"),
    ]
    wanted = {argument for argument in sys.argv[1:] if Path(argument) not in folders}
    wanted = wanted or {linter.__name__ for linter, *_ in runs}
    if unknown := wanted - {linter.__name__ for linter, *_ in runs}:
        sys.exit(f"{sorted(unknown)} are no linters: allowed are {[linter.__name__ for linter, *_ in runs]}")
    runs = [
        (linter, some(folder, pattern), refused, expected)
        for linter, pattern, refused, expected in runs
        if linter.__name__ in wanted
    ]
    # Two at a time: each takes a processor.
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda run: report(*run), runs))
    for lines, _ in reports:
        print("\n".join(lines))
    return 0 if all(clean for _, clean in reports) else 1


def some(folder, pattern):
    files = sorted(folder.glob(pattern))
    if not files:
        sys.exit(f"there is nothing to check in {folder}: run `make synth`")
    return files


def report(linter, files, refused, expected):
    """What to print of a linter, and whether all is well."""
    start = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as folder:
            folders = (Path(folder).resolve() / str(number) for number in itertools.count())
            copies = {in_partition_aws(file, next(folders)): file for file in [*files, refused]}
            name, found = linter(list(copies))
            findings = {copies[copy]: texts for copy, texts in found.items()}
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        return [f"{linter.__name__} does not work: {error}"], False
    seconds = time.monotonic() - start
    control = findings.pop(refused)
    lines = [f"  {file.relative_to(HERE.parent)}: {text}" for file, texts in findings.items() for text in texts]
    if not any(expected in text for text in control):
        lines.append(f"  {refused.relative_to(HERE.parent)}: {expected} was not found, so nothing is checked")
    found = f"{len(lines)} findings" if lines else "no findings"
    return [f"{name}: {len(files)} files, {found} ({seconds:.1f} s)", *lines], not lines


def in_partition_aws(file, folder):
    """A copy as it is deployed in the partition `aws`: the linters know no other, and no placeholder for it in an ARN."""
    folder.mkdir()
    copy = folder / file.name
    copy.write_text(file.read_text().replace("arn:${Partition}:states:::", "arn:aws:states:::"))
    return copy


# Each of these returns the linter's name and version, and for each file its findings.


def cfn_lint(files):
    run = [Path(sys.executable).parent / "cfn-lint"]
    found = output([*run, "--format", "json", "--", *files], allowed=range(0, 16, 2))
    findings = {file: [] for file in files}
    for match in json.loads(found):
        line = match["Location"]["Start"]["LineNumber"]
        findings[Path(match["Filename"])].append(f"{line}: {match['Rule']['Id']} {match['Message']}")
    return output([*run, "--version"]).strip(), findings


def cloudformation_validate(files):
    engine = CompositeEngine()
    # Below warnings are remarks, as that a property replaces its resource, which `infra-gen diff` says when it matters.
    config = ValidateConfig(severity_level=Severity.WARN)
    findings = {}
    for file in files:
        result = engine.validate_template(file, config)
        findings[file] = [f"{found.rule_id} {found.message}" for found in result.diagnostics]
        if result.status == ReportStatus.ANALYSIS_INCOMPLETE:
            findings[file].append("the analysis is incomplete")
    return f"cloudformation-validate {version()}", findings


def checkov(files):
    options = ["--framework", "cloudformation", "--skip-download", "--output", "json"]
    found = json.loads(output([CHECKOV, *options, "--file", *files], allowed=[0, 1]))
    results = found["results"]
    findings = {file: [] for file in files}
    for failed in results["failed_checks"]:
        text = f"{failed['check_id']} {failed['resource']}: {failed['check_name']}"
        findings[Path(failed["file_abs_path"])].append(text)
    for unread in results["parsing_errors"]:
        findings[Path(unread)].append("cannot be parsed")
    skipped = {(Path(s["file_abs_path"]), s["resource"].split(".")[-1], s["check_id"]) for s in results["skipped_checks"]}
    for file in files:
        for resource, check in suppressed(file):
            if (file, resource, check) not in skipped:
                findings[file].append(f"{resource} suppresses {check}, which is no check of it")
    return f"checkov {found['summary']['checkov_version']}", findings


def suppressed(template):
    for name, resource in yaml.safe_load(template.read_text())["Resources"].items():
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
            yield name, skip["id"]


def asl_validator(files):
    paths = [argument for file in files for argument in ("--json-path", file)]
    said = output([ASL_VALIDATOR, *paths], allowed=[0, 1])
    findings, current = {}, None
    for line in said.splitlines():
        if line.startswith(("✓", "✕")):
            current = Path(line.split('"')[1])
            findings[current] = []
        if not line.startswith("✓"):
            findings[current].append(line.strip())
    if set(findings) != set(files):
        raise ValueError(f"it says nothing of some of its files:\n{said}")
    return f"asl-validator {output([ASL_VALIDATOR, '--version']).strip()}", findings


def output(command, allowed=(0,)):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in allowed:
        raise ValueError(f"{Path(command[0]).name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + (done.stderr if Path(command[0]) == ASL_VALIDATOR else "")


sys.exit(main())
