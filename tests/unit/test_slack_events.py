"""Payloads of Slack as events: what is stored of them, and what they mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.bots.chat import Event, Filled, Pressed, Typed
from bridge.bots.slack import events
from bridge.bots.slack.events import Seat
from tests.slack_peer import CHANNEL, EVA, TEAM, FakeSlack

SLACK = FakeSlack()
SEAT = Seat(f"{TEAM}/{CHANNEL}", private=False)


def meant(kept: dict[str, Any] | None, seat: Seat = SEAT) -> Event:
    assert kept is not None
    stored = json.loads(json.dumps(kept))
    return events.event_of(7, stored, TEAM, 3, seat)


def test_a_command() -> None:
    event = meant(events.command(SLACK.command("+420601123456 a &amp; b &lt;&lt; &amp;lt;")))
    assert event.act == Typed("+420601123456 a & b << &lt;")
    assert (event.update, event.edge, event.team, event.person) == (7, "slack", TEAM, EVA)
    assert (event.place, event.tenant, event.thread) == (SEAT.place, 3, "")


def test_emoji_come_as_codes_and_go_on_as_characters() -> None:
    """In commands, forms and messages alike; what is typed in a form is counted as it leaves."""
    command = events.command(SLACK.command("+420601123456 Boiler :fire: at 10:30:45"))
    assert meant(command).act == Typed("+420601123456 Boiler 🔥 at 10:30:45")
    form = SLACK.form({"type": "modal", "callback_id": "reply"}, {"text": "Thanks :+1:"})
    assert meant(events.submitted(form)).act == Filled("reply", "", {"text": "Thanks 👍"})
    assert events.fields(form["view"]) == {"text": "Thanks 👍"}
    message = SLACK.press("x", text="<https://a.example/:fire:> :fire: :acme-logo:")
    kept = events.shortcut({**message, "type": "message_action"})
    assert kept["text"] == "https://a.example/:fire: 🔥 :acme-logo:"


@pytest.mark.parametrize(
    ("ephemeral", "message", "thread", "inside"),
    [
        (False, {"ts": "1.1"}, "1.1", ""),
        (False, {"ts": "1.1", "thread_ts": "1.1"}, "1.1", ""),
        (False, {"ts": "1.2", "thread_ts": "1.1"}, "1.1", "1.1"),
        (True, {"ts": "1.1"}, "", ""),
    ],
)
def test_where_a_button_was_pressed(
    ephemeral: bool, message: dict[str, Any], thread: str, inside: str
) -> None:
    event = meant(events.pressed(SLACK.press("send", "38g4", ephemeral=ephemeral, **message)))
    assert event.act == Pressed("send", "38g4", message["ts"])
    assert (event.thread, event.back["inside"]) == (thread, inside)


def test_a_button_that_opens_a_page_means_nothing() -> None:
    assert events.pressed(SLACK.press("link")) is None


def test_a_button_on_the_apps_page_is_below_no_post() -> None:
    body = SLACK.press("compose")
    for name in ("channel", "message", "response_url"):
        body.pop(name)
    body["container"] = {"type": "view", "view_id": "V1"}
    event = meant(events.pressed(body), Seat(f"{TEAM}/D1", private=True))
    assert (event.act, event.thread, event.private) == (Pressed("compose", "", ""), "", True)


def test_a_form_knows_what_it_was_opened_from() -> None:
    press = meant(events.pressed(SLACK.press("edit", "38g4", ephemeral=True, ts="1.5")))
    view = {
        "callback_id": "compose",
        "private_metadata": json.dumps({**events.carried(press), "value": "38g4"}),
    }
    body = SLACK.form(view, {"to": "@eva", "text": "Boiler", "when": ""})
    kept = events.submitted(body)
    seat = events.seat_of(kept)
    assert seat == SEAT
    event = meant(kept, seat)
    assert event.act == Filled("compose", "38g4", {"to": "@eva", "text": "Boiler", "when": ""})
    assert event.back["post"] == "1.5"
    assert event.back["ephemeral"] is True
    assert event.back["url"] == press.back["url"]
    assert len(view["private_metadata"]) < 3000


@pytest.mark.parametrize("metadata", ["", "no JSON", "[1]", "{}"])
def test_a_form_of_unknown_origin_is_answered_in_private(metadata: str) -> None:
    kept = events.submitted(SLACK.form({"callback_id": "reply", "private_metadata": metadata}, {}))
    assert events.seat_of(kept) is None
    assert meant(kept).act == Filled("reply", "", {})


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ("<https://a.example/?x=1&amp;y=2>", "https://a.example/?x=1&y=2"),
        ("<https://a.example|a.example>", "a.example"),
        ("<mailto:eva@a.example|eva@a.example>", "eva@a.example"),
        ("<@U1> <@U1|eva> <#C1|general> <!here>", "@U1 eva general @here"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2 &amp;copy;", "1 < 2 && 3 > 2 &copy;"),
    ],
)
def test_a_message_as_its_writer_saw_it(text: str, seen: str) -> None:
    assert events.plain(text) == seen


def test_what_comes_twice_has_one_key_and_nothing_else_has_it() -> None:
    view = {"callback_id": "reply"}
    first, form = SLACK.command("help"), SLACK.form(view, {})
    press = SLACK.press("send", "1")
    keys = [
        events.key(events.command(first), first),
        events.key(events.command(first), first),
        events.key(events.command(second := SLACK.command("help")), second),
        events.key(events.submitted(form), form),
        events.key(events.submitted(again := SLACK.form(view, {})), again),
        events.key(events.pressed(press) or {}, press),
    ]
    assert len(set(keys)) == 4


def test_no_token_and_no_name_is_kept() -> None:
    press = SLACK.press("send", "1", text="Boiler", user="U0BOT", bot_id="B1", app_id="A1")
    for kept in (
        events.command(SLACK.command("help")),
        events.pressed(press),
        events.submitted(SLACK.form({"callback_id": "reply", "app_id": "A1"}, {"text": "x"})),
        events.shortcut(press),
    ):
        said = json.dumps(kept)
        for word in ("verification", "eva", "general", "A1", "B1", "U0BOT"):
            assert word not in said
