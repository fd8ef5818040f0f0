"""A Slack of our own, after its documentation: limits, refusals, redelivery and lost connections."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import itertools
import json
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from bridge.bots.chat import Event, Line, View

BOT, APP, SECRET = "xoxb-the-bots-own-token", "xapp-the-apps-own-token", "the-signing-secret"
TEAM, CHANNEL, EVA, OWN = "T01TEST", "C01GEN", "U01EVA", "D01EVA"
SCOPES = (
    "commands,chat:write,chat:write.public,im:write,im:history,files:read,"
    "channels:read,groups:read,mpim:read"
)


def refusal(code: str) -> web.Response:
    """A method's no."""
    return web.json_response({"ok": False, "error": code})


def too_many(seconds: float) -> web.Response:
    """A method's "not now"."""
    return web.json_response(
        {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(seconds)}
    )


class FakeSlack:
    """One workspace: what was called, and how each method answers next."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.times: list[float] = []
        self.tokens: list[str] = []
        self.next: dict[str, deque[web.Response | dict[str, Any]]] = defaultdict(deque)
        self.always: dict[str, dict[str, Any]] = {
            "auth.test": {"team_id": TEAM, "team": "Trial", "user_id": "U0BOT"},
            "conversations.open": {"channel": {"id": OWN}},
            "conversations.info": {"channel": {"is_private": False, "is_member": True}},
        }
        self.scopes: str | None = SCOPES
        self.files: dict[str, bytes] = {}
        self.lines: list[web.WebSocketResponse] = []
        self.connected = asyncio.Event()
        self.refuse_lines = 0
        self.answers = asyncio.Event()  # at its response URLs
        self.answers.set()
        self.acks: dict[str, dict[str, Any]] = {}
        self._acked = asyncio.Event()
        self._tickets: set[str] = set()
        self._numbers = itertools.count(1)

    def called(self, method: str) -> list[dict[str, Any]]:
        """The arguments of each call of a method."""
        return [arguments for name, arguments in self.calls if name == method]

    @property
    def response_url(self) -> str:
        return f"{self.url}respond/1"

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", "/api/{method}", self._method),
            web.post("/respond/{id}", self._respond),
            web.get("/line/{ticket}", self._line),
            web.get("/files/{name}", self._file),
        ]

    async def _method(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        arguments = dict(request.query)
        if request.can_read_body:
            is_json = request.content_type == "application/json"
            arguments |= await request.json() if is_json else dict(await request.post())
        self.tokens.append(request.headers.get("Authorization", ""))
        return self._answered(method, arguments)

    async def _file(self, request: web.Request) -> web.Response:
        self.tokens.append(request.headers.get("Authorization", ""))
        return web.Response(body=self.files[request.match_info["name"]], content_type="text/csv")

    async def _respond(self, request: web.Request) -> web.Response:
        await self.answers.wait()
        answer = self._answered("respond", await request.json())
        return answer if answer.status != 200 else web.Response(text="ok")

    def _answered(self, method: str, arguments: dict[str, Any]) -> web.Response:
        self.calls.append((method, arguments))
        self.times.append(time.monotonic())
        found = self.next[method].popleft() if self.next[method] else self.always.get(method, {})
        if isinstance(found, web.Response):
            return found
        number = next(self._numbers)
        made: dict[str, Any] = {
            "ts": f"1700000000.{number:06}",
            "view": {"id": "V1", "hash": f"hash-{number}"},
        }
        made |= found
        if method == "apps.connections.open":
            ticket = f"ticket-{number}"
            self._tickets.add(ticket)
            made["url"] = self.url.replace("http:", "ws:") + f"line/{ticket}"
        headers = {"x-oauth-scopes": self.scopes} if self.scopes is not None else {}
        return web.json_response({"ok": True, **made}, headers=headers)

    # -- Socket Mode -------------------------------------------------------------------------

    async def _line(self, request: web.Request) -> web.StreamResponse:
        ticket = request.match_info["ticket"]
        if ticket not in self._tickets:
            return web.Response(status=404)  # a ticket is good once
        self._tickets.discard(ticket)
        if self.refuse_lines:
            self.refuse_lines -= 1
            return web.Response(status=503)
        line = web.WebSocketResponse()
        await line.prepare(request)
        await line.send_json({"type": "hello", "num_connections": 1})
        self.lines.append(line)
        self.connected.set()
        async for message in line:
            said = json.loads(message.data)
            self.acks[said["envelope_id"]] = said
            self._acked.set()
        return line

    async def line(self, count: int = 1) -> web.WebSocketResponse:
        """The newest connection, once there were so many."""
        async with asyncio.timeout(20):
            while len(self.lines) < count:
                self.connected.clear()
                await self.connected.wait()
        return self.lines[-1]

    async def tell(
        self,
        payload: Mapping[str, Any],
        kind: str = "interactive",
        envelope: str = "",
        *,
        acked: bool = True,
    ) -> dict[str, Any]:
        """Send an envelope over the newest connection; its acknowledgement."""
        name = envelope or f"envelope-{next(self._numbers)}"
        self.acks.pop(name, None)
        await self.lines[-1].send_json({"envelope_id": name, "type": kind, "payload": payload})
        async with asyncio.timeout(10):
            while acked and name not in self.acks:
                self._acked.clear()
                await self._acked.wait()
        return self.acks.get(name, {})

    # -- payloads ----------------------------------------------------------------------------

    def _base(self, **more: Any) -> dict[str, Any]:
        number = next(self._numbers)
        return {
            "token": "a-verification-token",
            "team": {"id": TEAM, "domain": "trial"},
            "user": {"id": EVA, "name": "eva", "team_id": TEAM},
            "trigger_id": f"trigger-{number}",
            "response_url": self.response_url,
            **more,
        }

    def command(self, text: str, **more: Any) -> dict[str, Any]:
        """`/sms …` in a channel."""
        return {
            "token": "a-verification-token",
            "team_id": TEAM,
            "channel_id": CHANNEL,
            "channel_name": "general",
            "user_id": EVA,
            "user_name": "eva",
            "command": "/sms",
            "text": text,
            "response_url": self.response_url,
            "trigger_id": f"trigger-{next(self._numbers)}",
            **more,
        }

    def press(
        self, action: str, value: str = "", *, ephemeral: bool = False, **message: Any
    ) -> dict[str, Any]:
        """A button below a post of ours."""
        ts = message.setdefault("ts", "1700000000.000100")
        container = {"type": "message", "message_ts": ts, "is_ephemeral": ephemeral}
        return self._base(
            type="block_actions",
            container={**container, "channel_id": CHANNEL},
            channel={"id": CHANNEL, "name": "general"},
            actions=[{"type": "button", "action_id": f"{action}#0", "value": value}],
            **({} if ephemeral else {"message": message}),
        )

    def form(self, view: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
        """An open form that is sent off."""
        opened = _opened(view, fields)
        return self._base(type="view_submission", view=opened, response_url="")

    def keystroke(self, view: Mapping[str, Any], text: str, hash: str = "h0") -> dict[str, Any]:  # noqa: A002
        """A character that was typed in an open form."""
        return self._base(
            type="block_actions",
            container={"type": "view", "view_id": "V1"},
            view={**_opened(view, {"to": "+420601123456", "text": text}), "hash": hash},
            actions=[{"type": "plain_text_input", "action_id": "text", "block_id": "text"}],
        )

    def event(self, event_id: str = "Ev1", kind: str = "app_home_opened") -> dict[str, Any]:
        """Somebody looks at the app's page."""
        return {
            "token": "a-verification-token",
            "team_id": TEAM,
            "type": "event_callback",
            "event_id": event_id,
            "event": {"type": kind, "user": EVA, "channel": OWN, "tab": "home"},
        }

    def dropped(self, name: str, channel_type: str = "im") -> dict[str, Any]:
        """Somebody drops a file where they write."""
        body = self.event("Ev2", "message")
        event = {"subtype": "file_share", "text": "here", "channel_type": channel_type}
        return {**body, "event": {**body["event"], **event, "files": [{"id": "F1", "name": name}]}}


def _opened(view: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    values = {
        name: {name: {"type": "plain_text_input", "value": value or None}}
        for name, value in fields.items()
    }
    return {**view, "id": "V1", "hash": "h0", "state": {"values": values}}


def signed(body: str, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """The headers that Slack signs a request with."""
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256)
    return {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest.hexdigest()}",
    }


@asynccontextmanager
async def fake_slack() -> AsyncIterator[FakeSlack]:
    """The workspace, listening."""
    slack = FakeSlack()
    async with serving(slack.routes()) as url:
        slack.url = url
        yield slack


@asynccontextmanager
async def serving(routes: list[web.RouteDef], port: int = 0) -> AsyncIterator[str]:
    """A web server with these routes; its address."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def posted(
    url: str, body: str, headers: Mapping[str, str], kind: str = "application/json"
) -> tuple[int, str]:
    """POST a body; the status and the text of the answer."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            url, data=io.BytesIO(body.encode()), headers={"Content-Type": kind, **headers}
        ) as answer,
    ):
        return answer.status, await answer.text()


class Listener:
    """In the handler's place: writes down what the edge makes of what Slack says."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.fails: deque[Exception] = deque()
        self.typed: list[Mapping[str, str]] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self._news = asyncio.Event()

    async def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()
        if self.fails:
            raise self.fails.popleft()

    async def counts(self, _event: Event, fields: Mapping[str, str]) -> tuple[str, ...]:
        self.typed.append(fields)
        await self.hold.wait()
        return (f"{len(fields['text'])} characters",)

    async def home(self, event: Event) -> View:
        return View((Line(f"Home of {event.person}", "head"),))

    async def heard(self, count: int = 1) -> Event:
        """The newest event, once there are so many."""
        async with asyncio.timeout(20):
            while len(self.events) < count:
                self._news.clear()
                await self._news.wait()
        return self.events[-1]
