"""The ledger of erasures: who was erased is written outside the database, read after a restore.

A file of its own, `data_dir/erasures.jsonl` or `[privacy] ledger_file`, that only grows: one line
of JSON an erasure, on disk before the first text goes. It names people by the ids and keyed hashes
of the database, never by a number, an address or a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

from bridge.privacy.journal import Journal


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


class Remembrance(Journal):
    """The file."""

    NAME = "erasure ledger"
    LOST = "without it erased people would come back"

    def make(self) -> None:
        """An empty ledger, so that a missing one is known for what it is. Raises Misconfigured."""
        self.touch()

    def add(self, lines: Iterable[Line]) -> None:
        """Write lines and wait for the disk. Raises StoreUnavailable."""
        self.append(asdict(line) for line in lines)

    def lines(self) -> dict[int, Line]:
        """All erasures by their id. Raises Misconfigured for a file that is none of ours."""
        return {line.id: line for line in self.read(lambda row: Line(**row))}
