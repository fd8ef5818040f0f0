"""Users of SMTP AUTH, one by one: a user and a password hash in, whether it could be set out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select

from bridge.store.sql import Do, Many, Rows, Script, Statement, insert
from bridge.store.tables import login


@dataclass(frozen=True, slots=True)
class SetLogin:
    """A tenant's user; an empty hash removes it."""

    tenant_id: int
    user: str
    password_hash: str


_OWNER = Statement(select(login.c.tenant_id).where(login.c.username == bindparam("user")))
_GONE = Statement(delete(login).where(login.c.username == bindparam("user")))
_ADD = insert(login)


def set_logins(items: Sequence[SetLogin]) -> Script:
    """True an item that was done; False where the user is another tenant's, or is not there."""
    results = []
    for item in items:
        results.append((yield from _set(item)))
    return results


def _set(item: SetLogin) -> Script:
    found = yield Rows(_OWNER, {"user": item.user})
    if found and found[0][0] != item.tenant_id:
        return False
    yield Do(_GONE, {"user": item.user})
    if item.password_hash:
        row = {
            "username": item.user,
            "tenant_id": item.tenant_id,
            "password_hash": item.password_hash,
            "source": "command",
        }
        yield Many(_ADD, [row])
        return True
    return bool(found)
