"""A phone as a modem: while it is away its messages take the next carrier of the route."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from tests.bridges import ANNA, OURS, Running, a_bridge, until, write_config
from tests.http_cases import smsgate_server
from tests.http_cases.smsgate import error
from tests.http_peer import Peer, a_peer

CARRIERS = """
[[carriers]]
name = "phone"
kind = "smsgate"
api_url = "{url}"
account = "sms"
secret = "kept"
originator = "{ours}"
failover = "1s"
[[routes]]
match = "+"
carriers = ["phone", "sandbox"]
"""


async def leaves(running: Running, peer: Peer, *, by_phone: bool) -> None:
    """A mail leaves, by the phone or by the next of the route."""
    before, told = len(peer.sent), len(await running.states())
    await running.mail(f"{ANNA}@sms.example", text=f"Boiler {told} is cold")

    async def gone() -> bool:
        states = await running.states()
        return len(states) > told and states[-1] == ("sent" if by_phone else "delivered")

    await until(gone)
    assert len(peer.sent) - before == by_phone


async def test_messages_pass_a_phone_that_is_away(tmp_path: Path) -> None:
    seen = [time.time() - 4000]
    case = dataclasses.replace(
        smsgate_server.CASE, other=lambda _request: smsgate_server.devices(seen[0])
    )
    async with a_peer(case) as peer:
        carriers = CARRIERS.format(url=peer.url + case.base, ours=OURS)
        async with a_bridge(write_config(tmp_path, carriers=carriers)) as running:
            await leaves(running, peer, by_phone=False)
            seen[0] = time.time()
            lanes = running.parts.binds.lanes["phone"]

            async def up() -> bool:
                return lanes.carrier.up

            await until(up)
            await leaves(running, peer, by_phone=True)
            # It is seen no more: the server says so before our question does.
            seen[0] -= 4000
            peer.reply = error("failed to select device: record not found", 400)
            await leaves(running, peer, by_phone=False)
            assert "not been seen" in lanes.carrier.last_error  # type: ignore[attr-defined]
