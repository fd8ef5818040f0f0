"""Prices from a file into the running bridge, and to whoever is about to send."""

from __future__ import annotations

import base64
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bridge import opening
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.receive import Reception
from bridge.errors import Refused
from bridge.operations import REGISTRY, Office
from bridge.settings import load
from tests.bridges import a_bridge, until, write_config
from tests.chats import a_talk
from tests.seeds import seeded

ANNA, BERTA = "+420601123456", "+420602123456"
CONFIG = """
data_dir = "{data_dir}"
[database]
url = "{url}"
[[tenants]]
name = "acme"
[[carriers]]
name = "sandbox"
kind = "sandbox"
"""
COSTS = "carrier,prefix,price,currency,valid_from\nsandbox,+420,0.0521,EUR,\nsandbox,+,9,EUR,\n"
Do = Callable[..., Any]


@pytest.fixture
async def bridge(tmp_path: Path, url: str) -> AsyncIterator[Bridge]:
    path = tmp_path / "bridge.toml"
    path.write_text(CONFIG.format(data_dir=seeded(tmp_path / "data"), url=url))
    async with opening.opened(load(path, {}), "up") as bridge:
        yield bridge


@pytest.fixture
def do(bridge: Bridge) -> Do:
    return lambda operation, **given: run(bridge, operation, **given)


async def run(bridge: Bridge, operation: str, **given: Any) -> list[dict[str, Any]]:
    office = Office(bridge, Reception(bridge, lambda _: None).silence, "eva")
    return [item async for item in REGISTRY[operation](office, **given)]


def packed(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode())).decode()


async def test_prices_are_imported_listed_and_asked_for(do: Do) -> None:
    assert await do("prices import", data=packed(COSTS)) == [{"prices": 2}]
    listed = await do("prices list")
    assert [(p["carrier"], p["prefix"], p["price"]) for p in listed] == [
        ("sandbox", "+", "9.00"),
        ("sandbox", "+420", "0.0521"),
    ]
    assert await do("prices list", carrier="smsc") == []
    (found,) = await do("prices check", number=ANNA)
    assert found == {
        "carrier": "sandbox",
        "tenant": None,
        "prefix": "+420",
        "price": "0.0521",
        "currency": "EUR",
        "valid_from": None,
    }


async def test_a_price_imported_again_is_replaced_and_heard_of(bridge: Bridge, do: Do) -> None:
    await do("prices import", data=packed(COSTS))
    await do("prices import", data=packed(COSTS.replace("0.0521", "0.06")))
    assert len(await do("prices list")) == 2
    price = bridge.prices.cost("sandbox", ANNA, bridge.clock())
    assert price is not None
    assert price.amount == 60_000


async def test_a_file_with_a_problem_changes_nothing(do: Do) -> None:
    wrong = COSTS + "smcs,+1,1,USD,\n"
    with pytest.raises(Refused, match="nothing was imported: 1 problem"):
        await do("prices import", data=packed(wrong))
    assert await do("prices list") == []


async def test_what_is_sent_tells_what_it_costs(do: Do) -> None:
    sent = {"tenant": "acme", "to": ANNA, "text": "a" * 161}
    (bare,) = await do("send", **sent)
    assert "cost" not in bare
    await do("prices import", data=packed(COSTS))
    (told,) = await do("send", **sent)
    assert told["cost"] == "0.1042 EUR"
    await do("prices import", data=packed("tenant,prefix,price,currency\n*,+,1.5,CZK\n"))
    (told,) = await do("send", **sent)
    assert told["cost"] == "3.00 CZK"
    await do("suppress add", number=ANNA, tenant="acme")
    (told,) = await do("send", **sent)
    assert told["state"] == "suppressed"
    assert "cost" not in told, "what is not sent costs nothing"


async def test_a_preview_tells_what_it_costs(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    async with a_talk(path) as talk:
        await run(talk.bridge, "prices import", data=packed(COSTS))
        await talk.enrol("7")
        await talk.types("7", f"{ANNA},{BERTA} Boiler 3 is cold")
        (_, view) = talk.chat.whispers[-1]
        assert "costs 0.1042 EUR" in view.plain


async def test_explain_by_mail_tells_what_it_costs(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path)) as running:
        await run(running.bridge, "prices import", data=packed(COSTS))
        await running.mail("explain.601123456@sms.example")
        (mail,) = await until(running.mails)
        assert "Cost: 0.0521 EUR" in mail["text"]
