#!/usr/bin/env python3
"""Builds what runs on this machine, says how far it is, and runs one of the programs: `tools/run.py demo --orders x.jsonl`.

Always of the whole workspace, because cargo unites the features of what it builds together: whatever is started this way, and
every Lambda function for the emulator, is compiled once. `infra-gen` needs nothing but itself; for any other program all are
built, and the emulator is installed meanwhile. Python's own library is all that is there before anything is built.
"""

import contextlib
import errno
import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from why import missing, why

# Cargo's progress bar: "Building [====>    ] 123/456: aws-sdk-sqs, tokio(build.rs)".
PROGRESS = re.compile(rb"Building \[[^\]]*\] (\d+)/(\d+): (.*)")
ESCAPES = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")
# How long nothing may be said where nothing can move.
SILENCE_SECONDS = 10
TAIL_LINES = 40
# What is built sooner is not worth a word.
WORTH_TELLING_SECONDS = 1
# What runs on AWS as well, where there is no emulator and nothing is demonstrated.
ALONE = "infra-gen"
# Where the emulator of `make up` listens unless another port is said, and the file that it locks.
DEFAULT_PORT = 4566
LAST_PORT = 65535
PID_FILE = ".flyover/emulator.pid"


class Job(threading.Thread):
    """A command of its own process group, with the end of what it said."""

    def __init__(self, command, **environment):
        super().__init__(daemon=True)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        self.said = []
        self.errors = threading.Thread(target=self.listen, daemon=True)
        self.errors.start()
        self.start()

    def listen(self):
        for line in self.process.stderr:
            self.hear(line)

    def hear(self, line):
        text = ESCAPES.sub(b"", line).decode(errors="replace").rstrip()
        if text:
            self.said = [*self.said[1 - TAIL_LINES :], text]

    def run(self):
        for line in self.process.stdout:
            self.answer(line)
        self.errors.join()
        self.process.wait()

    def answer(self, line):
        self.hear(line)

    def stop(self):
        if self.process.poll() is None:
            # It may have ended since it was looked at.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)


class Build(Job):
    """Cargo, which says how many of how many crates are compiled to a terminal only, and is told that this is one."""

    def __init__(self, program):
        self.done, self.all, self.at, self.programs = 0, 0, "", {}
        # When cargo had counted what was compiled before, and how much that was.
        self.first = None
        chosen = ["--bin", program] if program == ALONE else ["--bins"]
        command = ["cargo", "build", "--workspace", *chosen, "--locked", "--message-format=json-render-diagnostics"]
        super().__init__(command, CARGO_TERM_PROGRESS_WHEN="always", CARGO_TERM_PROGRESS_WIDTH="120")

    def listen(self):
        rest = b""
        # One end of the bar after the other, each written over the one before.
        while chunk := os.read(self.process.stderr.fileno(), 65536):
            *lines, rest = re.split(rb"[\r\n]", rest + chunk)
            for line in lines:
                found = PROGRESS.search(ESCAPES.sub(b"", line))
                if found:
                    self.done, self.all = int(found[1]), int(found[2])
                    self.at = found[3].decode(errors="replace").strip()
                    self.first = self.first or (time.monotonic(), self.done)
                else:
                    self.hear(line)
        self.hear(rest)

    def answer(self, line):
        message = json.loads(line)
        if message.get("executable") and message["target"]["kind"] == ["bin"]:
            self.programs[message["target"]["name"]] = message["executable"]

    def tell(self):
        if not self.first:
            return "cargo looks what there is to compile"
        text = f"{self.done} of {self.all} crates compiled"
        begun, before = self.first
        seconds, here = time.monotonic() - begun, self.done - before
        # What is compiled first says little about the rest.
        if here >= 20 and seconds > 10:
            left = seconds / here * (self.all - self.done)
            text += f", about {left / 60:.0f} min left" if left >= 90 else f", about {left:.0f} s left"
        return f"{text}: {self.at}" if self.at else text


def wait(jobs, build, begun, intro):
    """Until every job has ended or one has failed, with a line that moves, or one line after the other. False: too short to tell."""
    moves, last, width, told = sys.stderr.isatty(), 0.0, 0, False
    while True:
        failed = [job for job in jobs.values() if job.process.poll() not in (None, 0)]
        running = [name for name, job in jobs.items() if job.is_alive()]
        if failed or not running:
            break
        now = time.monotonic()
        if not told and now - begun < WORTH_TELLING_SECONDS:
            time.sleep(0.05)
            continue
        if not told:
            sys.stderr.write(f"{intro}\n")
            told = True
        if moves or now - last >= SILENCE_SECONDS:
            others = [name for name in running if jobs[name] is not build]
            text = build.tell() if build.is_alive() else "compiled"
            text = "; ".join([text, *(f"{name} is installed" for name in others)])
            if moves:
                text = text[: os.get_terminal_size(sys.stderr.fileno()).columns - 4]
                sys.stderr.write(f"\r  {text:<{width}}")
                width = len(text)
            else:
                sys.stderr.write(f"  {now - begun:4.0f} s  {text}\n")
                last = now
            sys.stderr.flush()
        time.sleep(0.2)
    if width:
        sys.stderr.write("\r" + " " * (width + 2) + "\r")
    return told


def taken_port(arguments):
    """What keeps `emulator up` from its port, in a line, before minutes are spent on building it; None when nothing does."""
    asked = next((after for name, after in zip(arguments, arguments[1:]) if name == "--port"), str(DEFAULT_PORT))
    if not asked.isdecimal() or int(asked) > LAST_PORT:
        return f"{asked!r} is no port: use 1 to {LAST_PORT}, or 0 for any free one"
    port = int(asked)
    if is_locked(PID_FILE):
        # It runs already, and says so itself.
        return None
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                look = f"lsof -nP -iTCP:{port} -sTCP:LISTEN"
                return f"port {port} is taken (`{look}` says by whom): end that, or take any that is free: make up PORT=0"
            return f"port {port} cannot be used ({error.strerror}): take any that is free: make up PORT=0"
    return None


def is_locked(path):
    """Whether somebody holds the lock on a file: the emulator that runs in the background holds that on its pid file."""
    try:
        with open(path, encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def built(program):
    """Builds what the program needs, and answers the programs by name; ends the process when that fails."""
    begun = time.monotonic()
    what = program if program == ALONE else f"{program} and the functions"
    intro = f"building {what}; the first time that takes some minutes, Ctrl-C keeps what is done"
    jobs = {}
    try:
        jobs["cargo"] = build = Build(program)
        if program != ALONE:
            install = ["make", "--no-print-directory", ".venv/stamp", f"PYTHON={sys.executable}"]
            jobs["the emulator"] = Job(install, MAKEFLAGS="")
    except OSError as error:
        for job in jobs.values():
            job.stop()
        sys.exit(missing(["rust", "make"]) or f"cannot run {error.filename}: {error.strerror}")
    try:
        told = wait(jobs, build, begun, intro)
    except KeyboardInterrupt:
        for job in jobs.values():
            job.stop()
        sys.exit(130)
    for name, job in jobs.items():
        if job.process.poll() not in (None, 0):
            for other in jobs.values():
                other.stop()
            job.join(5)
            reason = why(job.said) or f"with exit code {job.process.returncode}"
            sys.exit("\n".join([*job.said, f"{name} failed: {reason}"]))
    if told:
        sys.stderr.write(f"built in {time.monotonic() - begun:.1f} s\n")
        sys.stderr.flush()
    return build.programs


def main(program, arguments):
    if [program, *arguments[:1]] == ["emulator", "up"]:
        if problem := taken_port(arguments):
            sys.exit(problem)
    programs = built(program)
    if program not in programs:
        sys.exit(f"there is no program {program!r}: use one of {', '.join(sorted(programs))}")
    os.execv(programs[program], [program, *arguments])


def to_project():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    to_project()
    main(sys.argv[1], sys.argv[2:])
