"""LMTP (RFC 2033) over TCP and unix sockets: one mail in, one reply a recipient out."""

import asyncio
import errno
import os
import smtplib
import socket
import stat
from pathlib import Path

import pytest

from bridge.errors import Misconfigured
from bridge.smtp.door import Session
from bridge.smtp.listener import Listener
from bridge.smtp.service import Limits
from tests.smtp_peer import FakeDoor, both_loops, client_of, listening, port_of, until

MAIL = b"Subject: x\r\n\r\ndisk full\r\n"


@both_loops
async def test_each_recipient_has_its_reply_in_order() -> None:
    door = FakeDoor()
    async with listening(door, lmtp=True) as listener, client_of(listener) as client:
        await client.say("LHLO client.test")
        await client.say("MAIL FROM:<anna@client.test>")
        for recipient, code in (
            ("good1", "250"),
            ("refused", "550"),
            ("bad", "250"),
            ("good2", "250"),
        ):
            assert (await client.say(f"RCPT TO:<{recipient}@sms.test>"))[:3] == code
        await client.say("DATA")
        assert (await client.say(MAIL + b".\r\n", replies=3)).split("\n") == [
            "250 2.0.0 Accepted",
            "550 5.6.0 Nothing to send",
            "250 2.0.0 Accepted",
        ]
        assert await client.say("NOOP") == "250 2.0.0 OK"
    assert door.sessions == [Session("127.0.0.1", helo="client.test", lmtp=True)]
    assert listener.counters.accepted == 1


@both_loops
async def test_whatever_goes_wrong_each_recipient_hears_it() -> None:
    limits = Limits(max_size=1000)
    async with listening(lmtp=True, limits=limits) as listener, client_of(listener) as client:
        for content, reply in (
            (b"boom\r\n", "451 4.3.0"),
            (b"miscounted\r\n", "451 4.3.0"),
            (b"x" * 1000 + b"\r\n", "552 5.3.4"),
        ):
            await client.say("LHLO client.test")
            await client.say("MAIL FROM:<anna@client.test>")
            for recipient in ("one", "two"):
                await client.say(f"RCPT TO:<{recipient}@sms.test>")
            await client.say("DATA")
            replies = (await client.say(content + b".\r\n", replies=2)).split("\n")
            assert [line[:9] for line in replies] == [reply, reply]
        assert await client.say("NOOP") == "250 2.0.0 OK"


@both_loops
async def test_it_greets_with_lhlo_only() -> None:
    async with listening(lmtp=True) as listener, client_of(listener) as client:
        assert (await client.say("EHLO client.test")).startswith("500 5.5.1 ")
        assert (await client.say("HELO client.test")).startswith("500 5.5.1 ")
        assert (await client.say("MAIL FROM:<a@client.test>")).startswith("503 5.5.1 ")
        assert (await client.say("LHLO")).startswith("501 5.5.4 ")
        offered = await client.say("LHLO client.test")
        assert {"250-PIPELINING", "250-ENHANCEDSTATUSCODES"} <= set(offered.split("\n"))
        await client.say("MAIL FROM:<a@client.test>")
        assert (await client.say("DATA")).startswith("503 5.5.1 ")  # RFC 2033 4.2


@both_loops
async def test_a_mail_pipelined_behind_another_is_told_apart() -> None:
    door = FakeDoor()
    async with listening(door, lmtp=True) as listener, client_of(listener) as client:
        await client.say("LHLO client.test")
        one = b"MAIL FROM:<a@client.test>\r\nRCPT TO:<1@sms.test>\r\nRCPT TO:<bad@sms.test>\r\nDATA\r\n"
        await client.say(one, replies=4)
        client.send(MAIL + b".\r\n" + one)
        codes = [(await client.reply())[:3] for _ in range(6)]
        assert codes == ["250", "550", "250", "250", "250", "354"]
        client.send(MAIL + b".\r\nQUIT\r\n")
        assert [line[:3] for line in (await client.rest()).split(b"\r\n")] == [
            b"250",
            b"550",
            b"221",
            b"",
        ]


@both_loops
async def test_a_unix_socket_for_owner_and_group(tmp_path: Path) -> None:
    path = tmp_path / "lmtp"
    door = FakeDoor()
    async with listening(door, listen=f"unix:{path}", lmtp=True) as listener:
        assert listener.addresses == [f"unix:{path}"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        async with client_of(listener) as client:
            await client.begin(greet="LHLO")
            assert (await client.say(MAIL + b".\r\n")).startswith("250 ")
    assert door.sessions[0].peer == "127.0.0.1"
    assert not path.exists()


async def test_a_stale_socket_gives_way_and_a_living_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "lmtp"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    async with listening(listen=f"unix:{path}", lmtp=True):
        with pytest.raises(Misconfigured, match=r"is taken by another program; set \[smtp\] lmtp"):
            await Listener(FakeDoor(), f"unix:{path}", hostname="sms.test", lmtp=True).start()
        assert path.exists()


async def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "lmtp"
    path.write_text("precious")
    with pytest.raises(Misconfigured, match="there is a file of that name"):
        await Listener(FakeDoor(), f"unix:{path}", hostname="sms.test", lmtp=True).start()
    assert path.read_text() == "precious"


async def test_a_directory_without_rights_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("bridge.smtp.sockets._unix", refuse)
    with pytest.raises(Misconfigured, match="may not be opened by this user") as raised:
        await Listener(FakeDoor(), f"unix:{tmp_path}/lmtp", hostname="sms.test", lmtp=True).start()
    assert "directory" in raised.value.hint


async def test_a_missing_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="No such file or directory"):
        await Listener(
            FakeDoor(), f"unix:{tmp_path}/no/lmtp", hostname="sms.test", lmtp=True
        ).start()


@both_loops
async def test_smtplibs_lmtp_client() -> None:
    door = FakeDoor()

    def send(port: int) -> dict[str, tuple[int, bytes]]:
        with smtplib.LMTP("127.0.0.1", port, timeout=10) as client:
            return client.sendmail(
                "anna@client.test", ["1@sms.test", "refused@sms.test"], MAIL.decode()
            )

    async with listening(door, lmtp=True) as listener:
        refused = await asyncio.to_thread(send, port_of(listener))
        assert refused == {"refused@sms.test": (550, b"5.1.1 No such recipient: ?")}
        await until(lambda: not listener.counters.open)
    assert door.mails[0][1] == ["1@sms.test"]
