"""What `make bench` measures: the parts, the commands that measure them, and which rows of the table that gives.

A command prints a line of JSON for each thing that it measured, named by `what`; a row makes its cells of those.
"""

import json
import re
import sys
from pathlib import Path

from bench_part import Cells, Part, Row
from bench_text import figures, millis, span, spread, thousands

ROOT = Path(__file__).resolve().parent.parent


def make(target, *arguments):
    return ["make", "--no-print-directory", target, f"PYTHON={sys.executable}", f"ARGS={' '.join(['--json', *arguments])}"]


# The emulator, and cargo-lambda for the functions, which the benchmarks package themselves.
VENV = ["make", "--no-print-directory", "venv", f"PYTHON={sys.executable}"]


def bench(package, name, *options):
    return ["cargo", "bench", "--locked", "-p", package, "--bench", name, *options, "--", "--json"]


def locked(crate, lockfile):
    """The version of a crate in a Cargo.lock."""
    found = re.search(rf'name = "{crate}"\nversion = "([^"]+)"', (ROOT / lockfile).read_text())
    return found[1]


def rate(name, what):
    return Row(name, lambda found: Cells(f"{figures(found[what]['sagas_per_second'])} sagas/s"))


RUNNER = Part(
    "runner",
    "The in-memory runner, on one core",
    "10 s, and a minute to compile it first",
    [bench("saga", "runner")],
    [
        rate("in-memory runner, committing", "committing"),
        rate("in-memory runner, compensating from the pivot", "compensating from the pivot"),
    ],
)


def beside_steno(name, what):
    def cells(found):
        ours, theirs = found[what]["sagas_per_second"], found[what]["peer_sagas_per_second"]
        return Cells(f"{figures(ours)} sagas/s", f"{figures(theirs)} sagas/s", ours / theirs)

    return Row(name, cells, has_ratio=True)


STENO = Part(
    "steno",
    f"A saga of four steps beside crate steno {locked('steno', 'benches/peers/steno/Cargo.lock')}, on one thread",
    "a quarter of a minute, and two minutes to compile it first",
    [make("bench-steno")],
    [
        beside_steno("four steps, committing", "commits"),
        beside_steno("four steps, refused by the last, so three are undone", "unwinds"),
    ],
)


def beside_cdk(name, ours, theirs):
    def cells(found):
        times = found[theirs]["median_seconds"] / found[ours]["median_seconds"]
        return Cells(spread(found[ours]), spread(found[theirs]), times)

    return Row(name, cells, has_ratio=True)


def took(name, what):
    return Row(name, lambda found: Cells(spread(found[what])))


CDK_VERSION = json.loads((ROOT / "benches/peers/cdk/package.json").read_text())["dependencies"]["aws-cdk-lib"]
SAME, SAME_VALIDATED = "cfn, the same stack", "cfn, the same stack + cloudformation-validate"
APP, APP_VALIDATED = "node app.js, CDK_VALIDATION=false", "node app.js"
CLI, CLI_VALIDATED = "cdk synth, CDK_VALIDATION=false", "cdk synth"
STAGE, STAGE_VALIDATED = "infra-gen synth, one stage", "infra-gen synth + cloudformation-validate"
SAMES = [SAME, APP, CLI, SAME_VALIDATED, APP_VALIDATED, CLI_VALIDATED]
BOTH, LARGE = "infra-gen synth, both stages", "cfn, 500 resources"


def quoted(*names):
    """As one argument each, through make and a shell."""
    return [f"'{name}'" for name in names]


CDK = Part(
    "cdk",
    f"Synth beside aws-cdk-lib {CDK_VERSION}: median, least, processor time",
    "two minutes, and five to install and compile it first",
    [make("bench-cdk", *quoted(*SAMES, STAGE, STAGE_VALIDATED, BOTH, LARGE))],
    [
        beside_cdk("the same stack, beside `node app.js`", SAME, APP),
        beside_cdk("the same stack, beside `cdk synth`", SAME, CLI),
        beside_cdk("the same stack and AWS's validator, beside `node app.js`", SAME_VALIDATED, APP_VALIDATED),
        beside_cdk("the same stack and AWS's validator, beside `cdk synth`", SAME_VALIDATED, CLI_VALIDATED),
        took("`infra-gen synth`, one stage", STAGE),
        took("`infra-gen synth`, one stage, and AWS's validator", STAGE_VALIDATED),
        took("`infra-gen synth`, both stages", BOTH),
        took("a template of 500 resources", LARGE),
        Row("to load AWS's validator alone", lambda found: Cells(millis(found["to load the validator"]["seconds"]))),
        Row("resources of one stage", lambda found: Cells(thousands(found["resources of one stage"]["resources"]))),
    ],
    ratio_commands=[make("bench-cdk", *quoted(*SAMES))],
    needs={"hyperfine": "install it (Debian and Ubuntu: apt install hyperfine; macOS: brew install hyperfine)"},
)


def synth(found):
    return Cells(f"{millis(found['synth']['seconds'])}, {found['synth']['files']} files")


SYNTH = Part(
    "synth",
    "Synth of the whole project, debug build",
    "2 s, and a minute to compile it first",
    [[sys.executable, "tools/bench_synth.py", "--json"]],
    [Row("process start to all files written", synth)],
)


def zips(found):
    sizes = ", ".join(f"{function} {told['zip_bytes'] / 1e6:.2f}" for function, told in found.items())
    return Cells(f"{sizes} MB")


def resident(found):
    return Cells(f"{span([told['resident_bytes'] / 1e6 for told in found.values()], 1)} MB")


def cold_start(found):
    return Cells(f"{span([told['cold_start_seconds'] * 1e3 for told in found.values()], 0)} ms")


FUNCTIONS = Part(
    "functions",
    "Functions as they are shipped",
    "10 s, and ten minutes to compile them first",
    [VENV, bench("tests", "functions", "--profile", "dev")],
    [
        Row("zip of each function", zips),
        Row("resident memory of a function after its start", resident),
        Row("cold start of a function, process start to the first `/next`, median", cold_start),
    ],
)


def in_flight(count):
    def cells(found):
        told = found[f"{count} in flight"]
        saga, whole = (
            f"{told[f'{of}_seconds_p50']:.2f} s (p99 {told[f'{of}_seconds_p99']:.2f} s)" for of in ("saga", "publish_to_end")
        )
        return Cells(f"{thousands(told['sagas'])} sagas, {figures(told['sagas_per_second'])}/s, a saga {saga}, from publishing {whole}")

    return Row(f"{count} in flight", cells)


THROUGHPUT = Part(
    "throughput",
    "Sagas through the emulator, which is one Python process: a floor, not AWS",
    "two minutes, and ten to compile it first",
    [VENV, bench("tests", "throughput", "--profile", "dev")],
    [in_flight(1), in_flight(50), in_flight(300)],
)


def compiled(told):
    whole, alone = (f"{figures(told[f'{of}_seconds'])} s" for of in ("with_dependencies", "alone"))
    return Cells(f"{whole}, alone {alone}, library of {told['library_bytes'] / 1e6:.0f} MB")


CFN = Part(
    "cfn",
    "To compile `cfn`, debug, with its dependencies",
    "five minutes, and 5 GB of memory",
    [make("bench-cfn")],
    [
        Row("default features: the services that the stacks use", lambda found: compiled(found["default"])),
        Row("all services", lambda found: compiled(found["all"])),
    ],
)


def from_nothing(what):
    return lambda found: Cells(f"{found[what]['seconds']:.0f} s, {found[what]['processor_seconds']:.0f} s of processor time")


BUILD = Part(
    "build",
    "To compile from nothing",
    "seven minutes",
    [make("bench-build")],
    [
        Row("`infra-gen`, as `make synth` needs it", lambda found: Cells(f"{found['infra-gen']['seconds']:.0f} s")),
        Row("every program, as `make demo` needs them", from_nothing("programs")),
        Row("every test after that", from_nothing("tests")),
        Row("units compiled: programs, tests after that", lambda found: Cells(f"{found['programs']['units']}, {found['tests']['units']}")),
        Row(
            "crates of others compiled for programs; again for tests",
            lambda found: Cells(f"{found['programs']['crates']}; {found['tests']['again']}"),
        ),
    ],
)

# A rate or bytes a state say nothing where so little was done.
LEAST_PROCESSOR_SECONDS, LEAST_STATES = 0.2, 10_000


def checked(orders, faults):
    def cells(found):
        told = found[f"orders {orders}, faults {faults}"]
        over, processor = "over " if told["is_cut_off"] else "", told["processor_seconds"]
        text = f"{over}{thousands(told['states'])} states, {over}{thousands(told['with_repeats'])} with repeats"
        if processor >= 0.05:
            text += f", {processor:.1f} s"
        if processor >= LEAST_PROCESSOR_SECONDS:
            text += f" ({figures(told['with_repeats'] / processor)}/s)"
        text += f", {told['peak_kilobytes'] / 1024:.0f} MB"
        if told["states"] >= LEAST_STATES:
            text += f" ({told['bytes_a_state']} bytes a state)"
        return Cells(text)

    return Row(f"{orders} {'order' if orders == 1 else 'orders'}, {faults} {'fault' if faults == 1 else 'faults'}", cells)


CHECKER = Part(
    "checker",
    "The checker on the order saga, dev profile",
    "two minutes, and one to compile it first",
    [["cargo", "test", "--locked", "-p", "checks", "--test", "checks", "--", "--ignored", "--nocapture", "--exact", "measured::measured"]],
    [
        *(checked(orders, faults) for orders in (1, 2) for faults in (0, 1, 2, 3)),
        Row(
            "a state that waits in the checker's queue",
            lambda found: Cells(f"{span([told['bytes_a_queued_state'] for told in found.values()], 0)} bytes"),
        ),
    ],
    environment={"MEASURED": "json"},
)

PARTS = [RUNNER, STENO, CDK, SYNTH, FUNCTIONS, THROUGHPUT, CFN, BUILD, CHECKER]
