"""An SMS about one's own data comes in with the transaction that stores it; requests go out of it.

A request that a handset writes is proved by it. GDPR alone is answered with the way to the portal.
A no, or a STOP, to the notice of a release ends that release (PRIVACY P73). Nothing else that a
person writes proves a request: it may be somebody else's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.deciding import withdrawing
from bridge.dispatch.identity import hmac_of
from bridge.dispatch.own import Addressee, own_message
from bridge.dispatch.receipt_links import portal
from bridge.dispatch.request_stops import NUMBER
from bridge.dispatch.requests import UNPROVED, Ask, By, Someone, facts, made, verified
from bridge.errors import Refused
from bridge.privacy import asking, letters
from bridge.privacy.requests import rules
from bridge.store import ids
from bridge.store.identity import PASSED, PassCode, pass_code
from bridge.store.mo_parts import PartIn
from bridge.store.replies import Asked, Judged, may_answer
from bridge.store.request_rows import OF_PERSON, request_of
from bridge.store.requests import Check, Opened, move, open_one
from bridge.store.sql import Rows, Script, Values
from bridge.store.submissions import store_submissions

_ANSWER_SECONDS: Final = 3600.0
_RULE: Final = "request-answer"


class Handset:
    """What an MO asks of the register (`store.replies.Asked`)."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def __call__(
        self, item: PartIn, judged: Judged, tenant_id: int, subject_id: int, reply_id: int
    ) -> Script:
        """`Asked`: where an answer waits, and of whom something was stopped."""
        if judged.verdict == "stop" or asking.is_no(judged.text):
            return (yield from self._unwanted(item))
        wish = asking.of_sms(judged.text)
        if wish is None:
            return (yield from self._code(item, judged.text))
        if tenant_id not in self._bridge.register.tenants:
            return Asked()
        lang = wish.lang or letters.of_country(item.country)
        if wish.kind is None:
            return Asked((yield from self._answer(item, tenant_id, "portal", lang, None)))
        tenant = self._bridge.register.tenants[tenant_id]
        proof = Check("handset", item.now, item.now, evidence=ids.show(reply_id), passed=True)
        ask = Ask(
            wish.kind, Someone(NUMBER, item.source), tenant, "sms", "handset", lang, proof=proof
        )
        opened: Opened = yield from open_one(made(self._bridge, ask, subject_id))
        lane = yield from self._answer(item, tenant_id, "opened", lang, opened)
        return Asked(lane, opened.bound)

    def _answer(
        self, item: PartIn, tenant_id: int, news: str, lang: str, opened: Opened | None
    ) -> Script:
        """Queue one answer; its lane, or ""."""
        # A new request is always answered: no auto-responder opens one, and repeats are none.
        new = opened is not None and opened.duplicate_of is None
        if not new and not (yield from may_answer(item)):
            return ""
        bridge, tenant = self._bridge, self._bridge.register.tenants[tenant_id]
        said = letters.Facts("", "", "", "", 0.0, "", portal(bridge))
        if opened is not None and opened.request is not None:
            said = facts(bridge, opened.request)
            if opened.duplicate_of is not None:
                said = replace(said, reference=ids.show(opened.duplicate_of))
        to = Addressee(
            item.source,
            bridge.keys.person(tenant_id, item.source),
            item.all_index,
            item.country,
            item.ours,
        )
        try:
            prepared = own_message(
                bridge,
                tenant,
                to,
                letters.sms(news, lang, said),
                rule=_RULE,
                valid=_ANSWER_SECONDS,
                carrier=bridge.carrier(item.carrier),
            )
        except Refused:
            return ""
        yield from store_submissions([prepared])
        return prepared.lane

    def _mine(self, item: PartIn) -> Script:
        """The requests of this number, newest first."""
        keys = self._bridge.keys
        tokens = Values(k.everyone(item.source) for k in (keys, *keys.older))
        found = yield Rows(OF_PERSON, {"tokens": tokens})
        return [request_of(row) for row in found]

    def _unwanted(self, item: PartIn) -> Script:
        """End what waits for its release: whoever has the number does not want it."""
        ended = None
        for request in (yield from self._mine(item)):
            waits = request.release_at is not None and request.release_at > item.now
            if waits and request.closed_at is None:
                by = By("handset", "sms")
                done = yield from move(withdrawing(self._bridge, request.id, by, "by-handset"))
                ended = request if done.done else ended
        if ended is None or ended.tenant_id not in self._bridge.register.tenants:
            return Asked()
        lane = yield from self._answer(item, ended.tenant_id, "cancelled", ended.lang, None)
        return Asked(lane)

    def _code(self, item: PartIn, text: str) -> Script:
        """A code that comes back from the handset itself."""
        digits = text.strip()
        if not (digits.isdecimal() and len(digits) == rules().code_digits):
            return Asked()
        for request in (yield from self._mine(item)):
            if request.state not in UNPROVED or request.identity_kind != NUMBER:
                continue
            check = Check("sms-code", item.now, item.now)
            then = verified(self._bridge, request, check, "handset")
            kept = hmac_of(self._bridge, request.id, digits)
            tried = PassCode(request.id, kept, rules().code_tries, item.now, then)
            verdict, done = (yield from pass_code([tried]))[0]
            if verdict == PASSED:
                return Asked(bound=done.bound)
        return Asked()
