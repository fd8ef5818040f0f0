"""Programmes and peppers of the lists: a name or a question comes in; what there is goes out."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from bridge.errors import Refused
from bridge.operations.office import Item, Office, tenant_named
from bridge.store.peppers import versions_in_use
from bridge.store.programmes import Programme, ProgrammeIn, add_programmes

_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}").fullmatch


async def programme_add(
    office: Office, *, name: str, tenant: str = "", keyword: str = ""
) -> AsyncIterator[Item]:
    """A programme that people may opt out of by itself; with a keyword, by "STOP <keyword>"."""
    owner = await tenant_named(office, tenant)
    if not _NAME(name):
        raise Refused("a programme's name is of letters, digits, - and _", "such as newsletter")
    item = ProgrammeIn(owner.id, name, keyword.strip(), office.bridge.clock())
    made: Programme = await office.bridge.store.write(add_programmes, item)
    await office.bridge.refresh()
    yield {"id": made.id, "name": made.name, "keyword": made.keyword}


async def programme_list(office: Office, *, tenant: str = "") -> AsyncIterator[Item]:
    """One object a programme of the tenant."""
    owner = await tenant_named(office, tenant)
    for each in office.bridge.register.programmes_of(owner.id):
        yield {"id": each.id, "name": each.name, "keyword": each.keyword}


async def pepper_status(office: Office) -> AsyncIterator[Item]:
    """One object a pepper, the newest first: how many entries of the lists stand under it."""
    keys = office.bridge.keys
    used = await office.bridge.store.write(versions_in_use, None)
    for ring in (keys, *keys.older):
        yield {
            "version": ring.version,
            "entries": used.get(ring.version, 0),
            "newest": ring is keys,
        }
