"""Signed requests of Slack come in at /slack/events; those that are not Slack's go no further."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from bridge.bots.slack.door import Door
from bridge.errors import BridgeError

log = structlog.get_logger("bridge.slack")

PATH: Final = "/slack/events"
#: Octets of a payload: a shortcut below a long message, written in a form's escapes.
LARGEST: Final = 1024 * 1024
_LOG_EVERY: Final = 60.0


class Hook:
    """The request URL of all workspaces without an app token."""

    def __init__(self, doors: Sequence[Door]) -> None:
        self._doors = [(door, _verifier(door)) for door in doors]
        self._refused = 0
        self._logged = -_LOG_EVERY

    async def answer(self, request: web.Request) -> web.Response:
        """Verify it (signature v0, at most five minutes old), and let it in."""
        # The application's own limit is for the sandbox's small requests.
        body = await request.content.read(LARGEST + 1)
        while not request.content.at_eof() and len(body) <= LARGEST:
            body += await request.content.read(LARGEST)
        if len(body) > LARGEST:
            return web.Response(status=413)
        doors = [door for door, verifier in self._doors if _signed(verifier, request, body)]
        if not doors:
            self._refuse()
            return web.Response(status=401)
        try:
            asked = AsyncBoltRequest(body=body.decode(), headers=dict(request.headers))
            door = doors[0] if len(doors) == 1 else await _meant(doors, asked)
        except ValueError:
            return web.Response(status=400)
        except BridgeError:
            return web.Response(status=503)
        return await to_aiohttp_response(await door.hear(asked))

    def _refuse(self) -> None:
        self._refused += 1
        now = time.monotonic()
        if now - self._logged >= _LOG_EVERY:
            log.warning("requests without Slack's signature were refused", count=self._refused)
            self._logged, self._refused = now, 0


def _verifier(door: Door) -> SignatureVerifier:
    return SignatureVerifier(door.api.workspace.signing_secret.get_secret_value())


def _signed(verifier: SignatureVerifier, request: web.Request, body: bytes) -> bool:
    headers: Mapping[str, str] = request.headers
    try:
        return verifier.is_valid(
            body,
            headers.get("X-Slack-Request-Timestamp"),
            headers.get("X-Slack-Signature"),
        )
    except (ValueError, TypeError):  # a timestamp, a body or a signature of other characters
        return False


async def _meant(doors: Sequence[Door], request: AsyncBoltRequest) -> Door:
    """Of several workspaces with one secret, the one that it is about. Raises ValueError."""
    for door in doors:
        if await door.api.team() == request.context.team_id:
            return door
    raise ValueError("no workspace of this id")
