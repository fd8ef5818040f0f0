"""DATA's reader: the same mail and the same end however the octets arrive, in bounded memory."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bridge.smtp.intake import Intake
from bridge.smtp.service import Limits, Service

TRICKY = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"x", b"\0", b"..", b"\xff"]), max_size=40
).map(b"".join)


def service(**limits: int) -> Service:
    return Service(handler=None, hostname="sms.test", limits=Limits(**limits))


def taken(octets: bytes, cuts: list[int], shared: Service) -> tuple[Intake, bytes | None, bytes]:
    """Feed `octets` in pieces; the intake, what it made of them, and what is left over."""
    intake, buffer = Intake(shared, 0.0), bytearray()
    edges = sorted({0, *(cut % (len(octets) + 1) for cut in cuts), len(octets)})
    content = None
    for start, end in pairwise(edges):
        buffer += octets[start:end]
        if content is None:
            content = intake.take(buffer)
    return intake, content, bytes(buffer)


def reference(octets: bytes) -> tuple[bytes | None, bytes]:
    """RFC 5321 4.5.2, the slow way: lines ended by CRLF, up to the one that is a dot."""
    content, rest = b"", octets
    while b"\r\n" in rest:
        line, _, rest = rest.partition(b"\r\n")
        if line == b".":
            return content, rest
        content += line.removeprefix(b".") + b"\r\n"
    return None, octets


@given(TRICKY, TRICKY, st.lists(st.integers(0, 100), max_size=8))
def test_the_end_is_where_the_standard_says(before: bytes, after: bytes, cuts: list[int]) -> None:
    octets = before + b"\r\n.\r\n" + after
    shared = service()
    _, content, rest = taken(octets, cuts, shared)
    assert (content, rest) == reference(octets)
    assert shared.buffered == 0


@given(TRICKY, st.lists(st.integers(0, 100), max_size=8))
def test_no_end_is_seen_where_there_is_none(octets: bytes, cuts: list[int]) -> None:
    expected, rest = reference(octets)
    _, content, left = taken(octets, cuts, service())
    assert (content, left) == (expected, rest)


@given(st.integers(0, 60), st.lists(st.integers(0, 100), max_size=8))
def test_the_size_limit_is_exact_however_a_mail_arrives(size: int, cuts: list[int]) -> None:
    octets = b"x" * size + b"\r\n.\r\nNOOP\r\n"
    shared = service(max_size=40)
    intake, content, rest = taken(octets, cuts, shared)
    assert content is not None
    assert rest == b"NOOP\r\n"
    assert intake.refusal[:3] == (b"552" if size + 2 > 40 else b"")
    assert shared.buffered == 0


def test_what_is_too_large_does_not_stay_in_memory() -> None:
    shared = service(max_size=1000)
    intake, buffer = Intake(shared, 0.0), bytearray()
    for _ in range(1000):
        buffer += b"x" * 1000
        assert intake.take(buffer) is None
        assert len(buffer) <= 2000
        assert shared.buffered == len(buffer)
    buffer += b"\r\n.\r\n"
    assert intake.take(buffer) is not None
    assert intake.refusal == b"552 5.3.4 The mail is larger than the 1000 octets accepted here"
    assert shared.counters.refused == {"size": 1}


def test_the_rate_counts_after_the_grace() -> None:
    shared = service(data_rate=100, data_grace=30)
    intake = Intake(shared, 1000.0)
    buffer = bytearray(b"x" * 500)
    intake.take(buffer)
    assert not intake.too_slow(1030)
    assert not intake.too_slow(1035)
    assert intake.too_slow(1036)
