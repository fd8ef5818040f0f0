"""What a tenant leaves behind: claims of deletion and closed accounts come in, their data goes.

A claim is for what the tenant had until then; the account goes on. A closed account that is
renewed keeps what was not deleted yet, and what was deleted stays deleted (PRIVACY P1, P10, P11).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Table, bindparam, delete, or_, select, update

from bridge.model import State
from bridge.store.account_tables import account
from bridge.store.chat_tables import (
    contact,
    contact_group,
    group_member,
    invitation,
    staff,
    template,
)
from bridge.store.health import id_at
from bridge.store.purges import (
    delete_by,
    delete_contacts,
    delete_messages,
    delete_replies,
)
from bridge.store.retention import HELD, Job, Walk, Walked
from bridge.store.retention_tables import deletion_claim, retention_rule
from bridge.store.sql import Do, Many, Rows, Script, Statement, Values, among, constant, insert
from bridge.store.tables import login, message, reply, sender_rule, sender_token, tenant
from bridge.store.walks import SLACK_SECONDS

#: Rows that a turn may look at for each that it may delete: most belong to other tenants.
SKIM: Final = 10
#: What a claim cannot take yet: parts are under way.
FLYING: Final = "under way"


@dataclass(frozen=True, slots=True)
class ClaimDeletion:
    """A tenant wants its contacts and messages deleted, or its account is closed."""

    tenant_id: int
    kind: str  # claim | closure
    actor: str
    instruction: str
    now: float


_ADD = insert(deletion_claim, ("tenant_id", "kind", "actor", "instruction", "claimed_at"))
_CLOSURE_ENDED = Statement(
    update(deletion_claim)
    .where(
        deletion_claim.c.tenant_id == bindparam("d_tenant"),
        deletion_claim.c.kind == constant("closure"),
        deletion_claim.c.ended_at.is_(None),
    )
    .values(ended_at=bindparam("d_now"))
)
_OPEN = select(deletion_claim.c.id, deletion_claim.c.tenant_id, deletion_claim.c.claimed_at).where(
    deletion_claim.c.ended_at.is_(None), deletion_claim.c.claimed_at <= bindparam("before")
)
_CONTACTS_OWED = Statement(_OPEN.where(deletion_claim.c.contacts_gone_at.is_(None)))
_MESSAGES_OWED = Statement(
    _OPEN.where(
        deletion_claim.c.messages_gone_at.is_(None),
        deletion_claim.c.kind == bindparam("kind"),
    )
)
_CONTACTS_GONE = Statement(
    update(deletion_claim)
    .where(deletion_claim.c.id == bindparam("d_id"))
    .values(contacts_gone_at=bindparam("d_now"))
)
_MESSAGES_GONE = Statement(
    update(deletion_claim)
    .where(deletion_claim.c.id == bindparam("d_id"))
    .values(messages_gone_at=bindparam("d_now"))
)
#: (id, tenant, kind, actor, claimed, ended, contacts gone, messages gone), oldest first.
CLAIMS = Statement(
    select(
        deletion_claim.c.id,
        deletion_claim.c.tenant_id,
        deletion_claim.c.kind,
        deletion_claim.c.actor,
        deletion_claim.c.claimed_at,
        deletion_claim.c.ended_at,
        deletion_claim.c.contacts_gone_at,
        deletion_claim.c.messages_gone_at,
    ).order_by(deletion_claim.c.id)
)


def claim_deletions(items: Sequence[ClaimDeletion]) -> Script:
    """Nothing an item: what is claimed goes when its time comes."""
    rows = [
        {
            "tenant_id": item.tenant_id,
            "kind": item.kind,
            "actor": item.actor,
            "instruction": item.instruction,
            "claimed_at": item.now,
        }
        for item in items
    ]
    yield Many(_ADD, rows)
    return [None] * len(items)


def renew(tenant_id: int, now: float) -> Script:
    """An account is open again: what its closure has not deleted stays."""
    yield Do(_CLOSURE_ENDED, {"d_tenant": tenant_id, "d_now": now})


# -- contacts, groups and templates --------------------------------------------------------------


def _of_tenant(table: Table, *columns: Column[Any]) -> Statement:
    return Statement(
        select(*columns)
        .where(
            table.c.tenant_id == bindparam("tenant_id"),
            table.c.created_at <= bindparam("claimed_at"),
        )
        .order_by(table.c.name)
        .limit(bindparam("most"))
    )


_CONTACTS = _of_tenant(contact, contact.c.id, contact.c.subject_id)
_GROUPS = _of_tenant(contact_group, contact_group.c.id)
_TEMPLATES = _of_tenant(template, template.c.name)
_TEMPLATES_GONE = Statement(
    delete(template).where(
        template.c.tenant_id == bindparam("t_tenant"), among(template.c.name, "names")
    )
)


def contacts(job: Job, _after: int) -> Script:
    """Contacts, groups and templates that were claimed; a `Walked`."""
    gone = Counter[str]()
    for number, owner, claimed_at in (yield Rows(_CONTACTS_OWED, {"before": job.latest})):
        taken, is_whole = yield from _names(job, owner, claimed_at)
        gone += taken
        if job.dry:
            continue
        if not is_whole:
            return Walked(0, gone)
        if not taken[HELD]:
            yield Do(_CONTACTS_GONE, {"d_id": number, "d_now": job.now})
    return Walked(None, gone)


def _names(job: Job, owner: int, claimed_at: float) -> Script:
    """What went of one tenant, and whether that was all."""
    values = {"tenant_id": owner, "claimed_at": claimed_at, "most": job.most}
    values["most"] += len(job.held.people)
    found = yield Rows(_CONTACTS, values)
    free = [row[0] for row in found if row[1] not in job.held.people][: job.most]
    groups = [row[0] for row in (yield Rows(_GROUPS, values))]
    templates = [row[0] for row in (yield Rows(_TEMPLATES, values))]
    gone = Counter({HELD: len([row for row in found if row[1] in job.held.people])})
    if job.dry:
        gone += Counter(contact=len(free), contact_group=len(groups), template=len(templates))
        return +gone, True
    if free:
        return (yield from delete_contacts(free)), False
    if groups:
        gone += yield from delete_by(group_member.c.group_id, groups)
        gone += yield from delete_by(contact_group.c.id, groups)
    if templates:
        names = {"t_tenant": owner, "names": Values(templates)}
        gone["template"] += yield Do(_TEMPLATES_GONE, names)
    return gone, max(len(groups), len(templates)) < values["most"]


# -- messages and answers ------------------------------------------------------------------------

_MESSAGES = Statement(
    select(message.c.id, message.c.tenant_id, message.c.created_at, message.c.subject_id)
    .where(message.c.id > bindparam("after"), message.c.id < bindparam("before"))
    .order_by(message.c.id)
    .limit(bindparam("most"))
)
_ANSWERS = Statement(
    select(reply.c.id, reply.c.tenant_id, reply.c.at, reply.c.subject_id)
    .where(reply.c.id > bindparam("after"), reply.c.id < bindparam("before"))
    .order_by(reply.c.id)
    .limit(bindparam("most"))
)
_STILL = Statement(
    select(message.c.id)
    .where(
        among(message.c.id, "ids"),
        message.c.state != constant(State.SENDING),
    )
    .order_by(message.c.id)
    .with_for_update(skip_locked=True)
)


def claimed_messages(kind: str) -> Walk:
    """The walk through messages of claims of this kind; all that are not under way go."""
    return lambda job, after: _claimed(job, after, kind, message)


def claimed_answers(kind: str) -> Walk:
    """The walk through answers of claims of this kind."""
    return lambda job, after: _claimed(job, after, kind, reply)


def _claimed(job: Job, after: int, kind: str, table: Table) -> Script:
    owed = yield Rows(_MESSAGES_OWED, {"before": job.latest, "kind": kind})
    if not owed:
        return Walked(None, Counter())
    until: dict[int, float] = {}
    for _, owner, claimed_at in owed:
        until[owner] = max(claimed_at, until.get(owner, claimed_at))
    look = job.most * SKIM
    before = id_at(max(until.values()) + SLACK_SECONDS)
    statement = _MESSAGES if table is message else _ANSWERS
    rows = yield Rows(statement, {"after": after, "before": before, "most": look})
    theirs = [row for row in rows if row[2] <= until.get(row[1], float("-inf"))][: job.most]
    free = [row[0] for row in theirs if row[3] not in job.held.people]
    gone = Counter({HELD: len(theirs) - len(free)})
    if job.dry:
        gone[table.name] += len(free)
    else:
        gone += yield from _taken(table, free)
    if len(theirs) == job.most:
        return Walked(theirs[-1][0], +gone)
    return Walked(rows[-1][0] if len(rows) == look else None, +gone)


def _taken(table: Table, ids: Sequence[int]) -> Script:
    if not ids:
        return Counter[str]()
    if table is reply:
        return (yield from delete_replies(ids))
    still = [row[0] for row in (yield Rows(_STILL, {"ids": Values(ids)}))]
    gone = yield from delete_messages(still)
    gone[FLYING] += len(ids) - len(still)
    return gone


def emptied(kind: str) -> Walk:
    """Marks claims of this kind as done, where nothing was held or under way; the last walk."""

    def walk(job: Job, _after: int) -> Script:
        if job.dry or job.so_far.get(HELD) or job.so_far.get(FLYING):
            return Walked(None, Counter())
        owed = yield Rows(_MESSAGES_OWED, {"before": job.latest, "kind": kind})
        if owed:
            yield Many(_MESSAGES_GONE, [{"d_id": row[0], "d_now": job.now} for row in owed])
        return Walked(None, Counter())

    return walk


# -- accounts ------------------------------------------------------------------------------------

_OWNED = (sender_rule, login, sender_token)
_CLOSED = Statement(
    select(tenant.c.id)
    .where(
        tenant.c.closed_at <= bindparam("before"),
        or_(
            *(
                select(table.c.tenant_id)
                .where(table.c.tenant_id == tenant.c.id)
                .correlate(tenant)
                .exists()
                for table in _OWNED
            )
        ),
    )
    .order_by(tenant.c.id)
    .limit(bindparam("most"))
)
_LEFT = Statement(
    select(tenant.c.id)
    .select_from(tenant.join(deletion_claim, deletion_claim.c.tenant_id == tenant.c.id))
    .where(
        tenant.c.closed_at <= bindparam("before"),
        deletion_claim.c.kind == constant("closure"),
        deletion_claim.c.ended_at.is_(None),
        deletion_claim.c.contacts_gone_at.is_not(None),
        deletion_claim.c.messages_gone_at.is_not(None),
        # Whoever owes is known until it is settled, or written off by a correction (P9).
        ~select(account.c.tenant_id)
        .where(
            account.c.tenant_id == tenant.c.id,
            account.c.kind == constant("credit"),
            account.c.balance < 0,
        )
        .exists(),
    )
    .order_by(tenant.c.id)
    .limit(bindparam("most"))
)
# Its id stays taken: another tenant under it would inherit the list of whom not to text.
_BLANKED = Statement(
    update(tenant)
    .where(tenant.c.id == bindparam("t_id"))
    .values(name=bindparam("t_name"), settings="{}", source="")
)


def access(job: Job, _after: int) -> Script:
    """Logins, tokens and sender rules of closed accounts; a `Walked`."""
    found = yield Rows(_CLOSED, {"before": job.latest, "most": job.most})
    ids = [row[0] for row in found]
    if job.dry or not ids:
        return Walked(None, +Counter(login=len(ids)))
    gone = Counter[str]()
    for table in _OWNED:
        gone += yield from delete_by(table.c.tenant_id, ids)
    return Walked(0, gone)


def profiles(job: Job, _after: int) -> Script:
    """What is known of accounts that were closed long ago; a `Walked`."""
    found = yield Rows(_LEFT, {"before": job.latest, "most": job.most})
    ids = [row[0] for row in found]
    if job.dry or not ids:
        return Walked(None, +Counter(tenant=len(ids)))
    gone = Counter(tenant=len(ids))
    for table in (staff, invitation, retention_rule, deletion_claim):
        gone += yield from delete_by(table.c.tenant_id, ids)
    yield Many(_BLANKED, [{"t_id": number, "t_name": f"closed-{number}"} for number in ids])
    return Walked(0, gone)
