"""The brakes through the door: mails and chats that would run up a bill, and what becomes of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from aiosmtplib.errors import SMTPDataError, SMTPRecipientRefused
from sqlalchemy import func, select

from bridge.dispatch import halting
from bridge.dispatch.caps import span_of
from bridge.operations import REGISTRY, Office
from bridge.store.brake_tables import brake
from bridge.store.braking import Halt, halt
from bridge.store.sql import Statement
from bridge.store.tables import message
from tests.bridges import ANNA, BERIT, WRITER, Running, a_bridge, until, write_config
from tests.chats import a_talk
from tests.flow.test_prices import packed
from tests.smsc import smsc

INBOX = 'inbox = ["owner@acme.example"]'
OPERATOR = '[privacy]\ninbox = ["root@sms.example"]'
TO = f"{ANNA}@sms.example"
RANGE = [f"+4740{n:06d}" for n in range(612000, 612060)]


async def refusal(bridge: Running, *to: str, **more: Any) -> str:
    """Why a mail is not taken; "" when it is."""
    try:
        await bridge.mail(*to, **more)
    except (SMTPRecipientRefused, SMTPDataError) as no:
        return str(no.message)
    return ""


async def answer(bridge: Running, *to: str, **more: Any) -> str:
    """The reply to a mail, whichever it is."""
    return await refusal(bridge, *to, **more) or "taken"


async def do(bridge: Running, operation: str, **arguments: Any) -> list[dict[str, Any]]:
    """Run an operator's command."""

    async def silence(_people: object) -> None:
        """Nothing is under way."""

    office = Office(bridge.bridge, silence, "eva")
    return [item async for item in REGISTRY[operation](office, **arguments)]


async def count(bridge: Running) -> int:
    rows = await bridge.rows(Statement(select(func.count()).select_from(message)))
    return int(rows[0][0])


# -- countries and ranges that cost much


async def test_p75_a_tenant_sends_to_its_own_region_alone_unless_told(tmp_path: Path) -> None:
    config = write_config(tmp_path, tenant="countries = []")
    async with a_bridge(config, works=False) as bridge:
        assert await refusal(bridge, TO) == ""
        why = await refusal(bridge, f"{BERIT}@sms.example")
        assert "acme does not send to NO; allowed countries: CZ" in why
        assert 'add "NO" to `countries` of acme' in why


async def test_any_country_is_a_star(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path, tenant='countries = ["*"]'), works=False) as bridge:
        assert await refusal(bridge, f"{BERIT}@sms.example") == ""


@pytest.mark.parametrize(
    ("number", "what"),
    [
        ("+420906123456", "a premium-rate number"),
        ("+447012345678", "a personal number"),
        ("+870773111632", "a satellite or an international service number"),
        ("+881612345678", "a satellite or an international service number"),
    ],
)
async def test_p75_what_costs_much_is_refused_unless_allowed(
    tmp_path: Path, number: str, what: str
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with a_bridge(write_config(tmp_path / "a"), works=False) as bridge:
        why = await refusal(bridge, f"{number}@sms.example")
        assert what in why
        assert "high_cost = true" in why
    allowed = write_config(tmp_path / "b", tenant='high_cost = true\ncountries = ["CZ", "GB"]')
    async with a_bridge(allowed, works=False) as bridge:
        assert await refusal(bridge, f"{number}@sms.example") == ""


# -- pumping


async def test_p75_pumping_is_stopped_within_the_velocity_and_the_owner_is_told(
    tmp_path: Path,
) -> None:
    config = write_config(tmp_path, tenant=f'velocity = "20/10m"\n{INBOX}', more=OPERATOR)
    async with a_bridge(config, works=False) as bridge:
        whys = await asyncio.gather(
            *(answer(bridge, f"{n}@sms.example", sender="thief@acme.example") for n in RANGE)
        )
        assert whys.count("taken") == 20
        assert await count(bridge) == 20
        assert {why for why in whys if why != "taken"} <= {
            w for w in whys if "until somebody has looked" in w
        }
        # The sender may not write elsewhere either; a colleague may.
        assert "you may send nothing" in await refusal(bridge, TO, sender="thief@acme.example")
        assert await refusal(bridge, TO, sender=WRITER) == ""
        assert "nothing may be sent to this range" in await refusal(
            bridge, f"{RANGE[-1]}@sms.example", sender=WRITER
        )
        stopped = await do(bridge, "brake list")
        assert [(b["kind"], b["country"]) for b in stopped] == [("sender", ""), ("range", "NO")]
        (case,) = await do(bridge, "abuse list")
        assert (case["kind"], case["source"], case["state"]) == ("block", "velocity", "open")
        (done,) = await do(bridge, "brake lift", id=stopped[1]["id"], outcome="a drill")
        assert done["state"] == "lifted"
        assert await refusal(bridge, f"{RANGE[-1]}@sms.example", sender="thief@acme.example") == ""
        (case,) = await do(bridge, "abuse list")
        assert case["outcome"] == "lifted: a drill"


async def test_p75_the_owner_and_the_operator_are_told_by_mail(tmp_path: Path) -> None:
    config = write_config(tmp_path, tenant=f'velocity = "5/10m"\n{INBOX}', more=OPERATOR)
    async with a_bridge(config) as bridge:
        for number in RANGE[:9]:
            await refusal(bridge, f"{number}@sms.example")

        async def both() -> bool:
            return len(await bridge.mails()) >= 2

        await until(both)
        told = {str(m["to"]): str(m["subject"]) + str(m["text"]) for m in await bridge.mails()}
        assert "Sending to a range of numbers was stopped" in told["owner@acme.example"]
        assert WRITER in told["owner@acme.example"]
        assert "block (velocity)" in told["root@sms.example"]
        assert RANGE[0] not in str(told)


async def test_abroad_there_is_a_bound_by_default_and_at_home_there_is_none(
    tmp_path: Path,
) -> None:
    async with a_bridge(write_config(tmp_path), works=False) as bridge:
        home = [f"+42060112{n:04d}@sms.example" for n in range(40)]
        assert {await answer(bridge, to) for to in home} == {"taken"}
        whys = [await answer(bridge, f"{n}@sms.example") for n in RANGE[:40]]
        assert whys.count("taken") == 30


async def test_a_login_is_one_sender_whatever_it_writes_as_sender(tmp_path: Path) -> None:
    from argon2 import PasswordHasher

    hashed = PasswordHasher(1, 8, 1).hash("secret")
    tenant = f'velocity = "3/10m"\nlogins = [{{ user = "shop", password_hash = "{hashed}" }}]'
    senders = '{ address = "*", proof = "auth" }'
    config = write_config(tmp_path, tenant=tenant, senders=senders)
    async with a_bridge(config, works=False) as bridge:
        async with aiosmtplib.SMTP(hostname=bridge.host, port=bridge.port) as client:
            await client.login("shop", "secret")
            for n, number in enumerate(RANGE[:4]):
                body = f"Subject: x\n\nCode {n}"
                try:
                    await client.sendmail(f"u{n}@a.example", [f"{number}@sms.example"], body)
                except SMTPDataError:
                    assert n == 3
            with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
                await client.sendmail("new@a.example", [TO], "Subject: x\n\nHello")
        kinds = await bridge.rows(Statement(select(brake.c.kind).order_by(brake.c.id)))
        assert [row[0] for row in kinds] == ["range", "sender"]


# -- caps


async def test_caps_are_said_when_they_are_used_up(tmp_path: Path) -> None:
    config = write_config(tmp_path, tenant=f"caps = {{ day = 2 }}\n{INBOX}")
    async with a_bridge(config, works=False) as bridge:
        assert await refusal(bridge, TO, text="one") == ""
        assert await refusal(bridge, TO, text="two") == ""
        why = await refusal(bridge, TO, text="three")
        assert "acme has used up the 2 SMS parts of this day" in why
        assert "higher `caps`" in why


async def test_whoever_gets_nothing_beside_others_is_told_of_by_mail(tmp_path: Path) -> None:
    """One reply stands for all recipients of a mail: it cannot tell of one of them."""
    config = write_config(tmp_path, tenant="caps = { day = 2 }")
    async with a_bridge(config) as bridge:
        assert await answer(bridge, *(f"{n}@sms.example" for n in RANGE[:3])) == "taken"
        states = [row[0] for row in await bridge.rows(Statement(select(message.c.state)))]
        assert states.count("cancelled") == 1

        async def told() -> bool:
            mails = [m for m in await bridge.mails() if m["to"] == WRITER]
            return any("cap" in str(m["text"]) for m in mails)

        await until(told)


async def test_a_sender_has_its_own_cap(tmp_path: Path) -> None:
    config = write_config(tmp_path, tenant="cap_per_sender = { month = 1 }")
    async with a_bridge(config, works=False) as bridge:
        assert await refusal(bridge, TO, text="one") == ""
        assert "you have used up" in await refusal(bridge, TO, text="two")
        assert await refusal(bridge, TO, text="two", sender="jan@acme.example") == ""


async def test_money_is_capped_by_the_tenants_prices(tmp_path: Path) -> None:
    tenant = 'currency = "CZK"\nspend = { day = "3" }\ncountries = ["*"]'
    async with a_bridge(write_config(tmp_path, tenant=tenant), works=False) as bridge:
        prices = packed("tenant,prefix,price,currency\n*,+420,1.25,CZK\n")
        await do(bridge, "prices import", data=prices)
        assert await refusal(bridge, TO, text="one") == ""
        why = await refusal(bridge, TO, text="a" * 161)
        assert "acme has used up the 3.00 CZK of this day" in why
        assert "higher `spend`" in why
        assert await refusal(bridge, TO, text="two") == ""
        assert "used up" in await refusal(bridge, TO, text="three")
        assert "has no price in CZK" in await refusal(bridge, f"{BERIT}@sms.example")


async def test_a_sender_may_spend_only_so_much(tmp_path: Path) -> None:
    tenant = 'currency = "CZK"\nspend_per_sender = { month = "1.25" }'
    async with a_bridge(write_config(tmp_path, tenant=tenant), works=False) as bridge:
        prices = packed("tenant,prefix,price,currency\n*,+420,1.25,CZK\n")
        await do(bridge, "prices import", data=prices)
        assert await refusal(bridge, TO, text="one") == ""
        assert "you have used up the 1.25 CZK" in await refusal(bridge, TO, text="two")
        assert await refusal(bridge, TO, text="two", sender="jan@acme.example") == ""


@pytest.mark.parametrize(
    ("period", "begin", "end"),
    [("hour", 0.0, 3600.0), ("day", 0.0, 86400.0), ("month", 0.0, 31 * 86400.0)],
)
def test_periods_are_utc(period: str, begin: float, end: float) -> None:
    assert span_of(period, 1.5) == (begin, end)


# -- alarm storms


async def test_a_storm_is_one_sms_at_once_and_one_at_its_end(tmp_path: Path) -> None:
    senders = '{ address = "*", proof = "network:127.0.0.0/8", fold = "1s" }'
    async with smsc() as centre:
        config = write_config(tmp_path, port=centre.port, senders=senders)
        async with a_bridge(config) as bridge:
            texts = [f"Disk full on db1\nat 12:00:{n:02d}" for n in range(12)]
            replies = [await bridge.mail(TO, text=text) for text in texts]
            await bridge.mail(TO, text="Disk full on db2")
            assert sum("counted as" in reply for reply in replies) == 11
            await centre.until(lambda _: len(centre.messages) >= 3)
            assert {m.text for m in centre.messages} == {
                "Disk full on db1\nat 12:00:00",
                "Disk full on db1 ... and 11 more",
                "Disk full on db2",
            }
            items = await do(bridge, "log")
            assert sum(item["reason"] == "folded" for item in items) == 11
            assert len(items) == 14


@pytest.mark.parametrize("letter", ["x", "ž"])
async def test_a_storm_of_long_alerts_is_told_of_too(tmp_path: Path, letter: str) -> None:
    """The first alert fills all that the tenant may send: how many more there were must still fit."""
    senders = '{ address = "*", proof = "network:127.0.0.0/8", fold = "1s" }'
    encoding = 'encoding = "keep"\nmax_parts = 1'
    full = letter * (160 if letter == "x" else 70)
    async with smsc() as centre:
        config = write_config(tmp_path, port=centre.port, senders=senders, tenant=encoding)
        async with a_bridge(config) as bridge:
            for _ in range(4):
                await bridge.mail(TO, text=full)
            await centre.until(lambda _: len(centre.messages) >= 2)
            first, last = sorted((m.text for m in centre.messages), key=lambda text: " " in text)
            assert first == full
            assert last.startswith(letter * 40)
            assert last.endswith("... and 3 more" if letter == "x" else "… and 3 more")


# -- the kill switch


async def test_the_kill_switch_holds_what_waits_and_loses_nothing(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        await centre.until(lambda _: bool(centre.binds))
        await do(bridge, "stop-sending", reason="a loop in the shop")
        await bridge.mail(TO, text="waits")
        (item,) = await do(bridge, "log")
        assert (item["state"], item["reason"]) == ("queued", "halted")
        assert [b["kind"] for b in await do(bridge, "brake list")] == ["halt"]
        before = len(centre.submits)
        await do(bridge, "resume")
        await centre.until(lambda _: len(centre.messages) == 1)
        assert before == 0
        assert not await do(bridge, "brake list")


async def test_a_halt_in_the_middle_of_a_stream_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        centre.behave.rate, centre.behave.dlr = 200, "none"
        for n in range(60):
            await bridge.mail(TO, text=f"Message {n}")
        await centre.until(lambda _: len(centre.submits) > 5)
        await do(bridge, "stop-sending", tenant="acme", reason="a drill")
        await until(lambda: _none_sending(bridge))
        left = len(centre.submits)
        await bridge.mail(TO, text="Message 60")
        await asyncio.sleep(0.1)
        assert len(centre.submits) == left
        await do(bridge, "resume", tenant="acme")
        await until(lambda: _all_sent(bridge))
        texts = [s.text for s in centre.submits]
        assert sorted(set(texts)) == sorted(texts) == sorted(f"Message {n}" for n in range(61))


async def _none_sending(bridge: Running) -> bool:
    return "sending" not in await bridge.states()


async def _all_sent(bridge: Running) -> bool:
    return set(await bridge.states()) == {"sent"}


async def test_another_process_stops_within_a_second(tmp_path: Path, postgres_url: str) -> None:
    (tmp_path / "pepper").write_text("5e" * 32)
    pepper = f'[privacy]\npepper_file = "{tmp_path / "pepper"}"'
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with smsc() as centre:
        first = write_config(tmp_path / "a", port=centre.port, database=postgres_url, more=pepper)
        other = write_config(tmp_path / "b", port=centre.port, database=postgres_url, more=pepper)
        async with a_bridge(first) as sends, a_bridge(other, works=False) as tells:
            sends.parts.refresh()
            await centre.until(lambda _: bool(centre.binds))
            loop = asyncio.get_running_loop()
            began = loop.time()
            await halting.halt(tells.bridge, "eva", None, "a drill")

            async def knows() -> bool:
                return sends.bridge.brakes.all_halted

            await until(knows)
            assert loop.time() - began < 1.0
            await tells.mail(TO)
            assert (await tells.states()) == ["queued"]
            await halting.resume(tells.bridge, "eva", None)
            await centre.until(lambda _: len(centre.messages) == 1)


async def test_a_fault_while_it_is_read_does_not_make_a_process_deaf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_bridge(write_config(tmp_path), works=False) as bridge:
        real, faults = bridge.bridge.store.driver.rows, [RuntimeError("a broken connection")]

        async def rows(statement: Statement, values: Any) -> Any:
            if faults:
                raise faults.pop()
            return await real(statement, values)

        monkeypatch.setattr(bridge.bridge.store.driver, "rows", rows)
        watch = asyncio.create_task(bridge.bridge.brakes.watch(bridge.bridge.store))
        item = Halt(0, "a drill", "eva", bridge.bridge.clock())
        await bridge.bridge.store.write(halt, item)

        async def knows() -> bool:
            return bridge.bridge.brakes.all_halted

        await until(knows)
        watch.cancel()
        assert not faults


# -- from chats


async def test_a_chat_halts_lifts_and_sees_what_is_stopped(tmp_path: Path) -> None:
    config = write_config(tmp_path, tenant='velocity = "2/10m"\ncaps = { day = 50 }')
    async with a_talk(config) as talk:
        await talk.enrol("7", "agent")
        await talk.enrol("8", "admin", "Petr")
        await talk.types("7", "halt We are hacked")
        assert "may not stop sending" in talk.last
        await talk.types("8", "halt We are hacked")
        assert "Nothing of acme leaves any more" in talk.last
        await talk.types("7", f"{ANNA} Hello")
        await talk.types("7", "status")
        assert "We are hacked" in talk.last
        await talk.types("7", "quota")
        assert "We are hacked" in talk.last
        assert "day: 1 of 50 SMS parts" in talk.last
        await talk.types("8", "resume")
        assert "Sending goes on for acme" in talk.last
        for number in RANGE[:3]:
            await talk.types("7", f"{number} Hello")
        await talk.types("8", "brake")
        assert "a range of numbers in NO" in talk.last
        shown = talk.chat.whispers[-1][1]
        await talk.presses("8", "Lift", shown)
        assert "goes on" in talk.chat.revised[-1].plain
        await talk.types("8", "brake")
        assert "Nothing is stopped" in talk.last
