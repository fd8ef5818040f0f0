"""Kannel itself between the bridge and an SMSC: sendsms out, dlr-url and get-url back, all real."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from bridge.carriers.http import secret
from bridge.keyring import keyring
from tests.bridges import ANNA, OURS, WRITER, write_config
from tests.e2e.brokers import listens
from tests.e2e.processes import BridgeProcess, House, Process, a_house, mailbox, until
from tests.e2e.senders import Refusal, a_session
from tests.smsc import Smsc, smsc

Program = Callable[[str], Path]
FreePort = Callable[[], int]

TO = f"{ANNA}@sms.example"
TEXTS = [
    "Boiler 3 is cold [€5] ~ ¿què? & a=b + 100 %",
    "první řádek\n  druhý řádek  s mezerami\n🐎 konec",
    "All pumps failed. [€] @ £ Ω " * 12,
    "Příliš žluťoučký kůň 🐎 úpěl. " * 9,
]

CARRIER = """
[[carriers]]
name = "kannel"
kind = "kannel"
api_url = "http://127.0.0.1:{sendsms}"
account = "bridge"
secret = "kept"
originator = "{ours}"
failover = "1h"
retry_first = "1s"
[[routes]]
match = "+"
carriers = ["kannel"]
"""

#: As docs/carriers.md has it.
KANNEL = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = {admin}
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-level = 1

group = smsc
smsc = smpp
smsc-id = main
host = 127.0.0.1
port = {smpp}
smsc-username = acme
smsc-password = secret
system-type = ""
transceiver-mode = true
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
http-request-retry = 60
http-queue-delay = 1
log-level = 1

group = sendsms-user
username = bridge
password = kept

group = sms-service
keyword = default
catch-all = true
get-url = "{inbound}?from=%p&to=%P&data=%e&charset=%C&id=%I"
max-messages = 0
"""


class Kannel:
    """A bearerbox and a smsbox of our own."""

    def __init__(self, program: Program, house: House, centre: Smsc, ports: list[int]) -> None:
        self._program = program
        self._house = house
        self._ports = dict(zip(("sendsms", "admin", "box"), ports, strict=True), smpp=centre.port)
        self._boxes: list[Process] = []
        self._centre = centre

    async def start(self, inbound: str) -> None:
        """Bound to the SMSC, and listening for sendsms; MO go to `inbound`."""
        config = self._house.folder / "kannel.conf"
        config.write_text(KANNEL.format(inbound=inbound, **self._ports))
        for name, port in (("bearerbox", "box"), ("smsbox", "sendsms")):
            box = self._house.run(self._program(name), "-v", "4", config, name=name)
            self._boxes.append(box)
            await until(lambda: listens(self._ports[port]), f"{name}'s port")  # noqa: B023
        await self._centre.until(lambda it: it.bound())

    def kill(self) -> None:
        """Both, first the smsbox: it starts anew when its bearerbox is gone."""
        for box in reversed(self._boxes):
            box.kill()
        self._boxes.clear()


class Whole:
    """SMSC, Kannel and bridge, and what a test asks of them."""

    def __init__(self, house: House, centre: Smsc, kannel: Kannel, http: int) -> None:
        self.house = house
        self.centre = centre
        self.kannel = kannel
        self.public_url = f"http://127.0.0.1:{http}"
        listen = {"BRIDGE__HTTP__LISTEN": f"127.0.0.1:{http}"}
        self.env = listen | {"BRIDGE__PUBLIC_URL": self.public_url}
        self.up: BridgeProcess

    async def start(self) -> None:
        """The bridge, at the address that Kannel knows."""
        self.up = await self.house.start(env=self.env)

    @property
    def inbound(self) -> str:
        """Where Kannel hands an MO to."""
        keys, _ = keyring(None, self.house.folder / "var")
        return f"{self.public_url}/carriers/kannel/{secret(keys, 'kannel')}/inbound"

    async def mail(self, text: str, number: int = 1) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = WRITER, TO, "x"
        mail["Message-ID"] = f"<{number}@acme.example>"
        mail.set_content(text, cte="base64")
        async with a_session(self.up.smtp) as session:
            await session.mail([TO], mail.as_bytes())

    async def state(self, wanted: str, number: int = 0) -> dict[str, Any]:
        """A message in the log, once it is in this state."""

        async def look() -> dict[str, Any] | None:
            rows = await self.house.log()
            fits = len(rows) > number and rows[number]["state"] == wanted
            return rows[number] if fits else None

        found: dict[str, Any] = await until(look, f"{wanted}")
        return found


@asynccontextmanager
async def whole(folder: Path, program: Program, free_port: FreePort) -> AsyncIterator[Whole]:
    program("bearerbox")
    ports = [free_port() for _ in range(4)]
    config = write_config(folder, carriers=CARRIER.format(sendsms=ports[0], ours=OURS))
    async with smsc() as centre, a_house(folder, config) as house:
        kannel = Kannel(program, house, centre, ports[:3])
        it = Whole(house, centre, kannel, ports[3])
        await it.start()
        await kannel.start(it.inbound)
        yield it


async def test_mails_are_read_on_the_phone_and_delivered(
    tmp_path: Path, program: Program, free_port: FreePort
) -> None:
    async with whole(tmp_path, program, free_port) as it:
        for number, text in enumerate(TEXTS):
            await it.mail(text, number)
            row = await it.state("delivered", number)
            message = it.centre.messages[number]
            assert message.text == text.strip()
            assert (f"+{message.source}", f"+{message.destination}") == (OURS, ANNA)
            assert row["parts"] == len(message.ids)
        # Each part is receipted by itself, and Kannel was told for how long it may try.
        assert all(submit.registered & 1 for submit in it.centre.submits)
        assert all(submit.validity for submit in it.centre.submits)


async def test_what_the_smsc_tells_is_told(
    tmp_path: Path, program: Program, free_port: FreePort
) -> None:
    async with whole(tmp_path, program, free_port) as it:
        it.centre.behave.dlr = "UNDELIV"
        await it.mail("Boiler 3 is cold", 0)
        assert (await it.state("failed"))["reason"] == "the SMSC tells UNDELIV (011)"
        it.centre.behave.dlr = "EXPIRED"
        await it.mail("Boiler 3 is cold", 1)
        assert (await it.state("expired", 1))["reason"] == "the SMSC tells EXPIRED (011)"
        it.centre.behave.status = 0x0B
        await it.mail("Boiler 3 is cold", 2)
        assert (await it.state("failed", 2))["reason"] == "the SMSC refused it (0x0000000b)"


async def test_answers_come_back_and_stop_wins(
    tmp_path: Path, program: Program, free_port: FreePort
) -> None:
    async with whole(tmp_path, program, free_port) as it:
        await it.mail("Boiler 3 is cold")
        await it.state("delivered")
        answer = "Přijdu 🐎 v 8:00 + vezmu klíče & 100 % [€]. " * 4
        it.centre.mo(ANNA[1:], OURS[1:], answer, "udh")
        (mail,) = await mailbox(it.up.http, 1)
        assert answer.strip() in " ".join(mail["text"].split())
        it.centre.mo(ANNA[1:], OURS[1:], "STOP")
        await it.centre.until(lambda centre: len(centre.messages) == 2)
        with pytest.raises(Refusal, match="opted out"):
            await it.mail("Boiler 3 is warm again", 2)
        # What a callback is answered is never sent as an SMS.
        assert [m.text for m in it.centre.messages][1].startswith("acme: you will get no more")
        assert len(it.centre.messages) == 2


async def test_a_receipt_waits_for_a_bridge_that_was_killed(
    tmp_path: Path, program: Program, free_port: FreePort
) -> None:
    async with whole(tmp_path, program, free_port) as it:
        it.centre.behave.dlr = "none"
        await it.mail("Boiler 3 is cold")
        await it.state("sent")
        it.up.kill_tree()
        it.centre.behave.dlr = "DELIVRD"
        (submit,) = it.centre.submits
        it.centre.bound()[0].receipts(submit, submit.id)
        await it.centre.until(lambda centre: centre.delivered)
        await it.start()
        await it.state("delivered")


async def test_messages_wait_for_a_kannel_that_is_away(
    tmp_path: Path, program: Program, free_port: FreePort
) -> None:
    async with whole(tmp_path, program, free_port) as it:
        it.kannel.kill()
        await it.mail("Boiler 3 is cold")
        await it.kannel.start(it.inbound)
        await it.state("delivered")
        assert len(it.centre.messages) == 1


async def test_check_tells_where_kannel_may_call(
    tmp_path: Path, program: Program, free_port: FreePort
) -> None:
    async with whole(tmp_path, program, free_port) as it:
        _, out, err = await it.house.call("check", env=it.env)
        assert f" and {it.inbound}\n" in out, out + err
        assert "takes our account" in out
        it.kannel.kill()
        _, out, err = await it.house.call("check", env=it.env)
        assert "carrier kannel: no connection" in out, out + err
