"""What permits an advertisement: consents and a need come in, the basis or a reason goes out.

Asked three times: before a message is taken (`dispatch.advertising`), in the transaction that
stores it, and in the one that claims it. Who withdraws in between gets nothing (P31, P48).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import bindparam, select

from bridge.model import Class
from bridge.store.consent_tables import consent, permit
from bridge.store.sql import Many, Rows, Script, Statement, among, constant, insert, unique
from bridge.store.tables import message, subject

#: What is recorded of somebody who never agreed, and said no.
OBJECTION: Final = "objection"
#: The basis where nothing is recorded and the tenant vouches.
VOUCHED: Final = "tenant"
REASSIGNED, SUPERSEDED, UNCONFIRMED = "reassigned", "superseded", "unconfirmed"
NO_CONSENT, TOO_OFTEN = "no-consent", "too-often"


@dataclass(frozen=True, slots=True)
class Record:
    """A consent as it is judged; times in Unix seconds."""

    programme: str
    purpose: str
    basis: str
    of_age: bool | None
    given_at: float
    expires_at: float | None = None
    withdrawn_at: float | None = None
    void_reason: str = ""

    def is_active(self, now: float) -> bool:
        """Whether it holds; of somebody under age only a guardian's does (S4 11)."""
        is_over = self.expires_at is not None and self.expires_at <= now
        grown = self.of_age is not False or self.basis == "guardian"
        return grown and not (is_over or self.void_reason or self.withdrawn_at is not None)

    @property
    def is_pending(self) -> bool:
        """Whether it waits for its confirmation, and says nothing until then."""
        return self.void_reason == UNCONFIRMED and self.withdrawn_at is None

    @property
    def said_no_at(self) -> float | None:
        """When the person withdrew, or the number became somebody else's (P51)."""
        return self.expires_at if self.void_reason == REASSIGNED else self.withdrawn_at


@dataclass(frozen=True, slots=True)
class Permit:
    """What an advertisement needs; `caps` are (messages, seconds)."""

    programme: str = ""
    bases: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    vouched: bool = False
    caps: tuple[tuple[int, float], ...] = ()


class Advert(Protocol):
    """A message on its way into the outbox."""

    id: int
    phone_index: str
    permit: Permit | None
    due_at: float
    now: float


def basis(records: Iterable[Record], need: Permit, now: float) -> str:
    """What permits it: consent, guardian, customer, tenant; "" where nothing does.

    What was withdrawn, for this programme or for all, is not outweighed by an older consent. The
    tenant's word counts only for people of whom nothing is recorded.
    """
    about = ("", need.programme)
    found = [r for r in records if r.programme in about and not r.is_pending]
    if not found:
        return VOUCHED if need.vouched else ""
    said_no = max((r.said_no_at for r in found if r.said_no_at is not None), default=None)
    for one in found:
        fits = one.basis in need.bases and one.purpose in need.purposes
        if fits and one.is_active(now) and (said_no is None or one.given_at > said_no):
            return one.basis
    return ""


def is_too_often(times: Iterable[float], due_at: float, caps: Iterable[tuple[int, float]]) -> bool:
    """Whether one more at `due_at` would be more than a cap allows, in any of its spans."""
    all_times = sorted((*times, due_at))
    at = bisect_left(all_times, due_at)
    return any(
        last - first < seconds
        for count, seconds in caps
        for first, last in zip(all_times, all_times[count:], strict=False)
        if first <= all_times[at] <= last
    )


_JUDGED = (
    consent.c.programme,
    consent.c.purpose,
    consent.c.basis,
    consent.c.of_age,
    consent.c.given_at,
    consent.c.expires_at,
    consent.c.withdrawn_at,
    consent.c.void_reason,
)
#: The person that a token is of, as one tenant knows them.
PERSON = Statement(select(subject.c.id).where(subject.c.phone_index == bindparam("token")))
#: (subject, and what makes a `Record`) of these people.
RECORDS = Statement(
    select(consent.c.subject_id, *_JUDGED).where(among(consent.c.subject_id, "people"))
)
#: (subject, due_at) of what advertises to these people, or has, since a moment.
RECENT = Statement(
    select(message.c.subject_id, message.c.due_at).where(
        among(message.c.subject_id, "people"),
        message.c["class"] == constant(Class.MARKETING),
        message.c.state.not_in(
            [constant(word) for word in ("cancelled", "suppressed", "failed", "expired")]
        ),
        message.c.due_at > bindparam("since"),
    )
)
_PERMITS = Statement(
    select(
        permit.c.message_id,
        permit.c.subject_id,
        permit.c.programme,
        permit.c.bases,
        permit.c.purposes,
        permit.c.vouched,
    ).where(among(permit.c.message_id, "ids"))
)
_PERMIT_ADD = insert(permit)


def records_of(rows: Iterable[Sequence[Any]]) -> dict[int, list[Record]]:
    """`RECORDS` by person."""
    found: dict[int, list[Record]] = {}
    for subject_id, programme, purpose, kind, of_age, *rest in rows:
        grown = None if of_age is None else bool(of_age)
        found.setdefault(subject_id, []).append(Record(programme, purpose, kind, grown, *rest))
    return found


def since(caps: Iterable[tuple[int, float]], due_at: float) -> float:
    """From when on `RECENT` matters to a message due then."""
    return due_at - max((seconds for _, seconds in caps), default=0.0)


def barred(items: Sequence[Advert], subjects: Mapping[str, int]) -> Script:
    """Why not, for those of the advertisements that nothing permits (message → reason)."""
    wanted = [(item, item.permit) for item in items if item.permit is not None]
    people = unique(subjects[item.phone_index] for item, _ in wanted)
    records = records_of((yield Rows(RECORDS, {"people": people})))
    times: dict[int, list[float]] = {}
    if any(need.caps for _, need in wanted):
        earliest = min(since(need.caps, item.due_at) for item, need in wanted)
        for person, due_at in (yield Rows(RECENT, {"people": people, "since": earliest})):
            times.setdefault(person, []).append(due_at)
    reasons = {}
    for item, need in wanted:
        person = subjects[item.phone_index]
        seen = times.setdefault(person, [])
        if not basis(records.get(person, ()), need, item.now):
            reasons[item.id] = NO_CONSENT
        elif is_too_often(seen, item.due_at, need.caps):
            reasons[item.id] = TOO_OFTEN
        else:
            seen.append(item.due_at)
    return reasons


def keep_permits(items: Sequence[Advert], subjects: Mapping[str, int]) -> Script:
    """Store what these advertisements need, to be asked again when they are claimed."""
    rows = [
        {
            "message_id": item.id,
            "subject_id": subjects[item.phone_index],
            "programme": item.permit.programme,
            "bases": " ".join(item.permit.bases),
            "purposes": " ".join(item.permit.purposes),
            "vouched": item.permit.vouched,
        }
        for item in items
        if item.permit is not None
    ]
    yield Many(_PERMIT_ADD, rows)


def lapsed(ids: Sequence[int], now: float) -> Script:
    """Those of the advertisements that nothing permits, or not any more."""
    found = yield Rows(_PERMITS, {"ids": unique(ids)})
    records = records_of((yield Rows(RECORDS, {"people": unique(row[1] for row in found)})))
    gone = set(ids) - {row[0] for row in found}
    for number, person, programme, bases, purposes, vouched in found:
        need = Permit(programme, tuple(bases.split()), tuple(purposes.split()), bool(vouched))
        if not basis(records.get(person, ()), need, now):
            gone.add(number)
    return gone
