"""The SMTP edge's door: what a mail session asks comes in, submissions and answers go out.

Refusals that need no content happen at RCPT, per recipient. After DATA the text is made, the
sender's remaining proof judged, and every recipient stored in one commit before anyone hears 250.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING, cast

import structlog

from bridge import phone
from bridge.dispatch import contacts
from bridge.dispatch.brakes import check_number
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.contacts import Found, NobodyOfThisName
from bridge.dispatch.tenants import Register, Tenant
from bridge.errors import BadAddress, Refused
from bridge.model import Class
from bridge.smtp import address as addresses
from bridge.smtp import replyto
from bridge.smtp.address import Address
from bridge.smtp.delivering import EDGE, Mail, Recipient, Transaction, sentence
from bridge.smtp.door import Refusal, Reply, Session
from bridge.smtp.extract import Policy
from bridge.smtp.letterbox import Letterbox
from bridge.smtp.login import Verifier
from bridge.smtp.mailboxes import Box
from bridge.smtp.postmaster import Postmaster
from bridge.smtp.proof import Match, Peer, Prover, Rule, Ruleset
from bridge.smtp.ruling import Ruling
from bridge.store.conversations import CONVERSATION

if TYPE_CHECKING:
    from bridge.smtp.dns import Resolver

log = structlog.get_logger("bridge.smtp")


class Gate:
    """`door.Door` over the dispatcher."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self._domains = frozenset(bridge.settings.smtp.domains)
        self._reply_key = replyto.derive(bridge.keys.key("reply address"))
        self._mailboxes = (Letterbox(bridge), Postmaster(bridge))
        self._verifier = Verifier()
        self._prover = Prover(_resolver(bridge.settings.smtp.nameservers))
        self._ruleset = Ruleset(())
        self._policies: dict[int, Policy] = {}
        bridge.on_register.append(self.learn)
        self.learn(bridge.register)

    def learn(self, register: Register) -> None:
        """Take over new tenants and rules."""
        rules = [
            Rule(r.tenant, r.address, r.proofs, Class(r.klass), r.fold) for r in register.rules
        ]
        self._ruleset = Ruleset(rules, register.tokens)
        self._policies = {
            number: Policy(
                subject=tenant.subject,
                prefix=tenant.prefix,
                end_markers=tenant.end_markers,
                own_domains=tuple(self._domains),
            )
            for number, tenant in register.tenants.items()
        }

    def close(self) -> None:
        """Give back the threads."""
        self._verifier.close()
        self._prover.close()

    # What the session asks

    async def login(self, session: Session, user: str, password: str) -> bool:  # noqa: ARG002
        """Whether the password is the user's."""
        known = self.bridge.register.logins.get(user)
        return await self._verifier.verify(known[1] if known else None, password)

    def mail(self, session: Session, sender: str) -> Transaction:
        """A mail begins."""
        login = self.bridge.register.logins.get(session.login) if session.login else None
        peer = Peer(session.peer, session.helo, login[0] if login else None)
        return Transaction(sender, peer, session.login or "" if login else "")

    def recipient(
        self,
        session: Session,  # noqa: ARG002 - all that matters of it is in the transaction
        transaction: object,
        address: str,
    ) -> Box | Recipient | Awaitable[Recipient]:
        """Whether this recipient may be written to by this sender. Raises Refusal."""
        ours = cast("Transaction", transaction)
        try:
            if box := self._box(ours, address):
                return box
            found = self._recipient(ours, address)
        except Refused as no:
            raise self._refusal(no) from no
        if isinstance(found, Recipient):
            ours.recipients.append(found)
        return found

    def _box(self, transaction: Transaction, address: str) -> Box | None:
        """A mailbox of our own, which anybody may write to. Raises Refused."""
        local, at, domain = address.rpartition("@")
        if at and domain.lower() not in self._domains:
            return None
        written = local if at else address
        for each in self._mailboxes:
            if each.is_it(written, domain=bool(at)):
                if not (transaction.sender or each.machines):
                    raise Refused("bounces and automatic answers are not read here")
                return Box(address, each)
        return None

    def _recipient(
        self, transaction: Transaction, address: str
    ) -> Recipient | Awaitable[Recipient]:
        local, _, domain = address.rpartition("@")
        if domain.lower() not in self._domains:
            raise Refused(
                f"mail for {domain[:100] or 'an address without a domain'} is not taken here",
                f"write to number@{self.bridge.settings.smtp.domains[0]}",
            )
        if not transaction.sender:
            raise Refused("bounces and automatic answers never become SMS")
        wanted = addresses.parse(local)
        match = self._ruleset.at_rcpt(transaction.peer, transaction.sender, wanted.token)
        if match.rule is None:
            raise Refused(match.reason)
        tenant = self.bridge.register.tenants[match.rule.tenant]
        if wanted.kind == addresses.REPLY:
            return self._by_conversation(transaction, address, local, wanted, match, tenant)
        if wanted.kind == addresses.ALIAS:
            return self._by_name(transaction, address, wanted, match, tenant)
        number = phone.parse(wanted.target, tenant.region)
        originator = wanted.originator or ""
        return self._accepted(transaction, address, tenant, match, wanted, number, originator)

    def _accepted(
        self,
        transaction: Transaction,
        shown: str,
        tenant: Tenant,
        match: Match,
        wanted: Address,
        number: phone.Phone,
        originator: str,
    ) -> Recipient:
        kind = "" if number.type == phone.UNKNOWN else number.type
        check_number(tenant, number.e164, number.country, kind)
        bridge = self.bridge
        if not wanted.explain:
            bridge.brakes.refuse(bridge.keys, tenant, transaction.who(tenant), number.e164)
            klass = wanted.klass or (match.rule.klass if match.rule is not None else "")
            bridge.lists.refuse(bridge.keys, tenant.id, number.e164, number.country, klass)
        return Recipient(shown, tenant, match, wanted, number, originator)

    async def _by_name(
        self,
        transaction: Transaction,
        address: str,
        wanted: Address,
        match: Match,
        tenant: Tenant,
    ) -> Recipient:
        """A contact or a group of the tenant whose sender this is."""
        try:
            (found,) = await contacts.people(self.bridge, tenant, [wanted.target])
            recipient = self._named(transaction, address, tenant, match, wanted, found)
        except NobodyOfThisName as no:
            domain = self.bridge.settings.smtp.domains[0]
            hint = f"ask who keeps the names, or write to a number: +420601123456@{domain}"
            raise self._refusal(BadAddress(no.sentence, hint, status=no.status)) from no
        except Refused as no:
            raise self._refusal(no) from no
        transaction.recipients.append(recipient)
        return recipient

    def _named(
        self,
        transaction: Transaction,
        shown: str,
        tenant: Tenant,
        match: Match,
        wanted: Address,
        found: Found,
    ) -> Recipient:
        """Everybody of this name, where one of them may be written to. Raises Refused."""
        numbers = [phone.Phone(p.e164, p.country, phone.UNKNOWN) for p in found.people]
        refusals = []
        for number in numbers:
            try:
                originator = wanted.originator or ""
                first = self._accepted(
                    transaction, shown, tenant, match, wanted, number, originator
                )
            except Refused as no:
                refusals.append(no)
                continue
            first.name = found.name
            # What one person's number forbids is not the group's fault: it is said after DATA.
            others = tuple(replace(first, phone=each) for each in numbers if each is not number)
            return replace(first, others=others)
        only = refusals[0]
        if len(numbers) == 1:
            raise only
        raise Refused(
            f"nobody in this group can be written to: {only.sentence}", status=only.status
        )

    async def _by_conversation(
        self,
        transaction: Transaction,
        address: str,
        local: str,
        wanted: Address,
        match: Match,
        tenant: Tenant,
    ) -> Recipient:
        """A reply address names its conversation; only its tenant's senders may use it."""
        number = replyto.read(local, self._reply_key, self.bridge.clock())
        rows = await self.bridge.store.read(CONVERSATION, id=number) if number is not None else []
        if not rows or rows[0][1] != tenant.id:
            raise Refusal(550, "5.1.1", "this reply address is unknown or has expired")
        try:
            number_ = phone.parse(rows[0][2])
            found = self._accepted(transaction, address, tenant, match, wanted, number_, rows[0][3])
        except Refused as no:
            raise self._refusal(no) from no
        transaction.recipients.append(found)
        return found

    async def data(
        self,
        session: Session,
        transaction: object,
        sender: str,  # noqa: ARG002
        recipients: list[object],
        content: bytes,
    ) -> list[Reply]:
        """Make SMS of a mail; one reply a recipient, 250 once it is on disk."""
        began = perf_counter()
        ours = cast("Transaction", transaction)
        if any(isinstance(each, Box) for each in recipients):
            return await self._with_letters(ours, recipients, content)
        mail = Mail(self, ours, content, own_replies=session.lmtp)
        wanted = cast("list[Recipient]", recipients)
        if len(wanted) == 1 and not wanted[0].others:
            replies = [await mail.deliver(wanted[0])]
        else:
            replies = await mail.deliver_all(wanted)
        self.bridge.metrics.accept_seconds.observe(perf_counter() - began)
        return replies

    async def _with_letters(
        self, transaction: Transaction, recipients: list[object], content: bytes
    ) -> list[Reply]:
        """A mail to mailboxes of ours, and perhaps to people beside: each has its own reply."""
        letters = {
            mailbox: await mailbox.take(transaction.sender, content)
            for mailbox in {each.mailbox for each in recipients if isinstance(each, Box)}
        }
        others = cast("list[Recipient]", [r for r in recipients if not isinstance(r, Box)])
        told = iter(await Mail(self, transaction, content).deliver_all(others) if others else [])
        return [
            letters[each.mailbox] if isinstance(each, Box) else next(told) for each in recipients
        ]

    # What decisions become

    def policy(self, tenant: Tenant) -> Policy:
        """How this tenant's mails become text."""
        return self._policies[tenant.id]

    async def prove(self, recipient: Recipient, transaction: Transaction, content: bytes) -> str:
        """The reason to hold the mail, "" if its sender is proved. Raises Refused."""
        if not recipient.match.needs_dmarc:
            return ""
        proof = await self._prover.prove(
            recipient.match, content, transaction.peer, transaction.sender
        )
        if proof.ruling is Ruling.REFUSE:
            raise Refused(proof.reason)
        return proof.reason if proof.ruling is Ruling.HOLD else ""

    def _refusal(self, no: Refused) -> Refusal:
        self.bridge.metrics.refused.labels(EDGE, type(no).__name__).inc()
        return Refusal(550, no.status, sentence(no))

    def refused(self, no: Refused) -> Reply:
        """A permanent no after DATA."""
        self.bridge.metrics.refused.labels(EDGE, type(no).__name__).inc()
        return Reply(550, no.status, sentence(no))


def _resolver(nameservers: Sequence[str]) -> Callable[[], Resolver]:
    """Who asks the DNS, made when it is needed. Raises Misconfigured at once for a bad server."""

    @cache
    def made() -> Resolver:
        from bridge.smtp.dns import Resolver

        return Resolver(nameservers)

    if nameservers:
        made()
    return made
