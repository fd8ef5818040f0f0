"""What holds the audit's chain in place: daily signed heads, and checkpoints of what was removed.

A head is the chain's newest entry, signed once a day. Whoever has a copy of it elsewhere can tell
that nothing before it was changed, not even by somebody who rewrote the whole database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import bindparam, delete, select

from bridge.dates import day
from bridge.keyring import Signer
from bridge.store.announcements import OPERATOR, Words, owe_words
from bridge.store.audit import LOCKED_TAIL, canonical
from bridge.store.audit_tables import activity, audit, audit_checkpoint, audit_head
from bridge.store.sql import Do, Many, Rows, Script, Statement, insert


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry of a day's chain, signed; `count` is of the entries since the head before.

    `hash` is "" where nothing was ever audited.
    """

    day: str  # ISO 8601, in UTC
    seq: int
    hash: str
    count: int
    signed_by: str
    signature: str

    @property
    def signed(self) -> bytes:
        """What the signature is over."""
        return _head_facts(self.day, self.seq, self.hash, self.count)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The last of the entries that were removed because their time was over."""

    seq: int
    hash: str
    at: float
    signed_by: str
    signature: str

    @property
    def signed(self) -> bytes:
        """What the signature is over."""
        return _checkpoint_facts(self.seq, self.hash, self.at)


@dataclass(frozen=True, slots=True)
class SignHead:
    """A day's head is to be signed, and told to these inboxes, each an (edge, place)."""

    signer: Signer
    now: float
    places: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PurgeAudit:
    """Entries older than this moment are to go."""

    signer: Signer
    before: float
    now: float


#: The heads, oldest first; the columns of `Head`.
HEADS = Statement(select(*audit_head.c).order_by(audit_head.c.day))
NEWEST_HEAD = Statement(select(*audit_head.c).order_by(audit_head.c.day.desc()).limit(1))
#: The columns of `Checkpoint`.
CHECKPOINT = Statement(select(*audit_checkpoint.c).order_by(audit_checkpoint.c.seq.desc()).limit(1))
_HEAD_OF = Statement(select(audit_head.c.day).where(audit_head.c.day == bindparam("day")))
_HEAD_ADD = insert(audit_head)
_FIRST_KEPT = Statement(
    select(audit.c.seq).where(audit.c.at >= bindparam("before")).order_by(audit.c.seq).limit(1)
)
_AT = Statement(
    select(audit.c.seq, audit.c.hash)
    .where(audit.c.seq <= bindparam("last"))
    .order_by(audit.c.seq.desc())
    .limit(1)
)
_ENTRIES_GONE = Statement(delete(audit).where(audit.c.seq <= bindparam("last")))
_HEADS_GONE = Statement(delete(audit_head).where(audit_head.c.seq < bindparam("last")))
_CHECKPOINTS_GONE = Statement(delete(audit_checkpoint))
_CHECKPOINT_ADD = insert(audit_checkpoint)
_ACTIVITY_GONE = Statement(delete(activity).where(activity.c.at < bindparam("before")))

_TOLD: Final = (
    "This is the signed head of the bridge's audit. Keep this mail: whoever changes, removes or",
    "adds an entry up to this one cannot make the chain end in this hash any more.",
    "`bridge audit verify --head FILE` compares, where FILE has the line below.",
)


def _head_facts(day: str, seq: int, digest: str, count: int) -> bytes:
    facts = {"what": "audit head", "day": day, "seq": seq, "hash": digest, "count": count}
    return canonical(facts)


def _checkpoint_facts(seq: int, digest: str, at: float) -> bytes:
    return canonical({"what": "audit checkpoint", "seq": seq, "hash": digest, "at": at})


def sign_heads(items: Sequence[SignHead]) -> Script:
    """The `Head` an item; None where that day has one."""
    results = []
    for item in items:
        results.append((yield from _sign(item)))
    return results


def _sign(item: SignHead) -> Script:
    found = yield Rows(LOCKED_TAIL, {})
    seq, digest = found[0]
    today = day(item.now)
    if (yield Rows(_HEAD_OF, {"day": today})):
        return None
    newest = yield Rows(NEWEST_HEAD, {})
    count = seq - (newest[0][1] if newest else 0)
    signature = item.signer.sign(_head_facts(today, seq, digest, count))
    head = Head(today, seq, digest, count, item.signer.public, signature)
    yield Many(_HEAD_ADD, [asdict(head)])
    if item.places:
        words = Words(f"Audit head of {today}", (*_TOLD, canonical(asdict(head)).decode()))
        yield from owe_words(OPERATOR, item.places, words, item.now)
    return head


def purge_audit(items: Sequence[PurgeAudit]) -> Script:
    """How many entries went; the rest still verifies, from a signed checkpoint (P5)."""
    results = []
    for item in items:
        results.append((yield from _purge(item)))
    return results


def _purge(item: PurgeAudit) -> Script:
    tail = yield Rows(LOCKED_TAIL, {})
    kept = yield Rows(_FIRST_KEPT, {"before": item.before})
    last = kept[0][0] - 1 if kept else tail[0][0]
    found = yield Rows(_AT, {"last": last})
    if not found:
        return 0
    seq, digest = found[0]
    at = float(item.now)
    signature = item.signer.sign(_checkpoint_facts(seq, digest, at))
    checkpoint = Checkpoint(seq, digest, at, item.signer.public, signature)
    yield Do(_CHECKPOINTS_GONE, {})
    yield Many(_CHECKPOINT_ADD, [asdict(checkpoint)])
    yield Do(_HEADS_GONE, {"last": seq})
    return (yield Do(_ENTRIES_GONE, {"last": seq}))


def purge_activity(items: Sequence[float]) -> Script:
    """How many lines of the activity log older than each moment went."""
    results = []
    for before in items:
        results.append((yield Do(_ACTIVITY_GONE, {"before": before})))
    return results
