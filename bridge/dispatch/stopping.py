"""A wish not to be texted comes in, by whatever way; it stands, and nothing more leaves (P41)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bridge.dispatch.bridge import Bridge
from bridge.keyring import Keyring
from bridge.store.audit import Entry, audited
from bridge.store.listed import ANY
from bridge.store.suppressions import Bound, Suppress, suppress_all

Silence = Callable[[Sequence[int]], Awaitable[None]]


def wish(
    keys: Keyring,
    tenant: int,
    e164: str,
    *,
    scope: str,
    source: str,
    now: float,
    programme: int = 0,
    purpose: str = ANY,
) -> Suppress:
    """The wish of whoever has this number, told to a tenant.

    `scope` is "tenant", "programme" (with its id) or "all", which is every tenant's.
    """
    everybody = scope == "all"
    own = keys.person(tenant, e164)
    token = keys.everyone(e164) if everybody else own
    return Suppress(
        0 if everybody else tenant,
        keys.programme(tenant, programme, e164) if scope == "programme" else token,
        scope,
        source,
        now,
        purpose,
        keys.version,
        programme if scope == "programme" else 0,
        "" if everybody else own,
        keys.moved(tenant, e164, programme),
    )


async def stop(
    bridge: Bridge,
    item: Suppress,
    silence: Silence | None = None,
    *,
    act: Entry | None = None,
) -> Bound:
    """Put somebody on the list and wait until nothing of it can leave; whom and what it binds.

    `act` goes into the audit in the same transaction, with the person where one is known. Raises
    StoreUnavailable, TryLater.
    """
    bound: Bound
    if act is None:
        bound, _ = await bridge.store.write(suppress_all, item)
    else:
        pair = (item, lambda done: replace(act, subject_id=only(done[0])))
        bound, _ = await bridge.store.write(audited(suppress_all), pair)
    await settle(bridge, bound, silence)
    return bound


def only(people: Sequence[int]) -> int | None:
    """The one person whom an entry of the audit is about, if it is one."""
    return people[0] if len(people) == 1 else None


async def settle(bridge: Bridge, bound: Bound, silence: Silence | None = None) -> None:
    """What is to be done once a suppression is on disk. Raises StoreUnavailable, TryLater."""
    if bound:
        await (silence or bridge.silence)(bound)
    await bridge.refresh()
    bridge.ring_edges()
