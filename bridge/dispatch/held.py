"""A person decides on a message that waits: it is queued, or ended and told."""

from __future__ import annotations

from dataclasses import replace

from bridge.dispatch.advertising import hours_of
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.tenants import tenant_of
from bridge.errors import Refused
from bridge.model import Class
from bridge.store.held import FACTS, WAITING, Decide, Decided, decide


async def decided(
    bridge: Bridge, number: int, *, release: bool, actor: str, tenant: int = 0
) -> Decided:
    """Release or drop message `number`, which must be of that tenant (0: of any).

    The audit names who did it. Raises Refused where nothing waits.
    """
    # 13 characters can write more than the 63 bits of an id.
    rows = await bridge.store.read(FACTS, id=number) if number < 1 << 63 else []
    if not rows or tenant not in (0, rows[0][0]):
        raise Refused("no message has this id", "`bridge held list` shows what waits")
    owner, kept, klass, due_at, e164, country = rows[0]
    now = bridge.clock()
    asked = Decide(number, release, tenant_of(owner, "", kept).validity, now, actor)
    if release and klass == Class.MARKETING:
        asked = _within_hours(asked, country, e164, max(now, due_at))
    done: Decided = await bridge.store.write(decide, asked)
    if done.before not in WAITING:
        raise Refused(
            f"this message does not wait for a person: it is {done.before}",
            "`bridge held list` shows what waits",
        )
    if release:
        bridge.ring_lane(done.lane, number)
    else:
        bridge.ring_edges()
    return done


def _within_hours(asked: Decide, country: str, e164: str, at: float) -> Decide:
    """A late yes to an advertisement does not ring at night (P49). Raises Refused."""
    found = hours_of(country, e164, at)
    if found is None:
        raise Refused("there is no hour at which this may leave", "drop it")
    return replace(asked, opens=found.opens, closes=found.closes)
