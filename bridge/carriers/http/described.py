"""Any provider over HTTP, wholly described in bridge.toml: parts, answers and callbacks in;
requests and our words for what was said out.

The description is read and checked at start (`settings/described.py`); docs/carriers.md tells how
to write one. Receipts name the provider's id where the answer has one, and else ours, `{id}`.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from typing import ClassVar, Final, Literal

from bridge import segments
from bridge.carriers.http.erasing import ErasingProvider
from bridge.carriers.http.erasing import by_status as erased_by_status
from bridge.carriers.http.filling import asked, filled, paged
from bridge.carriers.http.finding import Found, pointed
from bridge.carriers.http.listing import Listed, ListingProvider
from bridge.carriers.http.provider import (
    Answer,
    Call,
    Callback,
    Doors,
    Heard,
    Unreadable,
    basic,
    by_status,
    mo,
    retry_after,
    whole_number,
    word,
)
from bridge.carriers.http.reading import digits, iso, moment, reference, seconds_left
from bridge.errors import Misconfigured
from bridge.model import (
    Erased,
    Fate,
    Inbound,
    OptedOut,
    OptOutPage,
    Outcome,
    Part,
    Receipt,
    State,
    Verdict,
)
from bridge.settings import Carrier as Config
from bridge.settings.described import Erasing, OptOuts, Refusal, Request, Signature, seconds
from bridge.settings.describing import Place, Template
from bridge.settings.patterns import SEARCHED

LONGEST_VALIDITY: Final = 30 * 86_400
_HASHES: Final = {"hmac-sha256": "sha256", "hmac-sha1": "sha1"}
_IGNORED: Final = "ignored"


class Described(ListingProvider, ErasingProvider):
    """An account at a provider that the operator has described. Raises Misconfigured."""

    list_hint: ClassVar[str] = "check [carriers.optouts] and what the account may read"
    erase_hint: ClassVar[str] = "check [carriers.erasing] and what the account may delete"

    def __init__(self, config: Config, doors: Doors) -> None:
        super().__init__(config, doors)
        if config.request is None or config.answer is None:
            raise Misconfigured(
                f'[[carriers]] "{config.name}": a carrier of kind "http" is described',
                "add the tables request and answer; docs/carriers.md has an example",
            )
        self._request = config.request
        self._answer = config.answer
        self._signature = config.signature
        self._counted = any("parts" in each.names for each in self._request.all())
        self._account = _account(config, self._request)

    @property
    def signed(self) -> bool:
        """Where a signature is described."""
        return self._signature is not None

    def request(self, part: Part, now: float, _token: str) -> Call:
        """The described request, filled."""
        return filled(self._request, self._values(part, now), self.base)

    def _values(self, part: Part, now: float) -> dict[str, str]:
        config, sender = self.config, self.sender(part)
        valid = seconds_left(part, now, longest=LONGEST_VALIDITY)
        receipts = self.url("receipt") if config.receipts and config.receipt else ""
        return {
            **self._account,
            "to": part.destination,
            "to_digits": digits(part.destination),
            "from": sender,
            "from_digits": digits(sender),
            "text": part.text,
            "id": reference(part),
            "encoding": self._request.encodings.get(_alphabet(part), part.encoding),
            "parts": str(_parts(part)) if self._counted else "",
            "validity_seconds": str(valid) if valid else "",
            "validity_minutes": str(max(1, valid // 60)) if valid else "",
            "expires": iso(now + valid) if valid else "",
            "receipt_url": receipts,
        }

    def outcome(self, answer: Answer) -> Outcome:
        """The first refusal that holds; else success as described; else the status of HTTP."""
        said, described = Found(answer), self._answer
        for refusal in described.errors:
            if _holds(refusal, answer, said):
                return Outcome(
                    Verdict(refusal.verdict), "", refusal.reason, _pause(refusal, answer)
                )
        if answer.status not in described.success:
            return by_status(answer)
        if described.pattern is not None and not said.matches(described.pattern, described.at):
            return Outcome(Verdict.UNKNOWN, reason="the answer is none of those described")
        if described.id is None:
            return Outcome(Verdict.ACCEPTED)
        if name := said.text(described.id):
            return Outcome(Verdict.ACCEPTED, name)
        return Outcome(Verdict.UNKNOWN, reason="the answer has no id where answer.id looks for it")

    def known_as(self, part: Part) -> str:
        """Ours, where the provider gives no id of its own."""
        return reference(part) if self._answer.id is None else ""

    def probe(self, _token: str) -> Call:
        """The described check, or the provider's host asked for nothing."""
        return asked(self._request, self._account, self.base)

    def probed(self, answer: Answer) -> str:
        """Without a described check any answer shows that the provider is there."""
        return super().probed(answer) if self._request.check else ""

    def genuine(self, callback: Callback) -> bool:
        """As the signature is described."""
        return self._signature is not None and _genuine(self._signature, callback)

    def heard(self, callback: Callback) -> Heard:
        """Receipts, or MO, from where they are described to stand."""
        if callback.what == "inbound":
            return self._inbound(Found(callback))
        return self._receipts(Found(callback))

    @property
    def lists(self) -> bool:
        """Where a list is described."""
        return self.config.optouts is not None

    def list_call(self, page: str, _token: str) -> Call:
        """The page's address, with the headers of the request."""
        where = self._optouts
        values = self._account | {"page": page or str(where.first)}
        return paged(self._request, where.url, values, self.base)

    def listed(self, answer: Answer, page: str) -> Listed:
        """The entries that are meant; the end is told, or a page without any."""
        where, said = self._optouts, answer.json()
        found = pointed(said, where.many.steps if where.many else ())
        if not isinstance(found, list):
            raise Unreadable("there is no list where `many` looks for it")
        people = [each for entry in found if (each := _opted_out(entry, where)) is not None]
        following = (whole_number(page) if page else where.first) + 1
        last = True  # a list in one piece
        if where.pages is not None:
            last = following - where.first >= whole_number(pointed(said, where.pages.steps))
        elif "page" in where.url.names:
            last = not found
        return Listed(OptOutPage(people), "" if last else str(following))

    @property
    def _optouts(self) -> OptOuts:
        assert self.config.optouts is not None  # noqa: S101 - what `lists` says
        return self.config.optouts

    @classmethod
    def erases(cls, config: Config) -> bool:
        """Where it is described how."""
        return config.erasing is not None

    def reaches(self, *, inbound: bool) -> bool:
        """Where its address is described."""
        return self._record(inbound=inbound) is not None

    def erase_call(self, carrier_id: str, _token: str, *, inbound: bool) -> Call:
        """The record's address, with the headers of the request."""
        address = self._record(inbound=inbound)
        assert address is not None  # noqa: S101 - what `reaches` says
        values = self._account | {"id": carrier_id}
        return paged(self._request, address, values, self.base, self._erasing.method)

    def _record(self, *, inbound: bool) -> Template | None:
        return self._erasing.inbound if inbound else self._erasing.url

    @property
    def _erasing(self) -> Erasing:
        assert self.config.erasing is not None  # noqa: S101 - what `erases` says
        return self.config.erasing

    def erased(self, answer: Answer) -> Erased:
        """By the status of HTTP."""
        if answer.status in self._erasing.gone:
            return Erased(Fate.GONE)
        if answer.status in (401, 403):
            return self.barred(f"the account may not erase (HTTP {answer.status})")
        return erased_by_status(answer)

    def _receipts(self, said: Found) -> Heard:
        where = self.config.receipt
        if where is None:
            raise Unreadable("no receipts are described")
        receipts, strange = [], False
        for each in said.each(where.many):
            name, state = each.text(where.id), where.states.get(each.text(where.state))
            if not name or state is None:
                strange = True
            elif state != _IGNORED:
                reason = each.text(where.reason) if state != "delivered" else ""
                receipts.append(Receipt(name, State(state), reason, each.at(where.time)))
        if strange and not receipts:
            raise Unreadable("no id, or a state that is not described")
        return Heard(receipts=receipts, answer=where.reply)

    def _inbound(self, said: Found) -> Heard:
        where = self.config.inbound
        if where is None:
            raise Unreadable("no MO are described")
        found: list[Inbound] = []
        strange = False
        for each in said.each(where.many):
            source, text = each.text(where.source), each.raw(where.text)
            if source and isinstance(text, str):
                found.append(mo(source, each.text(where.to), text, each.text(where.key)))
            else:
                strange = True
        if strange and not found:
            raise Unreadable("no number, or no text")
        return Heard(inbound=found, answer=where.reply)


def _account(config: Config, request: Request) -> dict[str, str]:
    """What is known before there is a message. Raises Misconfigured."""
    key, secret = config.key.get_secret_value(), config.secret.get_secret_value()
    said = {"account": config.account, "key": key, "secret": secret}
    names = {name for header in request.headers.values() for name in header.names}
    for name in sorted(names & said.keys()):
        if not (said[name].isascii() and said[name].isprintable()):
            raise Misconfigured(
                f'[[carriers]] "{config.name}" {name} stands in a header, which it cannot',
                "take out line breaks and characters that are not ASCII",
            )
    return said | {"basic": basic(config.account, secret)}


def _opted_out(entry: object, where: OptOuts) -> OptedOut | None:
    """An entry, or None for one that is not meant; one that is a number alone is a number."""

    def said(place: Place | None) -> object:
        return None if place is None else pointed(entry, place.steps)

    if where.pattern is not None and not where.pattern.search(word(said(where.at), SEARCHED)):
        return None
    number = word(entry if where.number is None else said(where.number), 64)
    return OptedOut(number, word(said(where.sender), 64), moment(said(where.time)))


def _alphabet(part: Part) -> Literal["gsm7", "ucs2"]:
    return "ucs2" if part.encoding == "ucs2" else "gsm7"


def _parts(part: Part) -> int:
    """How many SMS a text is that the provider cuts."""
    return len(segments.split(part.text, part.encoding, part.lang))


def _holds(refusal: Refusal, answer: Answer, said: Found) -> bool:
    if refusal.status is not None and answer.status != refusal.status:
        return False
    return refusal.pattern is None or said.matches(refusal.pattern, refusal.at)


def _pause(refusal: Refusal, answer: Answer) -> float:
    if refusal.verdict != "throttled":
        return 0.0
    return retry_after(answer, seconds(refusal.pause) or 1.0)


def _genuine(signature: Signature, callback: Callback) -> bool:
    secret = signature.secret.get_secret_value()
    if signature.kind == "basic":
        proof = callback.headers.get("authorization", "").encode("utf-8", "replace")
        return hmac.compare_digest(proof, basic(signature.user, secret).encode())
    given = Found(callback).raw(signature.at)
    if not isinstance(given, str) or not given.startswith(signature.prefix):
        return False
    given = given.removeprefix(signature.prefix)
    if signature.kind == "token":
        return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())
    if signature.over == "body" and callback.method == "GET":
        return False  # there is no body: anything could stand in the address
    signed = callback.body
    if signature.over == "url+body":
        signed = callback.url.encode("utf-8", "replace") + signed
    ours = hmac.digest(secret.encode(), signed, _HASHES[signature.kind])
    try:
        theirs = (
            bytes.fromhex(given) if signature.encoding == "hex" else b64decode(given, validate=True)
        )
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(ours, theirs)
