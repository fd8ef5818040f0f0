"""P68: a carrier is asked to erase by processes that are killed; a backup brings nothing back."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import aiohttp

from tests.e2e import records_child
from tests.e2e.processes import House, Process, a_house, until
from tests.e2e.test_erasure import WHO, backed_up, rows
from tests.e2e.test_http_carriers import Provider, config, mail, number, until_state, written
from tests.http_cases import Records, twilio
from tests.http_peer import Peer, a_peer

PERSON = 7
RECORDS = "SELECT carrier_id, outcome FROM carrier_erasure ORDER BY id"


class Clock:
    """How far ahead the children's clock is."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "ahead"
        self.seconds = 0

    def on(self, seconds: int) -> None:
        self.seconds += seconds
        scratch = self.file.with_suffix(".new")
        scratch.write_text(str(self.seconds))
        scratch.replace(self.file)


def child(house: House, clock: Clock) -> Process:
    words = (records_child.__file__, str(house.config), str(clock.file))
    return house.run(sys.executable, *words, name="records")


async def erased(house: House) -> Path:
    """The receipt's file."""
    code, out, err = await house.call("privacy", "erase", number(PERSON), *WHO[:-1])
    assert code == 0, out + err
    _, told, more = out.splitlines()
    assert more == "chats or carriers are still asked to erase: a later receipt replaces it"
    return Path(told.removeprefix("receipt: "))


async def exchanged(house: House, peer: Peer, records: Records) -> set[str]:
    """An SMS to somebody and their answer; what the provider calls both."""
    up = await house.start()
    await mail(up.smtp, number(PERSON), "Boiler 3 is cold")
    await until(lambda: len(peer.ids) == 1, "the SMS at the provider")
    answer = "SM" + f"{PERSON:032x}"
    async with aiohttp.ClientSession() as session:
        provider = Provider(lambda: up.http, session)
        assert await provider.call("inbound", written(PERSON, "Thanks")) == 200
    await until_state(house, "sent")
    records.kept.add((answer, ""))
    up.kill_tree()
    return {*peer.ids, answer}


async def is_final(file: Path) -> bool:
    """Whether the receipt says that nothing is waited for at the carrier."""
    text = await asyncio.to_thread(file.read_text)
    return not [e for e in json.loads(text)["receipt"]["stays"] if e["what"] == "carrier"]


async def test_p13_p68_a_kill_between_the_erasure_and_the_carriers_answer_loses_nothing(
    tmp_path: Path,
) -> None:
    records, clock = Records(), Clock(tmp_path)
    async with (
        a_peer(twilio.with_records(records)) as peer,
        a_house(tmp_path, config(tmp_path, peer)) as house,
    ):
        names = await exchanged(house, peer, records)
        file = await erased(house)
        assert {row[0] for row in rows(tmp_path, RECORDS)} == names
        assert records.asked == []
        assert not await is_final(file)

        clock.on(61)
        peer.pause.clear()
        first = child(house, clock)
        # Twilio has deleted them; nobody has heard so.
        await until(lambda: len(records.erased) == 2, "both at the provider")
        first.kill_tree()
        assert set(rows(tmp_path, RECORDS)) == {(name, "") for name in names}
        peer.pause.set()
        second = child(house, clock)
        await until(lambda: rows(tmp_path, RECORDS) == [("", "gone")] * 2, "both settled")
        clock.on(30)
        await until(lambda: is_final(file), "the last receipt")
        second.kill_tree()
        assert len(records.asked) == 4
        code, said, err = await house.call("privacy", "verify", str(file), "--json")
        assert (code, json.loads(said)["valid"]) == (0, True), said + err
    told = json.loads(file.read_text())["receipt"]["elsewhere"]
    assert [(e["name"], e["outcome"], e["count"]) for e in told] == [("us", "gone", 2)]
    assert rows(tmp_path, "SELECT carrier_id FROM reply_part") == []
    assert rows(tmp_path, "SELECT lease FROM carrier_erasure") == [(None,)] * 2


async def test_p66_who_comes_back_with_a_backup_is_erased_at_the_carrier_again(
    tmp_path: Path,
) -> None:
    records, clock = Records(), Clock(tmp_path)
    async with (
        a_peer(twilio.with_records(records)) as peer,
        a_house(tmp_path, config(tmp_path, peer)) as house,
    ):
        names = await exchanged(house, peer, records)
        backup = await backed_up(house, tmp_path)
        await erased(house)
        clock.on(61)
        process = child(house, clock)
        await until(lambda: rows(tmp_path, RECORDS) == [("", "erased")] * 2, "both settled")
        process.kill_tree()
        code, out, err = await house.call("restore", str(backup), "--yes", "--json")
        assert (code, json.loads(out)["erased"]) == (0, 1), out + err
        assert set(rows(tmp_path, RECORDS)) == {(name, "") for name in names}
        child(house, clock)
        await until(lambda: rows(tmp_path, RECORDS) == [("", "gone")] * 2, "both settled")
    assert len(records.erased) == 2
