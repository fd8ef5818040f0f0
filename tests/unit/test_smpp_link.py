"""One connection: a reader that no octets break, timers, verdicts, pauses between binds."""

import asyncio
import struct
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.carriers.smpp import pdu, session
from bridge.carriers.smpp.account import account
from bridge.carriers.smpp.coding import Coder
from bridge.carriers.smpp.link import Link
from bridge.carriers.smpp.session import rebind_pause
from bridge.carriers.smpp.status import PAUSE_LONGEST, STATUS, Judge
from bridge.model import Outcome, Part, Verdict
from tests.esme import Inbox, config


class Wire(asyncio.Transport):
    """A transport that remembers and lets itself be unbound; `protocol` hears of its end."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.written: list[bytes] = []
        self.ended = False

    def write(self, data: object) -> None:
        self.written.append(bytes(data))  # type: ignore[arg-type]
        if frames(self.written[-1:])[-1][0] == pdu.UNBIND:
            asyncio.get_running_loop().call_soon(self.close)

    def is_closing(self) -> bool:
        return self.ended

    def close(self) -> None:
        if not self.ended:
            self.ended = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


def frames(written: Iterable[bytes]) -> list[tuple[int, int, int]]:
    """command, status, sequence of each PDU that was written."""
    octets, found = b"".join(written), []
    while octets:
        length, *head = struct.unpack_from(">IIII", octets)
        found.append((head[0], head[1], head[2]))
        octets = octets[length:]
    return found


async def bound() -> tuple[Link, Wire]:
    link = Link(account(config(1), Inbox(), lambda: None), pdu.BIND_TRANSCEIVER)
    wire = Wire(link)
    link.connection_made(wire)
    link.data_received(pdu.frame(pdu.BIND_TRANSCEIVER | pdu.RESPONSE, 0, 1, b"TEST\0"))
    assert link.bound
    return link, wire


COMMANDS = [
    0x80000004,
    0x80000000,
    5,
    0x103,
    0x15,
    0x80000015,
    6,
    0x80000006,
    9,
    0x80000009,
    0x0B,
    0x102,
    4,
    0xDEADBEEF,
]
a_pdu = st.builds(
    pdu.frame,
    st.sampled_from(COMMANDS),
    st.sampled_from([0, 3, 0x58, 0xFFFFFFFF]),
    st.sampled_from([0, 1, 2, 3, 0xFFFFFFFF]),
    st.one_of(st.just(b""), st.just(b"7\0"), st.binary(max_size=60)),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(a_pdu, a_pdu, a_pdu, st.binary(max_size=40)), max_size=12),
    st.integers(1, 97),
)
def test_no_octets_break_the_reader(stream: list[bytes], step: int) -> None:
    async def feed() -> None:
        link, wire = await bound()
        outcomes: list[Outcome] = []
        part = Part(1, 1, 1, 1, 0, "+420601123456", "", "x", "gsm7", "", None)
        link.send([part, part, part], lambda _, outcome: outcomes.append(outcome))
        octets = b"".join(stream)
        for at in range(0, len(octets), step):
            link.data_received(octets[at : at + step])
        for _ in range(4):
            await asyncio.sleep(0)
        await link.close(0)
        assert len(outcomes) == 3
        assert wire.ended
        assert frames(wire.written)

    asyncio.run(feed())


async def test_a_pdu_in_pieces_and_many_in_one() -> None:
    link, wire = await bound()
    octets = b"".join(pdu.frame(pdu.ENQUIRE_LINK, 0, n) for n in range(1, 50))
    link.data_received(octets[:5])
    link.data_received(octets[5:20])
    link.data_received(octets[20:])
    assert frames(wire.written)[1:] == [(pdu.ENQUIRE_LINK_RESP, 0, n) for n in range(1, 50)]
    await link.close(0)


async def test_a_delivery_before_the_bind_is_refused() -> None:
    link = Link(account(config(1), Inbox(), lambda: None), pdu.BIND_RECEIVER)
    wire = Wire(link)
    link.connection_made(wire)
    link.data_received(pdu.frame(pdu.DELIVER_SM, 0, 9, b""))
    assert frames(wire.written)[1:] == [(pdu.DELIVER_SM | pdu.RESPONSE, 4, 9)]
    await link.close(0)
    assert link.settled.result() is None


async def test_a_nacked_bind_is_refused() -> None:
    link = Link(account(config(1), Inbox(), lambda: None), pdu.BIND_TRANSCEIVER)
    link.connection_made(Wire(link))
    link.data_received(pdu.frame(pdu.GENERIC_NACK, 0, 1))
    assert await link.settled == 3
    assert not link.bound


async def test_a_writer_that_must_wait_leaves_no_room() -> None:
    link, _ = await bound()
    assert link.room == 10
    link.pause_writing()
    assert link.room == 0
    link.resume_writing()
    assert link.room == 10
    await link.close(0)
    assert link.room == 0


async def test_sequence_numbers_stay_in_their_range() -> None:
    link, wire = await bound()
    link._sequence = 0x7FFFFFFE
    part = Part(1, 1, 1, 1, 0, "+420601123456", "", "x", "gsm7", "", None)
    link.send([part, part], lambda *_: None)
    assert [sequence for _, _, sequence in frames(wire.written)[-2:]] == [0x7FFFFFFF, 1]
    await link.close(0)


async def test_a_part_that_cannot_be_built_takes_no_slot() -> None:
    link, wire = await bound()
    told: list[Outcome] = []
    bad = Part(1, 1, 1, 1, 0, "+420601123456", "Čeština", "x", "gsm7", "", None)
    link.send([bad], lambda _, outcome: told.append(outcome))
    assert (told, link.room) == ([], 10)
    await asyncio.sleep(0)
    assert told[0].verdict is Verdict.REJECTED
    assert len(wire.written) == 1
    await link.close(0)


def test_every_status_has_a_verdict_and_a_sentence() -> None:
    for status, (verdict, reason) in STATUS.items():
        outcome = Judge().outcome(status, 0, 0)
        assert outcome.verdict is verdict
        assert outcome.reason.startswith(reason)
        assert verdict in {Verdict.REJECTED, Verdict.FAILED, Verdict.THROTTLED}
    assert (
        Judge().outcome(0x4FF, 0, 0).reason
        == "the carrier refused it with a code of its own (SMPP 0x4FF)"
    )


def test_pauses_grow_to_a_limit() -> None:
    judge = Judge()
    pauses = [judge.outcome(0x58, now, now).pause for now in range(20)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == PAUSE_LONGEST
    judge.relieved(5)
    assert judge.pause, "an old success says nothing of now"
    judge.relieved(25)
    assert not judge.pause


@pytest.mark.parametrize("luck", [0.0, 0.5, 0.999])
def test_binds_are_tried_at_once_then_slower_then_every_fifteen_seconds(luck: float) -> None:
    assert rebind_pause(0, 0, luck) == 0.0
    assert 0.1 <= rebind_pause(0, None, luck) <= 0.2
    pauses = [rebind_pause(n, None, luck) for n in range(100)]
    assert pauses == sorted(pauses)
    assert 7.5 <= pauses[-1] <= 15
    assert rebind_pause(0, 0x0E, luck) >= 30


async def test_a_part_that_cannot_be_written_keeps_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fault of our own: it has surely not left, and all are told of."""
    link, wire = await bound()
    body = Coder.body

    def faulty(self: Coder, part: Part, now: float) -> bytes:
        if part.attempt == 2:
            raise struct.error("a fault")
        return body(self, part, now)

    monkeypatch.setattr(Coder, "body", faulty)
    told: dict[int, Outcome] = {}
    parts = [Part(n, n, 1, 1, 0, "+420601123456", "", "x", "gsm7", "", None) for n in (1, 2, 3)]
    link.send(parts, lambda part, outcome: told.update({part.attempt: outcome}))
    sent = [number for command, _, number in frames(wire.written) if command == pdu.SUBMIT_SM]
    assert len(sent) == 2
    for number in sent:
        link.data_received(pdu.frame(pdu.SUBMIT_SM | pdu.RESPONSE, 0, number, b"7\0"))
    await asyncio.sleep(0)
    verdicts = {attempt: outcome.verdict for attempt, outcome in told.items()}
    assert verdicts == {1: Verdict.ACCEPTED, 2: Verdict.REJECTED, 3: Verdict.ACCEPTED}
    await link.close(0)


async def test_a_fault_while_binding_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told of, and tried again; here each try looks up a host that is none."""
    monkeypatch.setattr(session, "_FIRST", 0.001)
    tries: list[int | None] = []
    is_enough = asyncio.Event()
    pause = session.rebind_pause

    def counted(failures: int, status: int | None, luck: float) -> float:
        tries.append(status)
        if len(tries) == 3:
            is_enough.set()
        return pause(failures, status, luck)

    monkeypatch.setattr(session, "rebind_pause", counted)
    found = replace(config(1), host="a" + chr(0))
    one = session.Session(account(found, Inbox(), lambda: None), pdu.BIND_TRANSCEIVER, None)
    one.open()
    async with asyncio.timeout(10):
        await is_enough.wait()
    assert "a fault of the bridge (ValueError)" in one.last_error
    await one.close(0)
