"""What a person in a chat may ask for: one class a command, as the grammar reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bridge.bots.when import When


class Number(NamedTuple):
    """A recipient by number."""

    e164: str


class Name(NamedTuple):
    """A recipient by the name of a contact or a group, compared as `recipients.name_of` says."""

    name: str


Recipient = Number | Name


@dataclass(frozen=True, slots=True)
class Send:
    """Text to recipients, at once or at a time on each recipient's own clock."""

    to: tuple[Recipient, ...]
    text: str
    when: When | None = None


@dataclass(frozen=True, slots=True)
class SendTemplate:
    """A template's text to recipients, its placeholders filled."""

    name: str
    to: tuple[Recipient, ...]
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in the conversation where the command is typed."""

    text: str


@dataclass(frozen=True, slots=True)
class Status:
    """How a message stands; the newest of one's own without an id."""

    message: int | None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Take a message back that has not left."""

    message: int


@dataclass(frozen=True, slots=True)
class Log:
    """The newest messages, of all or to one recipient."""

    count: int
    of: Recipient | None


@dataclass(frozen=True, slots=True)
class ContactAdd:
    """A name for a number."""

    name: str
    e164: str


@dataclass(frozen=True, slots=True)
class GroupAdd:
    """Members for a group, which is made by its first ones."""

    name: str
    members: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class GroupRemove:
    """Members out of a group; the group itself without any."""

    name: str
    members: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class TemplateAdd:
    """A text with `{placeholders}` under a name."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Forget a contact or a template."""

    kind: str  # "contact" | "template"
    name: str


@dataclass(frozen=True, slots=True)
class List:
    """Show the contacts, groups or templates."""

    kind: str  # "contact" | "group" | "template"


@dataclass(frozen=True, slots=True)
class Quota:
    """One's own limits and what is left of them."""


@dataclass(frozen=True, slots=True)
class Approve:
    """Agree to what somebody else wants to send to many."""

    draft: int


@dataclass(frozen=True, slots=True)
class Enrol:
    """Redeem an invitation."""

    code: str


@dataclass(frozen=True, slots=True)
class Help:
    """What can be typed; of one verb, or of all."""

    verb: str = ""


Command = (
    Send
    | SendTemplate
    | Reply
    | Status
    | Cancel
    | Log
    | ContactAdd
    | GroupAdd
    | GroupRemove
    | TemplateAdd
    | Remove
    | List
    | Quota
    | Approve
    | Enrol
    | Help
)
