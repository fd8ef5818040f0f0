"""A mail whose recipients were accepted comes in; SMS, held messages or an explanation go out.

One reply a recipient, 250 once it is on disk.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge import phone
from bridge.dispatch import senders
from bridge.dispatch.attaching import File, Parcel, new_code
from bridge.dispatch.submit import Ready, keep, made_ready
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused, TryLater
from bridge.model import Class, Origin, State, Submission
from bridge.smtp.address import Address
from bridge.smtp.aliases import as_one, shown_as
from bridge.smtp.compose import Explanation
from bridge.smtp.door import Reply
from bridge.smtp.enclosed import fate, files, shown_size
from bridge.smtp.extract import Extracted, extract
from bridge.smtp.proof import Match, Peer
from bridge.store import ids
from bridge.store.notices import Explained, store_explained
from bridge.store.submissions import Stored

if TYPE_CHECKING:
    from bridge.smtp.gate import Gate

EDGE = "mail"
SMALL = 32 * 1024  # octets of a mail that is looked through for files without a thread
AT_ONCE = 500  # people of a group whose SMS are made together


@dataclass(slots=True)
class Recipient:
    """A recipient that RCPT accepted; of a group its first member, with the `others`."""

    shown: str  # the address as the writer wrote it
    tenant: Tenant
    match: Match
    wanted: Address
    phone: phone.Phone
    originator: str
    name: str = ""  # of the contact or group that was written to
    others: tuple[Recipient, ...] = ()

    def each(self) -> tuple[Recipient, ...]:
        """Those who get an SMS of their own; an explanation is one for all."""
        return (self,) if self.wanted.explain else (self, *self.others)


@dataclass(slots=True)
class Transaction:
    """One mail, from MAIL to its final dot."""

    sender: str
    peer: Peer
    login: str = ""  # who has logged in
    recipients: list[Recipient] = field(default_factory=list)

    def who(self, tenant: Tenant) -> str:
        """The sender as the brakes know them: a login is one, whatever it writes as sender."""
        if self.login and self.peer.login_tenant == tenant.id:
            return f"login:{self.login}"
        return f"{EDGE}:{self.sender.lower()}"


class Mail:
    """One mail after DATA; read once for each tenant that it concerns."""

    def __init__(
        self, gate: Gate, transaction: Transaction, content: bytes, *, own_replies: bool = False
    ) -> None:
        self._gate = gate
        self._bridge = gate.bridge
        self._transaction = transaction
        self._content = content
        self._read: dict[int, Extracted] = {}
        self._proofs: dict[int, asyncio.Future[str]] = {}
        self._own_replies = own_replies  # LMTP: one a recipient
        self._several = False  # people who share one reply: who gets nothing is told of by mail
        self._parcels: dict[int, asyncio.Future[Parcel | None]] = {}

    async def deliver_all(self, recipients: Sequence[Recipient]) -> list[Reply]:
        """A reply a recipient; a person named twice, by whatever name, gets one SMS."""
        people = {_key(one): one for recipient in recipients for one in recipient.each()}
        self._several = len(people) > (len(recipients) if self._own_replies else 1)
        waiting = list(people.items())
        replies: dict[Key, Reply] = {}
        for at in range(0, len(waiting), AT_ONCE):
            some = waiting[at : at + AT_ONCE]
            answers = await asyncio.gather(*(self.deliver(one) for _, one in some))
            replies.update(zip((key for key, _ in some), answers, strict=True))
        return [as_one([replies[_key(one)] for one in each.each()]) for each in recipients]

    async def deliver(self, recipient: Recipient) -> Reply:
        """Store what this recipient gets."""
        try:
            extracted = self._extracted(recipient.tenant)
            if recipient.wanted.explain:
                return await self._explain(recipient, extracted)
            if extracted.automatic:
                raise _automatic(extracted)
            hold = await self._hold(recipient) if recipient.match.needs_dmarc else ""
            submission = self._submission(recipient, extracted, hold)
            if recipient.tenant.attachments != "off":
                return await self._deliver_with_files(recipient, submission)
            ready = self._counted(await made_ready(self._bridge, submission))
            return _kept(await keep(self._bridge, ready.prepared, EDGE))
        except Refused as no:
            return self._gate.refused(no)
        except TryLater as later:
            return Reply(451, later.status, "not stored; please try again later")

    async def _deliver_with_files(self, recipient: Recipient, submission: Submission) -> Reply:
        """As `deliver`, with the mail's files behind a link. Raises Refused, TryLater."""
        parcel = await self._parcel(recipient.tenant)
        code = new_code()
        ready = self._counted(await made_ready(self._bridge, _with_tail(submission, parcel, code)))
        if parcel is not None:
            ready.prepared.files = await parcel.sent_with(code)
        return _kept(await keep(self._bridge, ready.prepared, EDGE))

    def _counted(self, ready: Ready) -> Ready:
        """Whoever gets nothing beside others' 250 is told of by mail: it is kept for that."""
        made = ready.prepared
        made.shares_answer = self._several
        if self._several and made.meter is not None:
            made.meter = replace(made.meter, keeps=True)
        return ready

    async def _parcel(self, tenant: Tenant) -> Parcel | None:
        """The mail's files, read once for each tenant; None without any."""
        if tenant.id not in self._parcels:
            self._parcels[tenant.id] = asyncio.ensure_future(self._read_files(tenant))
        return await self._parcels[tenant.id]

    async def _read_files(self, tenant: Tenant) -> Parcel | None:
        if len(self._content) < SMALL:
            found = files(self._content, tenant)
        else:  # some 10 MB are decoded and looked through
            found = await asyncio.to_thread(files, self._content, tenant)
        sent = [File(e.name, e.kind, e.size, e.data, e.refused) for e in found if not e.ornament]
        return Parcel(self._bridge, tenant, sent) if sent else None

    async def _hold(self, recipient: Recipient) -> str:
        """What `Gate.prove` says, asked once for all people of a group. Raises Refused."""
        match = id(recipient.match)
        if match not in self._proofs:
            proof = self._gate.prove(recipient, self._transaction, self._content)
            self._proofs[match] = asyncio.ensure_future(proof)
        return await self._proofs[match]

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
            programme=wanted.programme or "",
            sender=self._transaction.who(recipient.tenant),
            kind="" if recipient.phone.type == phone.UNKNOWN else recipient.phone.type,
            fold=rule.fold if rule else 0.0,
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
        """`explain.`: nothing is sent, the writer is told what would have been.

        A group is told of at once, where the same would become of all its people.
        """
        people = (recipient, *recipient.others)
        outcomes = Counter([await self._outcome(one, mail) for one in people])
        for outcome, count in outcomes.items():
            shown = recipient.phone.e164
            if recipient.name:
                shown = shown_as(recipient.name, count, len(people))
            await self._tell(recipient.tenant, mail, replace(outcome, shown=shown))
        self._bridge.ring_edge(EDGE)
        return Reply(250, "2.0.0", "explained by mail; nothing is sent")

    async def _outcome(self, recipient: Recipient, mail: Extracted) -> Explanation:
        """What would become of the mail for one person."""
        try:
            if mail.automatic:
                raise _automatic(mail)
            hold = await self._hold(recipient)
            submission = self._submission(recipient, mail, hold)
            if recipient.tenant.attachments != "off":
                parcel = await self._parcel(recipient.tenant)
                submission = _with_tail(submission, parcel, new_code())
            ready = await made_ready(self._bridge, submission)
        except Refused as no:
            return Explanation("", text=mail.text, refused=sentence(no), rules=mail.rules)
        return Explanation(
            "",
            text=ready.segmented.text,
            encoding=ready.segmented.encoding,
            units=ready.segmented.units,
            cost=str(ready.cost(self._bridge) or ""),
            sender=senders.told(ready.prepared.originator),
            rules=(
                *ready.prepared.rules.split(),
                *((f"held: {hold}",) if hold else ()),
                *await self._files_told(recipient.tenant),
            ),
        )

    async def _files_told(self, tenant: Tenant) -> list[str]:
        """A line for each file of the mail: whether it goes."""
        found = await asyncio.to_thread(files, self._content, tenant)
        return [f"{e.name} ({shown_size(e.size)}): {fate(e, tenant.attachments)}" for e in found]

    async def _tell(self, tenant: Tenant, mail: Extracted, told: Explanation) -> None:
        payload = {
            "to": self._transaction.sender,
            "message_id": mail.message_id,
            "references": " ".join(mail.references),
            "subject": mail.subject,
            "told": asdict(told),
        }
        item = Explained(tenant.id, json.dumps(payload), self._bridge.clock())
        await self._bridge.store.write(store_explained, item)


Key = tuple[str, str, str]


def _key(recipient: Recipient) -> Key:
    """What makes two recipients of one mail the same SMS, or the same explanation."""
    wanted = recipient.wanted
    name = recipient.name if wanted.explain else ""
    return recipient.phone.e164, str(wanted._replace(kind="", target="")), name


def _with_tail(submission: Submission, parcel: Parcel | None, code: str) -> Submission:
    """The submission with the link to its files. Raises Refused where its tenant wants that."""
    if parcel is None:
        return submission
    parcel.check(submission.text, submission.not_before)
    tail = parcel.tail(code, submission.country)
    rules = (*submission.rules, *parcel.rules)
    # The same words may come with other files: those are not only counted.
    return replace(submission, tail=tail, rules=rules, fold=0.0)


def _kept(stored: Stored) -> Reply:
    shown = ids.show(stored.id)
    if stored.repeat:
        return Reply(250, "2.0.0", f"accepted before as {shown}")
    if stored.folded:
        return Reply(250, "2.0.0", f"counted as {shown}: the same alert was sent just before")
    if stored.state is State.HELD:
        return Reply(250, "2.0.0", f"held as {shown} until a person releases it")
    return Reply(250, "2.0.0", f"accepted as {shown}")


def _automatic(mail: Extracted) -> Refused:
    return Refused(f"this mail is automatic ({mail.automatic}): no SMS is made of it")


def _moment(local: datetime, e164: str) -> float:
    """A time on the recipient's clock as Unix time."""
    return local.replace(tzinfo=ZoneInfo(phone.zone(e164))).timestamp()


def sentence(no: Refused) -> str:
    """What is wrong, and what to do."""
    return f"{no.sentence}; {no.hint}" if no.hint else no.sentence
