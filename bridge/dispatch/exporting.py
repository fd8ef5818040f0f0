"""Somebody who wants their data comes in; a file for them alone goes out, and the password for it.

What is about others is masked: their numbers and addresses in texts, and the names of staff, who
appear as what they are. After a number has changed hands only what came since is its owner's (P52).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bridge import phone
from bridge.dispatch import keeping
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.consents import consents_of
from bridge.dispatch.erasing import exports_of, token_of
from bridge.dispatch.requests import Someone
from bridge.dispatch.tenants import Tenant
from bridge.errors import TryLater
from bridge.privacy import requests as law
from bridge.privacy.export import FORMAT, iso, masked, packed, password
from bridge.privacy.letters import language, of_country
from bridge.settings import Settings
from bridge.store import ids
from bridge.store.attachments import FILES_TO
from bridge.store.erasing import NUMBER
from bridge.store.exports import (
    CARRIERS_TO,
    ENROLMENTS,
    FILES,
    GROUPS_OF,
    MESSAGES_BY,
    MESSAGES_TO,
    NAMES_OF,
    PAGE,
    PERSON,
    REPLIES_OF,
    REQUESTS_OF,
    SUPPRESSIONS_OF,
    File,
    add_files,
    forget_files,
)
from bridge.store.processors import REGISTER, processor_of
from bridge.store.sql import Row, Statement, Values

Item = dict[str, Any]
#: Who else holds something, beside carriers.
_OTHERS: Final = ("slack", "telegram", "smarthost")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request for somebody's data; `portable` is what they gave us alone (P25).

    What is older than `since` is not this person's: the number was another's (P52).
    """

    request_id: int
    tenant: Tenant
    who: Someone
    since: float = 0.0
    portable: bool = False
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Exported:
    """A file, and what opens it; the password is kept nowhere."""

    path: Path
    password: str


async def export(bridge: Bridge, wanted: Wanted) -> Exported:
    """Make the file. The same request makes the same file, under a new password.

    Raises TryLater, StoreUnavailable.
    """
    document = await document_of(bridge, wanted)
    folder = exports_of(bridge).resolve()
    made = Exported(folder / f"{ids.show(wanted.request_id)}.zip", password())
    token = token_of(bridge, wanted.tenant.id, wanted.who)
    now = bridge.clock()
    item = File(made.path.name, wanted.request_id, wanted.tenant.id, token, now)
    # Known before it is there: whatever stands in the folder is looked for by its row.
    await bridge.store.write(add_files, item)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        await asyncio.to_thread(packed, document, made.password, made.path)
    except OSError as error:
        raise TryLater(
            f"the export cannot be written ({error.strerror})",
            "see that data_dir/exports can be written and has room",
        ) from error
    return made


async def document_of(bridge: Bridge, wanted: Wanted) -> Mapping[str, Any]:
    """All of the person's data as docs/export.schema.json describes it."""
    number = wanted.who.kind == NUMBER
    since = wanted.since
    country = phone.country(wanted.who.value) if number else ""
    head: Item = {
        "format": FORMAT,
        "kind": "portability" if wanted.portable else "access",
        "language": language(wanted.lang) if wanted.lang else of_country(country),
        "made_at": iso(bridge.clock()),
        "request": ids.show(wanted.request_id),
        "controller": wanted.tenant.name,
        "operator": bridge.settings.privacy.operator,
        "since": iso(since) if since else None,
        "person": {"identity": wanted.who.value, "kind": wanted.who.kind, "country": country},
    }
    told = _Told(bridge, wanted)
    body = await (told.recipient() if number else told.writer())
    if wanted.portable:
        return {**head, **body}
    return {**head, **await told.around(body), **body}


class _Told:
    """The parts of one document."""

    def __init__(self, bridge: Bridge, wanted: Wanted) -> None:
        self._bridge = bridge
        self._wanted = wanted
        self._since = wanted.since
        self._carriers: set[str] = set()

    async def recipient(self) -> Item:
        """What is known of a number."""
        wanted, read = self._wanted, self._bridge.store.read
        keys = (self._bridge.keys, *self._bridge.keys.older)
        tokens = Values(token_of(self._bridge, wanted.tenant.id, wanted.who, k) for k in keys)
        rows = await read(PERSON, tokens=tokens)
        person = rows[0][0] if rows else 0
        self._carriers = {row[0] for row in await read(CARRIERS_TO, person=person)}
        given: Item = {
            "replies": [self._reply(row) async for row in self._pages(REPLIES_OF, person=person)],
            "consents": await self._consents(),
        }
        if wanted.portable:
            return given
        messages = self._pages(MESSAGES_TO, person=person)
        everywhere = Values([*tokens, *(k.everyone(wanted.who.value) for k in keys)])
        return {
            "messages": [self._message(row) async for row in messages],
            "files": [self._file(row) async for row in self._pages(FILES_TO, person=person)],
            **given,
            "names": await self._names(person),
            "suppressions": await self._suppressions(everywhere),
            "requests": await self._requests(everywhere),
        }

    async def writer(self) -> Item:
        """What is known of somebody who writes."""
        wanted, read = self._wanted, self._bridge.store.read
        kind, value = wanted.who.kind, wanted.who.value
        here = {"tenant": wanted.tenant.id, "kind": kind}
        address = value.lower()
        rows = self._pages(MESSAGES_BY, **here, address=address)
        found: Item = {"written": [self._written(row) async for row in rows]}
        if wanted.portable:
            return found
        token = self._bridge.keys.repeat(b"identity", kind.encode(), value.casefold().encode())
        found["requests"] = await self._requests(Values([token]))
        if kind != "mail":
            team, _, person = value.rpartition("/")
            enrolled = await read(ENROLMENTS, **here, team=team, person=person)
            found["enrolments"] = [
                {"name": name, "role": role, "since": iso(since), "until": iso(until)}
                for name, role, since, until, _ in enrolled
            ]
        return found

    async def around(self, body: Item) -> Item:
        """Why, from where, for how long, who else, and what may be asked for (Art. 15(1))."""
        settings, tenant = self._bridge.settings, self._wanted.tenant
        found = law.authority(tenant.authority, settings.privacy.authority)
        plan = await keeping.plan(self._bridge)
        names = (
            "text",
            "attachment",
            "traffic",
            "person",
            "suppression",
            "request",
            "consent",
            "contact",
            "audit",
            "export",
            "backup",
        )
        return {
            "purposes": _purposes(body),
            "sources": ["you", "tenant", "carrier"] if "messages" in body else ["you"],
            "periods": [
                {"what": name, "period": plan.period(name, tenant.id).written} for name in names
            ],
            "recipients": await self._recipients(),
            "contact": settings.privacy.dpo or _mailbox(settings),
            "authority": " ".join(filter(None, (found.name, found.address))),
            "automated_decisions": False,
        }

    async def _pages(self, statement: Statement, **values: Any) -> AsyncIterator[Row]:
        """All rows, a page in memory at a time; the first column orders them."""
        after = 0
        if statement is not MESSAGES_BY:
            values["since"] = self._since
        while True:
            rows = await self._bridge.store.read(statement, **values, after=after)
            for row in rows:
                yield row
            if len(rows) < PAGE:
                return
            after = rows[-1][0]

    def _shown(self, text: str | None) -> str | None:
        if not text:
            return text
        return masked(text, self._wanted.tenant.region, self._wanted.who.value)

    def _message(self, row: Row) -> Item:
        _, created, sent, final, state, klass, originator, parts, text, kind = row
        return {
            "at": iso(created),
            "by": kind or "",
            "from": originator,
            "class": klass,
            "state": state,
            "sent_at": iso(sent),
            "final_at": iso(final),
            "parts": parts,
            "text": self._shown(text),
        }

    def _written(self, row: Row) -> Item:
        *_, kind, number = row
        shown = self._message((*row[:9], kind))
        return {**shown, "to": phone.mask(number) if number else None}

    def _file(self, row: Row) -> Item:
        _, at, name, kind, size, until, served, refused = row
        return {
            "at": iso(at),
            "name": self._shown(name),
            "kind": kind,
            "size": size,
            "until": iso(until),
            "served": served,
            "refused": refused,
        }

    def _reply(self, row: Row) -> Item:
        _, at, originator, verdict, text = row
        return {"at": iso(at), "to": originator, "understood": verdict, "text": self._shown(text)}

    async def _names(self, person: int) -> list[Item]:
        names = await self._bridge.store.read(NAMES_OF, person=person)
        found = [
            {"what": "name", "name": name, "since": iso(at)}
            for name, at in names
            if at >= self._since
        ]
        if self._since:  # what a former owner of the number was called is not the new one's to read
            return found
        groups = await self._bridge.store.read(GROUPS_OF, person=person)
        return found + [{"what": "group", "name": row[0], "since": None} for row in groups]

    async def _consents(self) -> list[Item]:
        wanted = self._wanted
        given = await consents_of(self._bridge, wanted.tenant, wanted.who.value)
        return [
            {
                "purpose": each.purpose,
                "name": each.programme,
                "basis": each.basis,
                "channel": each.channel,
                "version": each.version,
                "text": each.text,
                "since": iso(each.given_at),
                "until": iso(each.withdrawn_at or each.expires_at),
                "state": each.state,
                "evidence": self._shown(each.evidence) or "",
            }
            for each in given
            if each.given_at >= self._since
        ]

    async def _suppressions(self, tokens: Values) -> list[Item]:
        rows = await self._bridge.store.read(SUPPRESSIONS_OF, tokens=tokens)
        return [
            {
                "scope": scope,
                "purpose": purpose,
                "source": source,
                "since": iso(since),
                "until": iso(until),
            }
            for scope, purpose, source, since, until in rows
            if since >= self._since
        ]

    async def _requests(self, tokens: Values) -> list[Item]:
        rows = await self._bridge.store.read(
            REQUESTS_OF, tokens=tokens, tenant=self._wanted.tenant.id
        )
        return [
            {
                "reference": ids.show(number),
                "type": kind,
                "channel": channel,
                "at": iso(at),
                "state": state,
                "closed_at": iso(closed),
                # What nobody has proved may be another person's letter.
                "words": self._words(details) if level else "",
                "reason": self._shown(reason) or "",
            }
            for number, kind, channel, at, state, closed, level, details, reason in rows
            if at >= self._since
        ]

    def _words(self, details: str) -> str:
        """What a person said of their wish."""
        said = json.loads(details).get("words", "") if details else ""
        return self._shown(str(said)) or ""

    async def _recipients(self) -> list[Item]:
        """Those who carried this person's messages, and the chats that may have shown them."""
        rows = [processor_of(row) for row in await self._bridge.store.read(REGISTER)]
        now = self._bridge.clock()
        return [
            {
                "name": row.company or row.name,
                "kind": row.kind,
                "purpose": row.purpose,
                "country": row.country,
                "mechanism": row.mechanism,
            }
            for row in rows
            if (row.ended_at is None or row.ended_at > now)
            and (row.name in self._carriers if row.kind == "carrier" else row.kind in _OTHERS)
        ]


def _mailbox(settings: Settings) -> str:
    """Where requests are taken by mail."""
    return f"{settings.privacy.address}@{settings.smtp.domains[0]}"


def _purposes(body: Item) -> list[str]:
    found = ["messages"] if body.get("messages") or body.get("replies") else []
    if any(each["class"] == "marketing" for each in body.get("messages", ())):
        found.append("marketing")
    if body.get("written"):
        found.append("writing")
    if body.get("suppressions"):
        found.append("suppression")
    return [*found, "rights"]


async def purge(bridge: Bridge) -> int:
    """Take away the files that are too old, and those that nothing knows of; how many."""
    period = (await keeping.plan(bridge)).period("export")
    await bridge.store.write(forget_files, period.before(bridge.clock()))
    folder = exports_of(bridge)
    if not folder.is_dir():
        return 0
    known = {row[0] for row in await bridge.store.read(FILES)}
    gone = [path for path in folder.iterdir() if path.name not in known and _is_ours(path)]
    for path in gone:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
    return len(gone)


def _is_ours(path: Path) -> bool:
    """A file of an export; not one that is just being written."""
    return path.suffix == ".zip" or (path.suffix == ".partial" and not _is_fresh(path))


def _is_fresh(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime < 3600
    return True
