"""Who may use the chats: a name and a role come in, or an end; a code goes out, or who may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from bridge.bots.enrolment import VALID_SECONDS, code_hash, new_code
from bridge.bots.roles import ROLES
from bridge.errors import Refused
from bridge.operations.office import (
    Item,
    Office,
    act,
    entry,
    iso,
    read_id,
    record_look,
    refuse_unknown,
    tenant_named,
)
from bridge.store import ids
from bridge.store.sql import Row
from bridge.store.staff import (
    STAFF,
    CloseAll,
    Closed,
    Invite,
    Person,
    Revoke,
    close_all,
    invite,
    person_of,
    revoke,
)

LONGEST_NAME: Final = 80


async def staff_invite(office: Office, *, tenant: str, role: str, name: str) -> AsyncIterator[Item]:
    """A code by which a person enrols, shown this once. Raises Refused."""
    bridge = office.bridge
    if role not in ROLES:
        raise Refused(f"there is no role {role!r}", f"roles: {', '.join(ROLES)}")
    named = _name(name)
    owner = await tenant_named(office, tenant)
    code, now = new_code(), bridge.clock()
    item = Invite(owner.id, role, named, code_hash(bridge.keys, code), now, now + VALID_SECONDS)
    invited = entry(office, "staff invite", owner.id, f"role={role}")
    await act(office, invite, item, lambda _: invited)
    yield {"code": code, "expires_at": iso(item.expires_at)}


def _name(written: str) -> str:
    """A name as the chats will show it, on one line. Raises Refused."""
    name = " ".join(written.split())
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise Refused(
            f"--name must be 1 to {LONGEST_NAME} characters that can be printed",
            "write the person's name, as colleagues know it",
        )
    return name


async def staff_list(
    office: Office, *, tenant: str = "", reveal: bool = False, why: str = ""
) -> AsyncIterator[Item]:
    """One object an enrolment that stands, oldest first; those of closed tenants too."""
    if tenant:
        await refuse_unknown(office, tenant)
    if reveal:
        await record_look(office, "staff list --reveal", tenant=tenant, why=why)
    for row in await office.bridge.store.read(STAFF, tenant=tenant):
        *_, revoked_at = row
        if revoked_at is None:
            yield _shown(row, reveal=reveal)


def _shown(row: Row, *, reveal: bool) -> Item:
    *_, owner, since, _ = row
    person = person_of(row)
    return {
        "id": ids.show(person.id),
        "tenant": owner,
        "name": person.name,
        "role": person.role,
        "edge": person.edge,
        "identity": _identity(person, reveal=reveal),
        "since": iso(since),
    }


def _identity(person: Person, *, reveal: bool) -> str:
    """`T024BE7LD/U0G9QF9C6`, or `T024BE7LD/…9C6`: the team is nobody's secret."""
    shown = person.person if reveal else f"…{person.person[-3:]}"
    return f"{person.team}/{shown}" if person.team else shown


async def staff_revoke(office: Office, *, id: str) -> AsyncIterator[Item]:  # noqa: A002
    """A person may do nothing in the chats any more. Raises Refused."""
    number = read_id(id, "bridge staff list")
    asked = Revoke(number, office.actor, office.bridge.clock())
    if not await office.bridge.store.write(revoke, asked):
        raise Refused("nobody is enrolled with this id", "`bridge staff list` shows who is")
    yield {"id": ids.show(number), "state": "revoked"}


async def access_close_all(office: Office) -> AsyncIterator[Item]:
    """End every enrolment, open invitation and link; what people text us is heard as before."""
    asked = CloseAll(office.actor, office.bridge.clock())
    closed: Closed = await office.bridge.store.write(close_all, asked)
    yield {"staff": closed.staff, "invitations": closed.invitations, "links": closed.links}
