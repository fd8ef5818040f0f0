"""Slack's adapter against a workspace on this machine, and against a Slack that is in trouble."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web
from sqlalchemy import func, select
from structlog.testing import capture_logs

from bridge import opening, settings
from bridge.bots import intake
from bridge.bots.chat import Button, Event, Filled, Form, Gone, Line, Pressed, Typed, View
from bridge.bots.handler import Handler
from bridge.bots.slack import events
from bridge.bots.slack.check import check
from bridge.bots.slack.client import SlackChat
from bridge.bots.slack.counting import Counting
from bridge.bots.slack.counting import Typed as Keystroke
from bridge.bots.slack.edge import SlackEdge
from bridge.bots.slack.turnstile import Turnstiles
from bridge.dispatch.bridge import Bridge
from bridge.errors import Refused, TryLater
from bridge.store.chat_tables import chat_update
from bridge.store.sql import Statement
from bridge.store.updates import StoreUpdate, store_updates
from tests.bridges import write_config
from tests.e2e import slackers
from tests.e2e.processes import until
from tests.e2e.slackers import LocalSlack, local_slack, shown
from tests.slack_peer import (
    APP,
    BOT,
    CHANNEL,
    EVA,
    OWN,
    SECRET,
    TEAM,
    FakeSlack,
    Listener,
    fake_slack,
    posted,
    refusal,
    serving,
    signed,
    too_many,
)

FreePort = Callable[[], int]
NodeModules = Callable[[str], Path]

CARD = View(
    (Line("SMS to +420 … 456: waiting", "head"), Line("Boiler is cold", "quote")),
    (Button("Take back", "takeback", "38g4sre5p0100"),),
)


@dataclass
class Ours:
    """The adapter under test, and what it made of what it heard."""

    bridge: Bridge
    chat: SlackChat
    edge: SlackEdge
    heard: Listener
    url: str  # of the request URL, where there is one

    @property
    def api(self) -> Any:
        return next(iter(self.chat.apis.values()))

    async def stored(self) -> int:
        rows = await self.bridge.store.read(
            Statement(select(func.count()).select_from(chat_update))
        )
        return int(rows[0][0])

    async def done(self) -> None:
        """Wait until all that was stored has been worked."""
        count = select(func.count()).select_from(chat_update).where(chat_update.c.done_at.is_(None))

        async def look() -> bool:
            return not (await self.bridge.store.read(Statement(count)))[0][0]

        await until(look, "the end of the work")


def written(api_url: str, **keys: str) -> str:
    """A [slack] section."""
    lines = [f'{name} = "{value}"' for name, value in {"api_url": api_url, **keys}.items()]
    return "[slack]\n" + "\n".join(lines)


SOCKET = {"bot_token": BOT, "app_token": APP}
SIGNED = {"bot_token": BOT, "signing_secret": SECRET}


@asynccontextmanager
async def running(
    folder: Path, slack: str, *, port: int = 0, heard: Listener | None = None
) -> AsyncIterator[Ours]:
    config = settings.load(write_config(folder, more=slack), {})
    heard = heard or Listener()
    async with opening.opened(config, "up") as bridge:
        chat = SlackChat(bridge)
        edge = SlackEdge(bridge, chat, cast(Handler, heard))
        await edge.start()
        try:
            async with serving(edge.routes(), port) as url:
                yield Ours(bridge, chat, edge, heard, url + "slack/events")
        finally:
            await edge.stop()
            await chat.close()


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with fake_slack() as found:
        yield found


@pytest.fixture
async def ours(slack: FakeSlack, tmp_path: Path) -> AsyncIterator[Ours]:
    """Socket Mode, connected to a Slack of our own."""
    async with running(tmp_path, written(slack.url + "api/", **SOCKET)) as found:
        await slack.line()
        yield found


@pytest.fixture
async def hooked(slack: FakeSlack, tmp_path: Path) -> AsyncIterator[Ours]:
    """Signed requests."""
    async with running(tmp_path, written(slack.url + "api/", **SIGNED)) as found:
        yield found


Local = Callable[..., Any]


@pytest.fixture
def local(tmp_path: Path, free_port: FreePort, node_modules: NodeModules) -> Local:
    """The workspace that others wrote, and ours in it: by Socket Mode, or by signed requests."""

    @asynccontextmanager
    async def start(*, hooked: bool = False) -> AsyncIterator[tuple[LocalSlack, Ours]]:
        port = free_port()
        url = f"http://127.0.0.1:{port}/slack/events"
        there = local_slack(tmp_path, node_modules(slackers.PACKAGE), free_port(), url)
        async with there as room:
            if hooked:
                token = slackers.TOKENS[slackers.HTTP_APP]
                keys = {"bot_token": token, "signing_secret": slackers.SECRET}
            else:
                token = slackers.TOKENS[slackers.SOCKET_APP]
                keys = {"bot_token": token, "app_token": slackers.APP_TOKEN}
            async with running(tmp_path, written(room.api_url, **keys), port=port) as found:
                if not hooked:
                    await until(room.said_of_app, "the connection")
                yield room, found

    return start


# -- with the workspace that others wrote ----------------------------------------------------------


@pytest.mark.parametrize("hooked", [False, True])
async def test_a_command_is_heard_and_answered_to_its_writer_alone(
    local: Local, hooked: bool
) -> None:
    app_id = slackers.HTTP_APP if hooked else slackers.SOCKET_APP
    async with local(hooked=hooked) as (room, ours):
        await room.command(slackers.EVA, "+420601123456 Boiler &amp; pump", app=app_id)
        event = await ours.heard.heard()
        assert event.act == Typed("+420601123456 Boiler & pump")
        assert (event.edge, event.team, event.person) == ("slack", slackers.TEAM, slackers.EVA)
        assert (event.place, event.thread) == (f"{slackers.TEAM}/{slackers.GENERAL}", "")
        assert (event.private, event.tenant) == (False, 0)
        await ours.chat.whisper(event, CARD)
        found = await room.sees("Boiler is cold")
        assert (found["subtype"], found["ephemeral_to"]) == ("ephemeral", slackers.EVA)


async def test_in_the_chat_with_the_app_it_is_private(local: Local) -> None:
    async with local() as (room, ours):
        await room.command(slackers.EVA, "enrol 7K30", channel=await room.own(slackers.EVA))
        event = await ours.heard.heard()
        assert event.private
        assert not ours.chat.shared(event.place)
        assert ours.chat.shared(f"{slackers.TEAM}/{slackers.GENERAL}")


async def test_posts_threads_and_edits(local: Local) -> None:
    place = f"{slackers.TEAM}/{slackers.GENERAL}"
    async with local() as (room, ours):
        root = await ours.chat.post(place, "", CARD)
        below = await ours.chat.post(place, root, View((Line("Thanks!", "quote"),)))
        await ours.chat.edit(place, root, View((Line("delivered", "head"),)))
        first, second = await room.messages()
        assert (first["ts"], shown(first)) == (root, "*delivered*")
        assert (second["ts"], second["thread_ts"], shown(second)) == (below, root, "“Thanks!”")
        # What notifications show, on locked screens too, is nothing that a person wrote.
        assert (first["text"], second["text"]) == ("delivered", "Thanks!")
        with pytest.raises(Gone):
            await ours.chat.edit(place, "1.1", CARD)
        with pytest.raises(Refused, match="not in this channel"):
            await ours.chat.post(f"{slackers.TEAM}/C404", "", CARD)


async def test_a_button_is_pressed_and_its_post_changes(local: Local) -> None:
    place = f"{slackers.TEAM}/{slackers.GENERAL}"
    async with local() as (room, ours):
        root = await ours.chat.post(place, "", CARD)
        (card,) = await room.messages()
        await room.press(slackers.BOB, card, "takeback")
        event = await ours.heard.heard()
        assert event.act == Pressed("takeback", "38g4sre5p0100", root)
        assert (event.person, event.place, event.thread) == (slackers.BOB, place, root)

        await ours.chat.relabel(event, (Button("Claim", "claim", "1"), Button("Reply", "reply")))
        (card,) = await room.messages()
        assert shown(card) == "*SMS to +420 … 456: waiting*\n“Boiler is cold”\nClaim\nReply"
        await room.press(slackers.EVA, card, "reply")
        assert (await ours.heard.heard(2)).act == Pressed("reply", "", root)

        await ours.chat.revise(event, View((Line("Sent."),)))
        (card,) = await room.messages()
        assert shown(card) == "Sent."


async def test_a_form_is_opened_and_filled_in(local: Local) -> None:
    place = f"{slackers.TEAM}/{slackers.GENERAL}"
    async with local() as (room, ours):
        root = await ours.chat.post(place, "", CARD)
        (card,) = await room.messages()
        await room.press(slackers.EVA, card, "takeback")
        event = await ours.heard.heard()
        fields = {"to": "+420601123456", "text": "Boiler is cold", "when": ""}
        await ours.chat.ask(event, Form("compose", "38g4", "New SMS to somebody far away", fields))
        form = await room.form()
        assert form["title"]["text"] == "New SMS to somebody far…"
        await room.submit(slackers.EVA, to="@eva", text="It is warm", when="08:00")
        event = await ours.heard.heard(2)
        filled = {"to": "@eva", "text": "It is warm", "when": "08:00"}
        assert event.act == Filled("compose", "38g4", filled)
        assert (event.place, event.thread, event.private) == (place, root, False)
        # A form has no address of its own to answer at: that of the button is used on.
        await ours.chat.whisper(event, View((Line("Not so fast."),)))
        assert (await room.sees("Not so fast."))["ephemeral_to"] == slackers.EVA


async def test_the_apps_own_page(local: Local) -> None:
    async with local() as (room, ours):
        await room.look_home(slackers.EVA)

        async def look() -> Any:
            return (await room.state())["homeViews"].get(slackers.EVA)

        page = (await until(look, "the page"))[slackers.SOCKET_APP]
        assert (page["type"], shown(page)) == ("home", f"*Home of {slackers.EVA}*")
        assert await ours.stored() == 0


async def test_it_comes_back_when_its_line_is_cut(local: Local) -> None:
    async with local() as (room, ours):
        for socket in ours.edge._sockets:
            for session in list(socket._sessions):
                session.cancel()
        await until(lambda: _not(room.said_of_app()), "the end of the connection")
        await until(room.said_of_app, "the next connection")
        await room.command(slackers.EVA, "help")
        assert (await ours.heard.heard()).act == Typed("help")


async def _not(found: Awaitable[bool]) -> bool:
    return not await found


# -- what comes twice, and what must not be lost ---------------------------------------------------


async def test_what_slack_tells_again_is_worked_once(slack: FakeSlack, ours: Ours) -> None:
    command, press = slack.command("help"), slack.press("send", "1")
    form = slack.form({"type": "modal", "callback_id": "reply", "blocks": []}, {"text": "x"})
    for payload, kind in (
        (command, "slash_commands"),
        (press, "interactive"),
        (form, "interactive"),
    ):
        for _ in range(3):
            assert set(await slack.tell(payload, kind, "the-same-envelope")) == {"envelope_id"}
    await ours.done()
    assert {type(e.act) for e in ours.heard.events} == {Typed, Pressed, Filled}
    assert len(ours.heard.events) == 3


async def test_a_file_of_contacts_is_read_in_the_private_chat(slack: FakeSlack, ours: Ours) -> None:
    slack.files["people.csv"] = b"name,number\n"
    url = f"{slack.url}files/people.csv"
    slack.always["files.info"] = {"file": {"size": 12, "url_private_download": url}}
    for _ in range(2):
        await slack.tell(slack.dropped("people.csv"), "events_api")
    for other in (slack.dropped("people.csv", "channel"), slack.dropped("people.png")):
        await slack.tell({**other, "event_id": "Ev3"}, "events_api")
    event = await ours.heard.heard()
    await ours.done()
    assert len(ours.heard.events) == 1
    assert event.private
    assert isinstance(event.act, Filled)
    assert (event.act.form, event.act.value) == ("contacts", "people.csv")
    file = event.act.fields["file_id"]
    assert await ours.chat.fetch(file) == b"name,number\n"
    assert slack.called("files.info") == [{"file": "F1"}]
    slack.files["people.csv"] = b"x" * 1_000_001
    with pytest.raises(Refused, match="1 MB"):
        await ours.chat.fetch(file)
    elsewhere = {"size": 12, "url_private_download": "https://evil.example/people.csv"}
    slack.always["files.info"] = {"file": elsewhere}
    with pytest.raises(Refused, match="not in Slack"):
        await ours.chat.fetch(file)


async def test_a_second_press_is_another_one(slack: FakeSlack, ours: Ours) -> None:
    for _ in range(2):
        await slack.tell(slack.press("send", "1"))
    await ours.heard.heard(2)


async def test_what_was_not_worked_is_worked_again(slack: FakeSlack, ours: Ours) -> None:
    ours.heard.fails.append(TryLater("Slack cannot be reached"))
    await slack.tell(slack.command("help"), "slash_commands")
    first, second = (await ours.heard.heard(2), ours.heard.events[0])
    assert first == second


async def test_all_that_was_left_is_worked_without_a_pause(
    slack: FakeSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much a killed process left, not so much at each glance."""
    monkeypatch.setattr(intake, "GLANCE", 600.0)
    connected = written(slack.url + "api/", **SOCKET)
    kept = {"app": "slack", **events.command(slack.command("help"))}
    left = [StoreUpdate("slack", f"k{n}", json.dumps(kept), 1.0, None) for n in range(250)]
    async with opening.opened(settings.load(write_config(tmp_path, more=connected), {})) as bridge:
        await asyncio.gather(*(bridge.store.write(store_updates, each) for each in left))
    async with running(tmp_path, connected) as ours:
        await ours.heard.heard(len(left))


async def test_it_is_on_disk_without_tokens_before_it_is_acknowledged(
    slack: FakeSlack, tmp_path: Path
) -> None:
    seen: list[str] = []

    class Held(Listener):
        async def __call__(self, event: Event) -> None:
            await self.hold.wait()
            await super().__call__(event)

    held = Held()
    held.hold.clear()
    async with running(tmp_path, written(slack.url + "api/", **SOCKET), heard=held) as ours:
        await slack.line()
        assert await slack.tell(slack.command("help"), "slash_commands")
        rows = await ours.bridge.store.read(Statement(select(chat_update.c.payload)))
        seen += [row[0] for row in rows]
        held.hold.set()
        await ours.done()
    assert len(seen) == 1
    assert "help" in seen[0]
    assert "verification" not in seen[0]
    assert "general" not in seen[0]


async def test_a_page_is_shown_once_for_one_look(slack: FakeSlack, hooked: Ours) -> None:
    for number in range(3):
        body = json.dumps(slack.event("Ev7"))
        again = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_timeout"}
        headers = {**signed(body), **(again if number else {})}
        assert (await posted(hooked.url, body, headers))[0] == 200
    await until(lambda: slack.called("views.publish"), "the page")
    await hooked.edge.stop()
    (page,) = slack.called("views.publish")
    assert page["user_id"] == EVA
    assert await hooked.stored() == 0


async def test_events_that_nobody_asked_for_are_acknowledged(slack: FakeSlack, ours: Ours) -> None:
    assert await slack.tell(slack.event("Ev1", "message"), "events_api")
    linked = slack.press("link")
    assert await slack.tell(linked)
    assert await ours.stored() == 0


# -- who may speak ---------------------------------------------------------------------------------


async def test_slack_is_asked_whether_this_address_is_ours(hooked: Ours) -> None:
    body = json.dumps({"type": "url_verification", "token": "t", "challenge": "3eZbrw1a"})
    status, said = await posted(hooked.url, body, signed(body))
    assert (status, json.loads(said)) == (200, {"challenge": "3eZbrw1a"})


def _form(slack: FakeSlack) -> str:
    return "payload=" + json.dumps(slack.press("send", "1")).replace("&", "%26").replace("+", "%2B")


FORM = "application/x-www-form-urlencoded"


async def test_signed_forms_are_heard(slack: FakeSlack, hooked: Ours) -> None:
    body = _form(slack)
    assert await posted(hooked.url, body, signed(body), FORM) == (200, "")
    assert (await hooked.heard.heard()).act == Pressed("send", "1", "1700000000.000100")


async def test_p78_forged_and_stale_requests_change_nothing(slack: FakeSlack, hooked: Ours) -> None:
    body = _form(slack)
    good = signed(body)
    bad = [
        {},
        {"X-Slack-Signature": good["X-Slack-Signature"]},
        {**good, "X-Slack-Signature": "v0=" + "0" * 64},
        {**good, "X-Slack-Signature": "v0=čšř"},
        {**good, "X-Slack-Request-Timestamp": "yesterday"},
        signed(body, "another-secret"),
        signed(body, at=time.time() - 301),
        signed(body, at=time.time() + 301),
        signed(body + " "),
    ]
    with capture_logs() as lines:
        for headers in bad:
            assert (await posted(hooked.url, body, headers, FORM))[0] == 401
    assert await hooked.stored() == 0
    assert not hooked.heard.events
    (line,) = lines
    assert set(line) == {"event", "count", "log_level"}
    assert (await posted(hooked.url, body, good, FORM))[0] == 200


async def test_a_request_larger_than_any_of_slacks_is_not_read(hooked: Ours) -> None:
    body = "x" * (1024 * 1024 + 1)
    assert (await posted(hooked.url, body, signed(body)))[0] == 413
    large = "text=" + "x" * 900_000
    assert (await posted(hooked.url, large, signed(large), FORM))[0] != 413


TWO = """
[slack]
api_url = "{url}"
[[slack.workspaces]]
name = "one"
tenant = "acme"
bot_token = "xoxb-1"
signing_secret = "{one}"
[[slack.workspaces]]
name = "two"
tenant = "gone"
bot_token = "xoxb-2"
signing_secret = "{two}"
"""


@pytest.mark.parametrize("same", [False, True])
async def test_each_workspace_is_its_tenants(slack: FakeSlack, tmp_path: Path, same: bool) -> None:
    secrets = {"one": "secret-1", "two": "secret-1" if same else "secret-2"}
    slack.always.pop("auth.test")
    slack.next["auth.test"].extend(
        {"team_id": team, "team": team, "user_id": "U0"} for team in ("T1", "T2")
    )
    async with running(tmp_path, TWO.format(url=slack.url + "api/", **secrets)) as ours:
        await ours.chat._learn()
        acme = ours.bridge.register.named("acme")
        assert acme is not None
        for team, secret in (("T1", secrets["one"]), ("T2", secrets["two"])):
            body = "&".join(f"{k}={v}" for k, v in slack.command("help", team_id=team).items())
            assert (await posted(ours.url, body, signed(body, secret), FORM))[0] == 200
        await ours.heard.heard(2)
        found = {event.team: event for event in ours.heard.events}
        # A workspace whose tenant is closed is nobody's, and not everybody's.
        assert {team: event.tenant for team, event in found.items()} == {"T1": acme.id, "T2": -1}
        assert {event.place for event in found.values()} == {f"T1/{CHANNEL}", f"T2/{CHANNEL}"}
        assert ours.chat.resolved(acme.id, "C9") == "T1/C9"
        assert ours.chat.resolved(acme.id, "T2/C9") == "T2/C9"
        with pytest.raises(Refused):
            ours.chat.resolved(4711, "C9")
        await ours.chat.post("T2/C9", "", CARD)
        assert slack.tokens[-1] == "Bearer xoxb-2"


async def test_a_place_waits_for_the_workspaces_id(slack: FakeSlack, tmp_path: Path) -> None:
    slack.next["auth.test"].append(refusal("invalid_auth"))
    async with running(tmp_path, written(slack.url + "api/", **SIGNED)) as ours:
        with pytest.raises(TryLater):
            ours.chat.resolved(1, "C9")
        await until(lambda: slack.called("auth.test"), "the question")
        with pytest.raises(TryLater):
            ours.chat.resolved(1, "C9")
        await until(lambda: ours.api.known_team, "the answer")
        assert ours.chat.resolved(1, "C9") == f"{TEAM}/C9"


# -- where to write --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "info", "place"),
    [
        ("C1", {"is_private": True, "is_member": True}, f"{TEAM}/C1"),
        ("C2", {"is_private": False, "is_member": False}, f"{TEAM}/C2"),
        ("C3", {"is_private": True, "is_member": False}, f"{TEAM}/{OWN}"),
        ("G4", "channel_not_found", f"{TEAM}/{OWN}"),
        ("G5", "missing_scope", f"{TEAM}/{OWN}"),
        (OWN, {}, f"{TEAM}/{OWN}"),
        ("D0BETWEENPEOPLE", {}, f"{TEAM}/{OWN}"),
    ],
)
async def test_where_the_app_may_not_write_it_writes_in_private(
    slack: FakeSlack, ours: Ours, channel: str, info: Any, place: str
) -> None:
    said = refusal(info) if isinstance(info, str) else {"channel": info}
    slack.next["conversations.info"].append(said)
    for count in (1, 2):
        await slack.tell(slack.command("help", channel_id=channel), "slash_commands")
        event = await ours.heard.heard(count)
    assert (event.place, event.private) == (place, place.endswith(OWN))
    assert len(slack.called("conversations.info")) <= 1


async def test_who_cannot_be_answered_is_not_obeyed(slack: FakeSlack, ours: Ours) -> None:
    slack.next["conversations.open"].append(refusal("user_not_found"))
    with capture_logs() as lines:
        await slack.tell(slack.command("help", channel_id="D1"), "slash_commands")
        await until(lambda: lines, "a warning")
    await ours.done()
    assert (lines[0]["log_level"], ours.heard.events) == ("warning", [])


async def test_a_hidden_answer_goes_where_it_can(slack: FakeSlack, ours: Ours) -> None:
    await slack.tell(slack.command("help"), "slash_commands")
    event = await ours.heard.heard()
    words = View((Line("Sent."),))
    await ours.chat.whisper(event, words)
    (said,) = slack.called("respond")
    assert (said["response_type"], said["text"]) == ("ephemeral", "Sent.")
    # Used up: five answers, half an hour.
    slack.next["respond"].extend(web.Response(status=404, text="used_url") for _ in range(2))
    await ours.chat.whisper(event, words)
    (said,) = slack.called("chat.postEphemeral")
    assert (said["channel"], said["user"]) == (CHANNEL, EVA)
    slack.next["chat.postEphemeral"].append(refusal("not_in_channel"))
    await ours.chat.whisper(event, words)
    (said,) = slack.called("chat.postMessage")
    assert said["channel"] == OWN


async def test_what_one_person_sees_is_changed_by_its_own_address(
    slack: FakeSlack, ours: Ours
) -> None:
    await slack.tell(slack.press("send", "1", ephemeral=True))
    event = await ours.heard.heard()
    assert (event.act, event.thread) == (Pressed("send", "1", "1700000000.000100"), "")
    await ours.chat.relabel(event, (Button("Claim", "claim"),))
    await ours.chat.revise(event, View((Line("Sent."),)))
    assert not slack.called("chat.update")
    (said,) = slack.called("respond")
    assert said["replace_original"] is True
    slack.next["respond"].append(web.Response(status=404, text="expired_url"))
    await ours.chat.revise(event, View((Line("Sent."),)))
    assert slack.called("respond")[-1]["replace_original"] is False


async def test_a_post_that_is_gone_is_said_anew(slack: FakeSlack, ours: Ours) -> None:
    await slack.tell(slack.press("cancel", "1", thread_ts="1.1", blocks=[{"type": "section"}]))
    event = await ours.heard.heard()
    assert event.thread == "1.1"
    slack.next["chat.update"].extend(refusal("message_not_found") for _ in range(2))
    await ours.chat.relabel(event, ())
    await ours.chat.revise(event, View((Line("Cancelled."),)))
    (said,) = slack.called("respond")
    assert (said["text"], said["thread_ts"]) == ("Cancelled.", "1.1")
    slack.next["chat.postMessage"].append(refusal("thread_not_found"))
    with pytest.raises(Gone):
        await ours.chat.post(event.place, "1.1", CARD)


@pytest.mark.parametrize("code", ["expired_trigger_id", "invalid_trigger_id", "trigger_exchanged"])
async def test_a_form_that_comes_too_late_says_so(slack: FakeSlack, ours: Ours, code: str) -> None:
    await slack.tell(slack.press("reply", "1"))
    event = await ours.heard.heard()
    slack.next["views.open"].append(refusal(code))
    assert await ours.chat.ask(event, Form("reply", "1", "Answer")) == ""
    (said,) = slack.called("respond")
    assert "press it again" in said["text"]


async def test_a_message_is_sent_on_as_an_sms(slack: FakeSlack, ours: Ours) -> None:
    text = "Call <tel:+420601123456|+420601123456> &amp; <@U02BOB> at <http://a.example|a.example>"
    payload = slack.press("x", text=text)
    payload |= {"type": "message_action", "callback_id": "send_as_sms"}
    await slack.tell(payload)
    event = await ours.heard.heard()
    assert event.act == Pressed("compose", "", "")
    assert event.back["text"] == "Call +420601123456 & @U02BOB at a.example"
    assert event.place == f"{TEAM}/{CHANNEL}"
    anywhere = {k: v for k, v in payload.items() if k not in ("channel", "message", "response_url")}
    await slack.tell({**anywhere, "type": "shortcut", "trigger_id": "another"})
    event = await ours.heard.heard(2)
    assert (event.act, event.place) == (Pressed("compose", "", ""), f"{TEAM}/{OWN}")


# -- limits and faults -----------------------------------------------------------------------------


async def test_a_pause_for_all_posts_and_then_in_order(slack: FakeSlack, ours: Ours) -> None:
    slack.next["chat.postMessage"].extend([too_many(0.4), too_many(0.2)])
    place = f"{TEAM}/{CHANNEL}"
    first = asyncio.create_task(ours.chat.post(place, "", View((Line("0"),))))
    await until(lambda: slack.called("chat.postMessage"), "the first")
    await asyncio.gather(
        first, *(ours.chat.post(place, "", View((Line(str(n)),))) for n in range(1, 5))
    )
    said = [call["text"] for call in slack.called("chat.postMessage")]
    assert said == ["0", "0", "0", "1", "2", "3", "4"]
    times = [
        t
        for t, (name, _) in zip(slack.times, slack.calls, strict=True)
        if name == "chat.postMessage"
    ]
    assert times[1] - times[0] >= 0.4
    assert times[2] - times[1] >= 0.2


async def test_a_pause_of_posts_holds_up_nothing_else(slack: FakeSlack, ours: Ours) -> None:
    """Slack limits each method by itself, in each workspace."""
    slack.next["chat.postMessage"].append(too_many(30))
    place = f"{TEAM}/{CHANNEL}"
    post = asyncio.create_task(ours.chat.post(place, "", CARD))
    await until(lambda: slack.called("chat.postMessage"), "the first")
    await slack.tell(slack.command("help"), "slash_commands")
    event = await ours.heard.heard()
    async with asyncio.timeout(10):
        await ours.chat.edit(place, "1.1", CARD)
        await ours.chat.whisper(event, CARD)
    assert not post.done()
    post.cancel()
    assert len(slack.called("chat.postMessage")) == 1


async def test_posts_pause_in_every_channel(slack: FakeSlack, ours: Ours) -> None:
    slack.next["chat.postMessage"].append(too_many(0.4))
    first = asyncio.create_task(ours.chat.post(f"{TEAM}/{CHANNEL}", "", CARD))
    await until(lambda: slack.called("chat.postMessage"), "the first")
    await asyncio.gather(first, ours.chat.post(f"{TEAM}/C02", "", CARD))
    posts = zip(slack.times, slack.calls, strict=True)
    began, *again = [time for time, (method, _) in posts if method == "chat.postMessage"]
    assert len(again) == 2
    assert min(again) - began >= 0.4


class Answering(Listener):
    """Answers everybody in their channel."""

    chat: SlackChat

    async def __call__(self, event: Event) -> None:
        await super().__call__(event)
        await self.chat.whisper(event, CARD)


async def test_who_waits_for_slack_holds_nobody_up(
    slack: FakeSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers that Slack does not take fill no room, nor the connections that posts need."""
    monkeypatch.setattr(intake, "HOLD", 0.05)
    slack.answers.clear()
    answering = Answering()
    connected = written(slack.url + "api/", **SOCKET)
    async with running(tmp_path, connected, heard=answering) as ours:
        answering.chat = ours.chat
        await slack.line()
        for person in range(intake.AT_ONCE + 1):
            await slack.tell(slack.command("help", user_id=f"U{person}"), "slash_commands")
        async with asyncio.timeout(4):  # Slack has five seconds for an answer
            await ours.heard.heard(intake.AT_ONCE + 1)
            await ours.chat.post(f"{TEAM}/{CHANNEL}", "", CARD)
        assert not slack.called("respond")
        slack.answers.set()
        await ours.done()


async def test_a_pause_that_is_too_long_is_left_to_a_later_try(
    slack: FakeSlack, ours: Ours
) -> None:
    ours.api._gates = Turnstiles(patience=0.2)
    slack.next["chat.update"].append(too_many(30))
    place = f"{TEAM}/{CHANNEL}"
    for _ in range(2):
        with pytest.raises(TryLater):
            await ours.chat.edit(place, "1.1", CARD)
    assert len(slack.called("chat.update")) == 1


TROUBLE = [
    lambda: web.Response(status=500),
    lambda: web.Response(status=503, text="<html>", content_type="text/html"),
    lambda: web.Response(status=200, text="a captive portal", content_type="text/plain"),
    lambda: web.Response(status=200, text="<html>", content_type="text/html"),
    lambda: web.Response(status=200, text="{", content_type="application/json"),
    lambda: refusal("internal_error"),
    lambda: refusal("service_unavailable"),
    lambda: refusal("token_revoked"),
]


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_trouble_is_not_held_against_a_post(
    slack: FakeSlack, ours: Ours, trouble: Callable[[], web.Response]
) -> None:
    slack.next["chat.postMessage"].append(trouble())
    with pytest.raises(TryLater):
        await ours.chat.post(f"{TEAM}/{CHANNEL}", "", CARD)
    assert len(slack.called("chat.postMessage")) == 1  # never again by the library itself


async def test_nobody_listens(tmp_path: Path, free_port: FreePort) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/api/"
    async with running(tmp_path, written(nowhere, **SOCKET)) as ours:
        with pytest.raises(TryLater):
            await ours.chat.post(f"{TEAM}/{CHANNEL}", "", CARD)


async def test_nothing_personal_and_no_token_is_logged(
    slack: FakeSlack, ours: Ours, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    for library in ("slack_bolt", "slack_sdk", "bridge", "aiohttp"):
        caplog.set_level(logging.DEBUG, library)
    secret = View((Line("Rumpelstilz +420601123456", "quote"),))
    ours.heard.fails.append(RuntimeError("Rumpelstilz"))
    with capture_logs() as lines:
        await slack.tell(slack.command("+420601123456 Rumpelstilz"), "slash_commands")
        event = await ours.heard.heard()
        for trouble in (*TROUBLE, lambda: refusal("invalid_blocks")):
            for method in ("chat.postMessage", "chat.update"):
                slack.next[method].append(trouble())
            for attempt in (
                ours.chat.post(event.place, "", secret),
                ours.chat.edit(event.place, "1.1", secret),
            ):
                with pytest.raises((TryLater, Refused)) as caught:
                    await attempt
                assert "Rumpelstilz" not in f"{caught.value} {caught.value.__cause__}"
        await slack.tell({"type": "block_actions", "actions": [{"Rumpelstilz": 1}]}, acked=False)
        await slack.tell(slack.event(kind="Rumpelstilz"), "events_api")
        await ours.done()
    said = f"{lines} {caplog.text} {capfd.readouterr()}"
    assert "an update failed" in said
    for word in ("Rumpelstilz", "601123456", BOT, APP, "verification", "trigger-", "respond/"):
        assert word not in said


# -- the line --------------------------------------------------------------------------------------


async def test_it_moves_when_slack_asks_it_to(slack: FakeSlack, ours: Ours) -> None:
    old = await slack.line()
    await old.send_json({"type": "disconnect", "reason": "refresh_requested"})
    new = await slack.line(2)
    assert new is not old
    # The old line is still heard, and what it told is still acknowledged there.
    await old.send_json(
        {"envelope_id": "late", "type": "slash_commands", "payload": slack.command("late")}
    )
    await until(lambda: slack.acks.get("late"), "the acknowledgement")
    await slack.tell(slack.command("new"), "slash_commands")
    await ours.heard.heard(2)


@pytest.mark.parametrize("end", ["closed", "torn", "refused"])
async def test_it_comes_back(slack: FakeSlack, ours: Ours, end: str) -> None:
    line = await slack.line()
    # The next address is refused once, and like all of Slack's it is good once.
    slack.refuse_lines = 1 if end == "refused" else 0
    if end == "torn":
        transport = line._req.transport  # type: ignore[union-attr]
        transport.abort()
    else:
        await line.close()
    slack.next["apps.connections.open"].extend([web.Response(status=503), too_many(0.2)])
    await slack.line(2)
    await slack.tell(slack.command("again"), "slash_commands")
    assert (await ours.heard.heard()).act == Typed("again")


async def test_what_is_no_json_ends_the_line_but_not_the_edge(slack: FakeSlack, ours: Ours) -> None:
    await (await slack.line()).send_str("{")
    await slack.line(2)
    await slack.tell(slack.command("again"), "slash_commands")
    await ours.heard.heard()


async def test_a_wrong_envelope_does_not_end_the_line(slack: FakeSlack, ours: Ours) -> None:
    for payload in (
        {},
        {"type": "block_actions"},
        {"type": "view_submission"},
        {"command": "/sms"},
    ):
        await slack.tell(payload, acked=False)
    await slack.tell(slack.command("still here"), "slash_commands")
    assert (await ours.heard.heard()).act == Typed("still here")
    assert len(slack.lines) == 1


# -- while somebody types --------------------------------------------------------------------------


async def opened(slack: FakeSlack, ours: Ours) -> dict[str, Any]:
    """An open form, as Slack shows it."""
    await slack.tell(slack.press("reply", "1"))
    event = await ours.heard.heard()
    await ours.chat.ask(event, Form("reply", "1", "Answer"))
    view: dict[str, Any] = slack.called("views.open")[0]["view"]
    return view


async def test_the_newest_text_is_counted(slack: FakeSlack, ours: Ours) -> None:
    view = await opened(slack, ours)
    ours.edge._counting._breath = 0.0
    ours.heard.hold.clear()
    for text in ("B", "Bo", "Boi", "Boiler"):
        assert await slack.tell(slack.keystroke(view, text))
    ours.heard.hold.set()
    await until(lambda: len(slack.called("views.update")) == 2, "the counts")
    first, last = slack.called("views.update")
    assert [fields["text"] for fields in ours.heard.typed] == ["B", "Boiler"]
    assert "6 characters" in shown(last["view"]["blocks"])
    assert (first["view_id"], first["hash"]) == ("V1", "h0")
    # What it showed itself is newer than what Slack had told when the character was typed.
    assert last["hash"].startswith("hash-")
    assert last["view"]["private_metadata"] == view["private_metadata"]
    assert "id" not in last["view"]
    assert "state" not in last["view"]
    assert len(ours.heard.events) == 1  # nothing of it was stored
    assert await ours.stored() == 1


async def test_a_count_that_is_overtaken_is_not_shown(slack: FakeSlack, ours: Ours) -> None:
    view = await opened(slack, ours)
    event = ours.heard.events[0]
    counting = Counting(ours.heard.counts, breath=0.0)
    slack.next["views.update"].extend([refusal("hash_conflict"), web.Response(status=503)])
    for text in ("overtaken", "lost", "shown"):
        body = slack.keystroke(view, text)
        counting.heard(Keystroke(ours.api, event, body["view"]))
        await until(lambda: not counting._tasks, "its end")
    assert len(slack.called("views.update")) == 3
    await counting.stop()


# -- `bridge check` --------------------------------------------------------------------------------


async def checked(folder: Path, slack: FakeSlack, **keys: str) -> list[tuple[bool, str, str]]:
    path = write_config(folder, more=written(slack.url + "api/", **keys))
    return [(f.ok, f.detail, f.hint) for f in await check(settings.load(path, {}), 15)]


async def test_check_finds_what_is_there(slack: FakeSlack, tmp_path: Path) -> None:
    bot, line = await checked(tmp_path, slack, **SOCKET)
    assert bot == (True, f"speaks in the workspace Trial ({TEAM})", "")
    assert line == (True, "come by Socket Mode", "")


async def test_check_names_what_is_missing(slack: FakeSlack, tmp_path: Path) -> None:
    slack.scopes = "commands,chat:write,im:write,channels:read,groups:read,mpim:read"
    slack.next["apps.connections.open"].append(refusal("not_allowed_token_type"))
    bot, line = await checked(tmp_path, slack, **SOCKET)
    assert not bot[0]
    assert "chat:write.public" in bot[1]
    assert "im:write" not in bot[1]
    assert not line[0]
    assert "xapp-" in line[2]
    slack.next["auth.test"].append(refusal("invalid_auth"))
    bot, line = await checked(tmp_path, slack, **SIGNED)
    assert not bot[0]
    assert "invalid_auth" in bot[1]
    assert (line[0], "https" in line[1]) == (False, True)
    _, line = await checked(tmp_path, slack, bot_token=BOT)
    assert not line[0]


async def test_check_tells_of_a_slack_that_says_nothing_or_nothing_of_use(
    slack: FakeSlack, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/api/"
        path = write_config(tmp_path, more=written(url, **SOCKET))
        found = await check(settings.load(path, {}), 0.2)
    assert [each.part for each in found] == ["slack", "slack events"]
    assert {each[1:3] for each in found} == {(False, "no answer within 0 s")}
    assert "firewall" in found[0].hint
    slack.next["auth.test"].append(web.Response(status=502))
    bot, line = await checked(tmp_path, slack, **SOCKET)
    assert bot[:2] == (False, "Slack gives no answer that can be used")
    assert line[0]


async def test_check_blames_no_token_where_slack_is_not_reached(tmp_path: Path) -> None:
    nowhere = written("http://127.0.0.1:1/api/", **SOCKET)
    found = await check(settings.load(write_config(tmp_path, more=nowhere), {}), 15)
    hint = "check that this machine reaches [slack] api_url"
    assert [each[1:] for each in found] == [(False, "Slack cannot be reached", hint)] * 2
