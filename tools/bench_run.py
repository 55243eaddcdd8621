"""Runs the commands of a part, with a sign every few seconds, and gives what they measured."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

from run import Job

SILENCE_SECONDS = 10
# A reason is a cell of a table.
REASON_CHARACTERS = 160


class NotMeasured(Exception):
    """Why."""


class Measuring(Job):
    """A command that prints a line of JSON for each thing that it measured, among what else it says."""

    def __init__(self, command, **environment):
        self.told = {}
        super().__init__(command, **environment)

    def answer(self, line):
        try:
            measured = json.loads(line) if line.startswith(b"{") else None
        except ValueError:
            measured = None
        if measured and "what" in measured:
            self.told[measured["what"]] = measured
        else:
            self.hear(line)


def say(text):
    print(text, file=sys.stderr, flush=True)


def end_by_signal():
    """A polite `kill` is a Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def measure(part):
    """The cells of every row of a part.

    Raises NotMeasured, and KeyboardInterrupt when its commands have been stopped.
    """
    begun, told = time.monotonic(), {}
    for program, remedy in part.needs.items():
        if not shutil.which(program):
            raise NotMeasured(f"{program} is not there: {remedy}")
    for command in part.commands:
        told |= output(part, command, begun)
    cells = []
    for row in part.rows:
        try:
            cells.append(row.cells(told))
        except (KeyError, ValueError) as missing:
            raise NotMeasured(f"for '{row.name}' {missing} is missing; told was of {', '.join(told) or 'nothing'}") from missing
    say(f"  measured in {time.monotonic() - begun:.0f} s")
    return cells


def output(part, command, begun):
    try:
        # `make` tells those that it starts how it was started itself.
        job = Measuring(command, **{"MAKEFLAGS": "", **part.environment})
    except FileNotFoundError as error:
        raise NotMeasured(f"{command[0]} is not there: install it") from error
    try:
        watch(job, part, begun)
    except KeyboardInterrupt:
        stop(job)
        raise
    job.process.stdout.close()
    job.process.stderr.close()
    if job.process.wait():
        say("\n".join(f"  {line}" for line in job.said))
        raise NotMeasured(f"{reason(job.said)} (`{' '.join(command[:3])} …` ended with {job.process.returncode})")
    return job.told


def watch(job, part, begun):
    said = time.monotonic()
    while job.is_alive():
        # Not `join`, which takes the thread for ended when it is interrupted itself.
        time.sleep(0.1)
        now = time.monotonic()
        if now - said >= SILENCE_SECONDS:
            said = now
            last = job.said[-1].strip() if job.said else "under way"
            say(f"  {now - begun:4.0f} s  {part.name}: {last[:100]}")


def stop(job):
    job.stop()
    try:
        job.process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(job.process.pid, signal.SIGKILL)


def reason(said):
    """The line that says best what went wrong, of the last ones."""
    lines = [line.strip() for line in said if not line.startswith("make")]
    errors = [line for line in lines if line.lower().startswith("error")]
    text = (errors or lines or ["it said nothing"])[0 if errors else -1]
    return text.replace("|", "/")[:REASON_CHARACTERS]
