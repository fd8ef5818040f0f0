"""The way to Slack: through the proxy that the environment names, and with our token alone."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from bridge.bots.slack.api import Api, proxy_of
from bridge.settings.sections import Workspace
from tests.slack_peer import BOT, TEAM, FakeSlack, fake_slack, serving

WORKSPACE = Workspace.model_validate({"name": "slack", "bot_token": BOT})


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with fake_slack() as found:
        yield found


async def test_what_a_netrc_holds_is_not_sent(
    slack: FakeSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login joe password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    api = Api(WORKSPACE, slack.url + "api/")
    try:
        assert await api.team() == TEAM
        assert await api.respond(slack.response_url, {"text": "Hello"})
        assert slack.tokens == [f"Bearer {BOT}"]
    finally:
        await api.close()


async def test_a_proxy_is_used_with_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, str]] = []

    async def passed(request: web.Request) -> web.Response:
        heard.append((str(request.url), request.headers.get("Proxy-Authorization", "")))
        return web.json_response({"ok": True, "team_id": TEAM})

    async with serving([web.route("*", "/{path:.*}", passed)]) as url:
        monkeypatch.setenv("http_proxy", url.replace("//", "//joe:secret@"))
        monkeypatch.delenv("no_proxy", raising=False)
        api = Api(WORKSPACE, "http://slack.example/api/")
        try:
            assert await api.team() == TEAM
            assert await api.respond("http://hooks.slack.example/1", {"text": "Hello"})
        finally:
            await api.close()
    word = "Basic " + base64.b64encode(b"joe:secret").decode()
    assert heard == [
        ("http://slack.example/api/auth.test", word),
        ("http://hooks.slack.example/1", word),
    ]


def test_no_proxy_is_used_where_none_shall_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "localhost,.inside.example")
    assert proxy_of("https://slack.com/api/") == "http://proxy.example:3128"
    assert proxy_of("wss://wss-primary.slack.com/link") == "http://proxy.example:3128"
    assert proxy_of("https://slack.inside.example/api/") is None
    assert proxy_of("http://localhost/api/") is None
