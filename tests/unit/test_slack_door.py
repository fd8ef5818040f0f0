"""How a payload is acknowledged when it is stored, when it cannot be, and when that takes long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bridge.bots.slack.api import Api
from bridge.bots.slack.door import BUSY, SLOW, Door
from bridge.errors import StoreUnavailable
from bridge.settings.sections import Workspace
from tests.slack_peer import FakeSlack

SLACK = FakeSlack()
FORM = SLACK.form({"type": "modal", "callback_id": "reply", "blocks": []}, {"text": "Boiler"})
SHORTCUT = {**SLACK.press("x", text="Boiler"), "type": "message_action", "callback_id": "x"}


class Desk:
    """What is stored; it may refuse, or take its time."""

    def __init__(self) -> None:
        self.taken: dict[str, Mapping[str, Any]] = {}
        self.full = False
        self.open = asyncio.Event()
        self.open.set()

    async def take(self, key: str, payload: Mapping[str, Any]) -> bool:
        await self.open.wait()
        if self.full:
            raise StoreUnavailable("the disk is full")
        self.taken[key] = payload
        return True


def unheard(_api: Api, _body: Mapping[str, Any]) -> None:
    raise AssertionError("nobody typed")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def door(desk: Desk) -> Door:
    api = Api(Workspace(name="slack"), "http://127.0.0.1:9/api/")
    return Door(api, desk.take, unheard, unheard, haste=0.05)


async def hear(door: Door, body: dict[str, Any]) -> BoltResponse:
    return await door.hear(AsyncBoltRequest(body=body, mode="socket_mode"))


@pytest.mark.parametrize("body", [SLACK.command("help"), SLACK.press("send", "1"), FORM, SHORTCUT])
async def test_what_is_stored_is_acknowledged_with_nothing(
    door: Door, desk: Desk, body: dict[str, Any]
) -> None:
    said = await hear(door, body)
    assert (said.status, said.body) == (200, "")
    (stored,) = desk.taken.values()
    assert stored["app"] == "slack"
    assert "token" not in json.dumps(stored)


async def test_a_command_that_is_not_stored_is_answered(door: Door, desk: Desk) -> None:
    desk.full = True
    said = await hear(door, SLACK.command("help"))
    assert json.loads(said.body) == {"text": BUSY, "response_type": "ephemeral"}


async def test_a_form_that_is_not_stored_stays_open(door: Door, desk: Desk) -> None:
    desk.full = True
    said = await hear(door, FORM)
    assert json.loads(said.body) == {"response_action": "errors", "errors": {"text": BUSY}}


@pytest.mark.parametrize("body", [SLACK.press("send", "1"), SHORTCUT])
async def test_a_press_that_is_not_stored_is_not_acknowledged(
    door: Door, desk: Desk, body: dict[str, Any]
) -> None:
    desk.full = True
    assert (await hear(door, body)).status == 503


async def test_a_slow_store_is_not_waited_for_and_may_take_it_yet(door: Door, desk: Desk) -> None:
    desk.open.clear()
    said = await hear(door, SLACK.command("help"))
    assert json.loads(said.body)["text"] == SLOW
    desk.open.set()
    await door.settled()
    assert len(desk.taken) == 1


async def test_a_slow_store_may_refuse_it_yet(door: Door, desk: Desk) -> None:
    desk.full = True
    desk.open.clear()
    await hear(door, FORM)
    desk.open.set()
    await door.settled()
    assert not desk.taken


async def test_whatever_the_command_is_called_it_is_obeyed(door: Door, desk: Desk) -> None:
    await hear(door, SLACK.command("help", command="/text"))
    assert len(desk.taken) == 1
