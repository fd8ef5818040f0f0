"""Rows come in and stand in a file of their own, a line of JSON each, beside database and backups.

A line is on disk before `append` returns. One that a kill left unfinished is cut off by the next;
any other that cannot be read is a fault that a person must see.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from bridge.errors import Misconfigured, StoreUnavailable

Read = TypeVar("Read")
#: Octets from the end of a file in which its newest lines surely are.
_TAIL = 65_536


class Journal:
    """A file that only grows; several processes may write it."""

    NAME: ClassVar[str]  # as sentences call it
    LOST: ClassVar[str]  # what happens without it

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def is_there(self) -> bool:
        """Whether there is such a file."""
        return self.path.exists()

    def touch(self) -> None:
        """Make the file where there is none. Raises Misconfigured."""
        try:
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600))
        except OSError as error:
            raise Misconfigured(
                f"the {self.NAME} {self.path} cannot be written ({error.strerror})",
                f"check its owner and mode: {self.LOST}",
            ) from error

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write rows and wait for the disk. Raises StoreUnavailable."""
        written = _written(rows)
        if not written:
            return
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(handle, "r+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                _mend(handle)
                file.write(written)
                os.fsync(handle)
        except OSError as error:
            raise self._unwritten(error) from error

    def replace(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Put these rows in the place of all. Raises StoreUnavailable."""
        beside = self.path.with_name(self.path.name + ".new")
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(_written(rows))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        except OSError as error:
            raise self._unwritten(error) from error

    def read(self, make: Callable[[dict[str, Any]], Read]) -> Iterator[Read]:
        """Every row, made into what it stands for. Raises Misconfigured for a damaged file."""
        if not self.is_there:
            return
        rows = self._octets(0).split(b"\n")
        for number, row in enumerate(rows, 1):
            if not row.strip():
                continue
            try:
                found = make(json.loads(row))
            except (ValueError, TypeError):
                if number == len(rows):  # a kill while it was written: what it tells was not begun
                    return
                raise Misconfigured(
                    f"the {self.NAME} {self.path} is damaged in line {number}",
                    f"put its copy there; {self.LOST}",
                ) from None
            yield found

    def tail(self) -> Iterator[dict[str, Any]]:
        """The newest rows, those that can be read. Raises Misconfigured."""
        if not self.is_there:
            return
        for row in self._octets(-_TAIL).split(b"\n"):
            try:
                yield dict(json.loads(row))
            except (ValueError, TypeError):
                continue  # the first may be cut in two

    def _octets(self, begin: int) -> bytes:
        try:
            with self.path.open("rb") as file:
                if begin < 0:
                    file.seek(max(0, file.seek(0, os.SEEK_END) + begin))
                return file.read()
        except OSError as error:
            raise Misconfigured(
                f"the {self.NAME} {self.path} cannot be read ({error.strerror})",
                "check its owner and mode",
            ) from error

    def _unwritten(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(
            f"the {self.NAME} was not written ({error.strerror})",
            "see that [privacy] ledger_file, or data_dir, can be written and has room",
        )


def _written(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows).encode()


def _mend(handle: int) -> None:
    """Cut off a last line that a kill has left unfinished."""
    size = cut = os.fstat(handle).st_size
    while cut and os.pread(handle, 1, cut - 1) != b"\n":
        cut -= 1
    if cut < size:
        os.ftruncate(handle, cut)
