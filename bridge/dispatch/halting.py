"""The kill switch, and what a rule has stopped: a person's word comes in, sending halts or goes on.

What a halt finds claimed and not yet written stays here, as after a STOP; nothing is lost, and
validity is counted on.
"""

from __future__ import annotations

from bridge.dispatch.breaches import own_places
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.store import braking
from bridge.store.braking import Brake, Decide, Halt, Resume
from bridge.store.halts import EVERYBODY


async def halt(bridge: Bridge, actor: str, tenant: Tenant | None, reason: str) -> None:
    """Stop sending, of one tenant or of all: stored when it returns, heeded within a second.

    Raises Refused, StoreUnavailable.
    """
    if not reason.strip():
        raise Refused("why? whoever finds it stopped must know", "say --reason, or reason=…")
    whose = tenant.id if tenant else EVERYBODY
    item = Halt(whose, reason, actor, bridge.clock(), own_places(bridge))
    if not await bridge.store.write(braking.halt, item):
        raise Refused("this is stopped already", "`bridge brake list` shows by whom and why")
    await _settled(bridge)


async def resume(bridge: Bridge, actor: str, tenant: Tenant | None) -> None:
    """Let sending go on. Raises Refused, StoreUnavailable."""
    whose = tenant.id if tenant else EVERYBODY
    item = Resume(whose, actor, bridge.clock(), own_places(bridge))
    if not await bridge.store.write(braking.resume, item):
        raise Refused("this was not stopped", "`bridge brake list` shows what is")
    await _settled(bridge)


async def decide(
    bridge: Bridge, actor: str, number: int, *, lift: bool, outcome: str, tenant: int | None = None
) -> None:
    """Somebody has looked at what a rule stopped: it ends, or it stays. Raises Refused."""
    item = Decide(number, lift, outcome, actor, bridge.clock(), tenant)
    await bridge.store.write(braking.decide, item)
    await _settled(bridge)


async def standing(bridge: Bridge, tenant: int | None = None) -> list[Brake]:
    """What is stopped now, newest first; of one tenant also what is halted for all."""
    await bridge.brakes.refresh(bridge.store)
    found = bridge.brakes.standing
    return [each for each in found if tenant is None or each.tenant_id in (tenant, EVERYBODY)]


async def _settled(bridge: Bridge) -> None:
    await bridge.brakes.refresh(bridge.store)
    bridge.ring_edges()
