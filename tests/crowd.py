"""Many people in a bridge's store, and what of theirs stands in its files afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.dispatch.bridge import Bridge
from bridge.store.contacts import ContactIn, PutContacts, put_contacts
from bridge.store.names import Someone
from bridge.store.sql import Many, Script, insert
from bridge.store.submissions import Prepared, Stored, store_submissions
from bridge.store.tables import reply, reply_body

OURS = "+420601000000"


@dataclass(frozen=True, slots=True)
class One:
    """Somebody: a number, a name, and words that nobody else writes or gets."""

    number: str
    name: str
    text: str
    answer: str

    @property
    def traces(self) -> tuple[bytes, ...]:
        """What must not be found once they are erased."""
        words = (self.number[4:], self.name, self.text, self.answer)
        return tuple(word.encode() for word in words)


def people(count: int) -> list[One]:
    """So many people."""
    return [
        One(
            f"+420601{n:06d}",
            f"person-{n:06d}-n",
            f"The boiler of house {n:06d}-t is cold",
            f"I am number {n:06d}-a, thank you",
        )
        for n in range(100_000, 100_000 + count)
    ]


async def settle(bridge: Bridge, crowd: Sequence[One], tenant: int = 1) -> None:
    """Everybody has a name, has got two SMS and has answered one."""
    for at in range(0, len(crowd), 250):
        some = crowd[at : at + 250]
        await _named(bridge, some, tenant)
        sent = await _sent(bridge, some, tenant)
        await _sent(bridge, some, tenant)
        await _answered(bridge, some, sent, tenant)


async def _named(bridge: Bridge, crowd: Sequence[One], tenant: int) -> None:
    contacts = [
        ContactIn(
            one.name,
            Someone(
                bridge.ids.next(),
                one.number,
                bridge.keys.person(tenant, one.number),
                bridge.keys.everyone(one.number),
                "CZ",
            ),
            ("everybody",),
        )
        for one in crowd
    ]
    item = PutContacts(tenant, contacts, bridge.clock(), {"everybody": bridge.ids.next()})
    await bridge.store.write(put_contacts, item)


async def _sent(bridge: Bridge, crowd: Sequence[One], tenant: int) -> list[Stored]:
    now = bridge.clock()
    prepared = [
        Prepared(
            id=bridge.ids.next(),
            tenant_id=tenant,
            phone=one.number,
            phone_index=bridge.keys.person(tenant, one.number),
            all_index=bridge.keys.everyone(one.number),
            country="CZ",
            originator=OURS,
            origin_kind="mail",
            origin_address="eva@acme.example",
            origin='{"subject": "' + one.text + '"}',
            klass="transactional",
            urgent=False,
            text=one.text,
            encoding="gsm7",
            lang="",
            parts=1,
            rules="",
            state="held",
            reason="",
            lane="sandbox.bulk",
            due_at=now,
            expires_at=now + 86400,
            now=now,
            dedupe=None,
        )
        for one in crowd
    ]
    writes = [bridge.store.write(store_submissions, each) for each in prepared]
    return list(await asyncio.gather(*writes))


async def _answered(
    bridge: Bridge, crowd: Sequence[One], sent: Sequence[Stored], tenant: int
) -> None:
    rows = [
        {
            "id": bridge.ids.next(),
            "tenant_id": tenant,
            "subject_id": stored.subject_id,
            "conversation_id": None,
            "message_id": stored.id,
            "carrier": "sandbox",
            "originator": OURS,
            "verdict": "none",
            "partial": False,
            "at": bridge.clock(),
            "text": one.answer,
        }
        for one, stored in zip(crowd, sent, strict=True)
    ]
    await bridge.store.write(_put_answers, rows)


#: The columns of an answer that have no default.
REPLY = (
    *("id", "tenant_id", "subject_id", "conversation_id", "message_id"),
    *("carrier", "originator", "verdict", "partial", "at"),
)


def _put_answers(items: Sequence[Sequence[dict[str, Any]]]) -> Script:
    for rows in items:
        yield Many(insert(reply, REPLY), rows)
        bodies = [{**row, "reply_id": row["id"]} for row in rows]
        yield Many(insert(reply_body), bodies)
    return [None] * len(items)


def found(folder: Path, traces: Iterable[bytes]) -> dict[str, list[bytes]]:
    """File → what of these octets stands in it, anywhere below a folder."""
    wanted = list(traces)
    hits = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            there = [trace for trace in wanted if trace in data]
            if there:
                hits[str(path.relative_to(folder))] = there
    return hits
