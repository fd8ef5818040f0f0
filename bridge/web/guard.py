"""A request to the sandbox in; out it goes on, or a refusal when a stranger may be behind it.

The sandbox shows what phones received, so only this machine's own people may ask: the peer is on
loopback, and Host and Origin are ours. A foreign Host is how DNS rebinding looks, a foreign Origin
how another site's page does (RFC 9110 7.2, RFC 6454 7).
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bridge.errors import BridgeError, StoreUnavailable
from bridge.settings import Settings

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
_API = "/sandbox/api/"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not "no-referrer": with that, browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Who may see the sandbox under these settings."""

    def __init__(self, settings: Settings) -> None:
        self._public = settings.sandbox.public
        own = (settings.http.listen.host, urlsplit(settings.public_url).hostname)
        self._hosts = _LOCAL | {host.lower() for host in own if host and host not in _EVERYWHERE}

    def refusal(self, request: web.Request) -> tuple[str, str] | None:
        """Why this request is refused and what to do about it; None where it may go on."""
        if not self._public and not _from_here(request):
            return (
                "the sandbox answers this machine only",
                "open it on the machine itself, or set [sandbox] public = true",
            )
        if not self.is_reached_as_ours(request):
            return (
                "this Host is not the bridge's",
                "use the address in [http] listen or the host in public_url",
            )
        if is_foreign(request):
            return (
                "this Origin is another site's",
                "open the sandbox's own page; programs send no Origin",
            )
        return None

    def is_reached_as_ours(self, request: web.Request) -> bool:
        """Whether the Host of a request is one of the bridge's own."""
        return self._is_ours(request, host_of(request))

    def _is_ours(self, request: web.Request, host: str) -> bool:
        return host in self._hosts or host == _reached(request)


def _from_here(request: web.Request) -> bool:
    """The peer is this machine, and no proxy says that it asks for someone else."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


def _reached(request: web.Request) -> str:
    """The address that this connection reached us at: a number in Host cannot be rebound."""
    name = request.transport.get_extra_info("sockname") if request.transport else None
    return str(name[0]) if isinstance(name, tuple) else "-"


def host_of(request: web.Request) -> str:
    """The name in the Host header, in small letters; "" for none."""
    try:
        return (urlsplit("//" + request.headers.get("Host", "")).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_foreign(request: web.Request) -> bool:
    """Whether another site's page asks; programs, which send no Origin, are not foreign."""
    origin = request.headers.get("Origin")
    return origin is not None and not _same(origin, request)


def _same(origin: str, request: web.Request) -> bool:
    """Whether an Origin names the host and port of the Host header."""
    default = {"http": ":80", "https": ":443"}
    try:
        scheme, netloc = urlsplit(origin)[:2]
    except ValueError:
        return False
    port = default.get(scheme)
    if port is None or not netloc:
        return False
    host = request.headers.get("Host", "").lower()
    return netloc.lower().removesuffix(port) == host.removesuffix(port)


def guarded(settings: Settings) -> Middleware:
    """The middleware that refuses strangers, and puts errors into words."""
    guard = Guard(settings)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        no = guard.refusal(request) if _is_sandbox(request) else None
        if no is not None:
            return refused(request, 403, *no)
        try:
            return await handler(request)
        except StoreUnavailable as error:
            answer = refused(request, 503, error.sentence, error.hint)
            answer.headers["Retry-After"] = "5"
            return answer
        except BridgeError as error:
            return refused(request, 400, error.sentence, error.hint)
        except web.HTTPRequestEntityTooLarge:
            return refused(request, 413, "the request is too large", "shorten the text")
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
            answer = refused(request, error.status, error.reason.lower(), "look at /sandbox")
            if "Allow" in error.headers:
                answer.headers["Allow"] = error.headers["Allow"]
            return answer

    return middleware


def _is_sandbox(request: web.Request) -> bool:
    return request.path in {"/", "/retention"} or request.path.startswith("/sandbox")


def refused(request: web.Request, status: int, sentence: str, hint: str) -> web.Response:
    """An error as the one who asked can read it: JSON for programs, a line of text for people."""
    if request.path.startswith(_API) or request.method == "OPTIONS":
        return web.json_response({"error": sentence, "hint": hint}, status=status)
    return web.Response(text=f"{sentence}\n{hint}\n", status=status)


async def harden(_request: web.Request, response: web.StreamResponse) -> None:
    """Put the headers on every answer that keep other sites, frames and caches out."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Server"] = "sms-bridge"
