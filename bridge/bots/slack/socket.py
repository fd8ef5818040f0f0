"""Socket Mode: one connection that is kept up; envelopes come in, acknowledgements go out.

The library's own client tries one address again and again where a connection fails. Slack's are
good once, so it would never come back.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final

import aiohttp
import structlog
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bridge.bots.slack.api import NO_ANSWER, Api, proxy_of
from bridge.errors import BridgeError, Doubtful

log = structlog.get_logger("bridge.slack")

#: Seconds: between pings, before the first and the latest new try, of a connection that was good,
#: for which an old connection is kept beside its successor.
PING: Final = 10.0
FIRST_PAUSE, LONGEST_PAUSE, STEADY = 0.5, 30.0, 5.0
LINGER: Final = 10.0
_PARTING: Final = aiohttp.ClientWSTimeout(ws_close=2.0)

Hear = Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]


class Socket:
    """Keeps a workspace connected."""

    def __init__(self, api: Api, hear: Hear) -> None:
        self._api = api
        self._hear = hear
        self._keeper: asyncio.Task[None] | None = None
        self._sessions: set[asyncio.Task[None]] = set()
        self._heard: set[asyncio.Task[None]] = set()
        self._closing = False

    def start(self, watch: Callable[[asyncio.Task[None]], None]) -> None:
        """Begin to connect; `watch` is told of the task that goes on for ever."""
        name = f"slack-{self._api.workspace.name}"
        self._keeper = asyncio.create_task(self._keep(), name=name)
        watch(self._keeper)

    async def stop(self) -> None:
        """Acknowledge what was taken, take no more, and end."""
        self._closing = True
        await asyncio.gather(*self._heard, return_exceptions=True)
        tasks = [*self._sessions, *([self._keeper] if self._keeper else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE
        while True:
            began = loop.time()
            moved = asyncio.Event()
            session = self._run(self._sessions, self._session(moved))
            moving = asyncio.create_task(moved.wait())
            try:
                await asyncio.wait({session, moving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                moving.cancel()
            if loop.time() - began >= STEADY:
                pause = FIRST_PAUSE
                if moved.is_set():
                    continue
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            pause = min(LONGEST_PAUSE, 2 * pause)

    async def _session(self, moved: asyncio.Event) -> None:
        """One connection, to its end; `moved` is set when Slack asks for a new one."""
        why = "closed"
        try:
            token = self._api.workspace.app_token.get_secret_value()
            answer = await self._api.call("apps_connections_open", app_token=token)
            url = answer["url"]
            connecting = self._api.session.ws_connect(
                url, heartbeat=PING, timeout=_PARTING, proxy=proxy_of(url)
            )
            async with connecting as line:
                await self._listen(line, moved)
        except Doubtful:
            why = NO_ANSWER
        except BridgeError as error:
            why = error.sentence
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError) as error:
            why = type(error).__name__
        if not moved.is_set():
            log.warning("slack is not connected", workspace=self._api.workspace.name, why=why)

    async def _listen(self, line: aiohttp.ClientWebSocketResponse, moved: asyncio.Event) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None) as limit:
                async for message in line:
                    if message.type is not aiohttp.WSMsgType.TEXT or self._closing:
                        continue
                    envelope = json.loads(message.data)
                    if envelope.get("type") == "hello":
                        log.info("slack is connected", workspace=self._api.workspace.name)
                    elif envelope.get("type") == "disconnect":
                        moved.set()
                        limit.reschedule(asyncio.get_running_loop().time() + LINGER)
                    elif "envelope_id" in envelope:
                        self._run(self._heard, self._answer(line, envelope))

    async def _answer(
        self, line: aiohttp.ClientWebSocketResponse, envelope: Mapping[str, Any]
    ) -> None:
        try:
            payload = dict(envelope["payload"])
            said = await self._hear(AsyncBoltRequest(body=payload, mode="socket_mode"))
            if said.status == 200:
                await line.send_json({"envelope_id": envelope["envelope_id"], **_payload(said)})
        except (aiohttp.ClientError, OSError):
            pass  # Slack tells it again over another connection
        except Exception as fault:  # noqa: BLE001 - one envelope must not end the connection
            log.error("an envelope failed", error=type(fault).__name__)

    def _run(
        self, kept: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        kept.add(task)
        task.add_done_callback(kept.discard)
        return task


def _payload(said: BoltResponse) -> dict[str, Any]:
    """What an acknowledgement carries besides."""
    if not said.body:
        return {}
    if said.body.startswith("{"):
        return {"payload": json.loads(said.body)}
    return {"payload": {"text": said.body}}
