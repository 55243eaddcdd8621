"""Runs an emulator and makes sure that nothing of it outlives its purpose.

The emulator and the Lambda processes that it starts get a session of their own. They are all killed
- when standard input closes, which happens however the parent ends, even by SIGKILL (without --pid-file),
- when this process is asked to stop (SIGTERM, SIGINT, SIGHUP),
- when the emulator itself ends.

With --pid-file it is independent of its parent: it holds a lock on that file, which says where it listens, for as
long as it runs. The lock, not the file, is the proof that it runs.
"""

import argparse
import ctypes
import fcntl
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
# Loaded before the fork: between fork and exec as little as possible may happen.
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
# Blocked, and waited for at one place: a handler could cut the clean-up short when a second signal comes.
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
# In the tests an emulator has hundreds of files open. macOS allows 256 unless asked for more, and never more than this.
OPEN_FILES = 10_240
LOCK_TRIES = 20
LOCK_PAUSE_SECONDS = 0.05


def before_exec():
    """The emulator takes signals as usual and, on Linux, does not survive a SIGKILL of this process either."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def allow_open_files():
    """As many as an emulator needs, or as many as this process may allow itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def lock(file):
    """Whoever asks for the status holds the lock for a moment: try again before giving up."""
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(LOCK_PAUSE_SECONDS)
    return False


def hold_pid_file(path, endpoint_url, iam_enforced, log):
    """Locks the file, then says in it who runs; the lock ends with this process."""
    file = open(path, "a+", encoding="utf-8")
    if not lock(file):
        sys.exit(f"{path} is locked: an emulator runs already")
    file.truncate(0)
    json.dump(
        {"pid": os.getpid(), "endpoint_url": endpoint_url, "iam_enforced": iam_enforced, "log": log}, file
    )
    file.flush()
    return file


def wait_for_end_of_stdin():
    """The parent never writes: a read returns when its end of the pipe is gone."""
    while os.read(sys.stdin.fileno(), 1024):
        pass


def stop_after(wait):
    """Asks this process to stop once `wait` returns."""

    def watch():
        wait()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def kill_group(leader):
    """Kills the emulator and the Lambda processes, which are in its process group."""
    try:
        os.killpg(leader.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    leader.wait()


def run(options):
    """Runs the emulator until it ends or its time is over, and answers its exit code (0 when it was stopped)."""
    emulator = subprocess.Popen(
        options.program,
        # Nothing is written to it: it ends with this process, which is how a container notices that this one is gone.
        stdin=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=before_exec,
    )
    try:
        stop_after(emulator.wait)
        if not options.pid_file:
            stop_after(wait_for_end_of_stdin)
        signal.sigwait(STOP_SIGNALS)
        return emulator.poll() or 0
    finally:
        kill_group(emulator)


def main():
    parser = argparse.ArgumentParser(description="runs an emulator until its time is over")
    parser.add_argument("--pid-file", help="run independently of the parent and hold this file")
    parser.add_argument("--log", required=True, help="where the output goes, for the pid file")
    parser.add_argument("--temp-dir", required=True, help="scratch folder, removed at the end")
    parser.add_argument("--endpoint-url", required=True, help="where the emulator listens, for the pid file")
    parser.add_argument("program", nargs="+", help="what runs the emulator, with its arguments")
    options = parser.parse_args()

    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    allow_open_files()
    held = None
    try:
        if options.pid_file:
            enforced = os.environ.get("AUTH") == "true"
            held = hold_pid_file(options.pid_file, options.endpoint_url, enforced, options.log)
        sys.exit(run(options))
    finally:
        shutil.rmtree(options.temp_dir, ignore_errors=True)
        if held is not None:
            os.remove(options.pid_file)


if __name__ == "__main__":
    main()
