#!/usr/bin/env python3
"""Measures what the README quotes as 'N times' and fails when a ratio is worse than nine tenths of what is quoted there:
`make bench-check`, or `make bench-check ONLY=steno`.

Exit codes: 0 every ratio holds, 1 one does not, 2 it could not be found out, 130 ended by Ctrl-C.
"""

import argparse
import os
import sys
from decimal import Decimal

import bench_table
from bench_part import chosen
from bench_parts import PARTS, ROOT
from bench_run import NotMeasured, end_by_signal, measure, say

HOLDS, BROKEN, UNKNOWN, INTERRUPTED = 0, 1, 2, 130
# Of what is quoted.
ALLOWED = Decimal("0.9")


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parts = [part.of_ratios() for part in PARTS if part.of_ratios()]
    parser.add_argument("--only", default="", help=f"some of {', '.join(part.name for part in parts)}")
    options = parser.parse_args(arguments)
    try:
        selected = chosen(options.only, parts)
        quoted = quoted_for(parts, (ROOT / "README.md").read_text())
    except ValueError as error:
        parser.error(str(error))
    os.chdir(ROOT)
    end_by_signal()
    return run(selected, quoted)


def quoted_for(parts, readme):
    """The ratios that the README quotes, one for every row that has one.

    Raises ValueError where a row is there and not here, or here and not there.
    """
    quoted = bench_table.ratios(readme)
    names = [row.name for part in parts for row in part.rows]
    if missing := [name for name in names if name not in quoted]:
        raise ValueError(f"README.md quotes no ratio in a row named {missing}: it has {list(quoted)}; `make bench` prints its table")
    if unknown := [name for name in quoted if name not in names]:
        raise ValueError(f"README.md quotes a ratio in a row named {unknown}, which is not measured: measured are {names}")
    return quoted


def run(parts, quoted, measure=measure, out=print):
    broken, unknown = 0, 0
    for number, part in enumerate(parts, 1):
        say(f"{number} of {len(parts)}, {part.name}: {part.title}; about {part.about}")
        try:
            cells = measure(part)
        except NotMeasured as why:
            out(f"NOT MEASURED: {part.name}: {why}")
            unknown += 1
            continue
        except KeyboardInterrupt:
            return INTERRUPTED
        for row, of in zip(part.rows, cells):
            holds, text = verdict(row.name, quoted[row.name], of.times)
            broken += not holds
            out(text)
    if broken:
        say(f"{broken} of the ratios that README.md quotes no longer hold: find what became slower, or measure anew with `make bench`")
    return BROKEN if broken else UNKNOWN if unknown else HOLDS


def verdict(name, quoted, measured):
    """Whether a measured ratio is at least nine tenths of the one that is quoted, and that in words."""
    allowed = quoted * ALLOWED
    holds = Decimal(repr(measured)) >= allowed
    word = "holds" if holds else "FAILED"
    return holds, f"{word}: {name}: quoted {quoted} times, measured {measured:.2f}, allowed from {allowed.normalize():f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
