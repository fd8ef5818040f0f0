"""What a signed-in person sees in the portal and may do: tenants, consents, requests.

The session proves the number, so a request that is made here is proved (PRIVACY P23).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from bridge import phone
from bridge.dates import spoken_day, spoken_minute
from bridge.dispatch import consents, identity, keeping
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.deciding import may_release, withdraw
from bridge.dispatch.receipt_links import receipt_link
from bridge.dispatch.request_stops import NUMBER
from bridge.dispatch.requests import (
    UNPROVED,
    Ask,
    By,
    Someone,
    moved,
    open_request,
    token_of,
    verified,
)
from bridge.dispatch.stopping import stop, wish
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.privacy.requests import FINAL, RELEASING, Authority, Kind, State, authority
from bridge.store import ids
from bridge.store.listed import MARKETING, OBJECTED, RESTRICTED
from bridge.store.portal import Known
from bridge.store.request_rows import OF_PERSON, Request, request_of
from bridge.store.requests import Check
from bridge.store.sql import Values
from bridge.store.suppressions import ACTIVE
from bridge.web.language import Words

SOURCE: Final = "portal"
#: Who acts here: nobody of the staff.
ACTOR: Final = "the person"
#: What may be asked for, in the order in which it is offered.
KINDS: Final = (
    *("access", "portability", "erase", "erase_only", "rectify", "restrict"),
    *("object_marketing", "object"),
)
#: A person may take back what has not been begun.
_BEGUN: Final = frozenset({State.EXECUTING, State.DONE, State.FAILED}) | FINAL
_LONGEST: Final = 2000

#: What a person may disagree with, and is told what to do about (Art. 12(4), P33).
_CONTESTED: Final = frozenset({State.REFUSED, State.REJECTED, State.HELD})
#: States of a consent in which it is, or was, this person's.
_GIVEN: Final = ("active", "withdrawn", "expired")

#: Ways of a consent for which the page has words of its own; others are shown as they were given.
_CHANNELS: Final = frozenset("cli slack telegram sms handset mail web import paper phone".split())

Act = Callable[["Visitor", Words, dict[str, str]], Awaitable[str]]


class Told(Refused):
    """An act that was not possible: a sentence in the person's language, and the field's id."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in: the keyed hash of their number, and how each tenant knows them."""

    person: str
    known: list[Known]

    @property
    def end(self) -> str:
        """The last digits of the number, so that people know which one it is."""
        return self.known[0].phone[-3:] if self.known else "…"

    def at(self, tenant: str) -> Known:
        """How a tenant, by its id, knows them. Raises Refused."""
        found = next((k for k in self.known if str(k.tenant_id) == tenant), None)
        if found is None:
            raise Refused("this sender does not have your number", "choose one of those shown")
        return found


class Mine:
    """The pages of a person."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def acts(self) -> dict[str, Act]:
        """What may be posted, by the last part of its path."""
        return {
            "stop": self._stop,
            "withdraw": self._withdraw,
            "request": self._request,
            "second": self._second,
            "cancel": self._cancel,
            "confirm": self._confirm,
        }

    async def shown(self, visitor: Visitor, say: Words) -> dict[str, Any]:
        """What the page shows."""
        requests = await self._requests(visitor)
        tenants = [await self._tenant(known, requests, say) for known in visitor.known]
        return {"kinds": KINDS, "tenants": tenants}

    async def file(self, visitor: Visitor, shown: str, say: Words) -> Path:
        """The file of an export that may be handed out. Raises Refused."""
        request = await self._own(visitor, shown)
        if may_release(request, self._bridge.clock()):
            raise Told(say("not_yet"))
        file = _file(request)
        if file is None:
            raise Told(say("file_gone"))
        return file

    # -- acts --------------------------------------------------------------------------------

    async def _stop(self, visitor: Visitor, say: Words, form: dict[str, str]) -> str:
        tenant = form.get("tenant", "")
        everybody = tenant == "0"
        name = "" if everybody else visitor.at(tenant).tenant
        for known in visitor.known[:1] if everybody else [visitor.at(tenant)]:
            item = wish(
                self._bridge.keys,
                known.tenant_id,
                known.phone,
                scope="all" if everybody else "tenant",
                source=SOURCE,
                now=self._bridge.clock(),
            )
            await stop(self._bridge, item)
        return say("stopped") if everybody else say("stopped_one", tenant=name)

    async def _withdraw(self, visitor: Visitor, say: Words, form: dict[str, str]) -> str:
        known = visitor.at(form.get("tenant", ""))
        tenant = self._open_tenant(known)
        found = await consents.consents_of(self._bridge, tenant, known.phone)
        chosen = next((c for c in found if str(c.id) == form.get("consent", "")), None)
        if chosen is None:
            raise Refused("there is no such consent")
        number = phone.parse(known.phone)
        await consents.withdraw(self._bridge, tenant, number, chosen.programme, via=SOURCE)
        return say("withdrawn")

    async def _request(self, visitor: Visitor, say: Words, form: dict[str, str]) -> str:
        known = visitor.at(form.get("tenant", ""))
        asked = form.get("type", "")
        if asked not in KINDS:
            raise Told(say("choose"))
        kind, _, mode = asked.partition("_")
        details = {"words": form.get("details", "").strip()[:_LONGEST], "mode": mode}
        now = self._bridge.clock()
        opened = await open_request(
            self._bridge,
            Ask(
                Kind(kind),
                Someone(NUMBER, known.phone),
                self._open_tenant(known),
                SOURCE,
                ACTOR,
                say.code,
                details={name: value for name, value in details.items() if value},
                proof=Check(SOURCE, now, now, passed=True),
            ),
        )
        request = opened.request
        due = spoken_day(request.due, say.code) if request else ""
        return say("asked", id=ids.show(opened.duplicate_of or opened.id), date=due)

    async def _confirm(self, visitor: Visitor, say: Words, form: dict[str, str]) -> str:
        """A request that came another way is theirs: the session proves the number."""
        request = await self._own(visitor, form.get("request", ""))
        now = self._bridge.clock()
        check = Check(SOURCE, now, now, passed=True)
        await moved(self._bridge, verified(self._bridge, request, check, ACTOR), "proved again")
        return say("confirmed")

    async def _second(self, visitor: Visitor, say: Words, form: dict[str, str]) -> str:
        request = await self._own(visitor, form.get("request", ""))
        said = form.get("date", "")
        try:
            # A sender's name would be no proof here: this page shows it.
            date.fromisoformat(said)
            await identity.second_fact(self._bridge, request.id, said, By(ACTOR, SOURCE))
        except (ValueError, Refused):
            raise Told(say("second_wrong"), f"d{ids.show(request.id)}") from None
        return say("second_right")

    async def _cancel(self, visitor: Visitor, say: Words, form: dict[str, str]) -> str:
        request = await self._own(visitor, form.get("request", ""))
        await withdraw(self._bridge, request.id, By(ACTOR, SOURCE))
        return say("cancelled")

    # -- what is shown -----------------------------------------------------------------------

    def _open_tenant(self, known: Known) -> Tenant:
        tenant = self._bridge.register.tenants.get(known.tenant_id)
        if tenant is None:
            raise Refused("this sender no longer uses the bridge", "turn to the operator")
        return tenant

    async def _tenant(self, known: Known, requests: list[Request], say: Words) -> dict[str, Any]:
        tenant = self._bridge.register.tenants.get(known.tenant_id)
        tokens = self._bridge.keys.tokens(known.tenant_id, known.phone)
        rows = await self._bridge.store.read(ACTIVE, keys=Values(tokens))
        purposes = {row[4] for row in rows}
        found = await consents.consents_of(self._bridge, tenant, known.phone) if tenant else []
        # What a former owner of the number agreed to is not the new one's to read (P51, P52).
        since = await identity.owned_since(self._bridge, known.phone)
        given = [each for each in found if each.state in _GIVEN and each.given_at >= since]
        theirs = [r for r in requests if r.tenant_id == known.tenant_id]
        return {
            "id": known.tenant_id,
            "name": known.tenant,
            "stopped": bool(purposes - {MARKETING, RESTRICTED, OBJECTED}),
            "restricted": bool(purposes & {RESTRICTED, OBJECTED}),
            "no_marketing": MARKETING in purposes,
            "decides": tenant is None or tenant.profile == "processor",
            "authority": self._authority(tenant),
            "consents": [_consent(each, say) for each in given],
            "requests": [await self._shown(request, say) for request in theirs],
        }

    def _authority(self, tenant: Tenant | None) -> Authority | None:
        """Whom to complain to about this tenant, where that is not whom the page names."""
        wished = self._bridge.settings.privacy.authority
        found = authority(tenant.authority if tenant else "", wished)
        return found if found != authority(wished) else None

    async def _shown(self, request: Request, say: Words) -> dict[str, Any]:
        now = self._bridge.clock()
        state = State(request.state)
        releasing = Kind(request.type) in RELEASING
        ready = not may_release(request, now)
        waits = releasing and request.release_at is not None and now < request.release_at
        return {
            "id": ids.show(request.id),
            "type": request.type,
            # A receipt is an erasure's.
            "state": "done" if state is State.RECEIPT_SENT else request.state,
            "received": spoken_day(request.received_at, say.code),
            "open": state not in FINAL and not ready,
            "unproved": request.state in UNPROVED,
            "receipt": self._receipt(request),
            "cancellable": state not in _BEGUN or (releasing and not ready and state not in FINAL),
            "due": spoken_day(request.due, say.code),
            "reason": request.reason,
            "extended": request.extension_reason if state not in FINAL else "",
            "remedy": state in _CONTESTED or request.extended_to is not None,
            "release": spoken_minute(request.release_at, say.code)
            if waits and request.release_at
            else "",
            "question": releasing
            and state in identity.FACT_ASKED
            and request.identity_level not in ("second-fact", "vouched")
            and (state is not State.RECEIPT_SENT or _file(request) is not None),
            "file": ready and _file(request) is not None,
            "until": spoken_day(await self._until(request), say.code) if ready else "",
            "password": str(request.result.get("password", "")) if ready else "",
        }

    def _receipt(self, request: Request) -> str:
        """Where an erasure's receipt is going to be."""
        if Kind(request.type) is not Kind.ERASE or request.state in UNPROVED:
            return ""
        return receipt_link(self._bridge, request.id)

    async def _until(self, request: Request) -> float:
        """Until when the file of an export is kept."""
        now, file = self._bridge.clock(), _file(request)
        kept = now - (await keeping.plan(self._bridge)).period("export").before(now)
        return kept + (file.stat().st_mtime if file is not None else now)

    async def _requests(self, visitor: Visitor) -> list[Request]:
        if not visitor.known:
            return []
        number = visitor.known[0].phone
        token = token_of(self._bridge, Someone(NUMBER, number))
        rows = await self._bridge.store.read(OF_PERSON, tokens=Values([token]))
        since = await identity.owned_since(self._bridge, number)
        return [one for one in map(request_of, rows) if one.received_at >= since]

    async def _own(self, visitor: Visitor, shown: str) -> Request:
        """One of the person's own requests. Raises Refused."""
        found = await self._requests(visitor)
        request = next((r for r in found if ids.show(r.id) == shown), None)
        if request is None:
            raise Refused("this is not a request of theirs")
        return request


def _file(request: Request) -> Path | None:
    """The file of an export, while it is kept."""
    file = Path(next(iter(request.result.get("files", ())), ""))
    return file if file.is_file() else None


def _consent(shown: consents.Shown, say: Words) -> dict[str, Any]:
    ended = shown.withdrawn_at or (shown.expires_at if shown.state == "expired" else None)
    channel = say(f"by_{shown.channel}") if shown.channel in _CHANNELS else shown.channel
    return {
        "id": shown.id,
        "purpose": shown.programme or say(f"for_{shown.purpose}"),
        "given": spoken_day(shown.given_at, say.code),
        "channel": channel,
        "text": shown.text,
        "gone": spoken_day(ended, say.code) if ended else "",
        "active": shown.state == "active",
    }
