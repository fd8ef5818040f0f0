"""Views and forms as Slack's blocks: within its limits, and plain whoever wrote the text."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bridge.bots import views
from bridge.bots.chat import Button, Form, Line, View
from bridge.bots.slack.blocks import action_of, blocks, counted, message, modal, relabelled
from bridge.bots.slack.check import SCOPES
from bridge.bots.slack.events import SEND_AS_SMS
from tests.e2e.processes import CHECKOUT

KINDS = ("plain", "head", "quote", "code", "faint")
HOSTILE = "<!channel> @here <@U01EVA> *bold* _i_ `c` <http://evil.example|bank> :bomb: &lt; &amp;"


def texts(found: Any) -> list[dict[str, Any]]:
    """Every text of some blocks."""
    if isinstance(found, dict):
        here = [found] if isinstance(found.get("text"), str) else []
        return here + texts(list(found.values()))
    return [t for each in found for t in texts(each)] if isinstance(found, list) else []


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_a_person_wrote_means_anything_to_slack(kind: str) -> None:
    view = View((Line(HOSTILE, kind),), (Button(HOSTILE, "claim", "1"),))
    for each in texts(blocks(view)):
        if each["type"] == "plain_text":
            assert not each["emoji"]
            assert HOSTILE[:70] in each["text"]
            continue
        assert (each["type"], each["verbatim"]) == ("mrkdwn", True)
        mark = each["text"][:1]
        inner = each["text"].strip(mark)
        assert mark in "*`"
        assert mark not in inner
        assert "<" not in inner
        assert ">" not in inner


def test_a_notification_shows_the_head_and_the_words() -> None:
    view = View((Line("SMS from <x> & y", "head"), Line("Hi <!channel>", "quote")))
    assert message(view)["text"] == "SMS from &lt;x&gt; &amp; y\nHi &lt;!channel&gt;"
    assert message(View((Line("a code", "code"),)))["text"] == "SMS"
    assert message(views.said("Sent.", "Well."))["text"] == "Sent."


def test_each_line_stands_as_what_it_is_and_faint_ones_together() -> None:
    view = View(
        (
            Line("Head", "head"),
            Line("plain"),
            Line("quote", "quote"),
            Line("a", "faint"),
            Line("b", "faint"),
            Line("code", "code"),
            Line("   "),
        )
    )
    found = blocks(view)
    assert [b["type"] for b in found] == ["section", "section", "section", "context", "section"]
    shown = [each["text"] for each in texts(found)]
    assert shown == ["*Head*", "plain", "“quote”", "a\nb", "```code```"]


LINES = st.builds(Line, st.text(max_size=5000), st.sampled_from(KINDS))
BUTTONS = st.builds(
    Button, st.text(max_size=200), st.just("send"), st.text(max_size=3000), url=st.just("")
)


@given(st.lists(LINES, max_size=80), st.lists(BUTTONS, max_size=40))
def test_slacks_limits_hold_for_any_view(lines: list[Line], buttons: list[Button]) -> None:
    found = blocks(View(tuple(lines), tuple(buttons)))
    assert len(found) <= 50
    assert sum(len(each["text"]) for each in texts(found[:-1])) <= 12_200
    assert all(1 <= len(each["text"]) <= 3000 for each in texts(found))
    for block in found:
        if block["type"] == "actions":
            ids = [button["action_id"] for button in block["elements"]]
            assert 0 < len(ids) == len(set(ids)) <= 25
            assert all(len(button["text"]["text"]) <= 75 for button in block["elements"])
            assert all(len(button.get("value", "")) <= 2000 for button in block["elements"])
            assert all(button.get("value") != "" for button in block["elements"])
    json.dumps(found).encode()


def test_what_is_cut_is_marked_and_no_character_is_halved() -> None:
    (block,) = blocks(View((Line("🐎" * 2000, "quote"),)))
    (text,) = texts(block)
    assert text["text"] == "“" + "🐎" * 1499 + "…"


def test_buttons_are_told_apart_and_those_that_open_a_page_do_nothing_else() -> None:
    view = View(
        (Line("x"),),
        (Button("Read", url="https://sms.example/r/1"), Button("Claim", "let-go", "1", "primary")),
    )
    read, claim = blocks(view)[-1]["elements"]
    assert read["url"] == "https://sms.example/r/1"
    assert action_of(read["action_id"]) == ""
    assert action_of(claim["action_id"]) == "let-go"
    assert (claim["value"], claim["style"]) == ("1", "primary")
    assert "style" not in read


def test_only_the_buttons_of_a_post_are_changed() -> None:
    before = blocks(View((Line("x", "quote"),), (Button("Claim", "claim", "1"),)))
    after = relabelled(before, (Button("Release", "release", "1"),))
    assert after[0] == before[0]
    assert texts(after[1])[0]["text"] == "Release"
    assert relabelled(before, ()) == before[:1]
    assert len(relabelled([{"type": "divider"}] * 60, (Button("x", "y"),))) == 50


@pytest.mark.parametrize(
    ("name", "inputs"), [("compose", ["to", "text", "when"]), ("reply", ["text"])]
)
def test_a_form_asks_for_what_it_is_for(name: str, inputs: list[str]) -> None:
    form = Form(name, "38g4", "A title that is far too long for Slack", {"text": "Boiler"})
    view = modal(form, {"place": "T1/C1"})
    assert [b["block_id"] for b in view["blocks"]] == [*inputs, "counts"]
    assert [b["block_id"] for b in view["blocks"] if b.get("dispatch_action")] == ["text"]
    assert [b["block_id"] for b in view["blocks"] if b.get("optional")] == inputs[2:]
    assert len(view["title"]["text"]) == 24
    assert json.loads(view["private_metadata"]) == {"place": "T1/C1", "value": "38g4"}
    text = next(b["element"] for b in view["blocks"] if b["block_id"] == "text")
    assert text["initial_value"] == "Boiler"
    assert all(
        len(b["element"]["placeholder"]["text"]) <= 150
        for b in view["blocks"]
        if "placeholder" in b.get("element", {})
    )


def test_only_the_counts_of_an_open_form_are_changed() -> None:
    view = modal(Form("reply", "1", "Answer"), {})
    told = {**view, "id": "V1", "hash": "h", "state": {"values": {}}, "clear_on_close": False}
    found = counted(told, ("2 parts, UCS-2",))
    assert found["blocks"][:-1] == view["blocks"][:-1]
    assert texts(found["blocks"][-1])[0]["text"] == "2 parts, UCS-2"
    assert {key: found[key] for key in found if key != "blocks"} == {
        key: view[key] for key in view if key != "blocks"
    }


def test_the_manifest_asks_for_what_is_used_and_for_no_more() -> None:
    text = (CHECKOUT / "deploy" / "slack" / "manifest.yaml").read_text()
    manifest = yaml.safe_load(text)
    assert sorted(manifest["oauth_config"]["scopes"]["bot"]) == sorted(SCOPES)
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == [
        "app_home_opened",
        "message.im",
    ]
    assert manifest["features"]["shortcuts"][0]["callback_id"] == SEND_AS_SMS
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert manifest["features"]["slash_commands"][0]["should_escape"] is False
    # With the commented lines it is a manifest for signed requests.
    hooked = yaml.safe_load(text.replace("# http: ", ""))
    url = "https://sms.example.com/slack/events"
    assert hooked["features"]["slash_commands"][0]["url"] == url
    assert hooked["settings"]["interactivity"]["request_url"] == url
    assert hooked["settings"]["event_subscriptions"]["request_url"] == url
