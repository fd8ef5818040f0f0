r"""Numbers and texts at rest: plain values come in, AES-256-GCM under a person's own key goes out.

Each person has a key of 32 random octets in `subject_key`, wrapped by the master key, which stands
outside the database and its backups (`bridge.keyring`). Who deletes the row has destroyed the key:
what was sealed with it cannot be read again, wherever a copy may be (PRIVACY P65). What belongs to
nobody yet (a callback, a chat's update, a draft) is sealed under a key of the bridge's own.

The drivers pass every step through `Session.perform`, so scripts read and write plain values:
which columns are sealed stands in the tables (`Sealed`).

A sealed value is "\x01", whose key it is, a dot, and base64 of nonce and ciphertext. The column's
name is bound to it, so that a number cannot be passed off as a text.
"""

from __future__ import annotations

import hmac
import os
import time
from binascii import a2b_base64, b2a_base64
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, select

from bridge.master import Master
from bridge.store.sql import (
    Do,
    Many,
    Plain,
    Refs,
    Row,
    Rows,
    Shred,
    Statement,
    Step,
    among,
    insert_new,
    unique,
)
from bridge.store.tables import subject_key

MARK = "\x01"
OWN = 0  # whose key it is, where it is nobody's
NONCE = 12
#: People whose keys stay in memory, and seconds after which they are asked for anew: another
#: process may have destroyed one. A cipher takes 2.6 kB outside of Python's own memory.
MOST, FRESH_S = 2_000, 60.0

_KEYS = Statement(
    select(subject_key.c.subject_id, subject_key.c.wrapped, subject_key.c.kek).where(
        among(subject_key.c.subject_id, "ids")
    )
)
_ADD = insert_new(subject_key)
_GONE = Statement(delete(subject_key).where(among(subject_key.c.subject_id, "ids")))

Steps = Generator[Plain, Any, Any]


class Key:
    """A person's key."""

    __slots__ = ("_cipher", "_octets")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._cipher = AESGCM(octets)

    def seal(self, owner: int, column: bytes, plain: str) -> str:
        """What is stored in the place of `plain`; nothing is needed for an empty one."""
        if not plain:
            return ""
        nonce = os.urandom(NONCE)
        # A lone surrogate must be refused here as the database would, not be lost.
        sealed = nonce + self._cipher.encrypt(nonce, plain.encode(), column)
        return f"{MARK}{owner}.{b2a_base64(sealed, newline=False).decode()}"

    def open(self, column: bytes, sealed: str) -> str:
        """The plain value; "" where it was not sealed with this key for this column."""
        octets = a2b_base64(sealed)
        try:
            return self._cipher.decrypt(octets[:NONCE], octets[NONCE:], column).decode()
        except InvalidTag:
            return ""

    def ref(self) -> str:
        """How the audit names this person: nobody can make it again without the key (P62)."""
        return hmac.digest(self._octets, b"audit", "sha256")[:12].hex()


class Vault:
    """A process's keys."""

    def __init__(self, master: Master) -> None:
        self._master = master
        self._own = [Key(octets) for octets in master.own]
        self._known: dict[int, Key] = {}
        self._since = time.monotonic()

    def session(self) -> Session:
        """For one transaction, or one read."""
        if len(self._known) > MOST or time.monotonic() - self._since > FRESH_S:
            self._known = {}
            self._since = time.monotonic()
        return Session(self)

    def known(self, owner: int) -> Key | None:
        """A key that is in memory."""
        return self._own[0] if owner == OWN else self._known.get(owner)

    def opened(self, key: Key | None, owner: int, column: bytes, sealed: str) -> str:
        """The plain value; "" where no key that is left opens it."""
        keys = self._own if owner == OWN else [key] if key else []
        return next((plain for each in keys if (plain := each.open(column, sealed))), "")

    def keep(self, keys: Mapping[int, Key]) -> None:
        """These are on disk."""
        self._known.update(keys)

    def forget(self, people: Iterable[int]) -> None:
        """These are no longer on disk."""
        for one in people:
            self._known.pop(one, None)

    def unwrap(self, owner: int, wrapped: str, kek: str) -> Key | None:
        """A person's key from its row; None where another master key made it."""
        octets = self._master.unwrap(str(owner).encode(), a2b_base64(wrapped), kek)
        return Key(octets) if octets else None

    def made(self, owner: int) -> tuple[Key, dict[str, Any]]:
        """A new key, and its row."""
        octets = os.urandom(32)
        return Key(octets), self._row(owner, octets)

    def rewrapped(self, owner: int, wrapped: str, kek: str) -> dict[str, Any] | None:
        """The row of a person's key, wrapped by the newest master key; None if none opens it."""
        octets = self._master.unwrap(str(owner).encode(), a2b_base64(wrapped), kek)
        return self._row(owner, octets) if octets else None

    @property
    def newest(self) -> str:
        """The name of the master key that wraps new keys."""
        return self._master.names[0]

    def _row(self, owner: int, octets: bytes) -> dict[str, Any]:
        wrapped, kek = self._master.wrap(str(owner).encode(), octets)
        text = b2a_base64(wrapped, newline=False).decode()
        return {"subject_id": owner, "wrapped": text, "kek": kek}


class Session:
    """One transaction's use of the vault: a key that was made in it counts once it is on disk."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._made: dict[int, Key] = {}
        self._shredded: set[int] = set()

    def committed(self) -> None:
        """What was done is on disk."""
        if self._made:
            self._vault.keep(self._made)
        if self._shredded:
            self._vault.forget(self._shredded)

    def perform(self, step: Step, database: str) -> Steps:
        """Run a step: what it stores is sealed before, what it finds is opened after."""
        if isinstance(step, Refs):
            yield from self._have(set(step.people), make=True)
            return {one: self._key(one).ref() for one in step.people}
        if isinstance(step, Shred):
            self._shredded.update(step.people)
            for one in step.people:
                self._made.pop(one, None)
            return (yield Do(_GONE, {"ids": unique(step.people)}))
        compiled = step.statement.of(database)
        plain: Plain = step
        if compiled.seals:
            plain = yield from self._sealed(step, compiled.seals)
        found = yield plain
        if compiled.opens and isinstance(step, Rows):
            found = yield from self._opened(found, compiled.opens)
        return found

    def _key(self, owner: int) -> Key:
        key = self._made.get(owner) or self._vault.known(owner)
        assert key is not None  # noqa: S101 - `_have` came before
        return key

    def _sealed(self, step: Any, seals: Mapping[str, tuple[str, bytes]]) -> Steps:
        rows = step.rows if isinstance(step, Many) else [step.values]
        owners = {name: owner for name, (owner, _) in seals.items()}
        people = {row[owner] for row in rows for owner in set(owners.values()) if owner}
        if people:
            yield from self._have(people, make=True)
        sealed = [self._sealed_row(row, seals) for row in rows]
        if isinstance(step, Many):
            return Many(step.statement, sealed)
        return replace(step, values=sealed[0])

    def _sealed_row(
        self, row: Mapping[str, Any], seals: Mapping[str, tuple[str, bytes]]
    ) -> dict[str, Any]:
        done = dict(row)
        for name, (owner, column) in seals.items():
            if row[name]:
                one = row[owner] if owner else OWN
                done[name] = self._key(one).seal(one, column, row[name])
        return done

    def _opened(self, rows: Sequence[Row], opens: Sequence[tuple[int, bytes]]) -> Steps:
        people = {
            int(value[1 : value.index(".")])
            for row in rows
            for at, _ in opens
            if (value := row[at]) and value[0] == MARK
        }
        yield from self._have(people, make=False)
        return [self._opened_row(row, opens) for row in rows]

    def _opened_row(self, row: Row, opens: Sequence[tuple[int, bytes]]) -> Row:
        values = list(row)
        for at, column in opens:
            value = values[at]
            if value and value[0] == MARK:
                owner, _, sealed = value[1:].partition(".")
                key = self._made.get(int(owner)) or self._vault.known(int(owner))
                values[at] = self._vault.opened(key, int(owner), column, sealed)
        return tuple(values)

    def _have(self, people: set[int], *, make: bool) -> Steps:
        """Have these people's keys at hand; with `make`, also of those who have none yet."""
        missing = {p for p in people if p not in self._made and self._vault.known(p) is None}
        if not missing:
            return
        yield from self._fetch(missing)
        missing = {p for p in missing if self._vault.known(p) is None}
        if not missing or not make:
            return
        made = {one: self._vault.made(one) for one in sorted(missing)}
        added = yield Many(_ADD, [row for _, row in made.values()])
        if added == len(made):
            self._made.update({one: key for one, (key, _) in made.items()})
            return
        # Another process has made one of them meanwhile: what the database has is true.
        found = yield Rows(_KEYS, {"ids": unique(made)})
        for owner, wrapped, kek in found:
            key = self._vault.unwrap(owner, wrapped, kek)
            if key is not None:
                self._made[owner] = key

    def _fetch(self, people: set[int]) -> Steps:
        found = yield Rows(_KEYS, {"ids": unique(people)})
        keys = {owner: self._vault.unwrap(owner, wrapped, kek) for owner, wrapped, kek in found}
        self._vault.keep({owner: key for owner, key in keys.items() if key is not None})
