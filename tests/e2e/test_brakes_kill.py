"""The brakes over kill -9: what was counted is counted, what was folded is told of, a halt holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bridges import ANNA, write_config
from tests.e2e.processes import House, a_house, get, phones
from tests.e2e.senders import Connection, Refusal


async def mails(port: int, *texts: str) -> None:
    """Mails to Anna. Raises Refusal."""
    connection = await Connection.open(port)
    try:
        for text in texts:
            head = "From: eva@acme.example\r\nSubject: x\r\n\r\n"
            await connection.mail([f"{ANNA}@sms.example"], f"{head}{text}".encode())
    finally:
        await connection.close()


async def test_what_was_folded_before_a_kill_is_told_of_after_it(tmp_path: Path) -> None:
    senders = '{ address = "*", proof = "network:127.0.0.0/8", fold = "2s" }'
    async with a_house(tmp_path, write_config(tmp_path, senders=senders)) as house:
        first = await house.start()
        await mails(first.smtp, *(f"Disk full on db1\r\nat {n}" for n in range(5)))
        first.kill_tree()
        again = await house.start()
        found = await phones(again.http, 2)
        assert [m["text"] for m in found] == [
            "Disk full on db1\nat 0",
            "Disk full on db1 ... and 4 more",
        ]
        assert [i["reason"] for i in await house.log()].count("folded") == 4


async def test_a_cap_that_was_used_up_stays_so(tmp_path: Path) -> None:
    config = write_config(tmp_path, tenant="caps = { month = 2 }")
    async with a_house(tmp_path, config) as house:
        first = await house.start()
        await mails(first.smtp, "one", "two")
        first.kill_tree()
        again = await house.start()
        with pytest.raises(Refusal, match="used up the 2 SMS parts of this month"):
            await mails(again.smtp, "three")


async def test_a_halt_outlives_a_kill_and_is_shown(tmp_path: Path) -> None:
    async with a_house(tmp_path, write_config(tmp_path)) as house:
        first = await house.start()
        code, out, err = await house.call("stop-sending", "--reason", "a loop", "--json")
        assert (code, json.loads(out)) == (0, {"tenant": "all", "state": "stopped"}), err
        await mails(first.smtp, "waits")
        first.kill_tree()
        again = await house.start()
        told = await get(again.http, "/readyz")
        assert (told["ready"], told["halted"]) == (True, ["all"])
        assert await state(house) == ("queued", "halted")
        code, out, err = await house.call("resume", "--json")
        assert code == 0, out + err
        assert [m["text"] for m in await phones(again.http, 1)] == ["waits"]


async def state(house: House) -> tuple[str, str]:
    (item,) = await house.log()
    return item["state"], item["reason"]
