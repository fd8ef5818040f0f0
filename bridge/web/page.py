"""The sandbox for people: pages out, answers and switches in; whole without JavaScript."""

from __future__ import annotations

import base64
import hashlib
import hmac
import mimetypes
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from bridge.errors import Refused
from bridge.pages import Pages
from bridge.settings import SANDBOX
from bridge.store.sandbox import MODES
from bridge.web import views
from bridge.web.live import Live
from bridge.web.phones import LONGEST, Phones, can_answer

_HERE = Path(__file__).parent
_EXAMPLE = "+420601123456"
_MAILS = 100  # that a page shows; the API lists them all
_FOREVER = "public, max-age=31536000, immutable"


class Page:
    """`/sandbox` and what belongs to it."""

    def __init__(
        self,
        phones: Phones,
        live: Live,
        mails: Callable[[], Awaitable[Sequence[Mapping[str, Any]]]],
        smtp_address: str,
    ) -> None:
        self._phones = phones
        self._live = live
        self._mails = mails
        self._files = {f.name: f.read_bytes() for f in (_HERE / "static").iterdir()}
        self._token = _secret(phones.bridge.keys.key("sandbox:forms"))
        settings = phones.bridge.settings
        self._pages = Pages(
            _HERE / "templates",
            static=self._url,
            token=self._token,
            modes=MODES,
            longest=LONGEST,
            smtp=_reachable(smtp_address),
            example=_EXAMPLE,
            domain=settings.smtp.domains[0],
            alone=all(carrier.kind == SANDBOX for carrier in settings.carriers),
            newcomer=[tenant.name for tenant in settings.tenants] == ["default"],
        )
        self._pages.filters = {
            "pretty": views.pretty,
            "iso": views.iso,
            "clock": views.clock,
            "day": views.day,
            "hue": views.hue,
        }

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """What is answered where."""
        yield web.get("/", self.front)
        yield web.get("/sandbox", self.home)
        yield web.get("/sandbox/phones", self.phones)
        yield web.get("/sandbox/phones/{key}", self.phone)
        yield web.get("/sandbox/mailbox", self.mailbox)
        yield web.post("/sandbox/answers", self.answer)
        yield web.post("/sandbox/modes", self.switch)
        yield web.get("/sandbox/events", self._live.events)
        yield web.get("/sandbox/static/{name}", self.static)

    async def front(self, _request: web.Request) -> web.Response:
        """The bridge has no other page yet."""
        raise web.HTTPSeeOther("/sandbox")

    async def home(self, _request: web.Request) -> web.Response:
        """The phone that got something last, or how to send the first SMS."""
        listed = await self._phones.threads()
        return await self._shown(listed[0].key if listed else "", home=True)

    async def phones(self, _request: web.Request) -> web.Response:
        """The list alone, for small screens."""
        return await self._shown("", home=True)

    async def phone(self, request: web.Request) -> web.Response:
        """One phone."""
        key = request.match_info["key"]
        if await self._phones.conversation(key) is None:
            raise web.HTTPNotFound
        return await self._shown(key)

    async def mailbox(self, _request: web.Request) -> web.Response:
        """Mails that had no smarthost to leave by, the newest first."""
        mails = list(enumerate(await self._mails(), 1))[-_MAILS:]
        shown = [self._mail(number, mail) for number, mail in reversed(mails)]
        return await self.render("mailbox.html", mails=shown, tab="mailbox")

    async def answer(self, request: web.Request) -> web.Response:
        """An SMS typed on a phone."""
        form = await self._form(request)
        key = form.get("phone", "")
        try:
            number = await self._phones.number(key) if key else form.get("number", "")
            await self._phones.answer(number, form.get("to", ""), form.get("text", ""))
            key = key or self._phones.key(number)
        except Refused as no:
            return await self._shown(key, problem=no, draft=form, home=not key)
        raise web.HTTPSeeOther(f"/sandbox/phones/{key}" if await self._known(key) else "/sandbox")

    async def switch(self, request: web.Request) -> web.Response:
        """A phone is made normal, slow or unreachable."""
        form = await self._form(request)
        key = form.get("phone", "")
        await self._phones.number(key)
        await self._phones.set_mode(key, form.get("mode", ""))
        raise web.HTTPSeeOther(f"/sandbox/phones/{key}")

    async def static(self, request: web.Request) -> web.Response:
        """A file that the pages need."""
        name = request.match_info["name"]
        content = self._files.get(name)
        if content is None:
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(name)[0]
        return web.Response(
            body=content, content_type=kind, charset="utf-8", headers={"Cache-Control": _FOREVER}
        )

    async def _known(self, key: str) -> bool:
        return await self._phones.conversation(key) is not None

    async def _shown(
        self,
        key: str,
        *,
        home: bool = False,
        problem: Refused | None = None,
        draft: Mapping[str, str] | None = None,
    ) -> web.Response:
        chosen = await self._phones.conversation(key) if key else None
        return await self.render(
            "phones.html",
            status=400 if problem else 200,
            threads=await self._phones.threads(),
            chosen=chosen,
            can_answer=chosen is not None and can_answer(chosen.writes_to),
            home=home,
            problem=problem,
            draft=draft or {},
            tab="phones",
        )

    async def render(self, name: str, *, status: int = 200, **values: Any) -> web.Response:
        """A page of the operator's, around one of its templates."""
        version = await self._live.version()
        text = self._pages.render(name, version=version, **values)
        return web.Response(text=text, content_type="text/html", status=status)

    async def _form(self, request: web.Request) -> Mapping[str, str]:
        """The fields of a form of ours. Raises HTTPForbidden for anyone else's."""
        fields = {name: str(value) for name, value in (await request.post()).items()}
        if not hmac.compare_digest(fields.get("token", "").encode(), self._token.encode()):
            raise web.HTTPForbidden(text="this form is not from the sandbox's page; reload it\n")
        return fields

    def _url(self, name: str) -> str:
        """Where a static file is; another content has another address."""
        return f"/sandbox/static/{name}?{hashlib.sha256(self._files[name]).hexdigest()[:12]}"

    @staticmethod
    def _mail(number: int, mail: Mapping[str, Any]) -> Mapping[str, Any]:
        headers = {str(k): str(v) for k, v in mail["headers"].items()}
        lower = {name.lower(): value for name, value in headers.items()}
        return {
            "number": number,
            "to": mail["to"],
            "subject": mail["subject"],
            "text": mail["text"],
            "from": lower.get("from", ""),
            "date": lower.get("date", ""),
            "headers": headers,
        }


def _secret(key: bytes) -> str:
    return base64.urlsafe_b64encode(key)[:32].decode()


def _reachable(address: str) -> tuple[str, str]:
    """Host and port that a program on this machine would connect to."""
    host, _, port = address.rpartition(":")
    return {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host), port  # noqa: S104
