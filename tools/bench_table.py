"""The table of `make bench`, which is that of the README: written, and read again."""

import re
from decimal import Decimal

from bench_text import times

HEADER = "| what | measured | peer | ratio |"
LINE = "| --- | --- | --- | ---: |"


def heading(part):
    return f"| **{part.title}** (`{part.name}`) | | | |"


def line(row, cells):
    ratio = "" if cells.times is None else times(cells.times)
    texts = [row.name, cells.measured, cells.peer, ratio]
    return "|".join(["", *(f" {text} " if text else " " for text in texts), ""])


def lines(measured):
    """The table of parts with the cells of their rows."""
    table = [HEADER, LINE]
    for part, cells in measured:
        table.append(heading(part))
        table.extend(line(row, of) for row, of in zip(part.rows, cells))
    return table


def rows(markdown):
    """The cells of each row of the one table in a text, without headings.

    Raises ValueError where there is no such table, or two.
    """
    texts = markdown.splitlines()
    found = [number for number, text in enumerate(texts) if text.strip() == HEADER]
    if len(found) != 1:
        raise ValueError(f"there are {len(found)} tables that begin with {HEADER!r}: there must be one")
    table = []
    for text in texts[found[0] + 2 :]:
        if not text.startswith("|"):
            break
        cells = [cell.strip() for cell in text.strip().strip("|").split("|")]
        if len(cells) != 4:
            raise ValueError(f"{text!r} has {len(cells)} cells: a row of this table has 4")
        if not cells[0].startswith("**"):
            table.append(cells)
    return table


def ratios(markdown):
    """The ratio that each row quotes, by its name, where it quotes one.

    Raises ValueError where a ratio is not written as this table writes it.
    """
    quoted = {}
    for name, _, _, ratio in rows(markdown):
        if not ratio:
            continue
        found = re.fullmatch(r"([\d,]*\d(?:\.\d+)?) times", ratio)
        if not found:
            raise ValueError(f"the row {name!r} quotes the ratio {ratio!r}: write it like '8.6 times'")
        quoted[name] = Decimal(found[1].replace(",", ""))
    return quoted
