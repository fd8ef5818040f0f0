"""A mail to `privacy@…` comes in; requests go into the register, and their answers go back by mail.

Anybody may write there, proved or not: what is about a number waits until the number is proved, and
an answer tells nobody whether the number is known (PRIVACY P15, P74). Automatic mail opens nothing.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from bridge import phone
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.identity import enter_code
from bridge.dispatch.request_stops import NUMBER
from bridge.dispatch.requests import (
    Ask,
    By,
    Someone,
    open_request,
    tenants_of,
    token_of,
    writes_for,
)
from bridge.dispatch.tenants import Tenant
from bridge.errors import BadNumber, Refused, TryLater
from bridge.privacy import asking
from bridge.privacy.letters import of_country
from bridge.privacy.requests import Kind, State
from bridge.smtp.door import Reply
from bridge.smtp.extract import Extracted, Policy, extract
from bridge.smtp.mailboxes import Measure
from bridge.store.request_rows import OF_PERSON, request_of
from bridge.store.sql import Values

_LONGEST: Final = 2000
_CHANNEL: Final = "mail"


class Letterbox:
    """The mailbox of data subjects."""

    machines = False

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._measure = Measure(bridge.clock)

    def is_it(self, local: str, *, domain: bool) -> bool:
        """Whether the local part of an address of ours is the letterbox."""
        return (
            domain
            and local.strip('"').casefold() == self._bridge.settings.privacy.address.casefold()
        )

    async def take(self, sender: str, content: bytes) -> Reply:
        """Register what a mail asks for; 250 once it is on disk."""
        try:
            mail = extract(content, Policy(own_domains=tuple(self._bridge.settings.smtp.domains)))
            if mail.automatic:
                raise Refused(f"this mail is automatic ({mail.automatic}): it opens no request")
            self._measure.count()
            if not await self._proved(sender, mail.text):
                await self._register(sender, mail)
        except Refused as no:
            return Reply(550, no.status, no.sentence)
        except TryLater as later:
            return Reply(451, later.status, "not registered; please try again later")
        return Reply(250, "2.0.0", "registered; the answer comes by mail")

    async def _proved(self, sender: str, text: str) -> bool:
        """Whether a mail brings back the code that this address was sent.

        Raises Refused for a wrong one, and for one that is over.
        """
        code = asking.code_in(text)
        if not code:
            return False
        token = token_of(self._bridge, Someone(_CHANNEL, sender))
        rows = await self._bridge.store.read(OF_PERSON, tokens=Values([token]))
        waiting = [one for one in map(request_of, rows) if one.state == State.IDENTITY_PENDING]
        why: Refused | None = None
        for request in waiting:
            try:
                await enter_code(self._bridge, request.id, code, By(_CHANNEL, _CHANNEL))
            except Refused as no:
                why = no
            else:
                return True
        if why is not None:
            raise why
        return False

    async def _register(self, sender: str, mail: Extracted) -> None:
        words = f"{mail.subject}\n{mail.text}"
        wish = asking.of_mail(words)
        who, tenants = await self._about(sender, words, wish.lang)
        home: list[Tenant | None] = [*tenants] or [None]
        lang = wish.lang or of_country(self._bridge.settings.region)
        answer = {
            "to": sender,
            "message_id": mail.message_id,
            "references": " ".join(mail.references),
            "subject": mail.subject,
        }
        for tenant in home:
            ask = Ask(
                wish.kind or Kind.ACCESS,
                who,
                tenant,
                _CHANNEL,
                _CHANNEL,
                lang,
                answer,
                {"words": words[:_LONGEST]} | ({"mode": wish.mode} if wish.mode else {}),
                undetermined=wish.kind is None,
                # How many tenants know somebody is nobody's to count.
                quiet=tenant is not home[0],
            )
            await open_request(self._bridge, ask)

    async def _about(self, sender: str, words: str, lang: str) -> tuple[Someone, list[Tenant]]:
        """Whom a mail is about: the one number in it, else its writer; and whose data that is."""
        numbers = {
            found for written in asking.numbers_in(words) if (found := self._number(written, lang))
        }
        if len(numbers) == 1:
            number = numbers.pop()
            return Someone(NUMBER, number), await tenants_of(self._bridge, number)
        return Someone("mail", sender), await writes_for(self._bridge, sender)

    def _number(self, written: str, lang: str) -> str:
        """E.164; a number without a country code is one of ours, or of the language's country."""
        for region in (self._bridge.settings.region, asking.COUNTRIES.get(lang, "")):
            with suppress(BadNumber):
                return phone.parse(written, region).e164
        return ""
