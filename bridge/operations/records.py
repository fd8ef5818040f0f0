"""The records of processing, and the auditor's pack: documents of what runs go out (P19, P20)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from bridge.dispatch import records
from bridge.errors import Refused
from bridge.operations.office import Item, Office, record, tenant_named
from bridge.privacy.register_page import page
from bridge.store.drills import Drill, add_drills


async def privacy_ropa(office: Office, *, html: bool = False) -> AsyncIterator[Item]:
    """The records of both roles; with `html` as a page."""
    await office.bridge.refresh()
    found = await records.ropa(office.bridge)
    yield {"html": page(found)} if html else found


async def privacy_art28(office: Office, *, tenant: str = "") -> AsyncIterator[Item]:
    """One object a file of the pack. Raises Refused."""
    await office.bridge.refresh()
    owner = await tenant_named(office, tenant)
    await record(office, "privacy art28", tenant=owner.id)
    for name, content in (await records.pack(office.bridge, owner)).items():
        written = json.dumps(content, indent=2, ensure_ascii=False)
        yield {"name": f"{name}.json", "content": f"{written}\n"}


async def privacy_drill(office: Office, *, outcome: str) -> AsyncIterator[Item]:
    """Record that a restore was practised. Raises Refused."""
    if not outcome.strip():
        raise Refused("how did it go?", "say --outcome, as in 'restored in 12 minutes, all well'")
    await office.bridge.store.write(add_drills, Drill(office.actor, outcome, office.bridge.clock()))
    yield {"state": "recorded"}
