"""Any octets at all, in any pieces: well-formed replies come out, the same ones for every cut."""

import asyncio
import re
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.smtp.hooks import DoorHooks
from bridge.smtp.server import Lmtp, Server
from bridge.smtp.service import Limits, Service
from tests.smtp_peer import FakeDoor

LINES = st.sampled_from(
    [
        b"EHLO client.test\r\n",
        b"LHLO client.test\r\n",
        b"HELO client.test\n",
        b"MAIL FROM:<a@client.test>\r\n",
        b"MAIL FROM:<> SIZE=10 BODY=8BITMIME\r\n",
        b"mail from:<refused@client.test>\r\n",
        b"RCPT TO:<1@sms.test>\r\n",
        b"RCPT TO:<bad@sms.test>\r\n",
        b"RCPT TO:<slow@sms.test>\r\n",
        b"RCPT TO:<boom@sms.test>\r\n",
        b"DATA\r\n",
        b"text\r\n..\r\n.\r\n",
        b"boom\r\n.\r\n",
        b"\n.\n\r.\r\r\n.\r\n",
        b"x" * 300 + b"\r\n.\r\n",
        b".\r\n",
        b"RSET\r\n",
        b"NOOP\r\n",
        b"AUTH PLAIN AGFjbWUAcmlnaHQ=\r\n",
        b"AUTH LOGIN\r\n",
        b"YWNtZQ==\r\n",
        b"*\r\n",
        b"STARTTLS\r\n",
        b"HELP\r\n",
        b"NONSENSE\r\n",
        b"x" * 250 + b"\r\n",
        b"QUIT\r\n",
        b"GET / HTTP/1.1\r\n",
        b"\0\xff\r\n",
        b"\r\n",
    ]
)
STREAMS = st.lists(st.one_of(LINES, LINES, LINES, st.binary(max_size=20)), max_size=25).map(
    b"".join
)
REPLY = re.compile(rb"[2345]\d\d[ -][^\r\n]*")
STATUS = re.compile(rb"(?:[245])\d\d[ -][245]\.\d+\.\d+ ")


class Pipe:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def get_extra_info(self, _name: str) -> object:
        return ("127.0.0.1", 40000)

    def write(self, octets: bytes) -> None:
        assert not self.closed
        self.written += octets

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        """Nothing more comes than the test hands over."""

    resume_reading = abort = pause_reading


async def said(stream: bytes, cuts: list[int], speaker: type[Server]) -> tuple[bytes, list[Any]]:
    door = FakeDoor()
    hooks = DoorHooks(door)
    limits = Limits(max_size=200, command_line=200, errors=5, unrecognised=5, max_recipients=2)
    service = Service(
        handler=hooks, hostname="sms.test", limits=limits, authenticate=hooks.authenticate
    )
    pipe, connection = Pipe(), speaker(service, asyncio.get_running_loop())
    connection.connection_made(pipe)  # type: ignore[arg-type]
    edges = sorted({0, *(cut % (len(stream) + 1) for cut in cuts), len(stream)})
    for start, end in pairwise(edges):
        if pipe.closed:
            break
        connection.data_received(stream[start:end])
        for _ in range(12):  # whatever a command waits for here is there by then
            await asyncio.sleep(0)
    for _ in range(12 * stream.count(b"\n")):
        await asyncio.sleep(0)
    connection.connection_lost(None)
    await asyncio.sleep(0)
    assert not service.connections
    assert service.buffered == 0
    return pipe.written, door.mails


@settings(deadline=None)
@given(STREAMS, st.lists(st.integers(0, 4000), max_size=10), st.sampled_from([Server, Lmtp]))
def test_every_cut_of_a_stream_is_answered_alike(
    stream: bytes, cuts: list[int], speaker: type[Server]
) -> None:
    with asyncio.Runner() as runner:
        whole = runner.run(said(stream, [], speaker))
        pieces = runner.run(said(stream, cuts, speaker))
    assert pieces == whole
    greeting, *lines, end = whole[0].split(b"\r\n")
    assert greeting.startswith(b"220 sms.test ")
    assert end == b""
    for line in lines:
        assert REPLY.fullmatch(line), line
        assert STATUS.match(line) or line[:3] in {b"250", b"334", b"354"}, line
    assert (b"421" in [line[:3] for line in lines[:-1]]) is False
