"""Objects in, a table for people out, printed in pieces so that it never grows large."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from bridge.cli.common import Sink, faults, print_json

ROWS = 500
#: Columns of a pipe or a file; a terminal tells its own.
WIDE = 250


class Table:
    """A context: what was added is printed at its end at the latest, or `empty` on standard error.

    rich is imported for rows only.
    """

    def __init__(self, columns: Sequence[str], empty: str = "") -> None:
        self._columns = columns
        self._rows: list[list[str]] = []
        self._empty = empty

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._print()
        if self._empty and kind is None:
            sys.stderr.write(f"{self._empty}\n")

    def add(self, item: dict[str, Any]) -> None:
        """One row."""
        self._rows.append([_cell(item.get(column)) for column in self._columns])
        if len(self._rows) >= ROWS:
            self._print()

    def _print(self) -> None:
        rows, self._rows = self._rows, []
        if not rows:
            return
        self._empty = ""
        from rich.console import Console
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(box=None, pad_edge=False)
        for column in self._columns:
            table.add_column(column.removesuffix("_at"), overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE
        Console(width=width).print(table)


def _cell(value: Any) -> str:
    """A value on one line; what a person wrote must not steer the terminal."""
    if isinstance(value, list):
        value = ", ".join(map(_cell, value))
    elif isinstance(value, dict):
        value = " ".join(map(_cell, value.values()))
    written = "" if value is None else str(value)
    return "".join(c if c.isprintable() else " " for c in written)


@contextmanager
def listed(columns: Sequence[str], empty: str = "", *, as_json: bool) -> Iterator[Sink]:
    """What takes a command's objects: into a table of these columns, or as JSON.

    People are told `empty` where there are none. Expected faults end the command (`faults`).
    """
    with faults(as_json=as_json), Table(columns, "" if as_json else empty) as table:
        yield print_json if as_json else table.add
