"""`make doctor` on machines that lack one thing each."""

import glob
import json
import os
import re
import socket
import subprocess
import time
import unittest

from checkout import ROOT, Checkout


class Doctor(unittest.TestCase):
    def setUp(self):
        self.checkout = Checkout()
        self.addCleanup(self.checkout.__exit__)

    def expect(self, code, *lines, **environment):
        """The exit code, and lines that begin so; what is to be done stands in the line below."""
        got, said = self.checkout.doctor(**environment)
        self.assertEqual(got, code, said)
        shortened = [re.sub(r"\s+", " ", line).strip() for line in said.splitlines()]
        for line in lines:
            first, *below = [re.sub(r"\s+", " ", part).strip() for part in line.split("\n")]
            at = next((i for i, one in enumerate(shortened) if one.startswith(first)), None)
            self.assertIsNotNone(at, f"no line begins with {first!r}:\n{said}")
            for part in below:
                self.assertIn(part, shortened[at + 1], said)
        return said

    def test_a_machine_with_everything_is_well_and_nothing_is_left_in_the_checkout(self):
        said = self.expect(0, "ok system", "ok make 4.3", "ok rust 1.95.0", "ok linker cc", "ok python 3.11.7", "ok venv", "ok disk 48828 MB")
        self.assertIn("ok network pip reaches", re.sub(" +", " ", said))
        self.assertNotRegex(said, "(?m)^(missing|old)")
        self.assertFalse(os.path.exists(os.path.join(self.checkout.root, ".flyover")))

    def test_other_systems_are_refused_and_wsl_is_not(self):
        uname = 'case "$1" in -s) echo {} ;; -m) echo {} ;; -r) echo {} ;; esac'
        for kernel, machine, release, code, line in [
            ("Linux", "aarch64", "6.1", 0, "ok system Linux, aarch64"),
            ("Linux", "x86_64", "5.15-microsoft-standard-WSL2", 0, "ok system Linux (WSL), x86_64"),
            ("MINGW64_NT-10.0", "x86_64", "3.4", 1, "missing system MINGW64_NT-10.0\nwsl --install"),
            ("FreeBSD", "amd64", "14", 1, "missing system FreeBSD\nuse Linux, macOS or WSL"),
            ("Linux", "riscv64", "6.1", 1, "missing system Linux, riscv64\nLambda has x86_64 and arm64 only"),
        ]:
            self.checkout.fake("uname", uname.format(kernel, machine, release))
            self.expect(code, line)

    def test_macos_is_told_its_own_commands_and_its_stubs_are_not_taken_for_programs(self):
        self.checkout.fake("uname", 'case "$1" in -s) echo Darwin ;; -m) echo arm64 ;; esac')
        self.checkout.fake("sw_vers", "echo 15.1")
        self.expect(0, "ok system macOS 15.1, arm64")
        self.checkout.without("cc")
        self.checkout.without("make")
        self.checkout.fake("xcode-select", "exit 2")
        lines = ["missing make\nxcode-select --install", "missing linker\nxcode-select --install"]
        self.expect(1, *lines, PATH=f"{self.checkout.path}:/usr/bin")

    def test_without_make_it_says_how_to_get_it_and_takes_gmake(self):
        self.checkout.without("make")
        self.checkout.fake("apt-get", "")
        self.expect(1, "missing make there is no GNU make\nsudo apt-get install make")
        self.checkout.fake("gmake", "echo 'GNU Make 4.4'")
        self.expect(0, "ok make 4.4 (gmake)", "note make\nsay `gmake` for `make`")

    def test_rust_is_missing_old_or_not_on_the_path(self):
        self.checkout.cargo("1.80.1")
        self.expect(1, "old rust cargo is 1.80.1\nsh.rustup.rs")
        self.checkout.fake("rustup", "")
        self.expect(1, "old rust cargo is 1.80.1\nrustup update stable")
        self.checkout.fake("cargo", "echo 'error: rustup could not choose a version of cargo to run' >&2; exit 1")
        self.expect(1, "missing rust cargo does not run: error: rustup could not choose\nrustup default stable")
        self.checkout.without("cargo")
        self.expect(1, "missing rust there is no cargo, and 1.94 or later is needed\nsh.rustup.rs")
        os.makedirs(os.path.join(self.checkout.above, ".cargo/bin"))
        os.symlink("/bin/sh", os.path.join(self.checkout.above, ".cargo/bin/cargo"))
        self.expect(1, "missing rust cargo is in ~/.cargo/bin\n. ~/.cargo/env")

    def test_versions_are_compared_as_numbers(self):
        for version, code in [("1.93.9", 1), ("1.94.0", 0), ("1.94.0-beta.3", 0), ("1.100.0", 0), ("2.0.0", 0), ("1.9.4", 1)]:
            self.checkout.cargo(version)
            self.assertEqual(self.checkout.doctor("rust")[0], code, version)

    def test_a_compiler_is_missing_or_cannot_link(self):
        self.checkout.fake("apt-get", "")
        self.checkout.fake("cc", "echo '/usr/bin/ld: cannot find crt1.o'; exit 1")
        self.expect(1, "missing linker cc cannot link a program: /usr/bin/ld: cannot find crt1.o\nsudo apt-get install build-essential")
        self.checkout.without("cc")
        self.expect(1, "missing linker there is no C compiler\nsudo apt-get install build-essential")

    def test_python_is_missing_old_or_another_is_there(self):
        self.checkout.python("3.6.15")
        self.expect(1, "old python python3 is 3.6.15, and 3.10 or later is needed\nexport PYTHON=/where/it/is")
        self.checkout.fake("python3.12", "echo 3.12.1")
        self.expect(1, "old python python3 is 3.6.15\nexport PYTHON=python3.12")
        self.checkout.without("python3.12")
        self.checkout.fake("python3", "echo 'pyenv: python3: command not found'; exit 127")
        self.expect(1, "missing python python3 does not run: pyenv: python3: command not found")
        self.checkout.without("python3")
        self.checkout.fake("dnf", "")
        self.expect(1, "missing python there is no python3\nsudo dnf install python3")
        self.checkout.fake("mine", "echo 3.13.0")
        self.expect(0, "ok python 3.13.0", PYTHON="mine")

    def test_without_the_module_that_makes_environments_its_package_is_named(self):
        self.checkout.python("3.11.2", venv=1)
        self.checkout.fake("apt-get", "")
        self.expect(1, "missing venv python3 3.11.2 cannot make virtual environments\nsudo apt-get install python3.11-venv")

    def test_an_environment_whose_python_is_gone_is_told(self):
        os.makedirs(os.path.join(self.checkout.root, ".venv/bin"))
        os.symlink("/nowhere/python3.9", os.path.join(self.checkout.root, ".venv/bin/python"))
        self.expect(0, "note environment .venv/bin/python does not run any more\nmake installs it again")

    def test_a_full_disk_is_missing_and_a_small_one_enough_for_the_demo(self):
        self.checkout.disk(1_000_000)
        self.expect(1, "missing disk 976 MB are free\nmake room")
        self.checkout.disk(0)
        self.expect(1, "missing disk 0 MB are free", "note linker not tried", "note network not tried")
        self.checkout.disk(6_000_000)
        self.expect(0, "note disk 5859 MB are free\n`make test` needs")

    def test_without_a_network_the_reason_is_shown(self):
        curl = "[7] Could not connect to server (Failed to connect to 127.0.0.1 port 9 after 0 ms)"
        self.checkout.cargo(lockfile=f"echo 'error: failed to get'; echo '  {curl}'; exit 101")
        self.expect(1, f"missing network cargo does not reach its index: {curl}\nHTTPS_PROXY=")
        self.checkout.cargo()
        broken = 'WARNING: Retrying (Retry(total=0)) after connection broken by \'ProxyError(<urllib3.HTTPS object at 0x7f>: refused)\': /simple/six/'
        self.checkout.python(download=f'echo "{broken}"; echo "ERROR: No matching distribution"; exit 1')
        self.expect(1, "missing network pip does not reach its index: ProxyError(refused)\nPIP_INDEX_URL=")

    def test_proxies_are_told_without_their_passwords(self):
        said = self.expect(0, "note proxy set: HTTPS_PROXY\nnever does", HTTPS_PROXY="http://me:secret@proxy:3128")
        self.assertNotIn("secret", said)

    def test_a_taken_port_is_told_and_is_no_obstacle(self):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            for _ in range(50):
                try:
                    listener.bind(("127.0.0.1", 4566))
                    listener.listen()
                    break
                except OSError:
                    # Somebody else has it, for a moment, or for good, which is as good.
                    time.sleep(0.2)
            self.expect(0, "note port 4566, which `make up` takes, is taken\nmake up PORT=4567")

    def test_the_port_of_the_emulator_that_runs_is_as_it_should_be(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            os.mkdir(os.path.join(self.checkout.root, ".flyover"))
            with open(os.path.join(self.checkout.root, ".flyover/emulator.pid"), "w", encoding="utf-8") as file:
                json.dump({"pid": os.getpid(), "endpoint_url": url}, file)
            self.expect(0, f"ok port the emulator of `make up` runs at {url} (process {os.getpid()})")

    def test_a_colon_in_the_path_is_refused_and_a_blank_is_not(self):
        with Checkout("a:b") as other:
            code, said = other.doctor("path")
            self.assertEqual(code, 1)
            self.assertRegex(said, r"^path: .*/a:b has a colon in it; move the checkout.*\(`make doctor` looks at everything\)\n$")
        with Checkout("a b") as other:
            self.assertEqual(other.doctor()[0], 0)

    def test_what_only_make_test_and_deploy_need_is_no_obstacle(self):
        self.checkout.fake("cargo", 'case "$1" in --version) echo "cargo 1.95.0" ;; generate-lockfile) ;; *) exit 101 ;; esac')
        self.expect(0, "note fmt\nrustup component add rustfmt", "note clippy\nrustup component add clippy", "note package\nrustup target add")

    def test_some_checks_alone_are_silent_or_one_line(self):
        self.assertEqual(self.checkout.doctor("rust", "python", "venv"), (0, ""))
        self.checkout.python("3.9.18")
        code, said = self.checkout.doctor("rust", "python", "venv")
        self.assertEqual((code, said.count("\n")), (1, 1), said)
        self.assertEqual(self.checkout.doctor("nonsense")[0], 2)

    def test_the_least_python_is_what_the_pinned_packages_say(self):
        sites = glob.glob(os.path.join(ROOT, ".venv/lib/python3*/site-packages/*.dist-info/METADATA"))
        if not sites:
            self.skipTest("needs `make venv`")
        wanted = []
        for site in sites:
            with open(site, encoding="utf-8") as file:
                wanted += re.findall(r"(?m)^Requires-Python:.*>= ?3\.(\d+)", file.read())
        least = subprocess.run(["sed", "-n", "s/.*for Python 3.\\([0-9]*\\) and later.*/\\1/p", "tests/emulator/requirements.txt"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        self.assertEqual(int(least.stdout), max(map(int, wanted)))


if __name__ == "__main__":
    unittest.main()
