"""A checkout with nothing in it but what the doctor reads, and a machine with nothing on its PATH but what a test puts there."""

import os
import shutil
import subprocess
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
# What every POSIX system has.
SYSTEM = "awk cat df dirname du env grep head mkdir printenv rm rmdir sed sh sleep tail tr uname".split()

CARGO = """
case "$1" in
--version) echo "cargo {version} (f2d3ce0bd 2026-03-21)" ;;
generate-lockfile) {lockfile} ;;
fmt | clippy) echo "$1 0.1.95" ;;
esac
"""
PYTHON = """
case "$*" in
*version_info*) echo "{version}" ;;
*ensurepip*) exit {venv} ;;
*"pip --version") echo "pip 24" ;;
*"pip download"*) {download} ;;
esac
"""


class Checkout:
    """Everything is right until a test says otherwise; `with Checkout() as checkout`."""

    def __init__(self, name="checkout"):
        self.above = tempfile.mkdtemp()
        self.root = os.path.join(self.above, name)
        self.path = os.path.join(self.above, "path")
        for file in "tools/doctor.sh tools/why.py tools/run.py Cargo.toml Makefile tests/emulator/requirements.txt".split():
            target = os.path.join(self.root, file)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(os.path.join(ROOT, file), target)
        os.mkdir(self.path)
        for tool in SYSTEM:
            os.symlink(shutil.which(tool), os.path.join(self.path, tool))
        self.fake("make", "echo 'GNU Make 4.3'")
        self.fake("cc", "[ $# -gt 1 ] || echo 'cc (Debian) 12.2.0'")
        self.fake("rustc", 'case "$1" in --version) echo "rustc 1.95.0 (59807616e 2026-04-14)" ;; *) echo /nowhere ;; esac')
        self.cargo()
        self.python()
        self.disk(50_000_000)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.above)

    def fake(self, name, script):
        """A program on the PATH."""
        file = os.path.join(self.path, name)
        if os.path.lexists(file):
            os.remove(file)
        with open(file, "w", encoding="utf-8") as out:
            out.write(f"#!/bin/sh\n{script}\n")
        os.chmod(file, 0o755)

    def cargo(self, version="1.95.0", lockfile="exit 0"):
        self.fake("cargo", CARGO.format(version=version, lockfile=lockfile))

    def python(self, version="3.11.7", venv=0, download="exit 0"):
        self.fake("python3", PYTHON.format(version=version, venv=venv, download=download))

    def disk(self, free_kb):
        line = f"map of disks 99999999 0 {free_kb} 14% /a folder"
        self.fake("df", f"echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'; echo '{line}'")

    def without(self, name):
        os.remove(os.path.join(self.path, name))

    def environment(self, **more):
        return {"PATH": self.path, "HOME": self.above, **more}

    def run(self, *command, **environment):
        """The exit code of a command in the checkout, with what it said."""
        ended = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return ended.returncode, ended.stdout

    def doctor(self, *checks, **environment):
        return self.run("sh", "tools/doctor.sh", *checks, **environment)
