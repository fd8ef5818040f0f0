"""Notices come in; mails go out: answers, reports and explanations, by the smarthost or to the
sandbox's mailbox.

A mail is composed from the store each time it is needed, so nothing of it is kept beside the
facts that it tells.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.policy import default
from typing import Any

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.identity import answer_to, news_code
from bridge.dispatch.lawful import SMARTHOST
from bridge.dispatch.obeyed import Done, stopped, told
from bridge.dispatch.requests import facts, read
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused, TryLater
from bridge.privacy.letters import letter
from bridge.smtp import compose, replyto
from bridge.smtp.compose import Action, Explanation, Fate
from bridge.smtp.letter import Letter, Thread, message_id
from bridge.smtp.outbound import Smarthost
from bridge.store.announcements import KIND, words_of
from bridge.store.conversations import MESSAGE_FACTS, REPLY_FACTS
from bridge.store.notices import MAILBOX, Notice, notice_of

#: RFC 3463 status and a hint for the reasons that our own rules give.
_REASONS = {
    "no-lawful-route": (
        "5.7.1",
        "no carrier of its route may have this tenant's data",
        "ask the operator",
    ),
    "restricted": (
        "5.7.1",
        "this person's data may not be used at present",
        "wait until whoever answers for their data ends that",
    ),
    "opted-out": ("5.7.1", "this person has opted out", "only START from their phone lifts it"),
    "blocked": ("5.7.1", "this number is on the blacklist", "ask the operator"),
    "validity-over": ("4.4.7", "its validity ended before it could be delivered", "send it again"),
    "dropped-by-operator": ("5.7.1", "a person decided not to send it", "ask the operator"),
    "no-consent": (
        "5.7.1",
        "no consent to advertising is recorded for this person any more",
        "nothing, unless they agree again",
    ),
    "too-often": (
        "5.7.1",
        "this person has got as many advertisements as are allowed",
        "send it later",
    ),
    "no-credit": (
        "5.7.1",
        "there was not enough credit left for it",
        "send it again once the credit is topped up",
    ),
    "in-doubt": (
        "4.4.0",
        "the connection to the carrier broke; it may have been sent or not",
        "ask the recipient before you send it again",
    ),
    "never-known": (
        "4.4.7",
        "nobody could tell within 72 hours whether it was sent; it may have arrived",
        "ask the recipient before you send it again",
    ),
}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A composed mail and its envelope."""

    envelope_from: str
    to: str
    content: bytes


class MailNotifier:
    """`dispatch.answer.Notifier` for the mail edge."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        smtp = bridge.settings.smtp
        self._domain = smtp.domains[0]
        self._hostname = smtp.hostname or self._domain
        self._key = replyto.derive(bridge.keys.key("reply address"))
        mail = bridge.settings.mail
        url, seconds = mail.smarthost.get_secret_value(), mail.timeout.total_seconds()
        self._smarthost = Smarthost(url, self._hostname, timeout=seconds) if url else None

    async def tell(self, notice: Notice) -> bool:
        """Send one notice as a mail; True if it stays in our own mailbox.

        Raises TryLater while the smarthost may not have this tenant's data (P50).
        """
        mail = await self.compose(notice)
        if self._smarthost is None:
            return True
        why = self.bridge.lawful.why_not(notice.tenant_id, SMARTHOST)
        if why:
            raise TryLater(f"no mail may leave: {why}", "`bridge subproc list` shows why")
        await self._smarthost.send(mail.envelope_from, mail.to, mail.content)
        return False

    async def close(self) -> None:
        """Close the connection to the smarthost."""
        if self._smarthost is not None:
            await self._smarthost.close()

    async def mailbox(self) -> list[Mapping[str, Any]]:
        """The mails that had no smarthost to leave by, oldest first."""
        found = []
        for row in await self.bridge.store.read(MAILBOX):
            try:
                found.append(_shown(await self.compose(notice_of(row))))
            except Refused:
                continue  # what it told of has been erased
        return found

    async def compose(self, notice: Notice) -> Outgoing:
        """The mail that a notice is. Raises Refused when what it told of is gone."""
        if notice.kind in ("answer", "inbox"):
            return await self._answer(notice)
        if notice.kind == "explained":
            return self._explained(notice)
        if notice.kind == "request":
            return await self._request(notice)
        if notice.kind == KIND:
            return self._told(notice)
        return await self._report(notice)

    async def _answer(self, notice: Notice) -> Outgoing:
        rows = await self.bridge.store.read(REPLY_FACTS, id=notice.reply_id)
        if not rows:
            raise Refused("what this notice told of has been erased")
        _, verdict, partial, at, _, number, text, conversation, writer, origin, *acts = rows[0]
        done = Done(*acts)
        tenant = self.bridge.register.tenants.get(notice.tenant_id)
        to = writer if notice.kind == "answer" else notice.place
        sender = self._sender(conversation, at, tenant)
        letter = self._letter(notice, to, sender, number, at, origin)
        words = text + ("\n\n(Parts of this message are missing.)" if partial else "")
        if notice.kind == "answer":
            footer = "" if stopped(verdict, done) else compose.FOOTER
            note = " ".join(filter(None, (told(verdict, done), footer)))
            return Outgoing(sender, to, compose.answer(letter, words, footer=note))
        note = told(verdict, done) or _why_inbox(conversation)
        content = compose.inbox(letter, f"SMS from {number}", words, note=note)
        return Outgoing(sender if conversation else "", to, content)

    def _sender(self, conversation: int | None, at: float, tenant: Tenant | None) -> str:
        if conversation is None:
            return f"postmaster@{self._domain}"
        window = tenant.reply_window if tenant else 30 * 86400.0
        return f"{replyto.make(conversation, self._key, at + window)}@{self._domain}"

    async def _report(self, notice: Notice) -> Outgoing:
        rows = await self.bridge.store.read(MESSAGE_FACTS, id=notice.message_id)
        if not rows:
            raise Refused("what this notice told of has been erased")
        _, _, reason, created_at, number, writer, origin, _ = rows[0]
        letter = self._letter(
            notice, writer, f"postmaster@{self._domain}", "SMS bridge", notice.created_at, origin
        )
        fate = self._fate(notice.kind, number, reason)
        content = compose.report(letter, [fate], reporting_mta=self._hostname, arrived=created_at)
        return Outgoing("", writer, content)

    def _fate(self, kind: str, number: str, reason: str) -> Fate:
        recipient = f"{number}@{self._domain}"
        if kind == "delivered":
            return Fate(recipient, number, Action.DELIVERED, "2.0.0")
        status, why, hint = _REASONS.get(reason, ("5.0.0", reason, ""))
        if kind == "unknown":
            status, why, hint = _REASONS["in-doubt"]
            return Fate(recipient, number, Action.DELAYED, status, why, hint)
        return Fate(recipient, number, Action.FAILED, status, why, hint)

    def _told(self, notice: Notice) -> Outgoing:
        """What a tenant, or the operator, must be told beside their messages."""
        words = words_of(notice.payload)
        if words is None:
            raise Refused("what this notice told of has been erased")
        name = self.bridge.settings.mail.from_name
        sender = f"postmaster@{self._domain}"
        letter = self._letter(notice, notice.place, sender, name, notice.created_at, None)
        text = "\n".join(words.lines)
        return Outgoing(
            "", notice.place, compose.inbox(letter, words.subject, text, automatic=True)
        )

    def _explained(self, notice: Notice) -> Outgoing:
        kept = json.loads(notice.payload or "{}")
        if not kept:
            raise Refused("what this notice told of has been erased")
        letter = Letter(
            to=kept["to"],
            sender=f"postmaster@{self._domain}",
            name=self.bridge.settings.mail.from_name,
            message_id=message_id("explain", notice.id, notice.created_at, self._domain),
            at=notice.created_at,
            thread=Thread(kept["message_id"], kept["references"], kept["subject"]),
        )
        told = kept["told"]
        told["units"], told["rules"] = tuple(told["units"]), tuple(told["rules"])
        return Outgoing("", kept["to"], compose.explained(letter, Explanation(**told)))

    async def _request(self, notice: Notice) -> Outgoing:
        """News of a data subject's request, in the language that it was written in."""
        kept = json.loads(notice.payload or "{}")
        request = await read(self.bridge, kept["request"]) if kept else None
        to = answer_to(request) if request is not None else {}
        if request is None or not to:
            raise Refused("what this notice told of has been erased")
        news = kept["news"]
        code = news_code(self.bridge, request, news)
        reason = request.extension_reason if news == "extended" else request.reason
        told = facts(self.bridge, request, code=code)
        found = letter(news.partition(":")[0], request.lang, replace(told, reason=reason))
        address = f"{self.bridge.settings.privacy.address}@{self._domain}"
        outside = Letter(
            to=to["to"],
            sender=address,
            name=self.bridge.settings.privacy.operator or self.bridge.settings.mail.from_name,
            message_id=message_id("request", notice.id, notice.created_at, self._domain),
            at=notice.created_at,
            thread=Thread(
                to.get("message_id", ""), to.get("references", ""), to.get("subject", "")
            ),
        )
        return Outgoing("", to["to"], compose.letter(outside, found.subject, found.text))

    def _letter(
        self, notice: Notice, to: str, sender: str, name: str, at: float, origin: str | None
    ) -> Letter:
        kept = json.loads(origin or "{}")
        return Letter(
            to=to,
            sender=sender,
            name=name,
            message_id=message_id(notice.kind, notice.id, notice.created_at, self._domain),
            at=at,
            thread=Thread(
                kept.get("message_id", ""), kept.get("references", ""), kept.get("subject", "")
            ),
        )


def _why_inbox(conversation: int | None) -> str:
    if conversation is None:
        return "Nobody has written to this number lately, so the SMS came to this inbox."
    return "The SMS came to this inbox."


def _shown(mail: Outgoing) -> Mapping[str, Any]:
    """A mail as the sandbox's mailbox lists it."""
    parsed = message_from_bytes(mail.content, policy=default)
    words = parsed.get_body(("plain",))
    return {
        "to": mail.to,
        "subject": str(parsed["Subject"] or ""),
        "headers": {name: str(value) for name, value in parsed.items()},
        "text": words.get_content().replace("\r\n", "\n") if words is not None else "",
    }
