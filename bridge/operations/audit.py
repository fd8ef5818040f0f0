"""The audit: a question comes in; whether it is whole, its head, or who did what go out."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from bridge.errors import Refused
from bridge.operations.office import Item, Office, iso, refuse_unknown
from bridge.privacy.chain import verify
from bridge.store import logbook
from bridge.store.audit import ACTIVITY, AUDIT
from bridge.store.audit_heads import NEWEST_HEAD, Head

PAGE: Final = 500
_HEAD: Final = TypeAdapter(Head)


async def audit_verify(
    office: Office,
    *,
    since: str = "",
    keys: Sequence[str] = (),
    heads: Sequence[Mapping[str, Any]] = (),
) -> AsyncIterator[Item]:
    """Whether the audit is as it was written: what was looked at, or each problem.

    `keys` are public keys to trust beside our own, `heads` copies that were kept elsewhere. Raises
    Refused where something is wrong.
    """
    bridge = office.bridge
    if since:
        _moment(since)
    trusted = {bridge.signer.public, *(key.lower() for key in keys)}
    found = await verify(bridge.store, trusted, [_head(each) for each in heads], since)
    for problem in found.problems:
        yield asdict(problem)
    if found.problems:
        count = f"{len(found.problems)} problem{'s' if len(found.problems) > 1 else ''}"
        raise Refused(
            f"the audit was changed after it was written: {count},"
            f" the first at entry {found.problems[0].seq}",
            "keep the database as it is, and compare it with a backup",
        )
    if found.foreign:
        raise Refused(
            f"the audit is signed by a key that is not ours: {', '.join(sorted(found.foreign))}",
            "give every process the same [privacy] signing_key_file; --key trusts an earlier key",
        )
    yield {
        "entries": found.entries,
        "first": found.first if found.entries else None,
        "last": found.last if found.entries else None,
        "signed_until": found.signed_until or None,
    }


def _moment(day: str) -> float:
    """The begin of a day, in UTC. Raises Refused."""
    try:
        found = date.fromisoformat(day)
    except ValueError:
        raise Refused(f"{day!r} is no day", "write it as 2026-11-23") from None
    return datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp()


def _head(given: Mapping[str, Any]) -> Head:
    """A head as `audit head` tells it. Raises Refused."""
    try:
        return _HEAD.validate_python(given)
    except ValidationError:
        raise Refused(
            "this is no head of an audit", "copy it from the mail or `bridge audit head`"
        ) from None


async def audit_head(office: Office) -> AsyncIterator[Item]:
    """The newest signed head. Raises Refused where there is none yet."""
    rows = await office.bridge.store.read(NEWEST_HEAD)
    if not rows:
        raise Refused(
            "no head has been signed yet", "a running bridge signs one at its start and each day"
        )
    yield asdict(Head(*rows[0]))


async def audit_list(
    office: Office,
    *,
    tenant: str = "",
    since: str = "",
    limit: int = 0,
    activity: bool = False,
) -> AsyncIterator[Item]:
    """One object an entry, oldest first: of a tenant's data, or all; `limit`: the newest so many.

    With `activity` the activity log instead. Raises Refused.
    """
    store = office.bridge.store
    if tenant:
        await refuse_unknown(office, tenant)
    begin = _moment(since) if since else 0.0
    names = {number: name for name, number in await store.read(logbook.TENANT_NAMES)}
    wanted = next((number for number, name in names.items() if name == tenant), 0)
    shown: deque[Item] = deque(maxlen=limit or None)
    after = 0
    while True:
        values = {"after": after, "since": begin, "tenant": wanted, "most": PAGE}
        rows = await store.read(ACTIVITY if activity else AUDIT, **values)
        for number, at, whose, actor, action, subject, reason in rows:
            shown.append(
                {
                    "seq": number,
                    "at": iso(at),
                    "tenant": names.get(whose),
                    "actor": actor,
                    "action": action,
                    "subject": subject or None,
                    "reason": reason,
                }
            )
        while shown and not limit:
            yield shown.popleft()
        if len(rows) < PAGE:
            break
        after = rows[-1][0]
    for item in shown:
        yield item
