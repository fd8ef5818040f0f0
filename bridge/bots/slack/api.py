"""One workspace's Web API: calls come in, answers or the bridge's own errors go out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bridge.bots.slack.turnstile import Pause, Turnstiles
from bridge.errors import Doubtful, Refused, TryLater
from bridge.settings.sections import Workspace

log = structlog.get_logger("bridge.slack")

_CHUNK: Final = 65_536

#: What Slack's libraries would log holds texts, people and tokens.
QUIET: Final = logging.getLogger("bridge.slack.library")
QUIET.disabled = True
QUIET.setLevel(logging.CRITICAL + 1)

_TIMEOUT: Final = aiohttp.ClientTimeout(total=15)
#: For an answer to one person, at a payload's own address: they wait for it.
_HASTE: Final = aiohttp.ClientTimeout(total=5)
#: Connections to one host: answers to persons go to another one than calls.
_CONNECTIONS: Final = 100
_SHORTEST_PAUSE: Final = 0.1
#: The one method that Slack limits by channel too.
_POST: Final = "chat_postMessage"
_COMPLAIN_EVERY: Final = 60.0

#: Slack's words for its own trouble.
_TROUBLE: Final = frozenset(
    {
        *("internal_error", "fatal_error", "service_unavailable", "request_timeout"),
        *("team_added_to_org", "accesslimited", "message_limit_exceeded"),
    }
)
#: Slack's words for what the operator must mend: nothing that is owed is given up for that.
_DENIED: Final = frozenset(
    {
        *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
        *("missing_scope", "no_permission", "not_allowed_token_type", "access_denied"),
        *("ekm_access_denied", "org_login_required", "two_factor_setup_required"),
    }
)
_INVITE: Final = ("the app is not in this channel", "type /invite there, with the app's name")
_SENTENCES: Final = {
    "not_in_channel": _INVITE,
    "channel_not_found": _INVITE,
    "is_archived": ("this channel is archived", "unarchive it, or choose another"),
    "restricted_action": ("the workspace lets no app write there", "ask its admin"),
    "user_disabled": ("this person's account is closed", ""),
}


class Refusal(Refused):
    """Slack's no; `code` is its word for it."""

    def __init__(self, code: str) -> None:
        super().__init__(*_SENTENCES.get(code, (f"Slack refuses this ({code})", "")))
        self.code = code


class Denied(TryLater):
    """Slack's no until the operator mends the app or its token."""

    def __init__(self, code: str) -> None:
        hint = "look at the app's tokens and scopes; `bridge check` names what is missing"
        super().__init__(f"Slack denies us this ({code})", hint)
        self.code = code


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a bot token is."""

    team: str
    team_name: str
    scopes: frozenset[str] | None  # None: Slack did not say


class Api:
    """The Web API of one workspace. Every call obeys its limits."""

    def __init__(self, workspace: Workspace, url: str) -> None:
        self.workspace = workspace
        self._url = url
        self._gates = Turnstiles()
        self._session: aiohttp.ClientSession | None = None
        self._web: AsyncWebClient | None = None
        self._identity: Identity | None = None
        self._asking = asyncio.Lock()
        self._complained = -_COMPLAIN_EVERY

    @property
    def session(self) -> aiohttp.ClientSession:
        """The connections, made with the first call."""
        if self._session is None:
            # Not `trust_env`: it would also send what a .netrc holds, and costs two threads a call.
            lines = aiohttp.TCPConnector(limit=0, limit_per_host=_CONNECTIONS)
            self._session = aiohttp.ClientSession(connector=lines, timeout=_TIMEOUT)
        return self._session

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()

    async def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Call a method of Slack's client by its name. Raises Refusal, Denied, TryLater."""
        channel = str(arguments["channel"]) if method == _POST else ""
        return await self._gates.through(method, lambda: self._asked(method, arguments), channel)

    async def respond(self, url: str, body: Mapping[str, Any]) -> bool:
        """Answer at a payload's own address; False where that has been used up."""
        return await self._gates.through("respond", lambda: self._responded(url, body))

    async def download(self, url: str, most: int) -> bytes:
        """A file of the workspace, at most so many octets. Raises Refused, TryLater."""
        host = urlsplit(url).hostname or ""
        # The token goes to Slack, whatever an answer names.
        if not (host.endswith(".slack.com") or host == urlsplit(self._url).hostname):
            raise Refused("this file is not in Slack", "drop the file itself, not a link to one")
        return await self._gates.through("download", lambda: self._downloaded(url, most))

    async def identity(self) -> Identity:
        """Who we are, asked once."""
        async with self._asking:
            if self._identity is None:
                self._identity = await self._gates.through("auth_test", self._introduced)
        return self._identity

    @property
    def known_team(self) -> str:
        """The workspace's id, "" while it is not known."""
        return self._identity.team if self._identity else ""

    async def team(self) -> str:
        """The workspace's id."""
        return (await self.identity()).team

    # -- one attempt -------------------------------------------------------------------------

    async def _asked(self, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = await self._answer(method, arguments)
        data: Mapping[str, Any] = answer.data
        return data

    async def _introduced(self) -> Identity:
        answer = await self._answer("auth_test", {})
        scopes = answer.headers.get("x-oauth-scopes")
        listed = None if scopes is None else frozenset(s.strip() for s in scopes.split(","))
        return Identity(answer["team_id"], answer.get("team", ""), listed)

    async def _answer(self, method: str, arguments: Mapping[str, Any]) -> Any:
        ask = getattr(self._client(), method)
        # Their own tracebacks hold what was sent.
        try:
            return await ask(**arguments)
        except SlackApiError as error:
            raise self._verdict(error.response) from None
        except aiohttp.ClientConnectorError:
            raise _unreachable() from None
        except (aiohttp.ClientError, OSError, TimeoutError, AttributeError):
            # AttributeError: the library's, where a text comes instead of JSON.
            raise _unheard() from None

    async def _responded(self, url: str, body: Mapping[str, Any]) -> bool:
        try:
            asked = self.session.post(
                url, json=body, allow_redirects=False, proxy=proxy_of(url), timeout=_HASTE
            )
            async with asked as answer:
                if answer.status == 429:
                    raise Pause(_seconds(answer.headers))
                if answer.status >= 500:
                    raise _unreachable()
                said = await answer.text()
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise _unreachable() from None
        return answer.status == 200 and '"ok":false' not in said.replace(" ", "")

    async def _downloaded(self, url: str, most: int) -> bytes:
        headers = {"Authorization": f"Bearer {self.workspace.bot_token.get_secret_value()}"}
        try:
            asked = self.session.get(
                url, headers=headers, allow_redirects=False, proxy=proxy_of(url)
            )
            async with asked as answer:
                if answer.status == 429:
                    raise Pause(_seconds(answer.headers))
                if answer.status >= 500:
                    raise _unreachable()
                # Without its scope, Slack sends a page to log in at.
                if answer.status != 200 or answer.content_type == "text/html":
                    raise Refused("Slack does not give us the file", "`bridge check` tells why")
                data = bytearray()
                async for chunk in answer.content.iter_chunked(_CHUNK):
                    data += chunk
                    if len(data) > most:
                        raise Refused("the file is larger than 1 MB", "drop it in parts")
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise _unreachable() from None
        return bytes(data)

    def _client(self) -> AsyncWebClient:
        if self._web is None:
            self._web = AsyncWebClient(
                token=self.workspace.bot_token.get_secret_value(),
                base_url=self._url,
                session=self.session,
                logger=QUIET,
                # Its own would post again what may have been posted.
                retry_handlers=[],
            )
            # The library would not ask which hosts no proxy is for.
            self._web.proxy = proxy_of(self._url)
        return self._web

    def _verdict(self, response: Any) -> Exception:
        status = getattr(response, "status_code", 0) or getattr(response, "status", 0)
        data = getattr(response, "data", None)
        code = str(data.get("error", "")) if isinstance(data, dict) else ""
        if status == 429 or code in ("ratelimited", "rate_limited"):
            return Pause(_seconds(response.headers))
        if status >= 500 or not code or code in _TROUBLE:
            return _unheard()
        if code in _DENIED:
            self._complain(code)
            return Denied(code)
        return Refusal(code)

    def _complain(self, code: str) -> None:
        now = time.monotonic()
        if now - self._complained >= _COMPLAIN_EVERY:
            self._complained = now
            log.error("slack denies us a call", workspace=self.workspace.name, why=code)


def proxy_of(url: str) -> str | None:
    """The proxy that the environment names for an address."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme.replace("ws", "http"))


def _seconds(headers: Mapping[str, str]) -> float:
    try:
        return max(_SHORTEST_PAUSE, float(headers.get("Retry-After", "1")))
    except ValueError:
        return 1.0


#: What to call a Doubtful where nothing was to be posted.
NO_ANSWER: Final = "Slack gives no answer that can be used"


def _unheard() -> Doubtful:
    return Doubtful("Slack did not say whether it took it", "it is tried again by itself")


def _unreachable() -> TryLater:
    return TryLater("Slack cannot be reached", "check that this machine reaches [slack] api_url")
