"""`make bench` and `make bench-check`: their table is the README's, and they say what could not be measured."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from decimal import Decimal
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import bench
import bench_check
import bench_run
import bench_table
import bench_text
from bench_part import Cells, Part, Row, chosen
from bench_parts import CDK, CHECKER, PARTS, SAMES, STENO

README = (ROOT / "README.md").read_text()


def part(name, *commands, rows=None, **others):
    rows = rows or [Row(f"row of {name}", lambda found: Cells(found["it"]["text"]))]
    return Part(name, f"title of {name}", "a second", list(commands), rows, **others)


def python(program):
    return [sys.executable, "-c", program]


def quietly(function, *arguments, **named):
    """What a function gives, and what it said to standard error."""
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        return function(*arguments, **named), errors.getvalue()


class TheReadme(unittest.TestCase):
    def test_it_has_the_rows_that_are_measured(self):
        self.assertEqual([row[0] for row in bench_table.rows(README)], [row.name for part in PARTS for row in part.rows])

    def test_every_row_says_something_and_none_was_not_measured(self):
        for name, measured, *_ in bench_table.rows(README):
            self.assertTrue(measured and "not measured" not in measured, name)

    def test_it_quotes_a_ratio_for_each_row_that_has_one(self):
        parts = [part.of_ratios() for part in PARTS if part.of_ratios()]
        self.assertEqual(list(bench_check.quoted_for(parts, README)), [row.name for part in parts for row in part.rows])

    def test_names_of_rows_and_parts_are_given_once(self):
        for names in [part.name for part in PARTS], [row.name for part in PARTS for row in part.rows]:
            self.assertEqual(len(names), len(set(names)))


class Ratios(unittest.TestCase):
    def test_nine_tenths_of_what_is_quoted_is_enough(self):
        for quoted, measured, holds in [("8.6", 7.74, True), ("8.6", 7.7399, False), ("145", 130.5, True), ("145", 130.4, False)]:
            self.assertEqual(bench_check.verdict("a row", Decimal(quoted), measured)[0], holds, (quoted, measured))

    def test_a_better_one_passes(self):
        self.assertTrue(bench_check.verdict("a row", Decimal("8.6"), 1e6)[0])

    def test_it_tells_quoted_measured_and_allowed(self):
        text = bench_check.verdict("a row", Decimal("10"), 8.999)[1]
        self.assertEqual(text, "FAILED: a row: quoted 10 times, measured 9.00, allowed from 9")

    def check(self, *measured):
        rows = [Row(f"row {number}", None, has_ratio=True) for number in range(len(measured))]
        quoted = {row.name: Decimal("10") for row in rows}
        lines, cells = [], [Cells("", "", times) for times in measured]
        code, said = quietly(bench_check.run, [part("it", rows=rows)], quoted, measure=lambda _: cells, out=lines.append)
        return code, lines, said

    def test_it_exits_with_0_when_all_hold_and_1_when_one_does_not(self):
        self.assertEqual(self.check(9.0, 11.0)[0], 0)
        code, lines, said = self.check(9.0, 8.9)
        self.assertEqual(code, 1)
        self.assertEqual([line.split(":")[0] for line in lines], ["holds", "FAILED"])
        self.assertIn("1 of the ratios that README.md quotes no longer hold", said)

    def test_it_exits_with_2_when_one_could_not_be_measured(self):
        def fails(_):
            raise bench_run.NotMeasured("no such tool")

        lines = []
        code, _ = quietly(bench_check.run, [part("it")], {}, measure=fails, out=lines.append)
        self.assertEqual((code, lines), (2, ["NOT MEASURED: it: no such tool"]))

    def test_an_unknown_row_is_an_error(self):
        parts = [STENO.of_ratios()]
        both = [row.name for row in STENO.rows]
        lines = [f"| {name} | 1 | 1 | 8.6 times |" for name in both]
        table = [bench_table.HEADER, bench_table.LINE]
        self.assertEqual(list(bench_check.quoted_for(parts, "\n".join(table + lines))), both)
        with self.assertRaisesRegex(ValueError, f"quotes no ratio in a row named .*{both[1]}"):
            bench_check.quoted_for(parts, "\n".join([*table, lines[0]]))
        with self.assertRaisesRegex(ValueError, "in a row named .'renamed'., which is not measured"):
            bench_check.quoted_for(parts, "\n".join([*table, *lines, "| renamed | 1 | 1 | 2.0 times |"]))

    def test_a_ratio_that_is_written_otherwise_and_a_missing_table_are_errors(self):
        table = [bench_table.HEADER, bench_table.LINE]
        with self.assertRaisesRegex(ValueError, "quotes the ratio 'much': write it like '8.6 times'"):
            bench_table.ratios("\n".join([*table, "| a | 1 | 2 | much |"]))
        with self.assertRaisesRegex(ValueError, "0 tables"):
            bench_table.ratios("nothing")

    def test_only_what_has_a_ratio_is_measured(self):
        measured = [part.of_ratios() for part in PARTS]
        self.assertEqual([part.name for part in measured if part], ["steno", "cdk"])
        command = CDK.of_ratios().commands[0][-1]
        self.assertTrue(all(name in command for name in SAMES))
        self.assertNotIn("infra-gen", command)


class TheTable(unittest.TestCase):
    def test_what_is_written_is_read_again(self):
        told = {what: {"sagas_per_second": 256_000, "peer_sagas_per_second": 29_800} for what in ("commits", "unwinds")}
        lines = bench_table.lines([(STENO, [row.cells(told) for row in STENO.rows])])
        self.assertEqual(lines[3], "| four steps, committing | 256,000 sagas/s | 29,800 sagas/s | 8.6 times |")
        self.assertEqual(bench_table.ratios("\n".join(lines)), {row.name: Decimal("8.6") for row in STENO.rows})

    def test_a_search_that_was_cut_off_says_over_and_a_short_one_gives_no_rate(self):
        told = {"with_repeats": 20_000_000, "peak_kilobytes": 401_408, "bytes_a_state": 57, "bytes_a_queued_state": 16}
        long = {**told, "states": 7_038_942, "is_cut_off": True, "processor_seconds": 32.5}
        short = {**told, "states": 13, "with_repeats": 14, "is_cut_off": False, "processor_seconds": 0.01}
        found = {"orders 1, faults 3": long, "orders 1, faults 0": short}
        texts = {row.name: row.cells(found).measured for row in CHECKER.rows if row.name in ("1 order, 3 faults", "1 order, 0 faults")}
        over = "over 7,038,942 states, over 20,000,000 with repeats, 32.5 s (615,000/s), 392 MB (57 bytes a state)"
        self.assertEqual(texts, {"1 order, 0 faults": "13 states, 14 with repeats, 392 MB", "1 order, 3 faults": over})

    def test_numbers_are_shown_with_three_figures(self):
        shown = [bench_text.figures(number) for number in (256_431, 29_849, 999.6, 45.83, 2.4)]
        self.assertEqual(shown, ["256,000", "29,800", "1,000", "45.8", "2.4"])
        self.assertEqual([bench_text.times(ratio) for ratio in (8.64, 145.4)], ["8.6 times", "145 times"])
        told = {"median_seconds": 1.562, "least_seconds": 0.982, "processor_seconds": 2.6}
        self.assertEqual(bench_text.spread(told), "1.56, 0.98, 2.60 s")
        self.assertEqual(bench_text.spread({name: number / 10 for name, number in told.items()}), "156, 98.2, 260 ms")

    def test_the_commands_that_are_named_to_the_cdk_benchmark_are_there(self):
        program = (ROOT / "benches/peers/cdk/bench.py").read_text()
        for name in CDK.commands[0][-1].split("'")[1::2]:
            self.assertIn(f'    "{name}": ', program)


class Running(unittest.TestCase):
    def measure(self, *arguments, **named):
        return quietly(bench_run.measure, part(*arguments, **named))

    def test_json_is_found_among_what_else_is_said(self):
        program = """print('{ no JSON'); print('{"what": "it", "text": "12"}'); print("bye")"""
        cells, _ = self.measure("it", python(program))
        self.assertEqual(cells, [Cells("12")])

    def test_a_failure_says_what_the_command_said(self):
        program = "import sys; sys.exit('error: the disk | is full')"
        with self.assertRaisesRegex(bench_run.NotMeasured, r"^error: the disk / is full \(`.* ended with 1\)$"):
            self.measure("it", python(program))

    def test_what_is_missing_is_named(self):
        with self.assertRaisesRegex(bench_run.NotMeasured, "^no-such-tool is not there: buy it$"):
            self.measure("it", needs={"no-such-tool": "buy it"})
        with self.assertRaisesRegex(bench_run.NotMeasured, "^no-such-tool is not there: install it$"):
            self.measure("it", ["no-such-tool"])
        with self.assertRaisesRegex(bench_run.NotMeasured, "for 'row of it' 'it' is missing; told was of other"):
            self.measure("it", python("""print('{"what": "other"}')"""))

    def test_there_is_a_sign_while_nothing_is_said(self):
        with mock.patch.object(bench_run, "SILENCE_SECONDS", 0.1):
            _, said = self.measure("it", python("""import time; time.sleep(1); print('{"what": "it", "text": "1"}')"""))
        self.assertIn("s  it: under way", said)

    def run_all(self, parts, measure):
        lines = []
        code, said = quietly(bench.run, parts, measure=measure, out=lines.append)
        return code, lines, said

    def test_it_goes_on_when_a_part_cannot_run_and_says_so_in_its_rows(self):
        def one_fails(part):
            if part.name == "a":
                raise bench_run.NotMeasured("no hyperfine")
            return [Cells("7")]

        code, lines, said = self.run_all([part("a"), part("b")], one_fails)
        self.assertEqual(code, 1)
        self.assertIn("| row of a | **not measured: no hyperfine** | | |", lines)
        self.assertIn("| row of b | 7 | | |", lines)
        self.assertIn("NOT MEASURED: a;", said)

    def test_each_part_is_announced_with_about_how_long_it_takes(self):
        code, _, said = self.run_all([part("a")], lambda _: [Cells("7")])
        self.assertEqual((code, said), (0, "1 of 1, a: title of a; about a second\n"))

    def test_ctrl_c_ends_what_runs_and_prints_what_was_measured(self):
        program = f"import sys; sys.path.append({str(HERE)!r}); import test_bench; test_bench.measure_until_stopped()"
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.Popen(python(program), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            written = Path(folder) / "pid"
            until = time.monotonic() + 20
            while not (written.exists() and written.read_text().strip()) and time.monotonic() < until:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=20)
            slow = int(written.read_text())
        self.assertEqual(process.returncode, 130, errors)
        self.assertIn("| row of quick | 42 | | |", out)
        self.assertNotIn("slow", out)
        self.assertIn("ended before slow", errors)
        with self.assertRaises(ProcessLookupError):
            os.kill(slow, 0)


def measure_until_stopped():
    """What `make bench` does, with a part that ends at once and one that does not, in a process of its own."""
    bench_run.end_by_signal()
    quick = part("quick", python("""print('{"what": "it", "text": "42"}')"""))
    slow = part("slow", python("import os, time; print(os.getpid(), file=open('pid', 'w')); time.sleep(60)"))
    sys.exit(bench.run([quick, slow]))


class Selecting(unittest.TestCase):
    def test_parts_are_named_with_commas_or_blanks_in_any_order(self):
        self.assertEqual([part.name for part in chosen("cdk, steno", PARTS)], ["steno", "cdk"])
        self.assertEqual(chosen("", PARTS), PARTS)

    def test_an_unknown_one_is_an_error_that_tells_all(self):
        with self.assertRaisesRegex(ValueError, "no part 'sten' to measure: use some of runner, steno, cdk"):
            chosen("sten", PARTS)


if __name__ == "__main__":
    unittest.main()
