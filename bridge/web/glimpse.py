"""A one-time link comes in; first a page with a button, then, once, what a person answered.

Chats fetch links to show a preview of them: only the button's POST opens one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aiohttp import web

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.glimpses import PATH, opened
from bridge.pages import Pages
from bridge.web.still import still

_HERE: Final = Path(__file__).parent


class GlimpsePage:
    """`/read/…`."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._pages = Pages(_HERE / "templates")

    def routes(self) -> list[web.RouteDef]:
        """What is answered here."""
        return [
            still(f"{PATH}style.css", "glimpse.css"),
            web.get(f"{PATH}{{secret}}", self._ask),
            web.post(f"{PATH}{{secret}}", self._show),
        ]

    async def _ask(self, _request: web.Request) -> web.Response:
        # Nothing is looked up: the page is the same for a link that there never was.
        return self._answer(None, asked=True)

    async def _show(self, request: web.Request) -> web.Response:
        text = await opened(self._bridge, request.match_info["secret"])
        return self._answer(text, asked=False, status=200 if text is not None else 410)

    def _answer(self, text: str | None, *, asked: bool, status: int = 200) -> web.Response:
        page = self._pages.render("glimpse.html", text=text, asked=asked)
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return web.Response(text=page, content_type="text/html", status=status, headers=headers)
