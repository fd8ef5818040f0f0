"""What tests of advertising share: consents given, and a clock at an hour at which it may leave."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge import phone
from bridge.dispatch import consents
from bridge.dispatch.bridge import Bridge
from bridge.store.consents import Terms, give_consents
from bridge.store.permits import Permit

#: A permit that asks for nothing but the tenant's word.
VOUCHED = Permit(vouched=True)
#: What the Czech rule wants to read from the tenant acme.
OFFER = "OS Acme: sleva 20 %. Odhlaseni: STOP"


def moment(local: str, zone: str = "Europe/Prague") -> float:
    """A local time, as in 2026-11-23T12:00, as Unix time."""
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).timestamp()


def shift(bridge: Bridge, local: str, zone: str = "Europe/Prague") -> float:
    """From now on it is this time for the bridge, and the clock goes on; the time."""
    then = moment(local, zone)
    ahead = then - time.time()
    bridge.clock = lambda: time.time() + ahead
    return then


async def agree(bridge: Bridge, number: str, tenant: str = "acme", **terms: object) -> None:
    """This person agrees to advertising of the tenant."""
    owner = bridge.register.named(tenant)
    assert owner is not None
    base = {"evidence": "web form", "given_at": bridge.clock() - 60, **terms}
    someone = consents.someone(bridge, owner, phone.parse(number))
    item = consents.giving(bridge, owner, someone, Terms(**base), ())  # type: ignore[arg-type]
    await bridge.store.write(give_consents, item)
