"""An opt-out link comes in; first a page with buttons, then what a button's POST has done.

Programs that look at links before people do fetch them: a GET looks nothing up and changes nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aiohttp import web

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.optout import PATH, left_by_link
from bridge.pages import Pages
from bridge.store.listed import ANY, MARKETING
from bridge.web.language import chosen
from bridge.web.still import still

_HERE: Final = Path(__file__).parent
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language",
}


class OptOutPage:
    """`/o/…`."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._pages = Pages(_HERE / "templates")

    def routes(self) -> list[web.RouteDef]:
        """What is answered here."""
        return [
            still(f"{PATH}style.css", "glimpse.css"),
            still(f"{PATH}icon.svg", "icon.svg"),
            web.get(f"{PATH}{{secret}}", self._ask),
            web.post(f"{PATH}{{secret}}", self._leave),
        ]

    async def _ask(self, request: web.Request) -> web.Response:
        # The page is the same for a link that there never was.
        return self._answer(request, "title", "lead", asked=True)

    async def _leave(self, request: web.Request) -> web.Response:
        form = await request.post()
        purpose = MARKETING if form.get("purpose") == MARKETING else ANY
        if not await left_by_link(self._bridge, request.match_info["secret"], purpose):
            return self._answer(request, "unknown_title", "unknown", status=404)
        return self._answer(request, "done_title", f"done_{purpose}")

    def _answer(
        self,
        request: web.Request,
        title: str,
        lead: str,
        *,
        asked: bool = False,
        status: int = 200,
    ) -> web.Response:
        words = chosen("optout", "", request.headers.get("Accept-Language", ""))
        page = self._pages.render("optout.html", words=words, title=title, lead=lead, asked=asked)
        return web.Response(text=page, content_type="text/html", status=status, headers=_HEADERS)
