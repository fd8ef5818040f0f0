"""Providers' callbacks come in at /carriers/…; what they say is stored, then they are answered.

A request is the provider's by its signature over the octets as they came, or by the secret in its
path. Until what it says is on disk it gets no 200, so that the provider repeats it. Strangers are
refused as early as can be told, without a word of theirs: only a signature needs the body.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from typing import Final

import structlog
from aiohttp import ClientError, web

from bridge.carriers.http import PROVIDERS, provider, secrets
from bridge.carriers.http.provider import Callback, Heard, Provider, Unreadable
from bridge.dispatch.bridge import Bridge
from bridge.errors import TryLater
from bridge.ports import Inbox

log = structlog.get_logger("bridge.callbacks")

#: Octets of a callback: some providers tell of many receipts at once.
LARGEST: Final = 1024 * 1024
#: Octets of all callbacks that are coming in, and the seconds that each may take for it.
MOST: Final = 32 * LARGEST
SLOWEST: Final = 10.0
#: Seconds between two lines of the log about requests that were refused.
_LOG_EVERY: Final = 60.0
_AGAIN: Final = "5"
_METHODS: Final = ("GET", "POST")


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
        self._held = 0  # octets of bodies that are coming in
        self._strangers = 0
        self._logged = -_LOG_EVERY

    def routes(self) -> list[web.RouteDef]:
        """What is answered here; nothing where no carrier calls."""
        if not self._providers:
            return []
        paths = ("/carriers/{name}/{what}", "/carriers/{name}/{secret}/{what}")
        return [web.route("*", path, self._answer) for path in paths]

    async def _answer(self, request: web.Request) -> web.Response:
        name, what = request.match_info["name"], request.match_info["what"]
        known = self._providers.get(name)
        if known is None or what not in known.callbacks:
            return self._told("", "", "not-here", 404)  # a stranger's words are no labels
        if request.method not in _METHODS:  # a HEAD, too, would store nothing
            answer = self._told(name, what, "wrong-method", 405)
            answer.headers["Allow"] = ", ".join(_METHODS)
            return answer
        if not known.signed and not self._has_secret(name, request):
            return self._refused(name, what)
        try:
            body = await self._body(request)
        except _Unread as no:
            return self._told(name, what, no.outcome, no.status)
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

    async def _body(self, request: web.Request) -> bytes:
        """The octets as they came. Raises _Unread.

        The application's own limit is for the sandbox's small requests.
        """
        if (request.content_length or 0) > LARGEST:
            raise _Unread("too-large", 413)
        body = bytearray()
        try:
            async with asyncio.timeout(SLOWEST):
                async for chunk in request.content.iter_chunked(64 * 1024):
                    self._held += len(chunk)
                    body += chunk
                    if len(body) > LARGEST:
                        raise _Unread("too-large", 413)
                    if self._held > MOST:
                        raise _Unread("too-many", 503)
        except TimeoutError:
            raise _Unread("too-slow", 408) from None
        except (ClientError, ConnectionError):  # who called is gone, or what came is no HTTP
            raise _Unread("broken-off", 400) from None
        finally:
            self._held -= len(body)
        return bytes(body)

    async def _stored(self, name: str, what: str, heard: Heard) -> web.Response:
        """Answer once everything is on disk. A repeat of it changes nothing."""
        try:
            for number in heard.opted_out:
                await self._inbox.opted_out(name, number)
            for part in heard.inbound:
                await self._inbox.inbound(name, part)
            await asyncio.gather(*(self._inbox.receipt(name, each) for each in heard.receipts))
        except TryLater:
            return self._told(name, what, "not-stored", 503)
        except Exception as fault:  # noqa: BLE001 - unstored is unacknowledged, whatever went wrong
            log.error("a callback was not stored", carrier=name, fault=type(fault).__name__)
            return self._told(name, what, "not-stored", 503)
        self._counter.labels(name, what, "stored").inc()
        return web.Response(text=heard.answer, content_type=heard.answer_type)

    def _told(self, name: str, what: str, outcome: str, status: int) -> web.Response:
        self._counter.labels(name, what, outcome).inc()
        answer = web.Response(status=status)
        if status == 503:
            answer.headers["Retry-After"] = _AGAIN
        return answer

    def _refused(self, name: str, what: str) -> web.Response:
        self._strangers += 1
        now = time.monotonic()
        if now - self._logged >= _LOG_EVERY:
            log.warning("callbacks that are none were refused", carrier=name, count=self._strangers)
            self._logged, self._strangers = now, 0
        return self._told(name, what, "refused", 403)


class _Unread(Exception):
    """A body that is not read to its end; how that is counted and answered."""

    def __init__(self, outcome: str, status: int) -> None:
        super().__init__(outcome)
        self.outcome, self.status = outcome, status
