"""Somebody who is to be erased comes in; what was erased of them goes out, when nothing is left.

The order of things (PRIVACY P2, P29, P65): stop and suppress, wait for what is under way, write
the ledger, then delete in bounded transactions. Killed anywhere, it goes on where it was: by the
same request, or by the sweep.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.carrier_erasing import asked
from bridge.dispatch.requests import Someone
from bridge.dispatch.stopping import wish
from bridge.errors import Refused, TryLater
from bridge.keyring import Keyring
from bridge.privacy.periods import periods
from bridge.privacy.remembrance import Line, Remembrance
from bridge.settings import Settings
from bridge.store.erasing import (
    ERASURE,
    ERASURES_OF,
    NUMBER,
    PEOPLE_OF,
    Erasure,
    Order,
    Step,
    Stepped,
    begin_erasures,
    erase_more,
    erasure_of,
)
from bridge.store.sql import Values
from bridge.store.suppressions import Suppress
from bridge.store.writers import Left

#: Seconds to wait for parts that a carrier has and has not answered for.
PATIENCE: Final = 45.0
GLANCE: Final = 0.05
#: So many people are erased side by side; their transactions are shared.
AT_ONCE: Final = 100
SOURCE: Final = "erasure"
#: What goes, as ledger and receipt name it.
CATEGORIES: Final = (
    *("number", "key", "texts", "replies", "names", "conversations", "consents"),
    *("attachments", "notices", "posts", "exports"),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A request to erase somebody: of one tenant, or with tenant 0 of all.

    Without `suppress`, who was erased may be written to again (P29).
    """

    request_id: int
    tenant_id: int
    who: Someone
    actor: str
    suppress: bool = True


def ledger_at(settings: Settings) -> Remembrance:
    """The ledger of this machine."""
    return Remembrance(settings.privacy.ledger_file or settings.data_dir / "erasures.jsonl")


def ledger_of(bridge: Bridge) -> Remembrance:
    """The ledger that this bridge writes."""
    return ledger_at(bridge.settings)


def exports_of(bridge: Bridge) -> Path:
    """Where files for people are."""
    return bridge.settings.data_dir / "exports"


def token_of(bridge: Bridge, tenant_id: int, who: Someone, keys: Keyring | None = None) -> str:
    """The keyed hash by which a tenant's records know somebody; a number's is their index.

    Under the newest pepper, unless `keys` has another.
    """
    keys = keys or bridge.keys
    if who.kind == NUMBER:
        return keys.person(tenant_id, who.value)
    facts = (str(tenant_id), who.kind, who.value.lower())
    return keys.repeat(b"writer", *(fact.encode() for fact in facts))


async def erase(bridge: Bridge, wishes: Sequence[Wish]) -> list[list[Erasure]]:
    """The erasures of each wish, all done. Raises TryLater where parts do not settle.

    Whoever asks again with the same request gets what was done, or has it finished.
    """
    orders: list[list[Order]] = [await _orders(bridge, one) for one in wishes]
    flat = [order for found in orders for order in found]
    done: dict[int, Erasure] = {}
    for at in range(0, len(flat), AT_ONCE):
        some = flat[at : at + AT_ONCE]
        begun = await asyncio.gather(*(bridge.store.write(begin_erasures, o) for o in some))
        await finish(bridge, begun)
        for order, one in zip(some, begun, strict=True):
            done[order.id] = erasure_of((await bridge.store.read(ERASURE, id=one.id))[0])
    await bridge.store.scrub()
    return [[done[order.id] for order in found] for found in orders]


async def finish(bridge: Bridge, begun: Sequence[Erasure]) -> None:
    """Carry erasures on until they are done; `Store.scrub` is still to follow."""
    people = [one.subject_id for one in begun if one.subject_id]
    await bridge.refresh()
    bridge.ring_edges()
    if people:
        await bridge.silence(people)
    running = [one for one in begun if one.state == "running"]
    await asyncio.to_thread(ledger_of(bridge).add, [line_of(one) for one in running])
    await asyncio.gather(*(_emptied(bridge, one) for one in begun))
    bridge.ring_edges()


async def _orders(bridge: Bridge, one: Wish) -> list[Order]:
    """One for each tenant that knows the person, and one that stops the others."""
    if one.tenant_id:
        return [_order(bridge, one, one.tenant_id)]
    if one.who.kind != NUMBER:
        raise Refused(
            "a mail address or a chat identity is erased for one tenant at a time",
            "name the tenant",
        )
    keys = (bridge.keys, *bridge.keys.older)
    tokens = Values([each.everyone(one.who.value) for each in keys])
    rows = await bridge.store.read(PEOPLE_OF, tokens=tokens)
    before = await bridge.store.read(ERASURES_OF, request=one.request_id)
    known = {erasure_of(row).tenant_id for row in before} | {row[0] for row in rows}
    return [_order(bridge, one, tenant) for tenant in sorted(known | {0})]


def _order(bridge: Bridge, one: Wish, tenant: int) -> Order:
    who, now = one.who, bridge.clock()
    return Order(
        bridge.ids.next(),
        one.request_id,
        tenant,
        who.kind,
        who.value,
        token_of(bridge, tenant, who),
        secrets.token_hex(12),
        _stops(bridge, one, now),
        one.actor,
        now,
        older=tuple(token_of(bridge, tenant, who, keys) for keys in bridge.keys.older),
    )


def _stops(bridge: Bridge, one: Wish, now: float) -> tuple[Suppress, ...]:
    if not one.suppress or one.who.kind != NUMBER:
        return ()
    scope = "tenant" if one.tenant_id else "all"
    number = one.who.value
    return (wish(bridge.keys, one.tenant_id, number, scope=scope, source=SOURCE, now=now),)


def line_of(one: Erasure) -> Line:
    """An erasure as the ledger has it."""
    return Line(
        one.id,
        one.begun_at,
        one.tenant_id,
        one.kind,
        one.subject_id,
        one.ref,
        one.token,
        one.stops,
        CATEGORIES,
        one.begun_at + periods().horizon,
    )


async def _emptied(bridge: Bridge, one: Erasure) -> None:
    """Delete until nothing is left. Raises TryLater where parts stay under way."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    carriers = asked(bridge.settings)
    while True:
        step = Step(one.id, bridge.clock(), carriers)
        done: Stepped = await bridge.store.write(erase_more, step)
        if done.left is Left.NOTHING:
            break
        if done.left is Left.FLYING:
            if loop.time() > until:
                raise TryLater(
                    "parts to this person are still under way",
                    "the erasure goes on by itself; ask for the receipt again in a minute",
                )
            await asyncio.sleep(GLANCE)
    for name in done.files:
        with contextlib.suppress(FileNotFoundError):
            (exports_of(bridge) / name).unlink()
