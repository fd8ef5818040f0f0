"""Credit in a running bridge: mails that are paid for, those that are not, and the commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from bridge.errors import Refused
from tests.bridges import ANNA, BERIT, Running, a_bridge, until, write_config
from tests.chats import a_talk
from tests.flow.test_prices import packed, run

PREPAID = 'billing = "prepaid"\ncurrency = "CZK"\ncountries = ["CZ", "NO"]'
PRICES = "tenant,prefix,price,currency\n*,+420,1.25,CZK\n"


async def priced(running: Any) -> None:
    await run(running.bridge, "prices import", data=packed(PRICES))


async def add(running: Any, amount: str, **more: str) -> dict[str, Any]:
    given = {"tenant": "acme", "amount": amount, "kind": "payment", **more}
    (found,) = await run(running.bridge, "accounts add", **given)
    return found


async def the_account(running: Any) -> dict[str, Any]:
    (found,) = await run(running.bridge, "accounts list", tenant="acme")
    return found


async def right(running: Any) -> None:
    (found,) = await run(running.bridge, "accounts verify")
    assert found["right"]
    assert found["debits"] == found["credits"]


def to(number: str) -> str:
    return f"{number}@sms.example"


async def test_a_mail_is_charged_once_its_carrier_has_taken_it(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path, tenant=PREPAID)) as running:
        await priced(running)
        assert (await add(running, "10"))["available"] == "10.00"
        await running.mail(to(ANNA), text="a" * 161)

        async def earned() -> bool:
            return bool((await the_account(running))["earned"] == "2.50")

        await until(earned)
        left = await the_account(running)
        assert (left["available"], left["reserved"]) == ("7.50", "0.00")
        await right(running)


async def test_a_mail_that_cannot_be_paid_for_is_refused_in_words(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path, tenant=PREPAID)) as running:
        await priced(running)
        with pytest.raises(aiosmtplib.SMTPDataError, match="acme has not enough credit") as no:
            await running.mail(to(ANNA))
        assert no.value.code == 550
        assert await running.states() == []
        await add(running, "1.25")
        await running.mail(to(ANNA))
        with pytest.raises(aiosmtplib.SMTPDataError):
            await running.mail(to(ANNA), text="Boiler 4 is cold")


async def test_of_several_recipients_who_was_not_paid_for_is_told_of_by_mail(
    tmp_path: Path,
) -> None:
    async with a_bridge(write_config(tmp_path, tenant=PREPAID)) as running:
        await priced(running)
        await add(running, "1.25")
        answer = await running.mail(to(ANNA), to("+420602123456"), Message_ID="<1@acme.example>")
        assert answer.startswith("250")
        await until(running.mails)
        (report,) = await running.mails()
        assert "not enough credit" in report["text"]
        assert sorted(await running.states()).count("cancelled") == 1
        # Whoever has it gets no second one, the other gets theirs.
        await add(running, "1.25")
        await running.mail(to(ANNA), to("+420602123456"), Message_ID="<1@acme.example>")
        assert len(await running.states()) == 3
        await right(running)


async def test_the_same_mail_again_after_a_top_up_is_sent(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path, tenant=PREPAID), works=False) as running:
        await priced(running)
        with pytest.raises(aiosmtplib.SMTPDataError):
            await running.mail(to(ANNA), Message_ID="<1@acme.example>")
        await add(running, "5")
        assert "accepted as" in await running.mail(to(ANNA), Message_ID="<1@acme.example>")
        assert len(await running.states()) == 1


async def test_a_number_without_a_price_is_refused(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path, tenant=PREPAID)) as running:
        await priced(running)
        await add(running, "10")
        with pytest.raises(aiosmtplib.SMTPDataError, match="no price in CZK"):
            await running.mail(to(BERIT))


async def test_a_postpaid_tenant_owes_up_to_its_limit(tmp_path: Path) -> None:
    tenant = 'billing = "postpaid"\ncurrency = "CZK"\ncredit_limit = "2.50"'
    async with a_bridge(write_config(tmp_path, tenant=tenant), works=False) as running:
        await priced(running)
        await running.mail(to(ANNA), text="one")
        await running.mail(to(ANNA), text="two")
        with pytest.raises(aiosmtplib.SMTPDataError, match="not enough credit"):
            await running.mail(to(ANNA), text="three")
        found = await the_account(running)
        assert (found["credit"], found["limit"], found["available"]) == ("-2.50", "2.50", "0.00")


async def test_an_account_begins_with_its_free_credit_once(tmp_path: Path) -> None:
    path = write_config(tmp_path, tenant=PREPAID, more='[billing]\nfree_credit = "5"')

    async def given(running: Running) -> bool:
        return bool((await the_account(running))["available"] == "5.00")

    for _ in range(2):
        async with a_bridge(path) as running:
            await until(lambda: given(running))
            await running.parts.bridge.refresh()
    async with a_bridge(path) as running:
        assert await given(running)
        await right(running)


async def test_what_is_booked_by_hand_has_a_sign_and_a_reason(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path, tenant=PREPAID), works=False) as running:
        await add(running, "10")
        for amount, more in (("-1", {}), ("0", {}), ("x", {}), ("-1", {"kind": "correction"})):
            with pytest.raises(Refused):
                await add(running, amount, **more)
        found = await add(running, "-1", kind="correction", note="paid to the wrong account")
        assert found["available"] == "9.00"
        await right(running)


async def test_a_chat_shows_what_is_left(tmp_path: Path) -> None:
    async with a_talk(write_config(tmp_path, tenant=PREPAID), works=False) as talk:
        await priced(talk)
        await talk.enrol("7")
        await talk.types("7", f"{ANNA} Boiler 3 is cold")
        assert "not enough credit" in talk.last
        await add(talk, "3")
        await talk.types("7", f"{ANNA} Boiler 3 is cold")
        await talk.types("7", "balance")
        assert "Left: 1.75 CZK" in talk.last
        assert "on its way: 1.25" in talk.last


async def test_where_nobody_counts_a_chat_says_so(tmp_path: Path) -> None:
    async with a_talk(write_config(tmp_path)) as talk:
        await talk.enrol("7")
        await talk.types("7", "balance")
        assert "not charged" in talk.last
