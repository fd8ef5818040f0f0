"""People, messages, answers and names to be kept and purged, and runs of the purge over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import bindparam, func, select, update

from bridge.keyring import Signer
from bridge.model import State
from bridge.privacy.retention import Plan
from bridge.store.contacts import ContactIn, PutContacts, put_contacts
from bridge.store.holds import Hold, add_holds
from bridge.store.kept import RETENTION, WALKS
from bridge.store.names import Someone
from bridge.store.retention import Turn, Turned
from bridge.store.sql import Do, Many, Script, Statement, insert
from bridge.store.tables import message, metadata, reply, reply_body
from tests.stores import Worker

DAY = 86_400.0
LAPSE = 7 * DAY
SIGNER = Signer(b"s" * 32)
#: What a run writes of itself, and what tells the time of day only.
NOISE = {"retention_run", "incarnation", "alembic_version", "fact", "audit_tail"}

_REPLY_ADD = insert(reply, ("id", "tenant_id", "subject_id", "conversation_id", "at"))
_REPLY_BODY_ADD = insert(reply_body)


def _answer(items: Sequence[Mapping[str, Any]]) -> Script:
    yield Many(_REPLY_ADD, [{k: v for k, v in i.items() if k != "text"} for i in items])
    yield Many(
        _REPLY_BODY_ADD,
        [{"reply_id": i["id"], "subject_id": i["subject_id"], "text": i["text"]} for i in items],
    )
    return [None] * len(items)


_CLASS = Statement(
    update(message).where(message.c.id == bindparam("m_id")).values({"class": "marketing"})
)


def _advertise(items: Sequence[int]) -> Script:
    for item in items:
        yield Do(_CLASS, {"m_id": item})
    return [None] * len(items)


@dataclass
class Keeping:
    """A process whose clock a test moves, and the periods that hold there."""

    work: Worker
    plan: Plan = field(default_factory=Plan)
    most: int = 200

    def turn(self, klass: str, **more: Any) -> Turn:
        """A turn of a class; as often as one likes."""
        cutoffs = partial(self.plan.cutoffs, klass)
        base = Turn(klass, cutoffs, self.work.now, SIGNER, LAPSE, most=self.most, rest=0.0)
        return replace(base, **more)

    async def run(self, *classes: str) -> dict[str, int]:
        """Every class (or these) to its end; what went."""
        gone: dict[str, int] = {}
        for klass in classes or WALKS:
            done = False
            while not done:
                turned: Turned = await self.work.store.write(RETENTION.turn, self.turn(klass))
                done = turned.done
            for name, count in turned.counts.items():
                gone[name] = gone.get(name, 0) + count
        return gone

    async def due(self, *classes: str) -> dict[str, int]:
        """What a dry run counts."""
        found: dict[str, int] = {}
        for klass in classes or WALKS:
            counts, more = await self.work.store.write(RETENTION.due, self.turn(klass))
            assert not more
            for name, count in counts.items():
                found[name] = found.get(name, 0) + count
        return found

    def later(self, days: float) -> None:
        """So many days pass."""
        self.work.now += days * DAY

    # -- what is kept ------------------------------------------------------------------------

    async def sent(self, person: int = 0, state: State = State.DELIVERED, **more: Any) -> int:
        """A message that a carrier took, and what became of it."""
        stored = await self.work.submit(person, **more)
        claims = await self.work.claim()
        await self.work.answer(claims)
        if state is not State.SENT:
            await self.work.receipt(claims, state)
        return stored.id

    async def advertise(self, number: int) -> None:
        """It was an advertisement."""
        await self.work.store.write(_advertise, number)

    async def answer(self, person: int, text: str = "I come", tenant: int = 1) -> int:
        """What a person wrote to us."""
        number = self.work.ids.next()
        row = {
            "id": number,
            "tenant_id": tenant,
            "subject_id": await self.person(person),
            "conversation_id": None,
            "at": self.work.now,
            "text": text,
        }
        await self.work.store.write(_answer, row)
        return number

    async def person(self, person: int) -> int:
        """Somebody's id."""
        subject = metadata.tables["subject"]
        clause = select(subject.c.id).where(subject.c.phone_index == f"person-{person}")
        found: int = (await self.work.rows(clause))[0][0]
        return found

    async def named(self, name: str, person: int, tenant: int = 1, group: str = "") -> None:
        """A contact, perhaps in a group."""
        ids = self.work.ids
        someone = Someone(
            ids.next(), f"+4206011235{person:02d}", f"person-{person}", f"all-{person}", "CZ"
        )
        one = ContactIn(name, someone, (group,) if group else ())
        item = PutContacts(tenant, [one], self.work.now, {group: ids.next()} if group else {})
        await self.work.store.write(put_contacts, item)

    async def hold(self, person: int, days: float = 3650, message: int = 0, **more: Any) -> int:
        """A hold that two people agreed to."""
        number = self.work.ids.next()
        base = Hold(
            number,
            1,
            await self.person(person),
            message,
            "case 12/2026",
            self.work.now + days * DAY,
            "eva",
            "ota",
            self.work.now,
        )
        assert await self.work.store.write(add_holds, replace(base, **more))
        return number

    async def counts(self) -> dict[str, int]:
        """How many rows each table has, of those that have any."""
        found = {}
        for name, table in metadata.tables.items():
            if name not in NOISE:
                rows = await self.work.store.read(
                    Statement(select(func.count()).select_from(table))
                )
                if rows[0][0]:
                    found[name] = rows[0][0]
        return found
