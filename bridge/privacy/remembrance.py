"""The ledger of erasures: who was erased is written outside the database, read after a restore.

A file of its own, `data_dir/erasures.jsonl` or `[privacy] ledger_file`, that only grows: one line
of JSON an erasure, on disk before the first text goes. It names people by the ids and keyed hashes
of the database, never by a number, an address or a name.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bridge.errors import Misconfigured, StoreUnavailable


@dataclass(frozen=True, slots=True)
class Line:
    """One erasure. Times are Unix seconds."""

    id: int
    at: float
    tenant: int
    kind: str  # number mail slack telegram
    subject: int  # 0 where the person is no recipient
    ref: str  # how the audit names them
    token: str  # keyed hash of the identity
    suppressed: Sequence[Sequence[str | int]] = ()  # (scope, tenant, token, pepper) each
    categories: Sequence[str] = field(default_factory=tuple)
    backup_horizon: float = 0.0


class Remembrance:
    """The file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """An empty ledger, so that a missing one is known for what it is. Raises Misconfigured."""
        try:
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600))
        except OSError as error:
            raise Misconfigured(
                f"the erasure ledger {self.path} cannot be written ({error.strerror})",
                "check its owner and mode: without it nobody can be erased for good",
            ) from error

    @property
    def is_there(self) -> bool:
        """Whether there is such a file."""
        return self.path.exists()

    def add(self, lines: Iterable[Line]) -> None:
        """Write lines and wait for the disk. Raises StoreUnavailable."""
        written = "".join(json.dumps(asdict(line), separators=(",", ":")) + "\n" for line in lines)
        if not written:
            return
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(handle, "r+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                _mend(handle)
                file.write(written.encode())
                os.fsync(handle)
        except OSError as error:
            raise StoreUnavailable(
                f"the erasure ledger was not written ({error.strerror})",
                "see that [privacy] ledger_file, or data_dir, can be written and has room",
            ) from error

    def lines(self) -> dict[int, Line]:
        """All erasures by their id. Raises Misconfigured for a file that is none of ours."""
        if not self.is_there:
            return {}
        try:
            rows = self.path.read_bytes().split(b"\n")
        except OSError as error:
            raise Misconfigured(
                f"the erasure ledger {self.path} cannot be read ({error.strerror})",
                "check its owner and mode",
            ) from error
        found = {}
        for number, row in enumerate(rows, 1):
            if row.strip():
                line = self._read(row, number, last=number == len(rows))
                if line is not None:
                    found[line.id] = line
        return found

    def _read(self, row: bytes, number: int, *, last: bool) -> Line | None:
        try:
            return Line(**json.loads(row))
        except (ValueError, TypeError):
            if last:  # a kill while it was written: its erasure had not begun to delete
                return None
            raise Misconfigured(
                f"the erasure ledger {self.path} is damaged in line {number}",
                "put its copy there; without it erased people would come back",
            ) from None


def _mend(handle: int) -> None:
    """Cut off a last line that a kill has left unfinished."""
    size = cut = os.fstat(handle).st_size
    while cut and os.pread(handle, 1, cut - 1) != b"\n":
        cut -= 1
    if cut < size:
        os.ftruncate(handle, cut)
