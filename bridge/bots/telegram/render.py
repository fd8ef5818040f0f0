"""Views come in, Telegram's HTML and keyboards go out: escaped, and within its limits.

What people wrote stands in `code`, where Telegram makes no links, mentions and commands of it;
elsewhere an invisible joiner keeps it from that.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from bridge.bots.chat import Button, Line, View

#: Telegram's limits: a message after its entities are parsed, an alert, a button's data and label.
LONGEST: Final = 4096
ALERT: Final = 200
DATA: Final = 64
LABEL: Final = 64
#: Telegram keeps a hundred entities a message; a quote is two.
MOST_LINES: Final = 48
_A_ROW: Final = 3
_ROOM_OF_A_ROW: Final = 40

_MARKUP: Final = {
    "plain": "{}",
    "head": "<b>{}</b>",
    "quote": "<blockquote><code>{}</code></blockquote>",
    "code": "<pre>{}</pre>",
    "faint": "<i>{}</i>",
}
_SAFE: Final = frozenset({"quote", "code"})
# U+2060: Telegram ends a word there, nobody sees it, and no line is broken at it.
_JOINER: Final = "\u2060"
_TEMPTING: Final = re.compile(
    r"(?<=[@#$])(?=\w)"  # a mention, a hashtag, a price
    r"|(?<=:)(?=//)"  # an address
    r"|(?<=\w\.)(?=\w)"  # a host
    r"|(?<=/)(?<![\w/]/)(?=\w)(?!(?:sms|start)\b)"  # a command that is not ours
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def units(text: str) -> int:
    """The length as Telegram counts it: UTF-16 code units."""
    return len(text) + sum(char > "\uffff" for char in text)


def cut(text: str, most: int) -> str:
    """At most so many units, with "…" where something is missing."""
    if units(text) <= most:
        return text
    room, kept = most - 1, 0
    for char in text:
        room -= units(char)
        if room < 0:
            break
        kept += 1
    return text[:kept].rstrip() + "…"


def plain_of(view: View) -> str:
    """All its text, for an alert."""
    return "\n".join(_clean(line.text) for line in view.lines)


def html_of(view: View) -> str:
    """A message's text for `parse_mode="HTML"`."""
    lines = _fitted(_all_lines(view))
    found = "\n".join(_MARKUP[line.kind].format(escaped(line.text)) for line in lines)
    return found if any(line.text.strip() for line in lines) else "…"


def escaped(text: str) -> str:
    """For Telegram's HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _all_lines(view: View) -> list[Line]:
    lines = [Line(_tamed(line), line.kind) for line in view.lines]
    for button in view.buttons:
        if button.url and not _may_be_a_button(button.url):
            lines += [Line(f"{button.label}:"), Line(_clean(button.url), "code")]
    return lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], Line("…")]


def _tamed(line: Line) -> str:
    text = _clean(line.text)
    return text if line.kind in _SAFE else _TEMPTING.sub(_JOINER, text)


def _clean(text: str) -> str:
    """Without what Telegram would refuse: halves of characters, and controls."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROL.sub(" ", whole.replace("\r\n", "\n"))


def _fitted(lines: list[Line]) -> list[Line]:
    """Cut what people wrote first, the longest first."""
    over = units("\n".join(line.text for line in lines)) - LONGEST
    order = sorted(
        range(len(lines)), key=lambda at: (lines[at].kind not in _SAFE, -units(lines[at].text))
    )
    for at in order:
        if over <= 0:
            break
        was = units(lines[at].text)
        shorter = cut(lines[at].text, max(1, was - over))
        over -= was - units(shorter)
        lines[at] = lines[at]._replace(text=shorter)
    return lines


# -- buttons -------------------------------------------------------------------------------------


def keyboard_of(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """The keyboard below a message; a button that Telegram would refuse is left out."""
    rows: list[list[InlineKeyboardButton]] = []
    room = 0
    for button in buttons:
        key = _key(button)
        if key is None:
            continue
        if not rows or len(rows[-1]) == _A_ROW or len(key.text) > room:
            rows.append([])
            room = _ROOM_OF_A_ROW
        rows[-1].append(key)
        room -= len(key.text)
    return InlineKeyboardMarkup(inline_keyboard=rows) if rows else None


def _key(button: Button) -> InlineKeyboardButton | None:
    text = cut(_clean(button.label), LABEL)
    if button.url:
        fits = _may_be_a_button(button.url)
        return InlineKeyboardButton(text=text, url=button.url) if fits else None
    data = f"{button.action}:{button.value}"
    if len(data.encode()) > DATA:
        return None
    return InlineKeyboardButton(text=text, callback_data=data, style=button.style or None)


def pressed(data: str) -> tuple[str, str]:
    """Action and value of a button's data."""
    action, _, value = data.partition(":")
    return action, value


def _may_be_a_button(url: str) -> bool:
    """Telegram refuses buttons that lead nowhere from outside."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or "." not in host:
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return not host.endswith(".localhost")


# -- what Telegram has no form for -----------------------------------------------------------------


def how_to_write(fields: Mapping[str, str]) -> View:
    """Instead of a form: the command, ready to be copied."""
    to = fields.get("to", "") or "<number or @name>"
    text = fields.get("text", "") or "<text>"
    return View(
        (
            Line("Copy this, change it and send it"),
            Line(f"/sms {to} {text}", "code"),
        )
    )
