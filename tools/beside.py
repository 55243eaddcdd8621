#!/usr/bin/env python3
"""Runs commands beside each other: `tools/beside.py 'cargo test --test a' 'cargo test --test b'`.

The last one writes as it goes; what the others write is kept apart and shown when they have ended. Fails when one of them
does, and Ctrl-C ends all of them: a shell has what it runs in the background ignore that.
"""

import shlex
import subprocess
import sys
import tempfile


def main(commands):
    *others, last = [shlex.split(command) for command in commands]
    kept = [tempfile.TemporaryFile() for _ in others]
    processes = [subprocess.Popen(other, stdout=file, stderr=file) for other, file in zip(others, kept)]
    processes.append(subprocess.Popen(last))
    try:
        codes = [process.wait() for process in reversed(processes)]
    except KeyboardInterrupt:
        # Each has been told too.
        for process in processes:
            process.wait()
        return 130
    for file in kept:
        file.seek(0)
        sys.stdout.buffer.write(file.read())
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
