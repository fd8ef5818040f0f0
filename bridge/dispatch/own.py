"""An SMS in the bridge's own name: words for one person come in, a message for the outbox goes out.

The answer to a STOP, a code, a notice about a request: it reaches a person who has opted out,
because they asked for it, and it expires soon.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.choose import Leg, first, shown
from bridge.dispatch.fit import fit
from bridge.dispatch.submit import shifts
from bridge.dispatch.tenants import Tenant
from bridge.model import Class, State
from bridge.settings import Carrier
from bridge.store.claims import lane
from bridge.store.notices import OWN
from bridge.store.submissions import Prepared


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who is written to, and from what number or name of ours ("": the carrier's own)."""

    phone: str  # E.164
    phone_index: str
    all_index: str
    country: str
    originator: str = ""


def own_message(
    bridge: Bridge,
    tenant: Tenant,
    to: Addressee,
    text: str,
    *,
    rule: str,
    valid: float,
    carrier: Carrier | None = None,
) -> Prepared:
    """A message that suppression does not hold back, good for `valid` seconds.

    `rule` tells in the log why it was written; without a carrier it goes where messages to this
    number go. Raises Refused where the words do not fit, or no carrier may have them.
    """
    leg = Leg(tenant, to.phone, to.country, Class.TRANSACTIONAL, to.originator)
    place = shown(leg, carrier) if carrier else first(bridge, leg)
    carrier = place.carrier
    segmented = fit(tenant, text, shifts(carrier))
    now = bridge.clock()
    return Prepared(
        id=bridge.ids.next(),
        tenant_id=tenant.id,
        phone=to.phone,
        phone_index=to.phone_index,
        all_index=to.all_index,
        country=to.country,
        originator=place.originator,
        origin_kind=OWN,
        origin_address="",
        origin="",
        klass=str(Class.TRANSACTIONAL),
        urgent=True,
        text=segmented.text,
        encoding=segmented.encoding,
        lang=segmented.lang,
        parts=len(segmented.parts),
        rules=rule,
        state=str(State.QUEUED),
        reason="",
        lane=lane(carrier.name, True),
        due_at=now,
        expires_at=now + valid,
        now=now,
        dedupe=None,
        exempt=True,
        hop=place.hop,
        pool=place.pool,
    )
