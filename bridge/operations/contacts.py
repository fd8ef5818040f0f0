"""Names of people: a file or a name comes in, contacts and groups, or what is wrong, go out."""

from __future__ import annotations

import base64
import zlib
from collections.abc import AsyncIterator

from bridge import phone
from bridge.dispatch.contact_file import MOST_OCTETS
from bridge.dispatch.contacts import import_csv
from bridge.dispatch.restricted import refuse_change, restricted
from bridge.errors import Refused
from bridge.naming import name_of
from bridge.operations.office import Item, Office, act, entry, record, tenant_named
from bridge.store.contacts import CONTACTS, remove_contacts
from bridge.store.groups import GROUPS, MEMBERS


async def contacts_import(office: Office, *, data: str, tenant: str = "") -> AsyncIterator[Item]:
    """Store a CSV file, all or nothing: each problem, or what was done. Raises Refused.

    `data` is packed (zlib, then base64): the socket's lines have a limit that a file may pass.
    """
    owner = await tenant_named(office, tenant)
    done = await import_csv(office.bridge, owner, unpacked(data))
    for problem in done.problems:
        yield {"line": problem.line, "problem": problem.reason}
    if done.problems:
        count = f"{len(done.problems)} problem{'s' if len(done.problems) > 1 else ''}"
        raise Refused(f"nothing was imported: {count}", "correct the file, and import it again")
    action = "contacts import"
    await record(office, action, tenant=owner.id, added=done.added, changed=done.changed)
    yield {
        "added": done.added,
        "changed": done.changed,
        "unchanged": done.unchanged,
        "groups": done.groups,
        "suppressed": list(done.suppressed),
    }


def unpacked(data: str) -> bytes:
    """The file, or as much of it as shows that it is too large."""
    try:
        return zlib.decompressobj().decompress(base64.b64decode(data), MOST_OCTETS + 1)
    except (ValueError, zlib.error):
        raise Refused("the file did not arrive whole", "import it again") from None


async def contacts_list(
    office: Office, *, tenant: str = "", reveal: bool = False, why: str = ""
) -> AsyncIterator[Item]:
    """One object a contact, by name; numbers are masked unless they are to be revealed."""
    owner = await tenant_named(office, tenant)
    if reveal:
        await record(office, "contacts list --reveal", tenant=owner.id, why=why)
    groups: dict[str, list[str]] = {}
    for group, name, _ in await office.bridge.store.read(MEMBERS, tenant_id=owner.id):
        groups.setdefault(name, []).append(group)
    hidden = await restricted(office.bridge)
    for name, number, _ in await office.bridge.store.read(CONTACTS, tenant_id=owner.id):
        # Whoever is restricted is left out of what shows many people at once (P27).
        shown = number if reveal and not hidden.has(owner.id, number) else phone.mask(number)
        yield {"name": name, "number": shown, "groups": groups.get(name, [])}


async def contacts_remove(office: Office, *, name: str, tenant: str = "") -> AsyncIterator[Item]:
    """Forget a contact; it leaves its groups too. Raises Refused."""
    owner = await tenant_named(office, tenant)
    try:
        compared = name_of(name)
    except ValueError:
        compared = ""
    await refuse_change(office.bridge, owner.id, [compared])
    item = (owner.id, compared)
    gone = entry(office, "contacts remove", owner.id)
    if not await act(office, remove_contacts, item, lambda done: gone if done else None):
        raise Refused("there is no contact of this name", "`bridge contacts list` shows them")
    yield {"name": compared, "state": "removed"}


async def group_list(
    office: Office, *, tenant: str = "", reveal: bool = False, why: str = ""
) -> AsyncIterator[Item]:
    """One object a group, by name: its members, and how many people they are."""
    owner = await tenant_named(office, tenant)
    if reveal:
        await record(office, "group list --reveal", tenant=owner.id, why=why)
    members: dict[str, list[str]] = {}
    hidden = await restricted(office.bridge)
    for group, name, number in await office.bridge.store.read(MEMBERS, tenant_id=owner.id):
        shown = number if reveal and not hidden.has(owner.id, number) else phone.mask(number)
        members.setdefault(group, []).append(name or shown)
    for name, people in await office.bridge.store.read(GROUPS, tenant_id=owner.id):
        yield {"name": name, "people": people, "members": members.get(name, [])}
