"""A link to files comes in; first a page with their names and buttons, then a file by its POST.

Phones, chats and virus scanners fetch links to look at them: a GET counts nothing and hands over
no file. A code that never was, one that has ended and one whose files were erased answer alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aiohttp import web

from bridge.dates import spoken_day
from bridge.dispatch.attaching import PATH
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.fetching import WITHIN, Sent, TooMany, behind, octets
from bridge.pages import Pages
from bridge.web.address import asker
from bridge.web.guard import Guard, host_of, refused
from bridge.web.language import Words, chosen
from bridge.web.still import still

_HERE: Final = Path(__file__).parent
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language",
    "X-Robots-Tag": "noindex",
}
#: Whatever a browser makes of a file, it runs nothing and belongs to no site.
_POLICY: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"


class FilePage:
    """`/f/…`, at the bridge's own address and at the tenants' link domains."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._guard = Guard(bridge.settings)
        self._pages = Pages(_HERE / "templates")

    def routes(self) -> list[web.RouteDef]:
        """What is answered here."""
        return [
            still(f"{PATH}style.css", "glimpse.css"),
            still(f"{PATH}icon.svg", "icon.svg"),
            web.get(f"{PATH}{{code}}", self._show),
            web.post(f"{PATH}{{code}}", self._hand_over),
        ]

    async def _show(self, request: web.Request) -> web.StreamResponse:
        return await self._answered(request, "")

    async def _hand_over(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        return await self._answered(request, str(form.get("file", "1")))

    async def _answered(self, request: web.Request, wanted: str) -> web.StreamResponse:
        """The page; the file with the number that is wanted; or why neither."""
        domain = self._domain(request)
        if domain is None:
            hint = "use the address in the SMS"
            return refused(request, 403, "this Host is not the bridge's", hint)
        words = chosen("files", "", request.headers.get("Accept-Language", ""))
        code = request.match_info["code"]
        try:
            found = await behind(self._bridge, code, asker(request), domain)
        except TooMany:
            answer = self._page(words, "busy_title", "busy", status=429)
            answer.headers["Retry-After"] = str(int(WITHIN))
            return answer
        if not found:
            return self._page(words, "gone_title", "gone", status=410)
        if not wanted:
            return self._page(words, "title", "lead", found)
        number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 4 else 0
        if not 1 <= number <= len(found):
            return self._page(words, "gone_title", "gone", status=410)
        return await self._file(request, found[number - 1])

    def _domain(self, request: web.Request) -> str | None:
        """The link domain that was asked; "" for the bridge's own address, None for neither."""
        if self._guard.is_reached_as_ours(request):
            return ""
        host = host_of(request)
        known = {tenant.link_domain for tenant in self._bridge.register.tenants.values()}
        return host if host and host in known else None

    def _page(
        self, words: Words, title: str, lead: str, found: Sequence[Sent] = (), *, status: int = 200
    ) -> web.Response:
        files = [
            (number, each.name, _size(each.size, words)) for number, each in enumerate(found, 1)
        ]
        until = spoken_day(found[0].expires_at, words.code) if found else ""
        page = self._pages.render(
            "files.html", words=words, title=title, lead=lead, files=files, until=until
        )
        return web.Response(text=page, content_type="text/html", status=status, headers=_HEADERS)

    async def _file(self, request: web.Request, file: Sent) -> web.StreamResponse:
        answer = web.StreamResponse(headers={**_HEADERS, "Content-Security-Policy": _POLICY})
        answer.content_type = file.kind
        answer.content_length = file.size
        answer.headers["Content-Disposition"] = _disposition(file.name)
        pieces = octets(self._bridge, file)
        try:
            first = await anext(pieces)
        except LookupError:
            words = chosen("files", "", request.headers.get("Accept-Language", ""))
            return self._page(words, "gone_title", "gone", status=410)
        await answer.prepare(request)
        try:
            await answer.write(first)
            async for piece in pieces:
                await answer.write(piece)
            await answer.write_eof()
        except LookupError:  # erased while it was on its way: whoever gets it sees it is not whole
            if request.transport is not None:
                request.transport.abort()
        return answer


def _disposition(name: str) -> str:
    """A download under this name (RFC 6266 4.3, appendix D: plain letters for old programs)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _size(octets: int, words: Words) -> str:
    """1.2 MB, with the language's decimal sign."""
    if octets < 1_000_000:
        return f"{max(1, round(octets / 1000))} kB"
    return f"{octets / 1_000_000:.1f} MB".replace(".", words("point"))
