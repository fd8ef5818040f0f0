"""Views and forms come in; they go out to Slack's channels, threads, modals and private messages.

It needs nothing that hears Slack: a process that only tells uses it alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from bridge.bots import views
from bridge.bots.chat import Button, Event, Form, Gone, Pressed, View
from bridge.bots.slack import blocks
from bridge.bots.slack.api import Api, Denied, Refusal
from bridge.bots.slack.events import Seat, carried
from bridge.bots.slack.remembered import Remembered
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.contact_file import MOST_OCTETS
from bridge.errors import BridgeError, Refused, TryLater

#: Seconds after which we ask again whether we may write in a channel.
SEATED_SECONDS: Final = 120.0

#: A post that is written plainly: nothing in it is looked for, nothing is unfolded.
_PLAINLY: Final = {"parse": "none", "link_names": False}
_UNFOLDED: Final = {**_PLAINLY, "unfurl_links": False, "unfurl_media": False}

_NO_POST: Final = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
_NO_THREAD: Final = frozenset(
    {"thread_not_found", "message_not_found", "invalid_thread_ts", "cannot_reply_to_message"}
)
_TOO_LATE: Final = frozenset(
    {"expired_trigger_id", "trigger_expired", "exchanged_trigger_id", "trigger_exchanged"}
    | {"invalid_trigger_id", "invalid_trigger"}
)


class SlackChat:
    """`bridge.bots.chat.Chat` over the configured workspaces."""

    edge = "slack"

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        slack = bridge.settings.slack
        self.apis = {each.name: Api(each, slack.api_url) for each in slack.apps()}
        self._own: dict[tuple[str, str], str] = {}  # (team, person) → the channel they share
        self._may_write = Remembered(bridge.clock, SEATED_SECONDS)
        self._learning: asyncio.Task[BridgeError | None] | None = None
        with contextlib.suppress(RuntimeError):  # there is no loop yet
            self._learn_soon()

    async def close(self) -> None:
        """End its connections."""
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.gather(self._learning, return_exceptions=True)
        await self._may_write.close()
        for api in self.apis.values():
            await api.close()

    # -- places ------------------------------------------------------------------------------

    async def roots(self, place: str) -> bool:  # noqa: ARG002
        """Slack's threads always hang below a post."""
        return True

    def resolved(self, tenant: int, place: str) -> str:
        """`C…` as `T…/C…`, in the workspace of the tenant. Raises Refused, TryLater."""
        if "/" in place:
            return place
        api = self._bound(tenant)
        if not api.known_team:
            self._learn_soon()
            raise TryLater("Slack has not told us the workspace's id yet")
        return f"{api.known_team}/{place}"

    def _bound(self, tenant: int) -> Api:
        found = self.bridge.register.tenants.get(tenant)
        name = found.name if found else ""
        for wanted in (name, ""):
            for api in self.apis.values():
                if api.workspace.tenant == wanted:
                    return api
        raise Refused("no workspace is bound to this tenant", "write the inbox as slack:T…/C…")

    def shared(self, place: str) -> bool:
        """Everything but somebody's private chat with the app."""
        return not place.rpartition("/")[2].startswith("D")

    async def seat(self, api: Api, channel: str, person: str) -> Seat:
        """Where to write about what somebody did in a channel.

        That is their private chat with the app, where the app may not write in the channel.
        """
        team = await api.team()
        if channel and not channel.startswith("D"):
            ask = partial(_writable, api, channel)
            if await self._may_write((team, channel), ask):
                return Seat(f"{team}/{channel}", private=False)
        return Seat(f"{team}/{await self._own_channel(api, person)}", private=True)

    async def _own_channel(self, api: Api, person: str) -> str:
        key = (await api.team(), person)
        if key not in self._own:
            answer = await api.call("conversations_open", users=person)
            self._own[key] = answer["channel"]["id"]
        return self._own[key]

    async def _at(self, place: str) -> tuple[Api, str]:
        team, _, channel = place.partition("/")
        api = self._of(team)
        if api is None:
            error = await self._learn()
            api = self._of(team)
            if api is None:
                raise error or Refused("this is in no configured workspace", "look at [slack]")
        return api, channel

    def _of(self, team: str) -> Api | None:
        return next((api for api in self.apis.values() if api.known_team == team), None)

    async def _learn(self) -> BridgeError | None:
        """Ask every workspace for its id; the error of one that does not tell."""
        error = None
        for api in self.apis.values():
            try:
                await api.team()
            except BridgeError as no:
                error = no
        return error

    def _learn_soon(self) -> None:
        if self._learning is None or self._learning.done():
            loop = asyncio.get_running_loop()
            self._learning = loop.create_task(self._learn(), name="slack-learning")

    # -- answers -----------------------------------------------------------------------------

    async def whisper(self, event: Event, view: View) -> None:
        """Where they acted, to their eyes only; else in their private chat with the app."""
        body = blocks.message(view)
        api, channel = await self._at(event.place)
        hidden = {"response_type": "ephemeral", "replace_original": False}
        if await self._responded(api, event, {**body, **hidden, **_inside(event)}):
            return
        if not event.private and await self._hidden(api, channel, event, body):
            return
        own = await self._own_channel(api, event.person)
        await api.call("chat_postMessage", channel=own, **body, **_UNFOLDED)

    async def _hidden(self, api: Api, channel: str, event: Event, body: Mapping[str, Any]) -> bool:
        try:
            await api.call(
                "chat_postEphemeral",
                channel=channel,
                user=event.person,
                **body,
                **_inside(event),
                **_PLAINLY,
            )
        except Refusal:
            return False
        return True

    async def revise(self, event: Event, view: View) -> None:
        """Replace the post; where it cannot be replaced any more, say it anew."""
        body = blocks.message(view)
        post = _post(event)
        if event.back.get("ephemeral"):
            api, _ = await self._at(event.place)
            if await self._responded(api, event, {**body, "replace_original": True}):
                return
        elif post:
            with contextlib.suppress(Gone):
                await self.edit(event.place, post, view)
                return
        await self.whisper(event, view)

    async def _responded(self, api: Api, event: Event, body: Mapping[str, Any]) -> bool:
        """By the payload's own address, which Slack keeps for half an hour and five answers."""
        url = str(event.back.get("url") or "")
        return bool(url) and await api.respond(url, body)

    async def relabel(self, event: Event, buttons: Sequence[Button]) -> None:
        """Change the post's buttons, and nothing else in it."""
        shown, post = event.back.get("message") or {}, _post(event)
        if not (post and shown.get("blocks")):
            return  # Slack does not say what stands in a post that one person sees
        api, channel = await self._at(event.place)
        found = blocks.relabelled(shown["blocks"], buttons)
        try:
            await api.call(
                "chat_update",
                channel=channel,
                ts=post,
                text=shown.get("text") or "SMS",
                blocks=found,
                **_PLAINLY,
            )
        except Refusal as no:
            if no.code not in _NO_POST:
                raise

    async def ask(self, event: Event, form: Form) -> str:
        """Open a modal; Slack allows it within three seconds of what was pressed."""
        api, _ = await self._at(event.place)
        view = blocks.modal(form, carried(event))
        try:
            trigger = str(event.back.get("trigger") or "")
            await api.call("views_open", trigger_id=trigger, view=view)
        except Refusal as no:
            if no.code not in _TOO_LATE:
                raise
            await self.whisper(event, views.said("That took too long for Slack: press it again."))
        return ""

    # -- posts -------------------------------------------------------------------------------

    async def post(self, place: str, thread: str, view: View, answers: str = "") -> str:
        """Post in a thread, or at the top of a channel."""
        api, channel = await self._at(place)
        root = thread or answers
        below = {"thread_ts": root} if root else {}
        body = blocks.message(view)
        try:
            answer = await api.call(
                "chat_postMessage", channel=channel, **below, **body, **_UNFOLDED
            )
        except Refusal as no:
            if below and no.code in _NO_THREAD:
                raise Gone from None
            raise
        return str(answer["ts"])

    async def edit(self, place: str, post: str, view: View) -> None:
        """Change a post."""
        api, channel = await self._at(place)
        body = blocks.message(view)
        try:
            await api.call("chat_update", channel=channel, ts=post, **body, **_PLAINLY)
        except Refusal as no:
            if no.code in _NO_POST:
                raise Gone from None
            raise

    async def remove(self, place: str, post: str) -> None:
        """Delete a post of ours."""
        api, channel = await self._at(place)
        try:
            await api.call("chat_delete", channel=channel, ts=post)
        except Refusal as no:
            if no.code == "message_not_found":
                raise Gone from None
            raise

    async def remove_thread(self, place: str, root: str) -> None:
        """Delete the post that a thread hangs below; others' answers stay, below nothing."""
        await self.remove(place, root)

    async def open_thread(self, place: str, title: str) -> str:  # noqa: ARG002
        """A thread hangs below its first post."""
        return ""

    async def fetch(self, file: str) -> bytes:
        """A file, `T…/F…`. Raises Refused, TryLater."""
        api, number = await self._at(file)
        found = (await api.call("files_info", file=number))["file"]
        if int(found.get("size") or 0) > MOST_OCTETS:
            raise Refused("the file is larger than 1 MB", "drop it in parts")
        return await api.download(str(found.get("url_private_download") or ""), MOST_OCTETS)


def _inside(event: Event) -> dict[str, str]:
    """The thread that somebody has open."""
    inside = str(event.back.get("inside") or "")
    return {"thread_ts": inside} if inside else {}


def _post(event: Event) -> str:
    return event.act.post if isinstance(event.act, Pressed) else str(event.back.get("post") or "")


async def _writable(api: Api, channel: str) -> bool:
    """Whether the app may write in a channel."""
    try:
        info = (await api.call("conversations_info", channel=channel))["channel"]
    except Refusal:
        return False
    except Denied as no:
        # No scope for group messages between people: nothing of ours is there.
        if no.code == "missing_scope":
            return False
        raise
    hidden = info.get("is_private") or info.get("is_mpim")
    return bool(info.get("is_member", True) or not hidden)
