"""What a chat and the rest of the edge say to each other: events come in, views go out.

The adapters of Slack and Telegram translate; nothing else here knows either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Typed:
    """A command: what stands after `/sms`."""

    text: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button under a post of ours."""

    action: str
    value: str
    post: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A chat message that answers a post of ours."""

    text: str
    post: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that was sent off: `compose`, `edit`, `reply`; or `contacts`, a file.

    `value` is what the form was opened for.
    """

    form: str
    value: str
    fields: Mapping[str, str]


Act = Typed | Pressed | Answered | Filled


@dataclass(frozen=True, slots=True)
class Event:
    """Somebody did something in a chat."""

    update: int  # its row in `chat_update`
    edge: str  # "slack" | "telegram"
    team: str  # Slack's workspace; "" in Telegram
    person: str  # the chat's own id of whoever acted
    place: str  # Slack: "team/channel"; Telegram: the chat's id
    act: Act
    thread: str = ""  # where in the place: Slack's thread, Telegram's topic
    private: bool = False  # nobody else reads there
    answers: str = ""  # the person's own post, for the answer to hang below
    tenant: int = 0  # the tenant that the workspace belongs to; 0: any
    back: Mapping[str, Any] = field(default_factory=dict)  # the adapter's own way to answer


class Line(NamedTuple):
    """A paragraph of a view: its text is plain, the adapter escapes it."""

    text: str
    kind: str = "plain"  # plain | head | quote | code | faint


@dataclass(frozen=True, slots=True)
class Button:
    """What can be pressed below a view; a button with `url` opens a page."""

    label: str
    action: str = ""
    value: str = ""
    style: str = ""  # "" | "primary" | "danger"
    url: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What is shown: an adapter makes blocks or a message of it."""

    lines: tuple[Line, ...]
    buttons: tuple[Button, ...] = ()

    @property
    def plain(self) -> str:
        """All its text."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Form:
    """A form to fill in: `compose` (to, text, when), `edit` or `reply` (text)."""

    name: str
    value: str
    title: str
    fields: Mapping[str, str] = field(default_factory=dict)  # what stands in them already


class Gone(Exception):
    """The thread, topic or post is not there any more."""


class Chat(Protocol):
    """One chat's adapter. Its methods raise Refused, TryLater; they obey the chat's limits."""

    edge: str

    async def whisper(self, event: Event, view: View) -> None:
        """Answer so that only the one who acted reads it, where the chat can do that."""

    async def revise(self, event: Event, view: View) -> None:
        """Put `view` in the place of the post whose button was pressed."""

    async def relabel(self, event: Event, buttons: Sequence[Button]) -> None:
        """Put other buttons below the post whose button was pressed."""

    async def ask(self, event: Event, form: Form) -> str:
        """Open a form; the post that asks, where it is a post ("" else)."""

    async def post(self, place: str, thread: str, view: View, answers: str = "") -> str:
        """Post in a thread ("": at the top), below the post `answers`; its id. Raises Gone."""

    async def edit(self, place: str, post: str, view: View) -> None:
        """Change a post. Raises Gone."""

    async def remove(self, place: str, post: str) -> None:
        """Take a post away. Raises Gone; Refused where the chat keeps it."""

    async def remove_thread(self, place: str, root: str) -> None:
        """Take a thread of a person's own away, with all in it as far as the chat does that.

        Raises Gone; Refused where the chat keeps it.
        """

    async def open_thread(self, place: str, title: str) -> str:
        """Make a thread of its own for a person; "" where the first post is to be its root."""

    async def fetch(self, file: str) -> bytes:
        """A file that was dropped into the chat. Raises Refused where it is too large."""

    async def close(self) -> None:
        """End its connections."""

    async def roots(self, place: str) -> bool:
        """Whether answers hang below the post they answer, and not in topics of their own."""

    def resolved(self, tenant: int, place: str) -> str:
        """A place as events name it, from the way that settings may write it."""

    def shared(self, place: str) -> bool:
        """Whether several people read there."""
