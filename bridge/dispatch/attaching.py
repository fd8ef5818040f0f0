"""The files of a mail come in; a short link in its text, and the files on disk, go out.

The files are stored once for all people of the mail, piece by piece, before their messages; each
person has a link of their own, stored with their message. A kill between leaves pieces that no
message has, which retention takes away.
"""

from __future__ import annotations

import asyncio
import secrets
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.links import link
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.keyring import Keyring
from bridge.privacy.letters import of_country
from bridge.segments.transliterate import simplify
from bridge.store.attachments import CHUNK, Attached, add_pieces, new_key, sealed

PATH: Final = "/f/"
#: 50 bits: a million links and a million tries find one with a probability of 0.1 %.
CODE: Final = 10
#: No letter that is taken for another, whatever its case (Crockford).
ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
DAY: Final = 86_400.0
#: Pieces of a file that are on their way to the disk at once.
_AT_ONCE: Final = 4
#: Plain letters only: a name must not make a text cost twice as much.
_WITHOUT: Final = {"en": "Without attachment", "cs": "Bez prilohy", "no": "Uten vedlegg"}
_NAMED: Final = 3
_NAME: Final = 30


@dataclass(frozen=True, slots=True)
class File:
    """A file as its mail brought it; `refused` says why it does not go."""

    name: str
    kind: str
    size: int
    data: bytes
    refused: str = ""


def new_code() -> str:
    """A code that nobody can guess."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE))


def read_code(typed: str) -> str:
    """A code as it was made, however somebody copied it; "" for none."""
    code = typed.strip().lower().replace("o", "0").replace("i", "1").replace("l", "1")
    return code if len(code) == CODE and set(code) <= set(ALPHABET) else ""


def link_hash(keys: Keyring, code: str) -> str:
    """By which the store knows a link: 50 bits could be tried out without the pepper."""
    return keys.repeat(b"file link", code.encode())


def address(public_url: str, link_domain: str, code: str) -> str:
    """The link: on the tenant's own domain where it has one."""
    return link(public_url, link_domain, f"{PATH}{code}")


def tail(link: str, refused: Sequence[str], country: str) -> str:
    """What stands at a text's end: the link ("" for none), and which files do not go."""
    lines = [link] if link else []
    if refused:
        more = f" +{len(refused) - _NAMED}" if len(refused) > _NAMED else ""
        names = ", ".join(_plain(name) for name in refused[:_NAMED])
        lines.append(f"{_WITHOUT[of_country(country)]}: {names}{more}")
    return "".join(f"\n{line}" for line in lines)


def _plain(name: str) -> str:
    """A name in letters that cost one unit each."""
    plain = simplify(name, romanise=True).encode("ascii", "replace").decode()
    return plain if len(plain) <= _NAME else f"{plain[: _NAME - 12]}..{plain[-10:]}"


def rules(refused: Sequence[str]) -> tuple[str, ...]:
    """The rules by which files went ("" each) and did not: `attachments-linked:2`."""
    gone = sum(1 for why in refused if not why)
    named = (("attachments-linked", gone), ("attachments-refused", len(refused) - gone))
    return tuple(f"{name}:{count}" for name, count in named if count)


def sentence(refused: Sequence[tuple[str, str]]) -> str:
    """Which files do not go, and why: name and reason each."""
    told = "; ".join(f"{_plain(name)}: {why}" for name, why in refused[:_NAMED])
    more = f", and {len(refused) - _NAMED} more" if len(refused) > _NAMED else ""
    return f"a file of this mail cannot be sent ({told}{more})"


class Parcel:
    """The files of one mail, for one tenant's people."""

    def __init__(self, bridge: Bridge, tenant: Tenant, files: Sequence[File]) -> None:
        self._bridge = bridge
        self._tenant = tenant
        self._files = files
        self._stored: asyncio.Future[Sequence[tuple[int, str]]] | None = None

    @property
    def going(self) -> bool:
        """Whether any of the files goes."""
        return any(not each.refused for each in self._files)

    @property
    def refused(self) -> list[File]:
        """The files that do not go."""
        return [each for each in self._files if each.refused]

    @property
    def rules(self) -> tuple[str, ...]:
        """What of it shaped the text, as `explain` names it."""
        return rules([each.refused for each in self._files])

    def check(self, text: str, due_at: float | None) -> None:
        """Raises Refused where a file that does not go ends the whole mail, or is all of it, and
        where the files would be gone within a day of the text's leaving.
        """
        refused = self.refused
        days = self._tenant.attachment_days
        if self.going and (due_at or 0) > self._bridge.clock() + (days - 1) * DAY:
            raise Refused(
                f"files are kept for {days} days, and the text leaves too late for that",
                "choose an earlier time, or send the mail without its files",
            )
        if refused and (self._tenant.attachment_refused == "refuse" or not (text or self.going)):
            raise Refused(sentence([(each.name, each.refused) for each in refused]), status="5.6.0")

    def tail(self, code: str, country: str) -> str:
        """What a person's text ends with."""
        link = ""
        if self.going:
            url = self._bridge.settings.public_url
            link = address(url, self._tenant.link_domain, code)
        return tail(link, [each.name for each in self.refused], country)

    async def sent_with(self, code: str) -> tuple[Attached, ...]:
        """The files as they go with one person's message. Raises StoreUnavailable."""
        if self._stored is None:
            self._stored = asyncio.ensure_future(self._store())
        stored = iter(await asyncio.shield(self._stored))
        bridge = self._bridge
        now = bridge.clock()
        over = now + self._tenant.attachment_days * DAY
        link = link_hash(bridge.keys, code)
        rows = []
        for each in self._files:
            facts = (bridge.ids.next(), each.name, each.kind, each.size, now, over)
            if each.refused:
                rows.append(Attached(*facts, refused=each.refused))
            else:
                rows.append(Attached(*facts, link, *next(stored)))
            outcome = "refused" if each.refused else "sent"
            bridge.metrics.attachments.labels(outcome).inc()
        return tuple(rows)

    async def _store(self) -> Sequence[tuple[int, str]]:
        """Put the files on disk; the number and the key of each."""
        found = []
        for each in self._files:
            if not each.refused:
                found.append(await self._store_one(each.data))
        return found

    async def _store_one(self, data: bytes) -> tuple[int, str]:
        number, key = self._bridge.ids.next(), new_key()
        store = self._bridge.store
        count = -(-len(data) // CHUNK)
        for first in range(0, count, _AT_ONCE):
            pieces = [
                sealed(key, number, at, data[at * CHUNK : (at + 1) * CHUNK])
                for at in range(first, min(count, first + _AT_ONCE))
            ]
            await asyncio.gather(*(store.write(add_pieces, piece) for piece in pieces))
        return number, b64encode(key).decode()
