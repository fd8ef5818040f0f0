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
from bridge.dates import day
from bridge.dispatch import consents, identity
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.deciding import may_release, withdraw
from bridge.dispatch.requests import NUMBER, Ask, By, Someone, open_request, token_of
from bridge.dispatch.stopping import stop, wish
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.privacy.requests import FINAL, RELEASING, Kind, State
from bridge.store import ids
from bridge.store.listed import MARKETING
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
KINDS: Final = ("access", "portability", "erase", "erase_only", "rectify", "restrict", "object")
#: A person may take back what has not been begun.
_BEGUN: Final = frozenset({State.EXECUTING, State.DONE, State.FAILED}) | FINAL
_LONGEST: Final = 2000

Act = Callable[["Visitor", Words, dict[str, str]], Awaitable[str]]


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
        }

    async def shown(self, visitor: Visitor) -> dict[str, Any]:
        """What the page shows."""
        requests = await self._requests(visitor)
        tenants = [await self._tenant(known, requests) for known in visitor.known]
        return {"kinds": KINDS, "tenants": tenants}

    async def file(self, visitor: Visitor, shown: str) -> Path:
        """The file of an export that may be handed out. Raises Refused."""
        request = await self._own(visitor, shown)
        if why := may_release(request, self._bridge.clock()):
            raise Refused(why)
        file = Path(next(iter(request.result.get("files", ())), ""))
        if not file.is_file():  # noqa: ASYNC240 - one look
            raise Refused("the file is no longer kept", "ask for a new one")
        return file

    # -- acts --------------------------------------------------------------------------------

    async def _stop(self, visitor: Visitor, say: Words, form: dict[str, str]) -> str:
        tenant = form.get("tenant", "")
        everybody = tenant == "0"
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
        return say("stopped")

    async def _withdraw(self, visitor: Visitor, say: Words, form: dict[str, str]) -> str:
        known = visitor.at(form.get("tenant", ""))
        tenant = self._open_tenant(known)
        found = await consents.consents_of(self._bridge, tenant, known.phone)
        chosen = next((c for c in found if str(c.id) == form.get("consent", "")), None)
        if chosen is None:
            raise Refused("there is no such consent", "choose one of those shown")
        number = phone.parse(known.phone)
        await consents.withdraw(self._bridge, tenant, number, chosen.programme, via=SOURCE)
        return say("withdrawn")

    async def _request(self, visitor: Visitor, say: Words, form: dict[str, str]) -> str:
        known = visitor.at(form.get("tenant", ""))
        asked = form.get("type", "")
        if asked not in KINDS:
            raise Refused("choose what you ask for")
        kind, _, only = asked.partition("_")
        details = {"words": form.get("details", "").strip()[:_LONGEST]}
        if only:
            details["mode"] = "only"
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
        due = day(request.due) if request else ""
        return say("asked", id=ids.show(opened.duplicate_of or opened.id), date=due)

    async def _second(self, visitor: Visitor, say: Words, form: dict[str, str]) -> str:
        request = await self._own(visitor, form.get("request", ""))
        said = form.get("date", "")
        try:
            # A sender's name would be no proof here: this page shows it.
            date.fromisoformat(said)
        except ValueError:
            raise Refused(say("second_wrong")) from None
        await identity.second_fact(self._bridge, request.id, said, By(ACTOR, SOURCE))
        return ""

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

    async def _tenant(self, known: Known, requests: list[Request]) -> dict[str, Any]:
        tenant = self._bridge.register.tenants.get(known.tenant_id)
        tokens = self._bridge.keys.tokens(known.tenant_id, known.phone)
        rows = await self._bridge.store.read(ACTIVE, keys=Values(tokens))
        purposes = {row[4] for row in rows}
        found = await consents.consents_of(self._bridge, tenant, known.phone) if tenant else []
        return {
            "id": known.tenant_id,
            "name": known.tenant,
            "stopped": bool(purposes - {MARKETING}),
            "no_marketing": MARKETING in purposes,
            "decides": tenant is None or tenant.profile == "processor",
            "consents": [_consent(each) for each in found],
            "requests": [self._shown(r) for r in requests if r.tenant_id == known.tenant_id],
        }

    def _shown(self, request: Request) -> dict[str, Any]:
        now = self._bridge.clock()
        state = State(request.state)
        releasing = Kind(request.type) in RELEASING
        ready = not may_release(request, now)
        waits = releasing and request.release_at is not None and now < request.release_at
        return {
            "id": ids.show(request.id),
            "type": request.type,
            "state": request.state,
            "received": day(request.received_at),
            "open": state not in FINAL,
            "cancellable": state not in _BEGUN or (releasing and not ready and state not in FINAL),
            "due": day(request.due),
            "reason": request.reason,
            "release": day(request.release_at) if waits and request.release_at else "",
            "question": releasing
            and state not in FINAL
            and request.identity_level not in ("second-fact", "vouched"),
            "file": ready,
            "password": str(request.result.get("password", "")) if ready else "",
        }

    async def _requests(self, visitor: Visitor) -> list[Request]:
        if not visitor.known:
            return []
        token = token_of(self._bridge, Someone(NUMBER, visitor.known[0].phone))
        rows = await self._bridge.store.read(OF_PERSON, tokens=Values([token]))
        return [request_of(row) for row in rows]

    async def _own(self, visitor: Visitor, shown: str) -> Request:
        """One of the person's own requests. Raises Refused."""
        found = await self._requests(visitor)
        request = next((r for r in found if ids.show(r.id) == shown), None)
        if request is None:
            raise Refused("this is not a request of yours", "choose one of those shown")
        return request


def _consent(shown: consents.Shown) -> dict[str, Any]:
    ended = shown.withdrawn_at or (shown.expires_at if shown.state == "expired" else None)
    return {
        "id": shown.id,
        "purpose": shown.programme or shown.purpose,
        "given": day(shown.given_at),
        "channel": shown.channel,
        "text": shown.text,
        "gone": day(ended) if ended else "",
        "active": shown.state == "active",
    }
