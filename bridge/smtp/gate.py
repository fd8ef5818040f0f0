"""The SMTP edge's door: what a mail session asks comes in, submissions and answers go out.

Refusals that need no content happen at RCPT, per recipient. After DATA the text is made, the
sender's remaining proof judged, and every recipient stored in one commit before anyone hears 250.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import cast
from zoneinfo import ZoneInfo

import structlog

from bridge import phone
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.submit import check_country, keep, prepare
from bridge.dispatch.tenants import Register, Tenant
from bridge.errors import BadAddress, Refused, TryLater
from bridge.model import Class, Origin, State, Submission
from bridge.smtp import address as addresses
from bridge.smtp import replyto
from bridge.smtp.address import Address
from bridge.smtp.compose import Explanation
from bridge.smtp.dmarc import Ruling
from bridge.smtp.dns import Resolver
from bridge.smtp.door import Refusal, Reply, Session
from bridge.smtp.extract import Extracted, Policy, extract
from bridge.smtp.login import Verifier
from bridge.smtp.proof import Match, Peer, Prover, Rule, Ruleset
from bridge.store import ids
from bridge.store.conversations import CONVERSATION
from bridge.store.notices import Explained, store_explained
from bridge.store.submissions import Stored

log = structlog.get_logger("bridge.smtp")

EDGE = "mail"


@dataclass(slots=True)
class Recipient:
    """A recipient that RCPT accepted."""

    shown: str  # the address as the writer wrote it
    tenant: Tenant
    match: Match
    wanted: Address
    phone: phone.Phone
    originator: str


@dataclass(slots=True)
class Transaction:
    """One mail, from MAIL to its final dot."""

    sender: str
    peer: Peer
    recipients: list[Recipient] = field(default_factory=list)


class Gate:
    """`door.Door` over the dispatcher."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self._domains = frozenset(bridge.settings.smtp.domains)
        self._reply_key = replyto.derive(bridge.keys.key("reply address"))
        self._verifier = Verifier()
        self._prover = Prover(Resolver(bridge.settings.smtp.nameservers))
        self._ruleset = Ruleset(())
        self._policies: dict[int, Policy] = {}
        bridge.on_register.append(self.learn)
        self.learn(bridge.register)

    def learn(self, register: Register) -> None:
        """Take over new tenants and rules."""
        rules = [Rule(r.tenant, r.address, r.proofs, Class(r.klass)) for r in register.rules]
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
        return Transaction(sender, peer)

    def recipient(
        self,
        session: Session,  # noqa: ARG002 - all that matters of it is in the transaction
        transaction: object,
        address: str,
    ) -> Recipient | Awaitable[Recipient]:
        """Whether this recipient may be written to by this sender. Raises Refusal."""
        ours = cast("Transaction", transaction)
        try:
            found = self._recipient(ours, address)
        except Refused as no:
            raise self._refusal(no) from no
        if isinstance(found, Recipient):
            ours.recipients.append(found)
        return found

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
            raise BadAddress(
                "this address has no number",
                f"write to number@{domain}, such as +420601123456@{domain}",
                status="5.1.1",
            )
        number = phone.parse(wanted.target, tenant.region)
        return self._accepted(address, tenant, match, wanted, number, wanted.originator or "")

    def _accepted(
        self,
        shown: str,
        tenant: Tenant,
        match: Match,
        wanted: Address,
        number: phone.Phone,
        originator: str,
    ) -> Recipient:
        check_country(tenant, number.country)
        bridge = self.bridge
        if bridge.hints and not wanted.explain:
            tokens = {bridge.keys.person(tenant.id, number.e164), bridge.keys.everyone(number.e164)}
            if tokens & bridge.hints:
                raise Refused(
                    "this person has opted out of messages", "only START from their phone lifts it"
                )
        return Recipient(shown, tenant, match, wanted, number, originator)

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
            found = self._accepted(
                address, tenant, match, wanted, phone.parse(rows[0][2]), rows[0][3]
            )
        except Refused as no:
            raise self._refusal(no) from no
        transaction.recipients.append(found)
        return found

    async def data(
        self,
        session: Session,  # noqa: ARG002
        transaction: object,
        sender: str,  # noqa: ARG002
        recipients: list[object],
        content: bytes,
    ) -> list[Reply]:
        """Make SMS of a mail; one reply a recipient, 250 once it is on disk."""
        began = perf_counter()
        mail = Mail(self, cast("Transaction", transaction), content)
        wanted = cast("list[Recipient]", recipients)
        if len(wanted) == 1:
            replies = [await mail.deliver(wanted[0])]
        else:
            replies = await mail.deliver_all(wanted)
        self.bridge.metrics.accept_seconds.observe(perf_counter() - began)
        return replies

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
        return Refusal(550, no.status, _sentence(no))

    def refused(self, no: Refused) -> Reply:
        """A permanent no after DATA."""
        self.bridge.metrics.refused.labels(EDGE, type(no).__name__).inc()
        return Reply(550, no.status, _sentence(no))


class Mail:
    """One mail after DATA; read once for each tenant that it concerns."""

    def __init__(self, gate: Gate, transaction: Transaction, content: bytes) -> None:
        self._gate = gate
        self._bridge = gate.bridge
        self._transaction = transaction
        self._content = content
        self._read: dict[int, Extracted] = {}

    async def deliver_all(self, recipients: Sequence[Recipient]) -> list[Reply]:
        """A reply a recipient; a number named twice gets one SMS."""
        first: dict[tuple[str, str], asyncio.Task[Reply]] = {}
        tasks = []
        for recipient in recipients:
            key = (recipient.phone.e164, str(recipient.wanted._replace(target="")))
            if key not in first:
                first[key] = asyncio.create_task(self.deliver(recipient))
            tasks.append(first[key])
        return list(await asyncio.gather(*tasks))

    async def deliver(self, recipient: Recipient) -> Reply:
        """Store what this recipient gets."""
        try:
            extracted = self._extracted(recipient.tenant)
            if recipient.wanted.explain:
                return await self._explain(recipient, extracted)
            if extracted.automatic:
                raise _automatic(extracted)
            hold = await self._gate.prove(recipient, self._transaction, self._content)
            submission = self._submission(recipient, extracted, hold)
            ready = prepare(self._bridge, submission)
            return _kept(await keep(self._bridge, ready.prepared, EDGE))
        except Refused as no:
            return self._gate.refused(no)
        except TryLater as later:
            return Reply(451, later.status, "not stored; please try again later")

    def _extracted(self, tenant: Tenant) -> Extracted:
        found = self._read.get(tenant.id)
        if found is None:
            found = self._read[tenant.id] = extract(self._content, self._gate.policy(tenant))
        return found

    def _submission(self, recipient: Recipient, mail: Extracted, hold: str) -> Submission:
        rule, wanted = recipient.match.rule, recipient.wanted
        ruled = rule.klass if rule else Class.TRANSACTIONAL
        klass = Class(wanted.klass) if wanted.klass else ruled
        return Submission(
            tenant=recipient.tenant.id,
            origin=Origin(
                EDGE,
                self._transaction.sender,
                {
                    "message_id": mail.message_id,
                    "references": " ".join(mail.references),
                    "subject": mail.subject,
                },
            ),
            destination=recipient.phone.e164,
            country=recipient.phone.country,
            text=mail.text,
            klass=klass,
            urgent=wanted.urgent or mail.urgent,
            originator=recipient.originator,
            not_before=_moment(wanted.at, recipient.phone.e164) if wanted.at else None,
            hold=hold,
            dedupe=self._identity(recipient, mail),
            rules=mail.rules,
        )

    def _identity(self, recipient: Recipient, mail: Extracted) -> bytes | None:
        """What makes this mail to this person the same mail; without a Message-ID nothing does."""
        if not mail.message_id:
            return None
        wanted = recipient.wanted
        facts = (
            str(recipient.tenant.id),
            self._transaction.sender,
            recipient.phone.e164,
            mail.message_id,
            mail.text,
            str(wanted.at or ""),
            wanted.originator or "",
        )
        return "\0".join(facts).encode("utf-8", "surrogatepass")

    async def _explain(self, recipient: Recipient, mail: Extracted) -> Reply:
        """`explain.`: nothing is sent, the writer is told what would have been."""
        told = Explanation(shown=recipient.phone.e164, text=mail.text, rules=mail.rules)
        try:
            if mail.automatic:
                raise _automatic(mail)
            hold = await self._gate.prove(recipient, self._transaction, self._content)
            ready = prepare(self._bridge, self._submission(recipient, mail, hold))
            told = Explanation(
                shown=recipient.phone.e164,
                text=ready.segmented.text,
                encoding=ready.segmented.encoding,
                units=ready.segmented.units,
                rules=tuple(ready.prepared.rules.split()) + ((f"held: {hold}",) if hold else ()),
            )
        except Refused as no:
            told = Explanation(
                shown=recipient.phone.e164, text=mail.text, refused=_sentence(no), rules=mail.rules
            )
        payload = {
            "to": self._transaction.sender,
            "message_id": mail.message_id,
            "references": " ".join(mail.references),
            "subject": mail.subject,
            "told": asdict(told),
        }
        item = Explained(recipient.tenant.id, json.dumps(payload), self._bridge.clock())
        await self._bridge.store.write(store_explained, item)
        self._bridge.ring_edge(EDGE)
        return Reply(250, "2.0.0", "explained by mail; nothing is sent")


def _kept(stored: Stored) -> Reply:
    shown = ids.show(stored.id)
    if stored.repeat:
        return Reply(250, "2.0.0", f"accepted before as {shown}")
    if stored.state is State.HELD:
        return Reply(250, "2.0.0", f"held as {shown} until a person releases it")
    return Reply(250, "2.0.0", f"accepted as {shown}")


def _automatic(mail: Extracted) -> Refused:
    return Refused(f"this mail is automatic ({mail.automatic}): no SMS is made of it")


def _moment(local: datetime, e164: str) -> float:
    """A time on the recipient's clock as Unix time."""
    zones = phone.zones(e164)
    zone = ZoneInfo(zones[0]) if zones else UTC
    return local.replace(tzinfo=zone).timestamp()


def _sentence(no: Refused) -> str:
    return f"{no.sentence}; {no.hint}" if no.hint else no.sentence
