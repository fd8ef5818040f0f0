"""What Telegram is sent: escaped, without links that nobody made, within its limits."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.bots.chat import Button, Line, View
from bridge.bots.telegram.render import (
    ALERT,
    DATA,
    LONGEST,
    MOST_LINES,
    cut,
    escaped,
    how_to_write,
    html_of,
    keyboard_of,
    plain_of,
    pressed,
    units,
)

KINDS = ("plain", "head", "quote", "code", "faint")
ALLOWED = {"b", "i", "pre", "code", "blockquote"}
lines = st.builds(Line, st.text(), st.sampled_from(KINDS))
wild = st.text(
    st.characters(codec=None, exclude_categories=()) | st.sampled_from("<>&\"'@#/.:\n"),
    max_size=200,
)


class Reader(HTMLParser):
    """Reads HTML as Telegram does."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tags: list[str] = []
        self.open: list[str] = []
        self.inside: dict[str, str] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not attrs
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        for tag in self.open:
            self.inside[tag] = self.inside.get(tag, "") + data


def read(html: str) -> Reader:
    found = Reader(html)
    assert not found.open
    assert set(found.tags) <= ALLOWED
    html.encode()
    return found


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), max_size=300))
def test_a_quote_is_read_as_it_was_written(text: str) -> None:
    found = read(html_of(View((Line("from", "head"), Line(text, "quote")))))
    assert found.text == f"from\n{text}"
    assert found.inside.get("code", "") == text


@given(st.lists(st.builds(Line, wild, st.sampled_from(KINDS)), max_size=5))
def test_any_text_makes_a_message(written: list[Line]) -> None:
    found = read(html_of(View(tuple(written))))
    assert 0 < units(found.text) <= LONGEST
    assert found.text.strip()


@given(wild, st.sampled_from(["plain", "head", "faint"]))
def test_other_lines_lose_nothing(text: str, kind: str) -> None:
    view = View((Line(text, kind),))
    if plain_of(view).strip():
        shown = read(html_of(view)).text.replace("\u2060", "")
        assert shown == plain_of(view).replace("\u2060", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ask @eva", "ask @\u2060eva"),
        ("http://evil.example/a", "http:\u2060//evil.\u2060example/a"),
        ("#tag $USD", "#\u2060tag $\u2060USD"),
        ("/ban him", "/\u2060ban him"),
        ("tg://user?id=1", "tg:\u2060//user?id=1"),
        ("1/2 at 12:30:45, and/or", "1/2 at 12:30:45, and/or"),
        ("type /sms help", "type /sms help"),
        ("press /start", "press /start"),
    ],
)
def test_our_own_lines_tempt_telegram_to_no_link(text: str, shown: str) -> None:
    assert read(html_of(View((Line(text),)))).text == shown


def test_what_a_person_wrote_is_code_where_telegram_links_nothing() -> None:
    text = "<b>@eva</b> & http://evil.example /sms"
    html = html_of(View((Line(text, "quote"),)))
    assert html == f"<blockquote><code>{escaped(text)}</code></blockquote>"
    assert read(html).text == text


def test_each_kind_has_its_form() -> None:
    view = View(tuple(Line(kind, kind) for kind in KINDS))
    assert html_of(view) == (
        "plain\n<b>head</b>\n<blockquote><code>quote</code></blockquote>\n<pre>code</pre>\n"
        "<i>faint</i>"
    )


def test_a_view_without_text_is_a_message_all_the_same() -> None:
    assert html_of(View(())) == "…"
    assert html_of(View((Line(" \n", "quote"),))) == "…"


# -- limits --------------------------------------------------------------------------------------


@given(st.text(max_size=60), st.integers(1, 40))
def test_a_cut_says_so(text: str, most: int) -> None:
    found = cut(text, most)
    assert units(found) <= most
    assert found == text or (found.endswith("…") and text.startswith(found[:-1]))


@given(st.lists(st.builds(Line, st.sampled_from(["žába ", "🐎" * 50, "<&>" * 30]), st.sampled_from(KINDS)), max_size=4), st.integers(500, 3000))  # fmt: skip
def test_long_views_are_cut_where_people_wrote(more: list[Line], count: int) -> None:
    head = Line("SMS from +420 ••• ••• 456", "head")
    found = read(html_of(View((head, Line("🐎k" * count, "quote"), *more))))
    assert units(found.text) <= LONGEST
    assert found.text.startswith(head.text)
    assert all(line.text.strip() in found.text for line in more)


def test_endless_lines_are_left_out() -> None:
    found = read(html_of(View(tuple(Line("x", "head") for _ in range(5000)))))
    assert found.text.endswith("\n…")
    assert len(found.tags) < MOST_LINES


def test_long_lines_of_every_kind_fit() -> None:
    found = read(html_of(View(tuple(Line("ž" * 3000, kind) for kind in KINDS))))
    assert units(found.text) <= LONGEST
    assert len(found.text.split("\n")) == len(KINDS)


# -- buttons -------------------------------------------------------------------------------------


def test_buttons_say_what_they_do() -> None:
    (row,) = keyboard_of(
        [Button("Send", "send", "0123456789abc", "primary"), Button("Drop", "drop", "x", "danger")]
    ).inline_keyboard  # type: ignore[union-attr]
    assert [(key.text, key.callback_data, key.style) for key in row] == [
        ("Send", "send:0123456789abc", "primary"),
        ("Drop", "drop:x", "danger"),
    ]
    assert pressed("send:0123456789abc") == ("send", "0123456789abc")
    assert pressed("compose:") == ("compose", "")
    assert pressed("odd") == ("odd", "")


def test_three_a_row_and_long_labels_alone() -> None:
    buttons = [Button(f"b{n}", "a") for n in range(4)] + [Button("x" * 50, "a"), Button("y", "a")]
    keyboard = keyboard_of(buttons)
    assert keyboard is not None
    assert [len(row) for row in keyboard.inline_keyboard] == [3, 1, 1, 1]


@given(st.text(max_size=80), st.text(max_size=40), st.text(max_size=80))
def test_buttons_stay_within_the_limits(label: str, action: str, value: str) -> None:
    keyboard = keyboard_of([Button(label, action, value)])
    if keyboard is None:
        assert len(f"{action}:{value}".encode()) > DATA
        return
    ((key,),) = keyboard.inline_keyboard
    assert len((key.callback_data or "").encode()) <= DATA
    assert units(key.text) <= 64


def test_no_buttons_no_keyboard() -> None:
    assert keyboard_of([]) is None


@pytest.mark.parametrize("url", ["https://sms.example.com/glimpse/abc", "http://10.1.2.3:8080/x"])
def test_a_link_is_a_button(url: str) -> None:
    view = View((Line("text"),), (Button("Read", url=url),))
    keyboard = keyboard_of(view.buttons)
    assert keyboard is not None
    assert keyboard.inline_keyboard[0][0].url == url
    assert html_of(view) == "text"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/glimpse/abc",
        "http://localhost:8080/glimpse/abc",
        "http://sms.localhost/x",
        "http://[::1]:8080/x",
        "ftp://a.example/x",
        "http://[broken/x",
    ],
)
def test_a_link_that_telegram_refuses_is_text(url: str) -> None:
    view = View((Line("text"),), (Button("Read", url=url), Button("Claim", "claim", "x")))
    assert html_of(view) == f"text\nRead:\n<pre>{url}</pre>"
    keyboard = keyboard_of(view.buttons)
    assert keyboard is not None
    assert [key.text for row in keyboard.inline_keyboard for key in row] == ["Claim"]


def test_a_form_is_a_command_to_copy() -> None:
    view = how_to_write({"to": "+420601123456", "text": "Boiler is cold", "when": ""})
    assert view.lines[1] == Line("/sms +420601123456 Boiler is cold", "code")
    assert how_to_write({}).lines[1].text == "/sms <number or @name> <text>"
    assert units(plain_of(how_to_write({}))) <= ALERT
