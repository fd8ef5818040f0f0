"""A person decides on a message that waits: it is queued, or ended and told."""

from __future__ import annotations

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.tenants import tenant_of
from bridge.errors import Refused
from bridge.store.held import TENANT_OF, WAITING, Decide, Decided, decide


async def decided(bridge: Bridge, number: int, *, release: bool, tenant: int = 0) -> Decided:
    """Release or drop message `number`, which must be of that tenant (0: of any).

    Raises Refused where nothing waits.
    """
    # 13 characters can write more than the 63 bits of an id.
    rows = await bridge.store.read(TENANT_OF, id=number) if number < 1 << 63 else []
    if not rows or tenant not in (0, rows[0][0]):
        raise Refused("no message has this id", "`bridge held list` shows what waits")
    validity = tenant_of(rows[0][0], "", rows[0][1]).validity
    done: Decided = await bridge.store.write(
        decide, Decide(number, release, validity, bridge.clock())
    )
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
