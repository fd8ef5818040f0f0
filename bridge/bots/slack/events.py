"""A payload of Slack comes in; what is stored of it, and the event that it means, go out.

Stored is only what will be used: no token of a payload, no name of a person, no other view.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bridge.bots.chat import Act, Event, Filled, Pressed, Typed
from bridge.bots.slack.blocks import action_of
from bridge.bots.slack.emojis import with_emojis

Body = Mapping[str, Any]
Kept = dict[str, Any]

SEND_AS_SMS: Final = "send_as_sms"
FORMS: Final = ("compose", "edit", "reply")
_MARKED = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")


@dataclass(frozen=True, slots=True)
class Seat:
    """Where somebody acted, and where the bridge may write about it."""

    place: str
    private: bool


def command(body: Body) -> Kept:
    """`/sms …`, or whatever the command is called in this workspace."""
    return {
        "kind": "command",
        **_who(body, body["user_id"]),
        "channel": body.get("channel_id", ""),
        "trigger": body["trigger_id"],
        "url": body.get("response_url", ""),
        "text": with_emojis(_unescaped(body.get("text") or "")),
    }


def shortcut(body: Body) -> Kept:
    """Send as SMS, below a message; or New SMS, anywhere."""
    return {
        "kind": "shortcut",
        **_who(body, body["user"]["id"]),
        "channel": (body.get("channel") or {}).get("id", ""),
        "trigger": body["trigger_id"],
        "url": body.get("response_url", ""),
        "text": plain((body.get("message") or {}).get("text") or ""),
    }


def pressed(body: Body) -> Kept | None:
    """A button; None for one that only opened a page."""
    button = body["actions"][0]
    action = action_of(button.get("action_id", ""))
    if not action:
        return None
    container = body.get("container") or {}
    message = body.get("message") or {}
    ephemeral = bool(container.get("is_ephemeral"))
    ts = container.get("message_ts") or ""
    root = message.get("thread_ts") or container.get("thread_ts") or ""
    return {
        "kind": "button",
        **_who(body, body["user"]["id"]),
        "channel": (body.get("channel") or {}).get("id") or container.get("channel_id") or "",
        "trigger": body["trigger_id"],
        "url": body.get("response_url", ""),
        "action": action,
        "value": button.get("value") or "",
        "post": ts,
        "ephemeral": ephemeral,
        # A root stands in the channel: whoever presses there need not have its thread open.
        "inside": root if root != ts else "",
        "thread": root or ("" if ephemeral else ts),
        "message": {} if ephemeral else _message(message),
    }


def submitted(body: Body) -> Kept:
    """A form that was sent off."""
    view = body["view"]
    return {
        "kind": "form",
        **_who(body, body["user"]["id"]),
        "trigger": body.get("trigger_id", ""),
        "form": view.get("callback_id", ""),
        "fields": fields(view),
        "carried": _carried(view),
    }


def dropped(body: Body) -> Kept | None:
    """A file of contacts, dropped into the private chat; None for any other message."""
    told = body.get("event") or {}
    tables = [file for file in told.get("files") or () if _is_table(file)]
    if told.get("channel_type") != "im" or told.get("bot_id") or not tables:
        return None
    return {
        "kind": "file",
        **_who(body, str(told.get("user", ""))),
        "channel": told.get("channel", ""),
        "trigger": body.get("event_id", ""),
        "file": tables[0]["id"],
        "name": tables[0].get("name") or "",
    }


def _is_table(file: Mapping[str, Any]) -> bool:
    name = str(file.get("name") or "").casefold()
    return bool(file.get("id")) and (name.endswith(".csv") or file.get("filetype") == "csv")


def key(kept: Kept, body: Body) -> str:
    """By which a payload that comes twice is known."""
    if kept["kind"] == "form":
        return f"view:{body['view']['id']}:{body['view'].get('hash', '')}"
    return f"{kept['kind']}:{kept['trigger']}"


def fields(view: Mapping[str, Any]) -> dict[str, str]:
    """What stands in a form."""
    values = (view.get("state") or {}).get("values") or {}
    return {
        name: with_emojis((inputs.get(name) or {}).get("value") or "")
        for name, inputs in values.items()
        if isinstance(inputs, Mapping)
    }


def carried(event: Event) -> dict[str, Any]:
    """What a form must know when it is sent off, to be part of what it was opened from."""
    back = {name: event.back[name] for name in ("url", "post", "ephemeral") if event.back.get(name)}
    return {"place": event.place, "thread": event.thread, "private": event.private, **back}


def event_of(number: int, kept: Kept, team: str, tenant: int, seat: Seat) -> Event:
    """What a stored payload means, to somebody who sits there."""
    return Event(
        update=number,
        edge="slack",
        team=kept["team"] or team,
        person=kept["person"],
        place=seat.place,
        act=_ACTS[kept["kind"]](kept),
        thread=_told(kept, "thread"),
        private=seat.private,
        tenant=tenant,
        back={
            "trigger": kept.get("trigger", ""),
            "url": _told(kept, "url"),
            "post": _told(kept, "post"),
            "ephemeral": bool(_told(kept, "ephemeral")),
            "inside": kept.get("inside", ""),
            "message": kept.get("message", {}),
            "text": kept.get("text", ""),
        },
    )


def seat_of(kept: Kept) -> Seat | None:
    """Where a form was opened; None for anything else."""
    found = kept.get("carried") or {}
    return Seat(found["place"], bool(found.get("private"))) if found.get("place") else None


def plain(text: str) -> str:
    """A message as its writer saw it: Slack marks links and people in it."""
    shown = _MARKED.sub(lambda found: found[2] or found[1].replace("!", "@", 1), text)
    return with_emojis(_unescaped(shown))


def _unescaped(text: str) -> str:
    """A text as it was typed: Slack escapes three characters, and no others."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _told(kept: Kept, name: str) -> Any:
    return kept.get(name) or (kept.get("carried") or {}).get(name) or ""


def _who(body: Body, person: str) -> Kept:
    team = body.get("team_id") or (body.get("team") or {}).get("id") or ""
    return {"team": team, "person": person}


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    return {"text": message.get("text", ""), "blocks": message.get("blocks", [])}


def _carried(view: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(view.get("private_metadata") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _pressed(kept: Kept) -> Act:
    return Pressed(kept["action"], kept["value"], kept["post"])


def _filled(kept: Kept) -> Act:
    return Filled(kept["form"], str(kept["carried"].get("value", "")), kept["fields"])


def _file(kept: Kept) -> Act:
    return Filled("contacts", kept["name"], {"file_id": f"{kept['team']}/{kept['file']}"})


_ACTS: Final[Mapping[str, Callable[[Kept], Act]]] = {
    "command": lambda kept: Typed(kept["text"]),
    "shortcut": lambda _kept: Pressed("compose", "", ""),
    "button": _pressed,
    "form": _filled,
    "file": _file,
}
