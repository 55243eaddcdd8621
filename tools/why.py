#!/usr/bin/env python3
"""Runs a command, and when it fails for a reason that is known here, says last what is wrong and what to do: `why.py cargo test`."""

import os
import re
import subprocess
import sys
import threading

TAIL_BYTES = 20_000
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

PROXY = "behind a proxy: export HTTPS_PROXY=http://host:port"
# What programs say, and what that means. `{}` is what was found in the brackets; the first that is found counts.
CAUSES = [
    (
        r"No space left on device|\(os error 28\)|\[Errno 28\]|Disk quota exceeded|\(os error 122\)|signal 7 \[Bus error\]",
        "the disk is full: make room; `make clean` deletes what was built here before",
    ),
    (
        r"(SSL certificate problem.*|CERTIFICATE_VERIFY_FAILED|self-signed certificate)",
        "a certificate is not trusted ({}): if a proxy here opens connections, give its certificate to cargo and to pip:"
        " export CARGO_HTTP_CAINFO=/its/file.pem PIP_CERT=/its/file.pem",
    ),
    (
        r"attempting to make an HTTP request, but (--offline was specified|.*offline.*)",
        "crates must be fetched, and cargo is told to stay offline: unset CARGO_NET_OFFLINE, or net.offline in ~/.cargo/config.toml",
    ),
    (
        r"(?:failed to (?:download|fetch)|spurious network error)(?:.*\n)*\s*\[\d+\] (.*)",
        "cargo cannot fetch crates: {}: is there a network? " + PROXY + "; with a mirror: replace-with in ~/.cargo/config.toml",
    ),
    (
        r"connection broken by '(.*)': /",
        "pip cannot fetch packages: {}: is there a network? " + PROXY + "; with a mirror: export PIP_INDEX_URL=https://host/simple",
    ),
    (
        r"No matching distribution found for (\S+)",
        "the index that pip asks has no {} for this Python and processor: a mirror may be behind (PIP_INDEX_URL, `pip config list`)",
    ),
    (
        r"\(signal: 9, SIGKILL",
        "a compiler was killed, most likely because memory ran out: compile one crate at a time: export CARGO_BUILD_JOBS=1",
    ),
]
# What the doctor looks at afterwards, when the words of what failed do not tell: all this is quick and asks no network.
SEEN_AFTERWARDS = ["system", "path", "rust", "linker", "python", "venv", "disk"]


def why(said):
    """Why something failed that ended with these lines, and what to do, in a line; None when that is not known."""
    text = ESCAPES.sub("", "\n".join(said))
    for pattern, meaning in CAUSES:
        if found := re.search(pattern, text):
            # The names that Python gives its objects say nothing.
            reason = re.sub(r"<[^>]*>: ", "", found[found.lastindex or 0])
            return f"{meaning.format(reason)} (`make doctor` looks at everything)"
    return missing(SEEN_AFTERWARDS)


def missing(checks):
    """The first of what the doctor finds missing or too old; None when all is there."""
    doctor = os.path.join(os.path.dirname(os.path.abspath(__file__)), "doctor.sh")
    environment = {"PYTHON": sys.executable, **os.environ}
    seen = subprocess.run(["sh", doctor, *checks], stderr=subprocess.PIPE, env=environment, check=False)
    lines = seen.stderr.decode(errors="replace").splitlines()
    return lines[0] if seen.returncode and lines else None


class Tail(threading.Thread):
    """Hands on what a process says to standard error, and keeps its end."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.pipe, self.end = process.stderr.fileno(), b""
        self.start()

    def run(self):
        while chunk := os.read(self.pipe, 65536):
            sys.stderr.buffer.write(chunk)
            sys.stderr.flush()
            self.end = (self.end + chunk)[-TAIL_BYTES:]


def main(command):
    environment = dict(os.environ)
    if sys.stderr.isatty():
        # Cargo sees a pipe, and would be less colourful and say nothing while it compiles.
        environment.setdefault("CARGO_TERM_COLOR", "always")
        environment.setdefault("CARGO_TERM_PROGRESS_WHEN", "always")
        environment.setdefault("CARGO_TERM_PROGRESS_WIDTH", str(os.get_terminal_size(sys.stderr.fileno()).columns))
    try:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment)
    except OSError as error:
        sys.exit(missing(SEEN_AFTERWARDS) or f"cannot run {command[0]}: {error.strerror}")
    tail = Tail(process)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        # The command has got the signal too, and ends in its own way.
        process.wait()
        sys.exit(130)
    # What the command has started may go on, with the same standard error.
    tail.join(1)
    if code:
        reason = why(re.split(r"[\r\n]+", tail.end.decode(errors="replace")))
        if reason:
            sys.stderr.write(f"{os.path.basename(command[0])} failed: {reason}\n")
        sys.exit(code if code > 0 else 128 - code)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
