"""tools/doctor.sh on machines that lack something, and what tools/run.py says of a build that failed."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tools"))

from causes import cause  # noqa: E402

# What POSIX has on every machine; none of it is looked for.
ALWAYS = ["sh", "sed", "awk", "df", "uname", "dirname", "head", "grep", "printf", "sleep", "ls", "rm", "cat", "env"]
RUST = "echo 'rustc 9.9.9 (abc 2030-01-01)'"


class Machine:
    """A checkout of only what the doctor reads, and a PATH of only what it is given."""

    def __init__(self, **programs):
        self.root = tempfile.mkdtemp(prefix="doctor-")
        self.path = os.path.join(self.root, "bin")
        os.makedirs(os.path.join(self.root, "tools"))
        os.makedirs(self.path)
        for file in ["tools/doctor.sh", "Makefile", "Cargo.toml"]:
            shutil.copy(os.path.join(ROOT, file), os.path.join(self.root, file))
        for program in ALWAYS:
            found = shutil.which(program)
            if found:
                os.symlink(found, os.path.join(self.path, program))
        whole = {
            "make": "echo 'GNU Make 4.3'",
            "cargo": "exit 0",
            "rustc": RUST,
            "cc": "echo 'cc 12'",
            "python3": "[ \"$1\" = --version ] && echo 'Python 3.12.1'; exit 0",
        }
        for name, script in {**whole, **programs}.items():
            if script is not None:
                self.program(name, script)

    def program(self, name, script):
        file = os.path.join(self.path, name)
        if os.path.lexists(file):
            # Not through the link: behind it is the machine's own program.
            os.remove(file)
        with open(file, "w", encoding="utf-8") as out:
            out.write(f"#!/bin/sh\n{script}\n")
        os.chmod(file, os.stat(file).st_mode | stat.S_IXUSR)

    def doctor(self):
        environment = {"PATH": self.path, "HOME": self.root}
        script = os.path.join(self.root, "tools/doctor.sh")
        done = subprocess.run(["/bin/sh", script], env=environment, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    def gone(self):
        shutil.rmtree(self.root)


class Doctor(unittest.TestCase):
    def told(self, fails, *words, **programs):
        machine = Machine(**programs)
        self.addCleanup(machine.gone)
        code, text = machine.doctor()
        self.assertEqual(code, 1 if fails else 0, text)
        for word in words:
            self.assertIn(word, text)

    def test_a_machine_that_has_everything_can_run_the_demo(self):
        self.told(False, "Rust 9.9.9", "Python 3.12.1", "make demo can run")

    def test_what_is_missing_is_named_with_what_to_do(self):
        self.told(True, "MISSING  Rust", "https://rustup.rs", "make demo cannot run yet", cargo=None, rustc=None)
        self.told(True, "MISSING  Python (python3)", "apt install python3", python3=None)
        self.told(True, "MISSING  make", "apt install make", make=None)
        self.told(True, "MISSING  a C linker (cc)", "apt install gcc", cc=None)

    def test_what_is_too_old_is_told_with_what_is_needed(self):
        self.told(True, "Rust 1.70.0, and 1.", "or later is needed", "rustup update", rustc="echo 'rustc 1.70.0 (x)'")
        old = "[ \"$1\" = --version ] && echo 'Python 3.9.2'; exit 0"
        self.told(True, "Python 3.9.2 (python3), and 3.10 or later is needed", "PYTHON=python3.10", python3=old)

    def test_a_later_minor_version_is_later(self):
        self.told(False, "Rust 1.100.0", rustc="echo 'rustc 1.100.0 (x)'")

    def test_python_without_its_venv_module_is_told(self):
        script = "case \"$*\" in *--version*) echo 'Python 3.12.1';; *ensurepip*) exit 1;; esac; exit 0"
        self.told(True, "MISSING  Python's venv module", "apt install python3-venv", python3=script)

    def test_indexes_that_do_not_answer_are_told(self):
        self.told(True, "MISSING  cargo's registry does not answer", "HTTPS_PROXY", cargo="[ $1 = info ] && exit 1; exit 0")

    def test_another_system_is_refused_with_the_way_out(self):
        self.told(True, "MISSING  MINGW64_NT", "WSL", uname="echo MINGW64_NT")

    def test_what_only_other_verbs_need_fails_nothing(self):
        self.told(False, "later    cargo clippy", "rustup component add clippy", cargo="[ $1 = clippy ] && exit 1; exit 0")


class Causes(unittest.TestCase):
    def test_what_a_person_meets_first_has_an_advice(self):
        for said, advice in [
            ("error: failed to write `/x/target/debug/deps/a.o`: No space left on device (os error 28)", "the disk is full"),
            ("error: package `demo v0.1.0` cannot be built because it requires rustc 1.94 or newer", "Rust is too old"),
            ("error: linker `cc` not found", "there is no C linker"),
            ("warning: spurious network error (3 tries remaining): [6] Could not resolve hostname", "HTTPS_PROXY"),
            ("error: failed to download from `https://index`", "HTTPS_PROXY"),
            ("ERROR: Could not find a version that satisfies the requirement ministack==1.5.33", "pip's index"),
            ("python3 cannot make virtual environments: install its venv module", "python3-venv"),
        ]:
            self.assertIn(advice, cause(["Compiling x", said]) or "nothing", said)

    def test_an_error_of_the_code_speaks_for_itself(self):
        self.assertIsNone(cause(["error[E0308]: mismatched types", "error: could not compile `orders` (lib)"]))


if __name__ == "__main__":
    unittest.main()
