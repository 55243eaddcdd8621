"""A part of what `make bench` measures, and a row of the table that it gives."""

import re
from dataclasses import dataclass, field, replace
from typing import Callable


@dataclass(frozen=True)
class Cells:
    measured: str
    peer: str = ""
    # How many times better ours is than the peer.
    times: float | None = None


@dataclass(frozen=True)
class Row:
    name: str
    # From what the commands told, by its name.
    cells: Callable[[dict], Cells]
    has_ratio: bool = False


@dataclass(frozen=True)
class Part:
    name: str
    title: str
    # How long it takes on two processors, for who waits.
    about: str
    commands: list
    rows: list
    # What is enough for the rows that have a ratio.
    ratio_commands: list | None = None
    # Programs that must be there, with what to do where they are not.
    needs: dict = field(default_factory=dict)
    environment: dict = field(default_factory=dict)

    def of_ratios(self):
        """The same, of what has a ratio only; nothing where nothing has one."""
        rows = [row for row in self.rows if row.has_ratio]
        return replace(self, rows=rows, commands=self.ratio_commands or self.commands) if rows else None


def chosen(only, parts):
    """The parts that are named, with commas or blanks between them; all where none is.

    Raises ValueError where there is no such part.
    """
    names = re.split(r"[\s,]+", only.strip()) if only and only.strip() else [part.name for part in parts]
    allowed = [part.name for part in parts]
    for name in names:
        if name not in allowed:
            raise ValueError(f"there is no part {name!r} to measure: use some of {', '.join(allowed)}")
    return [part for part in parts if part.name in names]
