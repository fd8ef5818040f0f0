"""Settings come in; what Slack says of each workspace's tokens and scopes goes out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from bridge.bots.slack.api import NO_ANSWER, Api, Denied
from bridge.bots.slack.hook import PATH
from bridge.errors import BridgeError, Doubtful, TryLater
from bridge.settings import Settings

#: What the app needs, and for what.
SCOPES: Final = {
    "commands": "/sms and the shortcuts",
    "chat:write": "cards, answers in threads, private answers",
    "chat:write.public": "cards in public channels that the app has not joined",
    "im:write": "its private chat with a person",
    "im:history": "files of contacts that are dropped there",
    "files:read": "the same",
    "channels:read": "whether it may write in a channel where /sms was typed",
    "groups:read": "the same for private channels",
    "mpim:read": "the same for group messages",
}
_MANIFEST: Final = "deploy/slack/manifest.yaml"


class Found(NamedTuple):
    """What was found of one part, as `bridge check` tells it."""

    part: str
    ok: bool
    detail: str
    hint: str = ""


async def check(settings: Settings, patience: float) -> list[Found]:
    """Ask Slack about every configured workspace, each for `patience` seconds at most."""
    found: list[Found] = []
    for workspace in settings.slack.apps():
        part = "slack" if workspace.name == "slack" else f"slack {workspace.name}"
        api = Api(workspace, settings.slack.api_url)
        looks = (_bot(api, part, patience), _way_in(api, part, settings.public_url, patience))
        try:
            found += await asyncio.gather(*looks)
        finally:
            await api.close()
    return found


async def _bot(api: Api, part: str, patience: float) -> Found:
    try:
        async with asyncio.timeout(patience):
            who = await api.identity()
    except TimeoutError:
        return _silent(part, patience)
    except BridgeError as error:
        return _wrong(part, error, f"take the bot token (xoxb-) anew: {_MANIFEST}")
    detail = f"speaks in the workspace {who.team_name} ({who.team})"
    missing = [scope for scope in SCOPES if who.scopes is not None and scope not in who.scopes]
    if missing:
        return Found(part, False, f"{detail}, but lacks {_listed(missing)}", _install_again())
    return Found(part, True, detail)


async def _way_in(api: Api, part: str, public_url: str, patience: float) -> Found:
    part += " events"
    workspace = api.workspace
    token = workspace.app_token.get_secret_value()
    if token:
        return await _socket(api, part, token, patience)
    if not workspace.signing_secret.get_secret_value().strip():
        hint = "set app_token (Socket Mode), or signing_secret (signed requests)"
        return Found(part, False, "nothing is heard: app_token and signing_secret are empty", hint)
    url = public_url.rstrip("/") + PATH
    if not url.startswith("https://"):
        hint = "set public_url to the https address that Slack can reach, or set app_token"
        return Found(part, False, f"Slack sends to https only, not to {url}", hint)
    return Found(part, True, f"are awaited at {url}")


async def _socket(api: Api, part: str, token: str, patience: float) -> Found:
    try:
        async with asyncio.timeout(patience):
            await api.call("apps_connections_open", app_token=token)
    except TimeoutError:
        return _silent(part, patience)
    except BridgeError as error:
        hint = "turn Socket Mode on, and make an app token (xapp-) with connections:write"
        return _wrong(part, error, hint)
    return Found(part, True, "come by Socket Mode")


def _silent(part: str, patience: float) -> Found:
    hint = "check that this machine reaches [slack] api_url, and that no firewall is between"
    return Found(part, False, f"no answer within {patience:.0f} s", hint)


def _wrong(part: str, error: BridgeError, hint: str) -> Found:
    """`hint` is for what Slack said, the error's own for what kept Slack from saying it."""
    if isinstance(error, Doubtful):
        return Found(part, False, NO_ANSWER, "see that [slack] api_url is Slack's, and Slack well")
    unheard = isinstance(error, TryLater) and not isinstance(error, Denied)
    return Found(part, False, error.sentence, error.hint if unheard else hint)


def _listed(missing: Sequence[str]) -> str:
    return ", ".join(f"{scope} (for {SCOPES[scope]})" for scope in missing)


def _install_again() -> str:
    return f"add them to the app as {_MANIFEST} does, and install it again"
