"""The SMPP carrier, and the SMSC of our tests, against SMPP libraries that others wrote."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.carriers.smpp import probe
from bridge.carriers.smpp.coding import Coder
from bridge.carriers.smpp.pdu import SUBMIT_SM, frame
from bridge.model import State, Verdict
from bridge.segments import segment
from tests.esme import Esme, config, esme
from tests.smsc import smsc

TEXTS = [
    "Server room is flooding",
    "All pumps failed. [€] @ £ Ω " * 8,
    "Příliš žluťoučký kůň " * 9,
    "👩‍👩‍👧‍👦 flood! " * 12,
]


class NodeSmsc:
    def __init__(self, port: int, said: asyncio.StreamReader) -> None:
        self.port = port
        self._said = said

    async def says(self, key: str) -> dict[str, Any]:
        """The next line that tells of `key`."""
        while True:
            line: dict[str, Any] = json.loads(await asyncio.wait_for(self._said.readline(), 15))
            if key in line:
                return line


@pytest.fixture
async def node_smsc(
    program: Callable[[str], Path], node_modules: Callable[[str], Path]
) -> AsyncIterator[NodeSmsc]:
    found = node_modules("smpp").parent
    process = await asyncio.create_subprocess_exec(
        program("node"),
        Path(__file__).with_name("smsc.js"),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"NODE_PATH": str(found)},
    )
    assert process.stdout is not None
    try:
        yield NodeSmsc(int(await asyncio.wait_for(process.stdout.readline(), 15)), process.stdout)
    finally:
        process.kill()
        await process.communicate()


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("long", ["udh", "sar", "payload"])
async def test_npm_smpp_reads_what_we_send(node_smsc: NodeSmsc, long: str, text: str) -> None:
    cut = segment(text)
    total = 1 if long == "payload" else len(cut.parts)
    texts = [text] if long == "payload" else cut.parts
    async with esme(node_smsc.port, long=long) as us:
        parts = [
            us.part(t, number=n, total=total, ref=200, encoding=cut.encoding)
            for n, t in enumerate(texts, 1)
        ]
        outcomes = await us.ask(*parts)
        assert {o.verdict for o in outcomes} == {Verdict.ACCEPTED}
        seen = [await node_smsc.says("text") for _ in parts]
        assert "".join(s["text"] for s in seen) == text
        assert {(s["source"], s["sourceTon"], s["destination"]) for s in seen} == {
            ("420601000000", 1, "420601123456")
        }
        await us.until(lambda: len(us.inbox.receipts) == total)
        assert {r.carrier_id for r in us.inbox.receipts} == {o.carrier_id for o in outcomes}
        assert {r.state for r in us.inbox.receipts} == {State.DELIVERED}
        assert [await node_smsc.says("delivered") for _ in parts] == [{"delivered": 0}] * total
        if long == "sar" and total > 1:
            assert [s["sar"] for s in seen] == [[200, total, n] for n in range(1, total + 1)]


@pytest.mark.parametrize("how", ["udh", "sar", "payload"])
async def test_npm_smpp_delivers_what_we_read(node_smsc: NodeSmsc, how: str) -> None:
    text = "Ano, přijdu. " * 12
    async with esme(node_smsc.port) as us:
        await us.ask(us.part(f"mo {how} {text}", encoding="ucs2"))
        await us.until(
            lambda: us.inbox.parts and us.inbox.parts[-1].number == us.inbox.parts[-1].total
        )
        assert b"".join(p.data for p in us.inbox.parts).decode("utf-16-be") == text
        assert {(p.coding, p.ref) for p in us.inbox.parts} == {
            ("ucs2", 0 if how == "payload" else 9)
        }


async def test_npm_smpp_refuses_a_wrong_password(node_smsc: NodeSmsc) -> None:
    assert await probe(config(node_smsc.port)) == ""
    assert "password is wrong" in await probe(config(node_smsc.port, password="other"))


@contextlib.asynccontextmanager
async def smpp34_server(
    port: int, statuses: list[int]
) -> AsyncIterator[tuple[list[Any], list[Any]]]:
    """An SMSC on PyPI smpp34: accepts, or answers with the next of `statuses`. Submits, binds."""
    smpp34 = pytest.importorskip("smpp34")
    server = smpp34.Server("127.0.0.1", port)
    await server.start()
    seen: list[Any] = []
    esmes: list[Any] = []

    async def serve() -> None:
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                esmes.append(event)
            elif isinstance(event, smpp34.SubmitSmEvent):
                seen.append(event)
                if statuses:
                    event.reject(statuses.pop(0))
                else:
                    event.accept(f"{len(seen):08X}")

    task = asyncio.create_task(serve())
    try:
        yield seen, esmes
    finally:
        task.cancel()
        await asyncio.wait({task})
        await server.stop()


async def test_smpp34_takes_what_we_send(free_port: Callable[[], int]) -> None:
    port = free_port()
    async with smpp34_server(port, [0x0B, 0x58]) as (seen, esmes), esme(port, window=50) as us:
        (failed,), (throttled,) = await us.ask(us.part()), await us.ask(us.part())
        assert (failed.verdict, throttled.verdict) == (Verdict.FAILED, Verdict.THROTTLED)
        outcomes = await us.ask(*[us.part() for _ in range(50)])
        assert {o.carrier_id for o in outcomes} == {f"{n:x}" for n in range(3, 53)}
        assert {(e.source_addr, e.destination_addr, e.esm_class) for e in seen} == {
            ("420601000000", "420601123456", 0)
        }
        answer = await esmes[0].deliver_sm("420601000000", b"STOP", source_addr="420601123456")
        assert answer.command_status == 0
        assert [p.data for p in us.inbox.parts] == [b"STOP"]


@pytest.mark.parametrize("text", TEXTS)
def test_smpplib_reads_our_pdus(text: str) -> None:
    library = pytest.importorskip("smpplib.smpp")
    client = pytest.importorskip("smpplib.client").Client(
        "127.0.0.1", 1, allow_unknown_opt_params=True
    )
    cut = segment(text)
    total = len(cut.parts)
    us = Esme(config(1))
    for long in ("udh", "sar"):
        coder = Coder(config(1, long=long))
        for n, part in enumerate(cut.parts, 1):
            body = coder.body(
                us.part(part, number=n, total=total, ref=200, encoding=cut.encoding), 0.0
            )
            pdu = library.parse_pdu(
                frame(SUBMIT_SM, 0, n, body), client=client, allow_unknown_opt_params=True
            )
            assert (pdu.source_addr, pdu.destination_addr, pdu.data_coding) == (
                b"420601000000",
                b"420601123456",
                8 if cut.encoding == "ucs2" else 0,
            )
            if long == "sar" and total > 1:
                assert (pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum) == (
                    200,
                    total,
                    n,
                )


async def test_our_smsc_is_honest_to_smpplib() -> None:
    client = pytest.importorskip("smpplib.client")
    async with smsc() as it:

        def talk() -> list[Any]:
            answers: list[Any] = []

            def note(pdu: Any) -> None:
                answers.append(pdu)

            theirs = client.Client("127.0.0.1", it.port, timeout=15, allow_unknown_opt_params=True)
            theirs.set_message_sent_handler(note)
            theirs.set_message_received_handler(note)
            theirs.connect()
            theirs.bind_transceiver(system_id="acme", password="secret")
            theirs.send_message(
                source_addr="420601000000",
                destination_addr="420601123456",
                short_message=b"Hello",
                registered_delivery=1,
            )
            while len(answers) < 2:
                theirs.read_once()
            theirs.unbind()
            theirs.disconnect()
            return answers

        sent, receipt = await asyncio.to_thread(talk)
        assert sent.message_id == b"1001"
        assert (receipt.esm_class, receipt.receipted_message_id, receipt.message_state) == (
            4,
            b"1001",
            2,
        )
        await it.until(lambda _: it.delivered == [0])
        assert it.messages[0].text == "Hello"
