"""The privacy portal: a person's number and wishes come in, what is known and done goes out.

Whole without JavaScript. A number is proved by a code that is sent to it; what the pages say before
that is the same for every number (PRIVACY P74). Forms come from these pages alone: the cookie is
SameSite=Strict, and a foreign Origin is refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.portal import SignIn
from bridge.dispatch.receipt_links import linked
from bridge.dispatch.receipting import receipt_of
from bridge.errors import BadNumber, BridgeError, Refused
from bridge.pages import Pages
from bridge.privacy.requests import authority
from bridge.store.portal import SESSION_SECONDS
from bridge.web.address import asker
from bridge.web.guard import is_foreign
from bridge.web.language import Words, chosen, languages
from bridge.web.mine import Act, Mine, Told, Visitor
from bridge.web.receipts import readable
from bridge.web.still import still

HOME: Final = "/privacy"
COOKIE: Final = "portal"
LANGUAGE: Final = "portal_lang"
_HERE: Final = Path(__file__).parent
_HEADERS: Final = {"Vary": "Accept-Language, Cookie"}


class Portal:
    """`/privacy` and what belongs to it."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._sign_in = SignIn(bridge)
        self._mine = Mine(bridge)
        self._secure = urlsplit(bridge.settings.public_url).scheme == "https"
        self._host = urlsplit(bridge.settings.public_url).netloc
        self._pages = Pages(
            _HERE / "templates",
            home=HOME,
            languages=[(code, found("language")) for code, found in languages("portal").items()],
            dpo=bridge.settings.privacy.dpo,
            mailbox=f"{bridge.settings.privacy.address}@{bridge.settings.smtp.domains[0]}",
            mailable=_mailable,
            authority=authority("", bridge.settings.privacy.authority),
        )

    def routes(self) -> list[web.RouteDef]:
        """What is answered here."""
        acts = self._mine.acts()
        return [
            web.get(HOME, self._start),
            still(f"{HOME}/style.css", "portal.css"),
            still(f"{HOME}/icon.svg", "icon.svg"),
            web.post(f"{HOME}/code", self._code),
            web.post(f"{HOME}/enter", self._enter),
            web.get(f"{HOME}/me", self._me),
            web.get(f"{HOME}/receipt/{{proof}}", self._receipt),
            web.get(f"{HOME}/receipt/{{proof}}/signed", self._signed),
            web.post(f"{HOME}/out", self._out),
            web.post(f"{HOME}/download", self._download),
            *(web.post(f"{HOME}/{name}", self._acted(act)) for name, act in acts.items()),
        ]

    async def _start(self, request: web.Request) -> web.Response:
        if await self._visitor(request) is not None:
            chosen = f"?lang={self._words(request).code}" if "lang" in request.query else ""
            return _see(f"{HOME}/me{chosen}")
        return self._page(request, "start")

    async def _code(self, request: web.Request) -> web.Response:
        form = await self._form(request)
        say = self._words(request)
        typed = form.get("number", "")[:40]
        try:
            await self._sign_in.ask(
                typed, asker(request), say("code_sms", host=self._host, code="{code}")
            )
        except BadNumber:
            return self._page(request, "start", number=typed, problem=say("bad_number"), status=400)
        return self._page(request, "code", number=typed)

    async def _enter(self, request: web.Request) -> web.Response:
        form = await self._form(request)
        typed = form.get("number", "")[:40]
        try:
            secret = await self._sign_in.enter(typed, form.get("code", ""))
        except BadNumber:
            secret = None
        if secret is None:
            problem = self._words(request)("bad_code")
            return self._page(request, "code", number=typed, problem=problem, status=403)
        answer = _see(f"{HOME}/me")
        answer.set_cookie(
            COOKIE,
            secret,
            max_age=int(SESSION_SECONDS),
            path=HOME,
            secure=self._secure,
            httponly=True,
            samesite="Strict",
        )
        return answer

    async def _me(self, request: web.Request) -> web.Response:
        visitor = await self._visitor(request)
        return await self._mine_page(request, visitor) if visitor else self._expired(request)

    async def _out(self, request: web.Request) -> web.Response:
        await self._form(request)
        await self._sign_in.leave(request.cookies.get(COOKIE, ""))
        answer = _see(HOME)
        answer.del_cookie(COOKIE, path=HOME)
        return answer

    async def _download(self, request: web.Request) -> web.StreamResponse:
        form = await self._form(request)
        visitor = await self._visitor(request)
        if visitor is None:
            return self._expired(request)
        try:
            file = await self._mine.file(visitor, form.get("request", ""), self._words(request))
        except Refused as no:
            return await self._refused(request, visitor, no)
        headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
        return web.FileResponse(file, headers=headers)

    def _acted(self, act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handler(request: web.Request) -> web.Response:
            form = await self._form(request)
            visitor = await self._visitor(request)
            if visitor is None:
                return self._expired(request)
            say = self._words(request)
            try:
                notice = await act(visitor, say, form)
            except BridgeError as error:
                return await self._refused(request, visitor, error)
            return await self._mine_page(request, visitor, notice=notice)

        return handler

    async def _refused(
        self, request: web.Request, visitor: Visitor, error: BridgeError
    ) -> web.Response:
        """Why something was not possible, in the page's language: errors speak to operators."""
        known = isinstance(error, Told)
        problem = error.sentence if known else self._words(request)("refused")
        field = error.field if isinstance(error, Told) else ""
        return await self._mine_page(request, visitor, problem=problem, field=field, status=400)

    async def _receipt(self, request: web.Request) -> web.Response:
        """What was erased, for whoever has the address: nobody knows them any more."""
        text = await self._proof(request)
        say = self._words(request)
        if not text:
            return self._page(request, "start", problem=say("no_receipt"), status=404)
        told, path = readable(text, say), request.path
        return self._page(request, "receipt", receipt=told, signed=f"{path}/signed", here=path)

    async def _signed(self, request: web.Request) -> web.Response:
        """The same as it was signed, for `bridge privacy verify`."""
        text = await self._proof(request)
        if not text:
            problem = self._words(request)("no_receipt")
            return self._page(request, "start", problem=problem, status=404)
        name = request.match_info["proof"].partition("-")[0]
        headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
        return web.Response(text=text, content_type="application/json", headers=headers)

    async def _proof(self, request: web.Request) -> str:
        """The receipt that an address names; "" where there is none."""
        number = linked(self._bridge, request.match_info["proof"])
        try:
            return await receipt_of(self._bridge, number) if number else ""
        except Refused:
            return ""

    async def _mine_page(self, request: web.Request, visitor: Visitor, **more: Any) -> web.Response:
        shown = await self._mine.shown(visitor, self._words(request))
        return self._page(request, "me", end=visitor.end, **shown, **more)

    def _expired(self, request: web.Request) -> web.Response:
        problem = self._words(request)("expired")
        return self._page(request, "start", problem=problem, status=403)

    async def _visitor(self, request: web.Request) -> Visitor | None:
        secret = request.cookies.get(COOKIE)
        person = await self._sign_in.who(secret) if secret else None
        return Visitor(person, await self._sign_in.known(person)) if person else None

    async def _form(self, request: web.Request) -> dict[str, str]:
        """What was typed. Raises HTTPForbidden for another site's form."""
        if is_foreign(request):
            raise web.HTTPForbidden(text="this form came from another site\n")
        return {name: str(value) for name, value in (await request.post()).items()}

    def _words(self, request: web.Request) -> Words:
        wanted = request.query.get("lang") or request.cookies.get(LANGUAGE, "")
        return chosen("portal", wanted, request.headers.get("Accept-Language", ""))

    def _page(
        self, request: web.Request, name: str, *, status: int = 200, **values: Any
    ) -> web.Response:
        say = self._words(request)
        # A page that answers a form cannot be asked for again in another language.
        here = f"{HOME}/me" if name == "me" else HOME
        shown = {"notice": "", "problem": "", "field": "", "number": "", "here": here, **values}
        page = self._pages.render(f"portal/{name}.html", say=say, lang=say.code, **shown)
        answer = web.Response(text=page, content_type="text/html", status=status, headers=_HEADERS)
        if "lang" in request.query:
            answer.set_cookie(LANGUAGE, say.code, path=HOME, httponly=True, samesite="Strict")
        return answer


def _see(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})


def _mailable(words: str) -> bool:
    """Whether the officer is named by a mail address alone."""
    return "@" in words and not set(words) & set(" <>,;")
