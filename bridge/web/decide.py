"""An address from a mail to a tenant's decider comes in; the request, and what they decide, go out.

Programs that look at links before people do fetch them: a GET looks nothing up. What is shown is
the tenant's own data, and each look is in the audit (PRIVACY P15, P16, P61).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from aiohttp import web

from bridge.dates import spoken_day
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.deciding import instruct
from bridge.dispatch.decision_links import PATH, decider_of, linked_request
from bridge.dispatch.requests import By, read
from bridge.errors import Refused
from bridge.pages import Pages
from bridge.privacy.requests import Kind, State
from bridge.store import ids
from bridge.store.audit import Entry, record_entries
from bridge.store.request_rows import Request
from bridge.web.guard import is_foreign
from bridge.web.language import Words, chosen
from bridge.web.still import still

_HERE: Final = Path(__file__).parent
_LONGEST: Final = 2000


class DecisionPage:
    """`/decide/…`."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._pages = Pages(_HERE / "templates")

    def routes(self) -> list[web.RouteDef]:
        """What is answered here."""
        return [
            still(f"{PATH}style.css", "glimpse.css"),
            still(f"{PATH}icon.svg", "icon.svg"),
            web.get(f"{PATH}{{proof}}", self._ask),
            web.post(f"{PATH}{{proof}}", self._act),
        ]

    async def _ask(self, request: web.Request) -> web.Response:
        # The page is the same for an address that there never was.
        return self._answer(request, "title")

    async def _act(self, request: web.Request) -> web.Response:
        if is_foreign(request):
            return self._answer(request, "unknown_title", "unknown", status=403)
        form = {key: str(value) for key, value in (await request.post()).items()}
        proof = request.match_info["proof"]
        found, decider = await self._found(proof)
        if found is None:
            return self._answer(request, "unknown_title", "unknown", status=404)
        if "decision" not in form:
            await self._looked(found, decider)
            return self._answer(request, "request", shown=self._shown(request, found))
        try:
            by = By(_named(decider), "mail", found.tenant_id)
            reason = form.get("reason", "")[:_LONGEST]
            await instruct(self._bridge, found.id, form["decision"], reason, by)
        except Refused as no:
            found, _ = await self._found(proof)
            shown = self._shown(request, found) if found is not None else None
            return self._answer(request, "request", shown=shown, problem=no.sentence, status=400)
        return self._answer(request, "done_title", "done")

    async def _found(self, proof: str) -> tuple[Request | None, str]:
        try:
            request = await read(self._bridge, linked_request(proof))
        except Refused:
            return None, ""
        decider = decider_of(self._bridge, request, proof)
        return (request, decider) if decider else (None, "")

    async def _looked(self, request: Request, decider: str) -> None:
        entry = Entry(
            _named(decider),
            "dsar read",
            ids.show(request.id),
            self._bridge.clock(),
            request.tenant_id,
            request.subject_id or None,
        )
        await self._bridge.store.write(record_entries, entry)

    def _shown(self, asked: web.Request, request: Request) -> dict[str, Any]:
        say = _words(asked)
        told = request.known_details
        return {
            "id": ids.show(request.id),
            "type": say(f"type_{request.type}"),
            "who": request.identity,
            "words": told.get("words", ""),
            "details": [
                (say(f"detail_{name}"), told[name])
                for name in ("mode", "ground", "number")
                if told.get(name)
            ],
            "received": spoken_day(request.received_at, say.code),
            "due": spoken_day(request.due, say.code),
            "waits": request.state == State.FORWARDED,
            "erases": request.type == Kind.ERASE,
        }

    def _answer(
        self,
        request: web.Request,
        title: str,
        lead: str = "lead",
        *,
        shown: dict[str, Any] | None = None,
        problem: str = "",
        status: int = 200,
    ) -> web.Response:
        page = self._pages.render(
            "decide.html",
            words=_words(request),
            title=title,
            lead=lead,
            asked=title == "title",
            shown=shown,
            problem=problem,
        )
        headers = {"Cache-Control": "no-store", "Vary": "Accept-Language"}
        return web.Response(text=page, content_type="text/html", status=status, headers=headers)


def _words(request: web.Request) -> Words:
    return chosen("decide", "", request.headers.get("Accept-Language", ""))


def _named(decider: str) -> str:
    """How the record names them: not by their whole address."""
    local, _, domain = decider.rpartition("@")
    return f"{local[:1]}…@{domain}"
