#!/usr/bin/env python3
"""Measures everything that the README quotes and prints it as the README's table, to standard output; what goes on meanwhile
goes to standard error. `make bench`, or `make bench ONLY=steno,checker`. A part that cannot be measured says why in its rows.
"""

import argparse
import os
import sys

import bench_table
from bench_part import Cells, chosen
from bench_parts import PARTS, ROOT
from bench_run import NotMeasured, end_by_signal, measure, say

NOT_ALL_MEASURED, INTERRUPTED = 1, 130


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help=f"some of {', '.join(part.name for part in PARTS)}")
    options = parser.parse_args(arguments)
    try:
        parts = chosen(options.only, PARTS)
    except ValueError as error:
        parser.error(str(error))
    os.chdir(ROOT)
    end_by_signal()
    return run(parts)


def run(parts, measure=measure, out=print):
    measured, failed, interrupted = [], [], False
    try:
        for number, part in enumerate(parts, 1):
            say(f"{number} of {len(parts)}, {part.name}: {part.title}; about {part.about}")
            try:
                measured.append((part, measure(part)))
            except NotMeasured as why:
                say(f"  NOT MEASURED: {why}")
                failed.append(part.name)
                measured.append((part, [Cells(f"**not measured: {why}**")] * len(part.rows)))
    except KeyboardInterrupt:
        interrupted = True
    for line in bench_table.lines(measured):
        out(line)
    if failed:
        say(f"NOT MEASURED: {', '.join(failed)}; the rows say why")
    if interrupted:
        say(f"ended before {', '.join(part.name for part in parts[len(measured) :])}")
        return INTERRUPTED
    return NOT_ALL_MEASURED if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
