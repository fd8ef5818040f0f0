"""The small syntax of SMTP: paths, parameters, replies, dots."""

import re
from types import SimpleNamespace

import pytest
from aiosmtpd.smtp import SMTP
from hypothesis import given
from hypothesis import strategies as st

from bridge.smtp import wire

ADDRESSES = st.from_regex(r"[a-z0-9+._-]{1,20}@[a-z0-9-]{1,10}\.test", fullmatch=True)


@pytest.mark.parametrize(
    ("written", "address", "parameters"),
    [
        ("<>", "", ""),
        ("<a@b.test>", "a@b.test", ""),
        ("<a@b.test>  SIZE=1  BODY=7BIT", "a@b.test", "SIZE=1  BODY=7BIT"),
        ("a@b.test SIZE=1", "a@b.test", "SIZE=1"),
        ("<@x.test,@y.test:a@b.test>", "a@b.test", ""),
        ('<"a b"@b.test>', '"a b"@b.test', ""),
        ('<"a\\"b"@b.test>', '"a\\"b"@b.test', ""),
        ('<"a>b"@b.test>', '"a>b"@b.test', ""),
        ('<"+420601123456"@b.test>', "+420601123456@b.test", ""),
        ('<"\\a.b"@b.test>', "a.b@b.test", ""),
        ('<"a..b"@b.test>', '"a..b"@b.test', ""),
        ("<+420601123456>", "+420601123456", ""),
        ("<a@[IPv6:::1]>", "a@[IPv6:::1]", ""),
        ("< a@b.test >", "a@b.test", ""),
        ("<<a@b.test>> SIZE=1", "a@b.test", "SIZE=1"),
        ("<žofie@b.test>", "žofie@b.test", ""),
    ],
)
def test_paths(written: str, address: str, parameters: str) -> None:
    assert wire.path(written) == (address, parameters)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "<",
        "<a@b.test",
        "a@b.test>",
        "<a@b.test>SIZE=1",
        "<a b@b.test>",
        "<a@b@c.test>",
        "<<<a@b.test>>>",
        "<<a@b.test>",
        '<"a@b.test>',
        "<a@>",
        "<@b.test>",
        "<a@b.test> x\n",
    ],
)
def test_no_paths(written: str) -> None:
    assert wire.path(written) is None


@given(ADDRESSES)
def test_a_plain_path_is_read_as_aiosmtpd_reads_it(address: str) -> None:
    theirs, rest = SMTP._getaddr(SimpleNamespace(local_part_limit=0), f"<{address}> SIZE=5")
    if theirs is not None:
        assert wire.path(f"<{address}> SIZE=5") == (theirs, (rest or "").strip())


@given(st.text(max_size=200))
def test_no_text_upsets_the_parsers(text: str) -> None:
    wire.path(text)
    wire.parameters(text)
    line = wire.reply(550, "5.1.1", text, utf8=True)
    assert line.startswith(b"550 5.1.1")
    assert not re.search(rb"[\x00-\x1f\x7f]", line)
    assert wire.reply(550, "5.1.1", text).isascii()


def test_a_long_quoted_path_takes_no_time() -> None:
    assert wire.path('<"' + "\\a" * 50_000) is None
    assert wire.path("<" + "@a:" * 50_000) is None
    assert wire.path("<" + "a" * 100_000 + "@") is None


def test_parameters() -> None:
    assert wire.parameters("size=5 SMTPUTF8 AUTH=<>") == {
        "SIZE": "5",
        "SMTPUTF8": None,
        "AUTH": "<>",
    }
    for wrong in ("SIZE=", "=5", "A_B=1", "A=1 a=2", "-A=1"):
        assert wire.parameters(wrong) is None


def test_replies_are_one_line_of_at_most_512_octets() -> None:
    assert wire.reply(550, "5.1.1", "two\r\nlines \0 č") == b"550 5.1.1 two lines ?"
    assert wire.reply(550, "5.1.1", "č", utf8=True) == "550 5.1.1 č".encode()
    long = wire.reply(550, "5.1.1", "č" * 1000, utf8=True)
    assert len(long) <= 510
    long.decode()


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        (b"250 OK", b"250 2.0.0 OK"),
        (b"250 2.1.5 OK", b"250 2.1.5 OK"),
        (b"250", b"250 2.0.0 "),
        (b"250-OK", b"250-2.0.0 OK"),
        (b"451 later", b"451 4.3.0 later"),
        (b"503 Error: send EHLO first", b"503 5.5.1 Error: send EHLO first"),
        (b"501 5 errors", b"501 5.5.4 5 errors"),
        (b"220 hello", b"220 hello"),
        (b"354 go on", b"354 go on"),
        (b"334 VXNlcm5hbWU6", b"334 VXNlcm5hbWU6"),
    ],
)
def test_each_reply_gets_a_status_where_one_is_due(line: bytes, completed: bytes) -> None:
    assert wire.with_status(line) == completed


def test_command_text() -> None:
    assert wire.command_text(b"NOOP\tx") == "NOOP\tx"
    assert wire.command_text("MAIL FROM:<č@b.test>".encode()) == "MAIL FROM:<č@b.test>"
    for wrong in (b"NO\0OP", b"NO\rOP", b"\x1b[2J", b"\x7f", b"\xff"):
        assert wire.command_text(wrong) is None


@given(
    st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line and b"\r" not in line))
)
def test_stuffed_dots_come_off_again(lines: list[bytes]) -> None:
    content = b"".join(line + b"\r\n" for line in lines)
    stuffed = b"".join((b"." if line[:1] == b"." else b"") + line + b"\r\n" for line in lines)
    assert wire.unstuffed(stuffed) == content


@given(st.lists(st.integers(0, 40)), st.integers(1, 30))
def test_long_lines_are_found(lengths: list[int], limit: int) -> None:
    data = b"\n".join(b"x" * length for length in lengths)
    assert wire.longest_line_over(data, limit) == any(length > limit for length in lengths)
