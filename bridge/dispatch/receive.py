"""What carriers hand us: receipts and MO parts come in, are stored, and then acknowledged.

A STOP is acknowledged once it is on disk and no part to that person is claimed but unwritten,
here or in another process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from bridge import phone, segments
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.fit import fit, storable
from bridge.dispatch.submit import shifts
from bridge.dispatch.tenants import Tenant, tenant_of
from bridge.errors import BadNumber, Refused, TryLater
from bridge.model import Inbound, Receipt, State
from bridge.privacy import keywords
from bridge.store.claims import lane
from bridge.store.receipts import ReceiptIn, record_receipts
from bridge.store.replies import Context, Heard, Judged, PartIn, ReplyScript
from bridge.store.sql import Values
from bridge.store.submissions import Prepared
from bridge.store.suppressions import IN_FLIGHT

log = structlog.get_logger("bridge.receive")

SETTLE_SECONDS = 5.0  # how long a STOP waits for parts that other processes have under way


class Reception:
    """The inbox of all carriers of this process (`ports.Inbox`)."""

    def __init__(self, bridge: Bridge, revoke: Callable[[Sequence[int]], None]) -> None:
        self.bridge = bridge
        self._revoke = revoke
        self.script = ReplyScript(
            bridge.ids.next, read, self._compose, bridge.keys.person, self._owner
        )

    async def receipt(self, carrier: str, receipt: Receipt) -> None:
        """Store a receipt. Raises StoreUnavailable."""
        item = ReceiptIn(carrier, receipt, self.bridge.clock())
        await self.bridge.store.write(record_receipts, item)
        self.bridge.metrics.receipts.labels(carrier, str(receipt.state)).inc()
        if receipt.state is not State.SENT:
            self.bridge.ring_edges()

    async def inbound(self, carrier: str, part: Inbound) -> None:
        """Store an MO part and do what it asks. Raises StoreUnavailable."""
        heard: Heard = await self.bridge.store.write(self.script, self.understood(carrier, part))
        await self.follow(carrier, heard)

    async def follow(self, carrier: str, heard: Heard) -> None:
        """What is to be done after an MO's commit, before its acknowledgement."""
        if heard.subjects:
            await self.silence(heard.subjects)
        if heard.reply_id is None:
            return
        self.bridge.metrics.replies.labels(carrier, heard.verdict).inc()
        if heard.verdict in ("stop", "start"):
            await self.bridge.refresh()
        for edge in heard.edges:
            self.bridge.ring_edge(edge)
        if heard.lane:
            self.bridge.ring_lane(heard.lane, heard.reply_id)

    async def silence(self, subjects: Sequence[int]) -> None:
        """Return once nothing claimed for these people can leave any more.

        Raises TryLater when another process does not settle what it has claimed.
        """
        self._revoke(subjects)
        loop = asyncio.get_running_loop()
        until = loop.time() + SETTLE_SECONDS
        while loop.time() < until:
            flying = await self.bridge.store.read(
                IN_FLIGHT, me=self.bridge.incarnation, people=Values(subjects)
            )
            if not flying:
                return
            await asyncio.sleep(0.02)
        raise TryLater("parts to this person are still under way", "hand the STOP over again")

    def understood(self, carrier: str, part: Inbound) -> PartIn:
        """The part with its numbers in E.164 and its keyed hashes."""
        source, country = _number(part.source)
        ours, _ = _number(part.destination)
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

    def _owner(self, tenants: Sequence[Sequence[Any]], item: PartIn) -> tuple[int, str] | None:
        """Whose number was written to, when nothing was ever sent to this person."""
        known = [(row[0], row[1], tenant_of(row[0], "", row[1])) for row in tenants]
        for number, kept, tenant in known:
            if tenant.originator and tenant.originator == item.ours:
                return number, kept
        return (known[0][0], known[0][1]) if len(known) == 1 else None

    def _compose(self, item: PartIn, judged: Judged, context: Context) -> Prepared | None:
        """The one automatic answer to STOP, START or HELP."""
        tenant = self.bridge.register.tenants.get(context.tenant_id)
        if tenant is None:
            return None
        words = {"stop": tenant.stop_text, "start": tenant.start_text, "help": tenant.help_text}[
            judged.verdict
        ]
        if not words:
            return None
        carrier = self._way_back(item)
        try:
            segmented = fit(tenant, words.replace("{tenant}", tenant.name), shifts(carrier))
        except Refused:
            log.warning("automatic answer does not fit", tenant=tenant.name, verdict=judged.verdict)
            return None
        return self._prepared(item, context, tenant, segmented, carrier.name)

    def _way_back(self, item: PartIn) -> Any:
        """An answer leaves by the carrier that brought the word."""
        return self.bridge.carrier(item.carrier)

    def _prepared(
        self,
        item: PartIn,
        context: Context,
        tenant: Tenant,
        segmented: segments.Segmented,
        carrier: str,
    ) -> Prepared:
        return Prepared(
            id=self.bridge.ids.next(),
            tenant_id=tenant.id,
            phone=item.source,
            phone_index=context.phone_index,
            all_index=item.all_index,
            country=item.country,
            originator=item.ours,
            origin_kind="bridge",
            origin_address="",
            origin="",
            klass="transactional",
            urgent=True,
            text=segmented.text,
            encoding=segmented.encoding,
            lang=segmented.lang,
            parts=len(segmented.parts),
            rules="automatic-answer",
            state=str(State.QUEUED),
            reason="",
            lane=lane(carrier, True),
            due_at=item.now,
            # A confirmation later than this would be a surprise (P38: within five minutes).
            expires_at=item.now + 300,
            now=item.now,
            dedupe=None,
            exempt=True,
        )


def _number(written: str) -> tuple[str, str]:
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
    found = keywords.verdict(text, country or None)
    return Judged(text, found.verdict, found.keyword or "")


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
