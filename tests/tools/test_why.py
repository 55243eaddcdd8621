"""What is said last when something fails, for what programs really said when it did."""

import os
import re
import socket
import subprocess
import sys
import unittest

from checkout import ROOT, Checkout

sys.path.insert(0, os.path.join(ROOT, "tools"))

import run  # noqa: E402
import why  # noqa: E402

CARGO_NO_NETWORK = """\
    Updating crates.io index
warning: spurious network error (1 try remaining): [7] Could not connect to server (Failed to connect to 127.0.0.1 port 9 after 0 ms)
error: failed to get `serde_json` as a dependency of package `checks v0.1.0 (/tmp/scratch/checks)`

Caused by:
  download of config.json failed

Caused by:
  failed to download from `https://index.crates.io/config.json`

Caused by:
  [7] Could not connect to server (Failed to connect to 127.0.0.1 port 9 after 0 ms: Could not connect to server)
"""
PIP_NO_NETWORK = """\
WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f175af112d0>: Failed to establish a new connection: [Errno -2] Name or service not known')': /simple/ministack/
ERROR: Could not find a version that satisfies the requirement ministack==1.5.33 (from versions: none)
ERROR: No matching distribution found for ministack==1.5.33
make: *** [Makefile:109: .venv/stamp] Error 1
"""
PIP_CERTIFICATE = """\
WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by 'SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain (_ssl.c:1006)'))': /simple/ministack/
ERROR: No matching distribution found for ministack==1.5.33
"""
CARGO_FULL_DISK = """\
error: failed to write to `/tmp/tm/debug/deps/rmetaBYlrLp/full.rmeta`: No space left on device (os error 28)

error: could not compile `tokio` (lib) due to 1 previous error
"""
LINKER_FULL_DISK = """\
error: linking with `cc` failed: exit status: 1
          collect2: fatal error: ld terminated with signal 7 [Bus error]
error: could not compile `futures-macro` (lib) due to 1 previous error
"""
PIP_FULL_DISK = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
CARGO_NO_MEMORY = """\
error: could not compile `cfn` (lib)

Caused by:
  process didn't exit successfully: `rustc --crate-name cfn` (signal: 9, SIGKILL: kill)
"""
CARGO_OFFLINE = """\
error: failed to download `itoa v1.0.19`

Caused by:
  attempting to make an HTTP request, but --offline was specified
"""
MIRROR_BEHIND = """\
ERROR: Could not find a version that satisfies the requirement ministack==1.5.33 (from versions: 1.4.0, 1.5.0)
ERROR: No matching distribution found for ministack==1.5.33
"""
LINKER_MISSING = "error: linker `cc` not found\n  |\n  = note: No such file or directory (os error 2)\n"
VENV_FULL_DISK = "Error: Command '['/c/.venv/bin/python3', '-m', 'ensurepip', '--upgrade', '--default-pip']' returned non-zero exit status 1.\n"


class Why(unittest.TestCase):
    def expect(self, said, *parts):
        told = why.why(said.splitlines())
        self.assertIsNotNone(told, said)
        self.assertNotIn("\n", told)
        for part in [*parts, "make doctor"]:
            self.assertIn(part, told)

    def test_no_network(self):
        self.expect(CARGO_NO_NETWORK, "cargo cannot fetch crates: Could not connect to server (Failed to connect to 127.0.0.1", "HTTPS_PROXY")
        self.expect(PIP_NO_NETWORK, "pip cannot fetch packages: NewConnectionError('Failed to establish a new connection: [Errno -2]", "PIP_INDEX_URL")
        self.expect(CARGO_OFFLINE, "unset CARGO_NET_OFFLINE")

    def test_a_proxy_with_a_certificate_of_its_own(self):
        self.expect(PIP_CERTIFICATE, "CERTIFICATE_VERIFY_FAILED", "PIP_CERT", "CARGO_HTTP_CAINFO")

    def test_an_index_that_lacks_a_version(self):
        self.expect(MIRROR_BEHIND, "has no ministack==1.5.33", "mirror")

    def test_a_full_disk(self):
        for said in [CARGO_FULL_DISK, LINKER_FULL_DISK, PIP_FULL_DISK]:
            self.expect(said, "the disk is full", "make clean")

    def test_no_memory(self):
        self.expect(CARGO_NO_MEMORY, "CARGO_BUILD_JOBS=1")

    def test_colours_are_looked_through(self):
        self.expect("\x1b[1merror\x1b[0m: No space left\x1b[0m on device", "the disk is full")

    def test_what_nobody_knows_is_not_explained(self):
        with Checkout() as checkout:
            code, said = checkout.run(sys.executable, "tools/why.py", "sh", "-c", "echo 'error[E0308]: mismatched types' >&2; exit 101")
            self.assertEqual((code, said), (101, "error[E0308]: mismatched types\n"))

    def test_what_the_words_do_not_tell_the_doctor_sees(self):
        def last(checkout, said):
            script = "printf '%s' \"$SAID\" >&2; exit 3"
            code, told = checkout.run(sys.executable, "tools/why.py", "sh", "-c", script, SAID=said)
            self.assertEqual(code, 3)
            self.assertTrue(told.startswith(said), told)
            return told.splitlines()[-1]

        with Checkout() as checkout:
            checkout.python("3.11.7")
            checkout.without("cc")
            self.assertRegex(last(checkout, LINKER_MISSING), r"^sh failed: linker: there is no C compiler .*\(`make doctor`")
        with Checkout() as checkout:
            checkout.disk(20_000)
            self.assertRegex(last(checkout, VENV_FULL_DISK), r"^sh failed: disk: 19 MB are free .*make room.*\(`make doctor`")
        with Checkout("a:b") as checkout:
            self.assertRegex(last(checkout, "path segment contains separator `:`\n"), r"^sh failed: path: .*/a:b has a colon in it")

    def test_a_program_that_is_not_there(self):
        with Checkout() as checkout:
            code, said = checkout.run(sys.executable, "tools/why.py", "nonsense")
            self.assertEqual((code, said), (1, "cannot run nonsense: No such file or directory\n"))


class Run(unittest.TestCase):
    """tools/run.py in a checkout with a cargo and a make that fail as they really did."""

    def setUp(self):
        self.checkout = Checkout()
        self.addCleanup(self.checkout.__exit__)
        self.checkout.fake("make", "exit 0")

    def last(self, *arguments):
        code, said = self.checkout.run(sys.executable, "tools/run.py", *arguments)
        self.assertEqual(code, 1, said)
        self.assertNotIn("Traceback", said)
        return said.splitlines()[-1]

    def test_the_last_line_says_why_the_build_failed(self):
        script = f"cat >&2 <<'SAID'\n{CARGO_NO_NETWORK}SAID\nexit 101"
        self.checkout.fake("cargo", f'case "$1" in --version) echo "cargo 1.95.0" ;; *) {script}\n;; esac')
        self.assertRegex(self.last("demo"), r"^cargo failed: cargo cannot fetch crates: Could not connect.*`make doctor`")

    def test_the_last_line_says_why_the_emulator_was_not_installed(self):
        self.checkout.fake("cargo", 'case "$1" in --version) echo "cargo 1.95.0" ;; *) sleep 5 ;; esac')
        self.checkout.fake("make", f"cat >&2 <<'SAID'\n{PIP_NO_NETWORK}SAID\nexit 2")
        self.assertRegex(self.last("demo"), r"^the emulator failed: pip cannot fetch packages: .*`make doctor`")

    def test_a_reason_that_is_not_known_is_an_exit_code(self):
        self.checkout.fake("cargo", 'case "$1" in --version) echo "cargo 1.95.0" ;; *) echo "error[E0308]" >&2; exit 101 ;; esac')
        self.assertEqual(self.last("demo"), "cargo failed: with exit code 101")

    def test_without_cargo_the_doctor_says_how_to_get_it(self):
        self.checkout.without("cargo")
        self.assertRegex(self.last("demo"), r"^rust: there is no cargo, and 1.94 or later is needed; curl .*sh.rustup.rs")

    def test_without_make_nothing_is_left_running(self):
        self.checkout.fake("cargo", 'case "$1" in --version) echo "cargo 1.95.0" ;; *) exec sleep 300 ;; esac')
        self.checkout.without("make")
        self.assertRegex(self.last("demo"), r"^make: there is no GNU make; ")
        self.checkout.fake("gmake", "echo 'GNU Make 4.4'")
        self.assertEqual(self.last("demo"), "cannot run make: No such file or directory")

    def test_a_taken_port_is_told_before_anything_is_built(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            port = listener.getsockname()[1]
            self.checkout.fake("cargo", "echo built > built")
            line = self.last("emulator", "up", "--port", str(port))
            self.assertRegex(line, rf"^port {port} is taken .*make up PORT=0")
            for no_port in ["abc", "-1", "65536"]:
                self.assertEqual(self.last("emulator", "up", "--port", no_port), f"'{no_port}' is no port: use 1 to 65535, or 0 for any free one")
            self.assertFalse(os.path.exists(os.path.join(self.checkout.root, "built")))
        self.assertIsNone(run.taken_port(["up", "--port", str(port)]))

    def test_the_emulator_that_runs_already_is_no_obstacle(self):
        folder = os.path.join(self.checkout.root, ".flyover")
        os.mkdir(folder)
        holder = "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX); print(1, flush=True); sys.stdin.read()"
        file = os.path.join(folder, "emulator.pid")
        with subprocess.Popen([sys.executable, "-c", holder, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            self.assertTrue(run.is_locked(file))
            process.stdin.close()
        self.assertFalse(run.is_locked(file))
        self.assertFalse(run.is_locked(os.path.join(folder, "other")))


class Makefile(unittest.TestCase):
    """What `make` says when there is no Rust or no Python: before anything else, in one line."""

    def setUp(self):
        self.checkout = Checkout()
        self.addCleanup(self.checkout.__exit__)
        self.checkout.without("make")
        for tool in ["make", "touch"]:
            os.symlink(subprocess.run(["which", tool], stdout=subprocess.PIPE, text=True, check=True).stdout.strip(), os.path.join(self.checkout.path, tool))

    def said(self, target):
        """All that is said but make's own last line."""
        code, said = self.checkout.run("make", target)
        self.assertEqual(code, 2, said)
        *lines, last = said.splitlines()
        self.assertRegex(last, r"^make: \*\*\* .*Error 1$")
        self.assertEqual(len(lines), 1, said)
        return lines[0]

    def test_an_old_python(self):
        self.checkout.python("3.6.15")
        for target in ["demo", "up", "test", "test-fast"]:
            self.assertRegex(self.said(target), r"^python: python3 is 3.6.15, and 3.10 or later is needed; ")

    def test_no_python(self):
        self.checkout.without("python3")
        self.assertRegex(self.said("demo"), r"^python: there is no python3, and 3.10")

    def test_no_venv(self):
        self.checkout.python(venv=1)
        self.assertRegex(self.said("venv"), r"^venv: python3 3.11.7 cannot make virtual environments.*`make doctor`")

    def test_no_rust_and_an_old_one(self):
        self.checkout.cargo("1.80.0")
        for target in ["demo", "up", "test", "synth", "lint"]:
            self.assertRegex(self.said(target), r"^rust: cargo is 1.80.0 .*, and 1.94 or later is needed; ")
        self.checkout.without("cargo")
        self.assertRegex(self.said("demo"), r"^rust: there is no cargo")

    def test_an_environment_that_does_not_run_is_made_again(self):
        os.makedirs(os.path.join(self.checkout.root, ".venv/bin"))
        stamp = os.path.join(self.checkout.root, ".venv/stamp")
        with open(stamp, "w", encoding="utf-8"):
            pass
        link = os.path.join(self.checkout.root, ".venv/bin/python")
        planned = lambda: re.findall("-m venv", self.checkout.run("make", "-n", ".venv/stamp")[1])
        os.symlink(sys.executable, link)
        self.assertEqual(planned(), [])
        os.remove(link)
        os.symlink("/nowhere/python3.9", link)
        self.assertEqual(planned(), ["-m venv"])


class OpenFiles(unittest.TestCase):
    def test_the_emulator_may_open_more_files_than_a_shell_on_macos(self):
        launch = os.path.join(ROOT, "tests/emulator/launch.py")
        print_limit = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
        with Checkout() as checkout:
            options = f"--pid-file held --log log --temp-dir temp --endpoint-url http://127.0.0.1:1 -- '{sys.executable}' -c '{print_limit}'"
            code, said = checkout.run("sh", "-c", f"ulimit -Sn 256; ulimit -Hn 4000; '{sys.executable}' '{launch}' {options}")
            self.assertEqual((code, said), (0, "4000\n"))


if __name__ == "__main__":
    unittest.main()
