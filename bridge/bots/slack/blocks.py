"""Views and forms come in, Slack's blocks and modals go out; all text is plain, whoever wrote it.

What people wrote stands in `plain_text`, which shows what it is given: nothing in it becomes a
link, a mention, an emoji or formatting. `mrkdwn` is for our own headings, and for code, where
Slack formats nothing; both are escaped. `rich_text` would do too, but not every client shows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from bridge.bots.chat import Button, Form, Line, View
from bridge.bots.when import FORM as WHEN

Block = dict[str, Any]

#: Slack's limits: characters of a text, of a label, of a modal's title, of a button's value.
_TEXT, _LABEL, _TITLE, _VALUE = 3000, 75, 24, 2000
#: All texts of a post; Slack says msg_blocks_too_long somewhere above 13,000.
_ALL: Final = 12_000
_MOST_BUTTONS: Final = 25
_MOST_BLOCKS: Final = 49  # of 50, the buttons being one

#: The action of a button that only opens a page: Slack tells of it all the same.
LINK: Final = "link"
BUTTONS: Final = "buttons"
COUNTS: Final = "counts"
_TYPE_ON: Final = "Parts are counted while you type."


def message(view: View) -> dict[str, Any]:
    """The `text` and `blocks` of a post. The text is what notifications show of it."""
    return {"text": _notification(view), "blocks": blocks(view)}


def blocks(view: View) -> list[Block]:
    """A view's lines and buttons."""
    found: list[Block] = []
    for faint, group in groupby(_fitted(view.lines), lambda line: line.kind == "faint"):
        if faint:
            found.append(_context("\n".join(line.text for line in group)))
        else:
            found += [_section(line) for line in group]
    return found[:_MOST_BLOCKS] + actions(view.buttons)


def actions(buttons: Sequence[Button]) -> list[Block]:
    """The block of a view's buttons; none without any."""
    if not buttons:
        return []
    shown = [_button(button, at) for at, button in enumerate(buttons[:_MOST_BUTTONS])]
    return [{"type": "actions", "block_id": BUTTONS, "elements": shown}]


def relabelled(found: Sequence[Block], buttons: Sequence[Button]) -> list[Block]:
    """The blocks of a post with other buttons."""
    kept = [block for block in found if block.get("type") != "actions"]
    return kept[:_MOST_BLOCKS] + actions(buttons)


def home(view: View) -> dict[str, Any]:
    """The app's own page for a person."""
    return {"type": "home", "blocks": blocks(view)}


def action_of(action_id: str) -> str:
    """The action of a button, "" for one that opens a page."""
    action = action_id.partition("#")[0]
    return "" if action == LINK else action


# -- forms ---------------------------------------------------------------------------------------


def modal(form: Form, carried: Mapping[str, Any]) -> dict[str, Any]:
    """A form; `carried` comes back with it when it is sent off."""
    return {
        "type": "modal",
        "callback_id": form.name,
        "title": _plain(form.title, _TITLE),
        "submit": _plain("Send"),
        "close": _plain("Cancel"),
        "private_metadata": json.dumps({**carried, "value": form.value}),
        "blocks": [*_inputs(form), counts(())],
    }


def counts(lines: Sequence[str]) -> Block:
    """What a form says of the text that is being typed."""
    return _context("\n".join(lines) or _TYPE_ON, COUNTS)


def counted(view: Mapping[str, Any], lines: Sequence[str]) -> dict[str, Any]:
    """An open modal as Slack tells it, with other counts; what was typed stays."""
    kept = ("type", "callback_id", "title", "submit", "close", "private_metadata")
    shown = [
        counts(lines) if block.get("block_id") == COUNTS else block for block in view["blocks"]
    ]
    return {**{key: view[key] for key in kept if view.get(key)}, "blocks": shown}


def _inputs(form: Form) -> list[Block]:
    text = _input("text", "Text", form.fields.get("text", ""), multiline=True)
    if form.name in ("reply", "edit"):
        return [text]
    to = _input("to", "To", form.fields.get("to", ""))
    to["element"]["placeholder"] = _plain("Numbers or @names, with commas")
    when = _input("when", "When", form.fields.get("when", ""), optional=True)
    when["element"]["placeholder"] = _plain("At once, or " + WHEN, 150)
    return [to, text, when]


def _input(
    name: str, label: str, typed: str, *, multiline: bool = False, optional: bool = False
) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": name, "multiline": multiline}
    if typed:
        element["initial_value"] = typed[:_TEXT]
    if multiline:
        element["max_length"] = _TEXT
        element["dispatch_action_config"] = {"trigger_actions_on": ["on_character_entered"]}
    return {
        "type": "input",
        "block_id": name,
        "label": _plain(label),
        "element": element,
        "optional": optional,
        "dispatch_action": multiline,
    }


# -- parts ---------------------------------------------------------------------------------------


def _notification(view: View) -> str:
    """The heading and the words, which the view has only where this chat may carry them."""
    told = [line.text for line in view.lines if line.kind in ("head", "quote")]
    told = told or [line.text for line in view.lines if line.kind == "plain"][:1]
    return _escaped(_cut("\n".join(told), _TEXT)) or "SMS"


def _fitted(lines: Sequence[Line]) -> list[Line]:
    """Lines that have text, cut to what a post may hold."""
    found, room = [], _ALL
    for line in lines:
        text = _cut(line.text, min(_TEXT, room))
        if text.strip():
            found.append(Line(text, line.kind))
            room -= len(text)
    return found


def _section(line: Line) -> Block:
    if line.kind == "head":
        text = _markdown("*", line.text.replace("*", "∗").replace("\n", " "))
    elif line.kind == "code":
        text = _markdown("```", line.text.replace("`", "ˋ"))
    else:
        text = _plain(f"“{line.text}”" if line.kind == "quote" else line.text, _TEXT)
    return {"type": "section", "text": text}


def _markdown(mark: str, text: str) -> Block:
    """Text between marks; Slack counts what escaping adds."""
    most = _TEXT - 2 * len(mark)
    while len(_escaped(text)) > most:
        text = _cut(text, most * len(text) // len(_escaped(text)) - 1)
    return {"type": "mrkdwn", "text": f"{mark}{_escaped(text)}{mark}", "verbatim": True}


def _button(button: Button, at: int) -> Block:
    found: Block = {
        "type": "button",
        "text": _plain(button.label, _LABEL),
        # Of one block, no two may have the same.
        "action_id": f"{LINK if button.url else button.action}#{at}",
    }
    if button.url:
        return {**found, "url": button.url}
    if button.value:
        found["value"] = button.value[:_VALUE]
    if button.style:
        found["style"] = button.style
    return found


def _context(text: str, name: str = "") -> Block:
    found: Block = {"type": "context", "elements": [_plain(text, _TEXT)]}
    return {**found, "block_id": name} if name else found


def _plain(text: str, most: int = _LABEL) -> Block:
    return {"type": "plain_text", "text": _cut(text, most) or " ", "emoji": False}


def _cut(text: str, most: int) -> str:
    """At most so many UTF-16 units, as Slack counts, and no half of a character."""
    units = text.encode("utf-16-le", "replace")
    if len(units) <= 2 * most:
        return text
    return units[: 2 * (most - 1)].decode("utf-16-le", "ignore") + "…" if most > 0 else ""


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
