"""The sandbox's phones: what they received and how they behave comes out, answers go in."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from bridge import phone
from bridge.carriers.sandbox import SANDBOX_NUMBER
from bridge.dispatch.bridge import Bridge
from bridge.errors import BadNumber, Refused
from bridge.model import Inbound
from bridge.ports import Inbox
from bridge.settings import SANDBOX
from bridge.store.claims import lane
from bridge.store.sandbox import (
    ANSWERED_BY,
    CAME,
    LAST_ORIGINATOR,
    MODES,
    NEWEST_ANSWERS,
    NEWEST_SENT,
    NEWEST_WAITING,
    PHONE,
    PHONES,
    RECEIVED,
    RECEIVED_BY,
    SENT_TO,
    Mode,
    Received,
    received,
    set_modes,
)
from bridge.store.sql import Values
from bridge.web.live import Live
from bridge.web.views import Conversation, Thread, conversation, threads

#: Characters of an answer: more than any phone lets one type.
LONGEST = 10_000
_SHORT_CODE = re.compile(r"[0-9]{2,8}").fullmatch


class Phones:
    """All phones of the sandbox. Everything here raises StoreUnavailable."""

    def __init__(self, bridge: Bridge, inbox: Inbox, live: Live) -> None:
        self.bridge = bridge
        self._inbox = inbox
        self._live = live
        names = [c.name for c in bridge.settings.carriers if c.kind == SANDBOX] or [SANDBOX]
        self._names = Values(names)
        self._lanes = Values([lane(name, urgent) for name in names for urgent in (True, False)])

    def key(self, number: str) -> str:
        """The keyed hash that a phone is known by. Raises BadNumber."""
        return self.bridge.keys.everyone(self._number(number))

    async def received(self, number: str = "") -> list[Received]:
        """What one phone received, or all of them, oldest first. Raises BadNumber."""
        now = self.bridge.clock()
        if number:
            return received(
                await self.bridge.store.read(RECEIVED_BY, now=now, phone=self.key(number))
            )
        return received(await self.bridge.store.read(RECEIVED, now=now))

    async def answer(self, number: str, to: str, text: str) -> str:
        """An SMS typed on a phone, stored when this returns; the id that its network gave it.

        `to` may be empty: then it answers what the phone received last. Raises BadNumber, Refused.
        """
        source = self._number(number)
        words = _words(text)
        part = Inbound(
            source=source,
            destination=_answerable(to or await self.writes_to(source)),
            data=words.encode("utf-8", "replace"),
            coding="utf-8",
            # People do type the same twice: each has an id of its own, so none is a redelivery.
            key=secrets.token_hex(8),
        )
        await self._inbox.inbound(SANDBOX, part)
        self._live.touch()
        return part.key

    async def writes_to(self, source: str) -> str:
        """The number that a phone would answer without being told."""
        found = await self.bridge.store.read(
            LAST_ORIGINATOR, phone=self.key(source), now=self.bridge.clock()
        )
        return str(found[0][0]) if found else self.own_number

    @property
    def own_number(self) -> str:
        """What phones see where nothing else is set."""
        mine = [c.originator for c in self.bridge.settings.carriers if c.name == SANDBOX]
        return (mine and mine[0]) or SANDBOX_NUMBER

    async def modes(self) -> list[tuple[str, str]]:
        """(number, mode) of the phones that were written to."""
        return sorted({(row[0], row[1]) for row in await self.bridge.store.read(PHONES)})

    async def set_mode(self, key: str, mode: str) -> None:
        """Switch the phone with this key. Raises Refused."""
        if mode not in MODES:
            raise Refused("a phone has no such mode", f"choose one of {', '.join(MODES)}")
        await self.bridge.store.write(set_modes, Mode(key, mode))
        self._live.touch()

    async def number(self, key: str) -> str:
        """The number of the phone with this key. Raises Refused."""
        found = await self.bridge.store.read(PHONE, phone=key)
        if not found:
            raise Refused("no such phone is known", "choose one from the list")
        return str(found[0][0])

    async def threads(self) -> list[Thread]:
        """The phones with the newest messages, the newest first."""
        read = self.bridge.store.read
        return threads(
            await read(NEWEST_SENT),
            await read(NEWEST_WAITING, lanes=self._lanes),
            await read(NEWEST_ANSWERS, carriers=self._names),
        )

    async def conversation(self, key: str) -> Conversation | None:
        """What one phone shows; None for a phone that nobody has written to or from."""
        read = self.bridge.store.read
        found = await read(PHONE, phone=key)
        if not found:
            return None
        sent = await read(SENT_TO, phone=key, lanes=self._lanes)
        came = await read(CAME, messages=Values([row[0] for row in sent])) if sent else []
        answers = await read(ANSWERED_BY, phone=key, carriers=self._names)
        writes_to = await self.writes_to(found[0][0])
        return conversation(key, found[0], sent, came, answers, writes_to, self.bridge.clock())

    def _number(self, number: str) -> str:
        # A "+" that was not escaped in a query arrives as a space.
        written = "+" + number.strip() if number.startswith(" ") else number.strip()
        return phone.parse(written, self.bridge.settings.region).e164


def _words(text: str) -> str:
    if not text.strip():
        raise Refused("text is empty", "write something")
    if len(text) > LONGEST:
        raise Refused(f"text is longer than {LONGEST} characters", "shorten it")
    if "\0" in text:
        raise Refused("text holds a NUL character, which no phone can type", "take it out")
    return text.replace("\r\n", "\n")


def _answerable(to: str) -> str:
    """The number to write to, as a network would carry it."""
    written = "+" + to.strip() if to.startswith(" ") else to.strip()
    if _SHORT_CODE(written):
        return written
    try:
        return phone.parse(written, None).e164
    except BadNumber:
        if written.removeprefix("+").isdecimal() and len(written) <= 16:
            return written
    raise Refused(
        "to is a name, and a phone cannot answer a name",
        "set an originator that is a number",
    )


def can_answer(to: str) -> bool:
    """Whether a phone could write to this originator."""
    try:
        _answerable(to)
    except Refused:
        return False
    return True


__all__: Sequence[str] = ("LONGEST", "Phones", "can_answer")
