"""The SMPP carrier against an SMSC over real sockets."""

import asyncio
import ssl
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bridge.carriers.smpp import SmppCarrier, probe
from bridge.errors import Misconfigured, StoreUnavailable
from bridge.model import State, Verdict
from bridge.segments import segment
from tests.esme import OURS, config, esme
from tests.smsc import smsc, tlv

ANNA = "420601123456"


async def test_a_part_is_accepted_and_its_receipt_comes() -> None:
    async with smsc() as it, esme(it.port) as us:
        (outcome,) = await us.ask(us.part())
        assert (outcome.verdict, outcome.carrier_id) == (Verdict.ACCEPTED, "1001")
        await us.until(lambda: us.inbox.receipts)
        receipt = us.inbox.receipts[0]
        assert (receipt.carrier_id, receipt.state, receipt.reason) == ("1001", State.DELIVERED, "")
        assert receipt.at == pytest.approx(time.time(), abs=120)
        await it.until(lambda _: it.delivered == [0])
    submit = it.submits[0]
    assert (submit.source, submit.source_ton, submit.source_npi) == ("420601000000", 1, 1)
    assert (submit.destination, submit.dest_ton, submit.dest_npi) == (ANNA, 1, 1)
    assert (submit.text, submit.data_coding, submit.registered) == ("Server room is flooding", 0, 1)
    assert submit.validity in {"000000010000000R", "000000005959000R"}
    assert it.seen[6] == 1, "it unbinds"


async def test_a_pair_of_binds() -> None:
    async with smsc() as it, esme(it.port, bind="pair") as us:
        assert sorted(kind for kind, _ in it.binds) == ["receiver", "transmitter"]
        (outcome,) = await us.ask(us.part())
        await us.until(lambda: us.inbox.receipts)
        assert us.inbox.receipts[0].carrier_id == outcome.carrier_id
        it.bound(rx=True)[0].transport.abort()
        await it.until(lambda _: len(it.binds) == 3)


LONG = "Příliš žluťoučký kůň úpěl ďábelské ódy. " * 5


@pytest.mark.parametrize("text", ["All pumps failed. [€] " * 20, LONG, "👩‍👩‍👧‍👦 flood! " * 12])
@pytest.mark.parametrize("long", ["udh", "sar"])
async def test_long_texts_leave_part_by_part(long: str, text: str) -> None:
    cut = segment(text)
    async with smsc() as it, esme(it.port, long=long) as us:
        total = len(cut.parts)
        parts = [
            us.part(part, number=n, total=total, ref=200, encoding=cut.encoding)
            for n, part in enumerate(cut.parts, 1)
        ]
        outcomes = await us.ask(*parts)
    assert [o.verdict for o in outcomes] == [Verdict.ACCEPTED] * total
    assert [m.text for m in it.messages] == [text]
    assert it.submits[0].esm_class == (0x40 if long == "udh" else 0)


@pytest.mark.parametrize("size", [161, 255, 4000, 60_000])
async def test_a_long_text_leaves_whole_as_payload(size: int) -> None:
    async with smsc() as it, esme(it.port, long="payload") as us:
        short, long = us.part("short"), us.part("x" * size)
        await us.ask(short, long)
    assert [m.text for m in it.messages] == ["short", "x" * size]
    assert 0x0424 in it.submits[1].tlvs
    assert 0x0424 not in it.submits[0].tlvs


async def test_the_window_is_never_exceeded_and_hands_in_what_does_not_fit() -> None:
    async with smsc() as it, esme(it.port, window=7) as us:
        it.behave.latency = 0.02
        parts = [us.part() for _ in range(20)]
        us.send(*parts)
        assert us.carrier.room == 0
        outcomes = await us.told(*parts)
        assert [o.verdict for o in outcomes].count(Verdict.ACCEPTED) == 7
        assert [o.verdict for o in outcomes].count(Verdict.NOT_SENT) == 13
        waiting = [us.part() for _ in range(60)]
        sent = list(waiting)
        while waiting:
            await us.until(lambda: us.carrier.room)
            free = us.carrier.room
            us.send(*waiting[:free])
            del waiting[:free]
        assert {o.verdict for o in await us.told(*sent)} == {Verdict.ACCEPTED}
    assert it.most_in_flight == 7
    assert len(it.submits) == 67
    assert us.rooms > 1


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (0x0B, Verdict.FAILED),
        (0x0A, Verdict.REJECTED),
        (0x45, Verdict.REJECTED),
        (0x58, Verdict.THROTTLED),
        (0x14, Verdict.THROTTLED),
        (0x08, Verdict.THROTTLED),
        (0x0400, Verdict.REJECTED),
    ],
)
async def test_each_refusal_has_its_verdict(status: int, verdict: Verdict) -> None:
    async with smsc() as it, esme(it.port) as us:
        it.behave.status = status
        (outcome,) = await us.ask(us.part())
    assert outcome.verdict == verdict
    assert f"0x{status:02X}" in outcome.reason
    assert bool(outcome.pause) == (verdict is Verdict.THROTTLED)


async def test_repeated_throttling_asks_for_longer_pauses_until_a_part_is_accepted() -> None:
    async with smsc() as it, esme(it.port) as us:
        it.behave.statuses.extend([0x58] * 5)
        at_once = await us.ask(us.part(), us.part(), us.part())
        again = await us.ask(us.part())
        later = await us.ask(us.part())
        assert at_once[0].pause == at_once[1].pause == at_once[2].pause
        assert at_once[0].pause < again[0].pause < later[0].pause
        await us.ask(us.part())
        it.behave.statuses.append(0x58)
        (fresh,) = await us.ask(us.part())
        assert fresh.pause == at_once[0].pause


async def test_an_unbound_carrier_sends_nothing_and_says_so(free_port: Callable[[], int]) -> None:
    async with esme(free_port(), wait=False) as us:
        assert (us.carrier.room, us.carrier.up) == (0, False)
        (outcome,) = await us.ask(us.part())
        assert outcome.verdict is Verdict.NOT_SENT


async def test_what_was_written_before_the_connection_broke_is_unknown() -> None:
    async with smsc() as it, esme(it.port) as us:
        it.behave.drop_after = 3
        parts = [us.part() for _ in range(5)]
        first = await us.ask(parts[0])
        rest = await us.ask(*parts[1:])
        assert first[0].verdict is Verdict.ACCEPTED
        assert {o.verdict for o in rest} <= {Verdict.UNKNOWN, Verdict.ACCEPTED}
        assert rest[-1].verdict is Verdict.UNKNOWN
        await us.until(lambda: us.carrier.room)
        (again,) = await us.ask(us.part())
        assert again.verdict is Verdict.ACCEPTED
        assert len(it.binds) == 2


async def test_an_smsc_that_closes_after_each_message_is_handed_one_at_a_time() -> None:
    """After the first break, which may leave a window in doubt, nothing is any more."""
    async with smsc() as it, esme(it.port, window=8) as us:
        it.behave.closes, it.behave.dlr = True, "none"
        first = await us.ask(*(us.part() for _ in range(8)))
        assert [o.verdict for o in first].count(Verdict.UNKNOWN) == 7
        for turn in (2, 3):
            await it.until(lambda _: len(it.binds) == turn)  # noqa: B023
            await us.until(lambda: us.carrier.room)
            parts = [us.part() for _ in range(us.carrier.room)]
            assert {o.verdict for o in await us.ask(*parts)} == {Verdict.ACCEPTED}
        it.behave.closes = False
        await it.until(lambda _: len(it.binds) == 4)
        await us.until(lambda: us.carrier.room)
        while us.carrier.room < 8:
            await us.ask(*(us.part() for _ in range(us.carrier.room)))


async def test_every_part_is_told_once_while_the_connection_keeps_breaking() -> None:
    async with smsc() as it, esme(it.port, window=20) as us:
        it.behave.dlr = "none"
        waiting = [us.part() for _ in range(2000)]
        sent = []
        while waiting:
            await us.until(lambda: us.carrier.room)
            now = waiting[: us.carrier.room]
            del waiting[: len(now)]
            it.behave.drop_after = (
                len(it.submits) + 15 if len(it.submits) // 400 >= len(it.binds) else 0
            )
            us.send(*now)
            sent += now
        outcomes = await us.told(*sent)
        ids = [o.carrier_id for o in outcomes if o.verdict is Verdict.ACCEPTED]
        unknown = [o for o in outcomes if o.verdict is Verdict.UNKNOWN]
        assert len(ids) + len(unknown) == len(outcomes) == 2000
        assert set(ids) <= {s.id for s in it.submits}
        assert len(set(ids)) == len(ids)
        assert len(it.binds) >= 4
        assert 0 < len(unknown) <= 20 * (len(it.binds) - 1)
        assert it.most_in_flight <= 20


async def test_a_silent_smsc_makes_parts_unknown_and_keeps_the_window_honest() -> None:
    async with smsc() as it, esme(it.port, window=8, response_timeout=0.2) as us:
        it.behave.silent = True
        (outcome,) = await us.ask(us.part())
        assert outcome.verdict is Verdict.UNKNOWN
        assert us.carrier.room == 7
        await it.until(lambda _: it.seen[0x15])
        late = it.bound()[0]
        late.answer(2, 0, "77")
        await us.until(lambda: us.carrier.room == 8)
        assert us.carrier.counts["late"] == 1
        assert [o.carrier_id for o in us.late.values()] == ["77"]
        parts = [us.part() for _ in range(5)]
        await us.ask(*parts)
        it.behave.silent = False
        await it.until(lambda _: len(it.binds) == 2)
        await us.until(lambda: us.carrier.room == 8)
        assert {us.outcomes[p.attempt].verdict for p in parts} == {Verdict.UNKNOWN}


async def test_an_smsc_that_answers_nothing_at_all_is_left() -> None:
    async with smsc() as it, esme(it.port, enquire_seconds=0.1, response_timeout=0.2) as us:
        it.behave.deaf = True
        await it.until(lambda _: len(it.binds) == 2)
        it.behave.deaf = False
        await us.until(lambda: us.carrier.room)


async def test_a_lost_connection_is_replaced_at_once() -> None:
    async with smsc() as it, esme(it.port) as us:
        it.drop()
        await it.until(lambda _: len(it.binds) == 2, seconds=5)
        await us.until(lambda: us.carrier.room)


async def test_an_smsc_that_comes_back_is_bound_again() -> None:
    async with smsc() as it, esme(it.port) as us:
        await it.stop()
        await it.start()
        await it.until(lambda _: len(it.binds) == 2)
        await us.until(lambda: us.carrier.room)
        (outcome,) = await us.ask(us.part())
        assert outcome.verdict is Verdict.ACCEPTED


async def test_the_smsc_unbinds_us_and_we_come_back() -> None:
    async with smsc() as it, esme(it.port) as us:
        it.request(6)
        await it.until(lambda _: it.seen[0x80000006] == 1 and len(it.binds) == 2)
        await us.until(lambda: us.carrier.room)


async def test_requests_we_do_not_know_are_nacked_and_the_link_stays() -> None:
    async with smsc() as it, esme(it.port) as us:
        it.request(0x15)
        it.request(0xDEAD)
        it.request(0x0B)  # outbind
        it.request(0x102)  # alert_notification
        await it.until(lambda _: it.seen[0x80000015] == 1 and it.seen[0x80000000] == 1)
        (outcome,) = await us.ask(us.part())
        assert outcome.verdict is Verdict.ACCEPTED
        assert len(it.binds) == 1


async def test_a_nacked_submit_is_refused() -> None:
    async with smsc() as it, esme(it.port) as us:
        it.behave.silent = True
        part = us.part()
        us.send(part)
        await it.until(lambda _: it.submits)
        it.bound()[0].write(0x80000000, 0x03, 2)
        (outcome,) = await us.told(part)
        assert outcome.verdict is Verdict.REJECTED


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\0" * 16,
        b"\xff" * 40,
        struct.pack(">IIII", 70_001, 5, 0, 1),
    ],
)
async def test_what_is_not_smpp_ends_the_connection_and_nothing_else(garbage: bytes) -> None:
    async with smsc() as it, esme(it.port) as us:
        it.raw(garbage)
        await it.until(lambda _: len(it.binds) == 2)
        await us.until(lambda: us.carrier.room)


# -- receipts -------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["tlv", "text", "both"])
@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("ENROUTE", State.SENT),
        ("ACCEPTD", State.SENT),
        ("DELIVRD", State.DELIVERED),
        ("EXPIRED", State.EXPIRED),
        ("DELETED", State.FAILED),
        ("UNDELIV", State.FAILED),
        ("REJECTD", State.FAILED),
        ("UNKNOWN", State.UNKNOWN),
    ],
)
async def test_receipts_in_every_state(word: str, state: State, where: str) -> None:
    async with smsc() as it, esme(it.port) as us:
        it.behave.dlr = word
        it.behave.dlr_tlv, it.behave.dlr_text = where != "text", where != "tlv"
        (outcome,) = await us.ask(us.part())
        await us.until(lambda: us.inbox.receipts)
        receipt = us.inbox.receipts[0]
        assert (receipt.carrier_id, receipt.state) == (outcome.carrier_id, state)
        assert bool(receipt.reason) == (word != "DELIVRD")
        if where != "tlv" and word != "DELIVRD":
            assert receipt.reason.endswith(f"({word}, error 011)")


@pytest.mark.parametrize("ids", ["dec", "hex", "hexdlr", "decdlr", "padded", "uuid"])
@pytest.mark.parametrize("declared", ["auto", "as it is"])
async def test_ids_match_in_every_writing(ids: str, declared: str) -> None:
    known = {"dec": "dec", "hex": "hex", "hexdlr": "hexdlr", "decdlr": "decdlr"}
    async with (
        smsc() as it,
        esme(it.port, id_format="auto" if declared == "auto" else known.get(ids, "auto")) as us,
    ):
        it.behave.ids = ids
        outcomes = await us.ask(*[us.part() for _ in range(10)])
        await us.until(lambda: len(us.inbox.receipts) == 10)
        assert {r.carrier_id for r in us.inbox.receipts} == {o.carrier_id for o in outcomes}


@pytest.mark.parametrize("bind", ["transceiver", "pair"])
@pytest.mark.parametrize("ids", ["dec", "hexdlr"])
async def test_a_receipt_may_overtake_the_answer_and_come_twice(ids: str, bind: str) -> None:
    async with smsc() as it, esme(it.port, bind=bind) as us:
        it.behave.ids, it.behave.latency = ids, 0.05
        it.behave.dlr_first, it.behave.dlr_times = True, 2
        (outcome,) = await us.ask(us.part())
        await us.until(lambda: len(us.inbox.receipts) == 2)
        assert {r.carrier_id for r in us.inbox.receipts} == {outcome.carrier_id}


async def test_a_text_that_looks_like_a_receipt_is_a_text() -> None:
    words = "id:1001 sub:001 dlvrd:001 submit date:2611232000 done date:2611232000 stat:DELIVRD err:000 text:"
    async with smsc() as it, esme(it.port) as us:
        it.mo(ANNA, OURS[1:], words)
        await us.until(lambda: us.inbox.parts)
        assert not us.inbox.receipts
        assert us.inbox.parts[0].data.decode() == words


async def test_a_receipt_without_an_id_is_acknowledged_and_counted() -> None:
    async with smsc() as it, esme(it.port) as us:
        it.deliver(ANNA, OURS[1:], b"stat:DELIVRD", esm=4)
        await it.until(lambda _: it.delivered == [0])
        assert us.carrier.counts["unreadable"] == 1
        assert not us.inbox.receipts


async def test_receipts_by_data_sm() -> None:
    body = (
        b"\0\1\1"
        + ANNA.encode()
        + b"\0\1\1"
        + OURS[1:].encode()
        + b"\0\x04\0\0"
        + tlv(0x001E, b"3E9\0")
        + tlv(0x0427, b"\2")
    )
    async with smsc() as it, esme(it.port) as us:
        it.request(0x103, body)
        await us.until(lambda: us.inbox.receipts)
        assert (us.inbox.receipts[0].carrier_id, us.inbox.receipts[0].state) == (
            "3e9",
            State.DELIVERED,
        )
        await it.until(lambda _: it.seen[0x80000103] == 1)


# -- MO -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["single", "payload"])
async def test_an_mo_of_one_part(how: str) -> None:
    async with smsc() as it, esme(it.port) as us:
        it.mo(ANNA, OURS[1:], "Ano, přijdu", how)
        it.mo(ANNA, OURS[1:], "Yes [€]", how)
        await us.until(lambda: len(us.inbox.parts) == 2)
        first, second = us.inbox.parts
        assert (first.source, first.destination) == (ANNA, OURS[1:])
        assert (first.coding, first.data.decode("utf-16-be")) == ("ucs2", "Ano, přijdu")
        assert (second.coding, second.data) == ("gsm7", b"Yes \x1b\x3c\x1be\x1b\x3e")
        assert (second.ref, second.total, second.number) == (0, 1, 1)


@pytest.mark.parametrize(("how", "ref"), [("udh", 7), ("udh16", 700), ("sar", 700)])
async def test_an_mo_of_several_parts(how: str, ref: int) -> None:
    async with smsc() as it, esme(it.port) as us:
        it.mo(ANNA, OURS[1:], "ž" * 150, how, ref=ref)
        await us.until(lambda: len(us.inbox.parts) == 3)
        assert [(p.ref, p.total, p.number) for p in us.inbox.parts] == [
            (ref, 3, 1),
            (ref, 3, 2),
            (ref, 3, 3),
        ]
        assert b"".join(p.data for p in us.inbox.parts).decode("utf-16-be") == "ž" * 150


async def test_an_mo_is_acknowledged_only_once_it_is_stored() -> None:
    async with smsc() as it, esme(it.port) as us:
        us.inbox.gate.clear()
        it.mo(ANNA, OURS[1:], "STOP")
        await us.until(lambda: us.inbox.storing == 1)
        assert it.request(0x15)
        await it.until(lambda _: it.seen[0x80000015])
        assert it.delivered == []
        us.inbox.gate.set()
        await it.until(lambda _: it.delivered == [0])


@pytest.mark.parametrize(
    "fault", [StoreUnavailable("The disk is full."), RuntimeError("a fault of ours")]
)
async def test_what_could_not_be_stored_is_refused_for_now(fault: Exception) -> None:
    async with smsc() as it, esme(it.port) as us:
        us.inbox.fail = fault
        it.mo(ANNA, OURS[1:], "STOP")
        it.deliver(ANNA, OURS[1:], b"id:1 stat:DELIVRD", esm=4)
        await it.until(lambda _: it.delivered == [0x64, 0x64])
        us.inbox.fail = None
        it.mo(ANNA, OURS[1:], "STOP")
        await it.until(lambda _: it.delivered[2:] == [0])


async def test_one_sender_keeps_the_order_and_delays_nobody_else() -> None:
    async with smsc() as it, esme(it.port) as us:
        us.inbox.gate.clear()
        for n in range(5):
            it.mo(ANNA, OURS[1:], str(n))
        it.mo("420601123457", OURS[1:], "other")
        await us.until(lambda: us.inbox.storing == 2)
        us.inbox.gate.set()
        await us.until(lambda: len(us.inbox.parts) == 6)
        assert [p.data for p in us.inbox.parts if p.source == ANNA] == [
            b"0",
            b"1",
            b"2",
            b"3",
            b"4",
        ]
        assert us.inbox.most_storing == 2


async def test_receipts_are_stored_together_and_never_without_bound() -> None:
    async with smsc() as it, esme(it.port) as us:
        us.inbox.gate.clear()
        it.behave.dlr = "none"
        for n in range(3000):
            it.deliver(
                ANNA, OURS[1:], f"id:{n} stat:DELIVRD err:000 text:{'x' * 150}".encode(), esm=4
            )
        await us.until(lambda: us.inbox.storing >= 500)
        part = us.part()
        us.send(part)
        await it.until(lambda _: it.submits)
        us.inbox.gate.set()
        await it.until(lambda _: len(it.delivered) == 3000)
        assert 500 <= us.inbox.most_storing < 3000
        assert {r.state for r in us.inbox.receipts} == {State.DELIVERED}
        assert (await us.told(part))[0].verdict is Verdict.ACCEPTED


async def test_a_broken_delivery_is_refused_for_good_and_the_link_stays() -> None:
    async with smsc() as it, esme(it.port) as us:
        it.request(5, b"\0\1\1420601")
        await it.until(lambda _: it.delivered == [0x65])
        assert us.carrier.up


# -- open, close, probe ---------------------------------------------------------------------


async def test_close_waits_for_answers_that_are_due() -> None:
    async with smsc() as it:
        it.behave.latency = 0.2
        async with esme(it.port) as us:
            part = us.part()
            us.send(part)
        assert us.outcomes[part.attempt].verdict is Verdict.ACCEPTED
        assert it.seen[6] == 1
        assert us.carrier.room == 0
        assert not us.carrier.up


async def test_close_ends_while_nobody_answers(free_port: Callable[[], int]) -> None:
    async with smsc() as it:
        it.behave.mute = True
        async with esme(it.port, wait=False) as us:
            await it.until(lambda _: it.binds)
        assert not us.carrier.up
        await it.until(lambda _: not it.sessions)
    async with esme(free_port(), wait=False):
        pass


async def test_a_bind_without_an_answer_is_given_up() -> None:
    async with smsc() as it:
        it.behave.mute = True
        said = await probe(config(it.port, response_timeout=0.1))
        assert "the SMSC did not answer the bind. Check port" in said


async def test_a_wrong_password_is_said_and_not_hammered() -> None:
    async with smsc() as it:
        it.behave.password = "other"
        async with esme(it.port, wait=False) as us:
            await it.until(lambda _: len(it.binds) == 1 and not it.sessions)
            assert not us.carrier.up
            assert await probe(us.carrier.config) == us.carrier.last_error
            assert "the password is wrong" in us.carrier.last_error
            assert "Check system_id and password" in us.carrier.last_error
            assert "secret" not in us.carrier.last_error


async def test_probe_says_what_is_wrong(free_port: Callable[[], int]) -> None:
    async with smsc() as it:
        assert await probe(config(it.port)) == ""
        assert await probe(config(it.port, bind="pair")) == ""
        assert [kind for kind, _ in it.binds] == ["transceiver", "transmitter", "receiver"]
        await it.until(lambda _: not it.sessions)
        assert "TLS" in await probe(config(it.port, tls=True))
        it.behave.bind_status = 0x0D
        assert "refused the bind (SMPP 0x0D)" in await probe(config(it.port))
    assert "refused. Check host and port" in await probe(config(free_port()))
    assert "no host name" in await probe(config(1, host="a" * 70 + ".example"))
    assert "PEM" in await probe(config(1, tls=True, tls_ca="/nonexistent.pem"))


async def test_a_probe_takes_no_delivery() -> None:
    async with smsc() as it:
        trial = asyncio.create_task(probe(config(it.port)))
        await it.until(lambda _: it.bound())
        it.mo(ANNA, OURS[1:], "STOP")
        assert await trial == ""
        assert set(it.delivered) <= {0x64}


def test_a_password_that_smpp_cannot_carry_is_misconfigured() -> None:
    with pytest.raises(Misconfigured, match="plain ASCII"):
        SmppCarrier(config(1, password="heslíčko"))


async def test_tls_with_a_client_certificate(certificates: dict[str, str]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates["cert"], certificates["key"])
    context.load_verify_locations(certificates["ca"])
    context.verify_mode = ssl.CERT_REQUIRED
    mutual = {
        "tls": True,
        "tls_ca": certificates["ca"],
        "tls_cert": certificates["cert"],
        "tls_key": certificates["key"],
    }
    async with smsc(context) as it, esme(it.port, host="localhost", **mutual) as us:
        outcomes = await us.ask(*[us.part() for _ in range(10)])
        assert {o.verdict for o in outcomes} == {Verdict.ACCEPTED}
        await us.until(lambda: len(us.inbox.receipts) == 10)
    async with smsc(context) as it:
        wrong = await probe(config(it.port, host="localhost", tls=True))
        assert "certificate is not trusted" in wrong
        assert "Set tls_ca" in wrong


async def test_no_number_and_no_text_is_logged() -> None:
    async with smsc() as it:
        with structlog.testing.capture_logs() as logs:
            async with esme(it.port) as us:
                await us.ask(us.part("a secret"))
                it.mo(ANNA, OURS[1:], "a secret")
                us.inbox.fail = RuntimeError("a secret of 420601123456")
                it.mo(ANNA, OURS[1:], "a secret")
                it.deliver(ANNA, OURS[1:], b"a secret", esm=4)
                await it.until(lambda _: len(it.delivered) == 4)
                it.drop()
                await it.until(lambda _: len(it.binds) == 2)
    assert logs
    assert not any(word in str(logs) for word in ("secret", "601", "Server room"))


@pytest.fixture
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files of an authority of our own and of a certificate for localhost that it signed."""
    return make_certificates(str(tmp_path_factory.mktemp("tls")))


def make_certificates(folder: str) -> dict[str, str]:
    def made(
        name: str, signer: ec.EllipticCurvePrivateKey | None = None
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(
                x509.BasicConstraints(ca=signer is None, path_length=None), critical=True
            )
        )
        return key, builder.sign(signer or key, hashes.SHA256())

    ca_key, ca = made("Test authority")
    key, cert = made("localhost", ca_key)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files = {"ca": ca.public_bytes(pem), "cert": cert.public_bytes(pem), "key": secret}
    paths = {name: f"{folder}/{name}.pem" for name in files}
    for name, octets in files.items():
        with open(paths[name], "wb") as file:  # noqa: PTH123
            file.write(octets)
    return paths
