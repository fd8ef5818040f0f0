"""What carriers hand us: receipts and MO parts come in, are stored, and then acknowledged.

A STOP is acknowledged once it is on disk and no part to that person is claimed but unwritten,
here or in another process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import structlog

from bridge import phone, segments
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.bursts import Bursts
from bridge.dispatch.carrier_erasing import asked
from bridge.dispatch.fit import storable
from bridge.dispatch.handset import Handset
from bridge.dispatch.optin import agreement
from bridge.dispatch.own import Addressee, own_message
from bridge.dispatch.stopping import stop, wish
from bridge.dispatch.tenants import Tenant, tenant_of
from bridge.errors import BadNumber, Refused, TryLater
from bridge.model import Inbound, Receipt, State
from bridge.privacy import asking, keywords
from bridge.privacy.requests import Kind
from bridge.privacy.workdays import next_workday
from bridge.store.mo_parts import PartIn
from bridge.store.receipts import ReceiptIn, record_receipts
from bridge.store.replies import (
    OWNERS,
    Agreement,
    Context,
    Heard,
    Judged,
    Known,
    Means,
    ReplyScript,
)
from bridge.store.sql import Values
from bridge.store.submissions import Prepared
from bridge.store.suppressions import IN_FLIGHT, Bound

log = structlog.get_logger("bridge.receive")

CONFIRM_SECONDS = 300.0
SETTLE_SECONDS = 5.0  # how long a STOP waits for parts that other processes have under way


class Reception:
    """The inbox of all carriers of this process (`ports.Inbox`)."""

    def __init__(self, bridge: Bridge, revoke: Callable[[Sequence[int]], None]) -> None:
        self.bridge = bridge
        bridge.silence = self.silence
        self._revoke = revoke
        self.bursts = Bursts(bridge.settings.privacy.stop_burst)
        self.script = ReplyScript(
            bridge.ids.next,
            Means(
                read,
                self._narrowed,
                self._compose,
                self._known,
                self._owner,
                next_workday,
                Handset(bridge),
                self._agrees,
                asked(bridge.settings),
            ),
        )

    async def receipt(self, carrier: str, receipt: Receipt) -> None:
        """Store a receipt. Raises StoreUnavailable."""
        item = ReceiptIn(carrier, receipt, self.bridge.clock())
        accepted_at = await self.bridge.store.write(record_receipts, item)
        if receipt.state is not State.SENT:
            self.bridge.health.reported(carrier, accepted_at, item.now)
        self.bridge.metrics.receipts.labels(carrier, str(receipt.state)).inc()
        if receipt.state is not State.SENT:
            self.bridge.ring_edges()

    async def inbound(self, carrier: str, part: Inbound) -> None:
        """Store an MO part and do what it asks. Raises StoreUnavailable."""
        heard: Heard = await self.bridge.store.write(self.script, self.understood(carrier, part))
        await self.follow(carrier, heard)

    async def follow(self, carrier: str, heard: Heard) -> None:
        """What is to be done after an MO's commit, before its acknowledgement."""
        if heard.bound:
            await self.silence(heard.bound)
        if heard.reply_id is None:
            return
        self.bridge.metrics.replies.labels(carrier, heard.verdict).inc()
        if heard.verdict in ("stop", "start", "intent"):
            await self.bridge.refresh()
        if heard.verdict == "stop":
            self._count(carrier)
        for edge in heard.edges:
            self.bridge.ring_edge(edge)
        if heard.lane:
            self.bridge.ring_lane(heard.lane, heard.reply_id)

    def _count(self, carrier: str) -> None:
        """Many STOPs at once may be somebody's doing (P72): people are told, once a burst."""
        if count := self.bursts.seen(self.bridge.clock()):
            self.bridge.metrics.stop_bursts.inc()
            log.warning("many STOPs within a minute", carrier=carrier, count=count)

    async def opted_out(self, carrier: str, number: str) -> None:
        """A person has opted out with the carrier: for every tenant that knows them (P43).

        Raises StoreUnavailable, TryLater.
        """
        e164, _ = number_of(number)
        keys, now = self.bridge.keys, self.bridge.clock()
        rows = await self.bridge.store.read(OWNERS, all_index=keys.everyone(e164))
        for (tenant_id,) in rows:
            item = wish(keys, tenant_id, e164, scope="tenant", source="carrier", now=now)
            await stop(self.bridge, item)
        log.info("a carrier knows of an opt-out", carrier=carrier, tenants=len(rows))

    async def silence(self, subjects: Sequence[int]) -> None:
        """Return once nothing claimed for these people, and stopped, can leave any more.

        Raises TryLater when another process does not settle what it has claimed.
        """
        bound = Bound.of(subjects)
        self._revoke(bound)
        loop = asyncio.get_running_loop()
        until = loop.time() + SETTLE_SECONDS
        while loop.time() < until:
            flying = await self.bridge.store.read(
                IN_FLIGHT,
                me=self.bridge.incarnation,
                people=Values(bound),
                purpose=bound.purpose,
                programme=bound.programme,
            )
            if not flying:
                return
            await asyncio.sleep(0.02)
        raise TryLater("parts to this person are still under way", "hand the STOP over again")

    def understood(self, carrier: str, part: Inbound) -> PartIn:
        """The part with its numbers in E.164 and its keyed hashes."""
        source, country = number_of(part.source)
        ours, _ = number_of(part.destination)
        keys = self.bridge.keys
        facts = [carrier.encode(), source.encode(), ours.encode()]
        position = b"%d/%d/%d" % (part.ref, part.number, part.total)
        own = part.key.encode()
        return PartIn(
            carrier=carrier,
            part=part,
            source=source,
            ours=ours or self.bridge.carrier(carrier).originator,
            all_index=keys.everyone(source),
            country=country,
            heard_key=keys.repeat(b"heard", *facts, position, own or part.data),
            group_key=keys.repeat(b"group", *facts, b"%d/%d" % (part.ref, part.total)),
            now=self.bridge.clock(),
        )

    def _known(self, tenant_id: int, item: PartIn, programme: int) -> Known:
        keys, number = self.bridge.keys, item.source
        own = (p.id for p in self.bridge.register.programmes_of(tenant_id))
        return Known(
            keys.person(tenant_id, number),
            keys.programme(tenant_id, programme, number) if programme else "",
            tuple(keys.programme(tenant_id, each, number) for each in own),
            keys.moved(tenant_id, number, programme),
            keys.version,
        )

    def _narrowed(self, tenant_id: int, judged: Judged) -> Judged:
        """What a text asks of one of the tenant's programmes, where it names it."""
        for each in self.bridge.register.programmes_of(tenant_id):
            if verdict := keywords.of_programme(judged.text, each.keyword):
                return replace(judged, verdict=verdict, weak=False, programme=each.id)
        return judged

    def _agrees(self, tenant_id: int, item: PartIn, judged: Judged) -> Agreement | None:
        """What a text does to its writer's consents."""
        tenant = self.bridge.register.tenants.get(tenant_id)
        if tenant is None:
            return None
        own = self.bridge.register.programmes_of(tenant_id)
        named = next((each.name for each in own if each.id == judged.programme), "")
        return agreement(tenant, item, judged, named)

    def _owner(self, tenants: Sequence[Sequence[Any]], item: PartIn) -> tuple[int, str] | None:
        """Whose number was written to, when nothing was ever sent to this person."""
        known = [(row[0], row[1], tenant_of(row[0], "", row[1])) for row in tenants]
        for number, kept, tenant in known:
            if item.ours and item.ours in (tenant.originator, *tenant.originators):
                return number, kept
        return (known[0][0], known[0][1]) if len(known) == 1 else None

    def _compose(self, item: PartIn, judged: Judged, context: Context) -> Prepared | None:
        """The one automatic answer to STOP, START or HELP."""
        tenant = self.bridge.register.tenants.get(context.tenant_id)
        if tenant is None:
            return None
        own = {"stop": tenant.stop_text, "start": tenant.start_text, "help": tenant.help_text}
        words = judged.answer or own.get(judged.verdict)
        if not words:
            return None
        to = Addressee(item.source, context.phone_index, item.all_index, item.country, item.ours)
        try:
            return own_message(
                self.bridge,
                tenant,
                to,
                words.replace("{tenant}", self._named(tenant, judged.programme)),
                rule="automatic-answer",
                # A confirmation later than this would be a surprise (P38: within five minutes).
                valid=CONFIRM_SECONDS,
                # An answer leaves by the carrier that brought the word.
                carrier=self.bridge.carrier(item.carrier),
            )
        except Refused:
            log.warning("automatic answer does not fit", tenant=tenant.name, verdict=judged.verdict)
            return None

    def _named(self, tenant: Tenant, programme: int) -> str:
        """The tenant, with the programme where an answer is about one alone."""
        own = self.bridge.register.programmes_of(tenant.id)
        return " ".join([tenant.name, *(each.name for each in own if each.id == programme)])


def number_of(written: str) -> tuple[str, str]:
    """(E.164, country) of a number as a carrier writes it, often without its plus."""
    for candidate in (written, f"+{written}"):
        try:
            found = phone.parse(candidate, None)
        except BadNumber:
            continue
        return found.e164, found.country
    digits = written.lstrip("+")
    if digits.isdigit() and len(digits) > 6:
        return f"+{digits}", ""
    return written, ""


def read(parts: Sequence[Inbound], country: str) -> Judged:
    """Join, decode and judge an MO."""
    text = decode(parts)
    wish = asking.of_sms(text)
    if wish is not None and wish.kind is not Kind.ERASE:
        return Judged(text, "none", "")  # the register hears it; it stops nothing
    found = keywords.verdict(text, country or None)
    return Judged(text, found.verdict, found.keyword or "", found.weak)


def decode(parts: Sequence[Inbound]) -> str:
    """The text of an MO's parts, joined before decoding where they can be (split surrogates)."""
    first = parts[0]
    if all(p.coding == first.coding and p.lang == first.lang for p in parts):
        return storable(_decoded(b"".join(p.data for p in parts), first))
    return storable("".join(_decoded(p.data, p) for p in parts))


def _decoded(data: bytes, part: Inbound) -> str:
    if part.coding in ("gsm7", "ucs2"):
        return segments.decode(data, part.coding, part.lang)
    return data.decode(part.coding, "replace")
