"""An SMSC that answers after the timeout: what it says late still counts, and nobody gets it twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from bridge.store.sql import Statement
from bridge.store.tables import attempt
from tests.bridges import ANNA, a_bridge, until, write_config
from tests.smsc import smsc

SLOW = 'response_timeout = "1s"'
MANY = 4


@pytest.mark.parametrize("window", [2, 50])
async def test_what_is_answered_late_is_not_sent_again(tmp_path: Path, window: int) -> None:
    """Also where late answers hold so much of the window that nothing more may leave."""
    async with smsc() as centre:
        centre.behave.latency, centre.behave.dlr_delay = 1.2, 0.1
        config = write_config(tmp_path, port=centre.port, window=window, carrier=SLOW)
        async with a_bridge(config) as bridge:
            for number in range(MANY):
                to = f"{ANNA[:-1]}{number}@sms.example"
                await bridge.mail(to, text=f"Boiler {number} is cold")

            async def arrived() -> bool:
                return await bridge.states() == ["delivered"] * MANY

            await until(arrived)
            assert len(centre.submits) == MANY
            assert len(centre.binds) == 1


async def test_what_is_answered_while_it_waits_is_sent_without_a_receipt(tmp_path: Path) -> None:
    async with smsc() as centre:
        centre.behave.latency, centre.behave.dlr = 1.2, "none"
        config = write_config(tmp_path, port=centre.port, carrier=SLOW)
        async with a_bridge(config) as bridge:
            await bridge.mail(f"{ANNA}@sms.example")

            async def sent() -> bool:
                return await bridge.states() == ["sent"]

            await until(sent)
            assert len(centre.submits) == 1
            found = await bridge.rows(Statement(select(attempt.c.state, attempt.c.carrier_id)))
            assert [tuple(row) for row in found] == [("accepted", centre.submits[0].id)]


async def test_what_is_never_answered_is_sent_again(tmp_path: Path) -> None:
    async with smsc() as centre:
        centre.behave.silent = True
        config = write_config(tmp_path, port=centre.port, window=1, carrier=SLOW)
        async with a_bridge(config) as bridge:
            await bridge.mail(f"{ANNA}@sms.example")
            await centre.until(lambda _: len(centre.submits) == 1)
            centre.behave.silent = False
            await centre.until(lambda _: len(centre.submits) == 2)
            assert centre.submits[1].at - centre.submits[0].at >= 2.0
            assert len(centre.binds) == 2


async def test_a_carrier_that_refuses_everything_is_told_of_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with smsc() as centre:
        centre.behave.status = 0x58
        config = write_config(tmp_path, port=centre.port)
        async with a_bridge(config) as bridge:
            await bridge.mail(f"{ANNA}@sms.example")
            await centre.until(lambda _: len(centre.submits) == 4)
            centre.behave.status = 0

            async def sent() -> bool:
                return set(await bridge.states()) <= {"sent", "delivered"}

            await until(sent)
    said = capsys.readouterr().out
    assert said.count("a carrier takes nothing for now") == 1
    assert said.count("a carrier takes messages again") == 1
