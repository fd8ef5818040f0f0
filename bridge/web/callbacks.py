"""Providers' callbacks come in at /carriers/…; what they say is stored, then they are answered.

A request is the provider's by its signature over the octets as they came, or by the secret in its
path. Until what it says is on disk it gets no 200, so that the provider repeats it.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from typing import Final

import structlog
from aiohttp import web

from bridge.carriers.http import PROVIDERS, provider, secrets
from bridge.carriers.http.provider import Callback, Heard, Provider, Unreadable
from bridge.dispatch.bridge import Bridge
from bridge.errors import TryLater
from bridge.ports import Inbox

log = structlog.get_logger("bridge.callbacks")

#: Octets of a callback: some providers tell of many receipts at once.
LARGEST: Final = 1024 * 1024
#: Seconds between two lines of the log about requests that were refused.
_LOG_EVERY: Final = 60.0
_AGAIN: Final = "5"


class Callbacks:
    """`/carriers/{name}/…`, for every carrier over HTTP that is configured."""

    def __init__(self, bridge: Bridge, inbox: Inbox) -> None:
        settings, keys = bridge.settings, bridge.keys
        self._inbox = inbox
        self._counter = bridge.metrics.callbacks
        self._url = settings.public_url
        self._providers: dict[str, Provider] = {
            c.name: provider(c, keys, settings.public_url)
            for c in settings.carriers
            if c.kind in PROVIDERS
        }
        self._secrets = {name: tuple(secrets(keys, name)) for name in self._providers}
        self._strangers = 0
        self._logged = -_LOG_EVERY

    def routes(self) -> list[web.RouteDef]:
        """What is answered here; nothing where no carrier calls."""
        if not self._providers:
            return []
        paths = ("/carriers/{name}/{what}", "/carriers/{name}/{secret}/{what}")
        return [route(path, self._answer) for path in paths for route in (web.post, _get)]

    async def _answer(self, request: web.Request) -> web.Response:
        name, what = request.match_info["name"], request.match_info["what"]
        known = self._providers.get(name)
        if known is None or what not in known.callbacks:
            return web.Response(status=404)
        if not known.signed and not self._has_secret(name, request):
            return self._refused(name, what)
        body = await _body(request)
        if body is None:
            return self._told(name, what, "too-large", 413)
        headers = {key.lower(): value for key, value in request.headers.items()}
        url = self._url + request.raw_path
        callback = Callback(what, request.method, url, headers, body)
        if known.signed and not known.genuine(callback):
            return self._refused(name, what)
        try:
            heard = known.heard(callback)
        except Unreadable as why:
            log.warning("a callback cannot be read", carrier=name, what=what, why=str(why))
            return self._told(name, what, "unreadable", 400)
        except Exception as fault:  # noqa: BLE001 - whatever a stranger may write; its words may be a text
            log.error("a callback cannot be read", carrier=name, fault=type(fault).__name__)
            return self._told(name, what, "unreadable", 400)
        return await self._stored(name, what, heard)

    def _has_secret(self, name: str, request: web.Request) -> bool:
        """Judged before the body is read: strangers shall not fill the memory."""
        given = request.match_info.get("secret", "").encode("utf-8", "replace")
        return any(hmac.compare_digest(given, own.encode()) for own in self._secrets[name])

    async def _stored(self, name: str, what: str, heard: Heard) -> web.Response:
        """Answer once everything is on disk. A repeat of it changes nothing."""
        try:
            for number in heard.opted_out:
                await self._inbox.opted_out(name, number)
            for part in heard.inbound:
                await self._inbox.inbound(name, part)
            await asyncio.gather(*(self._inbox.receipt(name, each) for each in heard.receipts))
        except TryLater:
            answer = self._told(name, what, "not-stored", 503)
            answer.headers["Retry-After"] = _AGAIN
            return answer
        except Exception as fault:  # noqa: BLE001 - unstored is unacknowledged, whatever went wrong
            log.error("a callback was not stored", carrier=name, fault=type(fault).__name__)
            return self._told(name, what, "not-stored", 503)
        self._counter.labels(name, what, "stored").inc()
        return web.Response(text=heard.answer, content_type=heard.answer_type)

    def _told(self, name: str, what: str, outcome: str, status: int) -> web.Response:
        self._counter.labels(name, what, outcome).inc()
        return web.Response(status=status)

    def _refused(self, name: str, what: str) -> web.Response:
        self._strangers += 1
        now = time.monotonic()
        if now - self._logged >= _LOG_EVERY:
            log.warning("callbacks that are none were refused", carrier=name, count=self._strangers)
            self._logged, self._strangers = now, 0
        return self._told(name, what, "refused", 403)


def _get(path: str, handler: object) -> web.RouteDef:
    """A HEAD stores nothing: it is not answered."""
    return web.get(path, handler, allow_head=False)  # type: ignore[arg-type]


async def _body(request: web.Request) -> bytes | None:
    """The octets as they came; None where they are too many.

    The application's own limit is for the sandbox's small requests.
    """
    body = b""
    async for chunk in request.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > LARGEST:
            return None
    return body
