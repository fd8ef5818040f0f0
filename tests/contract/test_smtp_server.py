"""The SMTP listener over real sockets: what a client sends in, what it is answered, what is kept."""

import asyncio
import base64
import errno
import os
import resource
import socket
from pathlib import Path

import pytest
import structlog

from bridge.errors import Misconfigured
from bridge.smtp.door import Session
from bridge.smtp.listener import Certificate, Listener
from bridge.smtp.login import Throttle
from bridge.smtp.service import Limits
from tests.smtp_peer import (
    Client,
    FakeDoor,
    both_loops,
    certificate,
    client_of,
    listening,
    port_of,
    reset,
    trusting,
    until,
)

MAIL = b"Subject: x\r\n\r\ndisk full\r\n"


def plain(user: str, password: str) -> str:
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


# --- a mail, and what EHLO promises


@both_loops
async def test_a_mail_reaches_the_door_octet_for_octet() -> None:
    door = FakeDoor()
    async with listening(door) as listener, client_of(listener) as client:
        await client.begin()
        content = b"Subject: \xc5\x99\r\n\r\n..two dots\r\nbare\nLF, bare\rCR, NUL \0\r\n"
        sent = content.replace(b"\r\n..", b"\r\n...")
        assert await client.say(sent + b".\r\n") == "250 2.0.0 Accepted"
        assert door.mails == [("anna@client.test", ["+420601123456@sms.test"], content)]
        assert door.sessions == [Session("127.0.0.1", helo="client.test")]
        assert await client.say("QUIT") == "221 2.0.0 Bye"
        assert await client.rest() == b""
    assert (listener.counters.connections, listener.counters.accepted) == (1, 1)
    assert listener.counters.open == 0


@both_loops
async def test_ehlo_offers_what_is_kept(tmp_path: Path) -> None:
    async with (
        listening(certificate=Certificate(*certificate(tmp_path))) as listener,
        client_of(listener) as client,
    ):
        offered = (await client.say("EHLO client.test")).split("\n")
        assert [line[4:] for line in offered] == [
            "sms.test",
            "SIZE 10485760",
            "8BITMIME",
            "SMTPUTF8",
            "PIPELINING",
            "ENHANCEDSTATUSCODES",
            "STARTTLS",
            "AUTH LOGIN PLAIN",
            "HELP",
        ]
        assert await client.say("HELO client.test") == "250 sms.test"


@both_loops
async def test_ehlo_comes_in_one_write() -> None:
    async with listening() as listener, client_of(listener) as client:
        client.send(b"EHLO client.test\r\n")
        assert (await client.reader.read(4096)).endswith(b"\r\n250 HELP\r\n")


@both_loops
async def test_two_mails_on_one_connection_keep_the_login() -> None:
    door = FakeDoor()
    async with listening(door) as listener, client_of(listener) as client:
        await client.say("EHLO client.test")
        assert (await client.say(f"AUTH PLAIN {plain('acme', 'right')}")).startswith("235 2.7.0 ")
        for _ in range(2):
            await client.say("MAIL FROM:<anna@client.test> SIZE=100 BODY=8BITMIME AUTH=<>")
            await client.say("RCPT TO:<1@sms.test>")
            await client.say("DATA")
            assert (await client.say(MAIL + b".\r\n")).startswith("250 ")
        assert await client.say("RSET") == "250 2.0.0 OK"
        assert [session.login for session in door.sessions] == ["acme", "acme"]


@both_loops
async def test_pipelined_commands_are_answered_together() -> None:
    door = FakeDoor()
    async with listening(door) as listener, client_of(listener) as client:
        await client.say("EHLO client.test")
        client.send(b"MAIL FROM:<a@client.test>\r\nRCPT TO:<1@sms.test>\r\nDATA\r\n")
        assert (await client.reader.read(4096)).count(b"\r\n") == 3
        door.gate.clear()
        client.send(MAIL + b".\r\nMAIL FROM:<b@client.test>\r\nRCPT TO:<2@sms.test>\r\nRSET\r\n")
        await door.arrived.wait()
        assert door.senders == ["a@client.test"]  # the next command waits for the outcome
        door.gate.set()
        replies = [(await client.reply())[:9] for _ in range(4)]
        assert replies == ["250 2.0.0", "250 2.1.0", "250 2.1.5", "250 2.0.0"]


@both_loops
async def test_many_commands_at_once_leave_others_their_turn() -> None:
    async with (
        listening() as listener,
        client_of(listener) as greedy,
        client_of(listener) as modest,
    ):
        greedy.send(b"NOOP\r\n" * 40_000)
        await asyncio.gather(modest.say("NOOP"), greedy.reply())
        for _ in range(39_999):
            assert await greedy.reply() == "250 2.0.0 OK"


@both_loops
async def test_octet_by_octet_gives_the_same_mail() -> None:
    door = FakeDoor()
    async with listening(door) as listener, client_of(listener) as client:
        for line in (
            b"EHLO client.test\r\n",
            b"MAIL FROM:<a@client.test>\r\n",
            b"RCPT TO:<1@sms.test>\r\n",
            b"DATA\r\n",
            b".\r\r\n..\r\n.x\r\n\r\n.\r\n",
        ):
            for octet in line:
                client.send(bytes([octet]))
                await client.writer.drain()
                await asyncio.sleep(0)
            await client.reply()
        assert door.mails[0][2] == b"\r\r\n.\r\nx\r\n\r\n"


@both_loops
async def test_a_client_that_shuts_its_side_early_is_answered() -> None:
    door = FakeDoor()
    door.gate.clear()
    async with listening(door) as listener, client_of(listener) as client:
        await client.begin()
        client.send(MAIL + b".\r\nQUIT\r\n")
        client.writer.write_eof()
        await door.arrived.wait()
        door.gate.set()
        assert await client.rest() == b"250 2.0.0 Accepted\r\n221 2.0.0 Bye\r\n"


# --- refusals and faults


@both_loops
async def test_the_door_refuses_with_its_own_words() -> None:
    async with listening() as listener, client_of(listener) as client:
        await client.say("EHLO client.test")
        refused = await client.say("MAIL FROM:<refused@client.test>")
        assert refused == "550 5.7.1 This sender may not send"
        assert (await client.say("RCPT TO:<1@sms.test>")).startswith("503 5.5.1 ")
        await client.say("MAIL FROM:<anna@client.test>")
        assert await client.say("RCPT TO:<refused@sms.test>") == "550 5.1.1 No such recipient: ?"
        assert await client.say("RCPT TO:<later@sms.test>") == "451 4.7.1 Not yet"
        assert await client.say("RCPT TO:<slow.refused@sms.test>") == (
            "550 5.1.1 Looked for, not found"
        )
        assert (await client.say("DATA")).startswith("503 5.5.1 ")
        assert (await client.say("RCPT TO:<slow@sms.test>")).startswith("250 2.1.5 ")
        assert (await client.say("DATA")).startswith("354 ")
        assert (await client.say(MAIL + b".\r\n")).startswith("250 2.0.0 ")
    assert listener.counters.refused == {"sender": 1, "recipient": 3}


@both_loops
async def test_over_smtp_one_reply_speaks_for_all() -> None:
    door = FakeDoor()
    async with listening(door) as listener, client_of(listener) as client:
        await client.say("EHLO client.test")
        for recipients, outcome in (
            (("bad1", "good"), "250 2.0.0 Accepted"),
            (("bad1", "bad2"), "550 5.6.0 Nothing to send"),
            (("good", "bad1", "postponed"), "451 4.3.1 Not stored"),
        ):
            await client.say("MAIL FROM:<anna@client.test>")
            for recipient in recipients:
                await client.say(f"RCPT TO:<{recipient}@sms.test>")
            await client.say("DATA")
            assert await client.say(MAIL + b".\r\n") == outcome


@both_loops
async def test_a_fault_is_451_and_leaves_no_word_in_the_log() -> None:
    with structlog.testing.capture_logs() as logs:
        async with listening() as listener, client_of(listener) as client:
            await client.say("EHLO client.test")
            await client.say("MAIL FROM:<anna@client.test>")
            assert (await client.say("RCPT TO:<boom@sms.test>")).startswith("451 4.3.0 ")
            assert (await client.say("RCPT TO:<1@sms.test>")).startswith("250 ")
            for content in (b"boom\r\n", b"miscounted\r\n"):
                await client.say("RSET")
                await client.say("MAIL FROM:<anna@client.test>")
                await client.say("RCPT TO:<+420601123456@sms.test>")
                await client.say("DATA")
                assert (await client.say(content + b".\r\n")).startswith("451 4.3.0 ")
            said = await client.say("AUTH PLAIN " + plain("boom", "right"))
            assert said.startswith("454 4.7.0 ")
    assert [entry["fault"] for entry in logs] == ["ValueError", *["RuntimeError"] * 3]
    for private in ("secret", "601123456", "anna", "boom", "127.0.0.1"):
        assert private not in str(logs)
    assert listener.counters.refused["fault"] == 4
    assert listener.counters.accepted == 0


@both_loops
async def test_what_the_house_cannot_take_now_is_said_in_its_words() -> None:
    async with listening() as listener, client_of(listener) as client:
        await client.begin()
        assert await client.say(b"store full\r\n.\r\n") == "451 4.3.1 No room on the disk"
    assert listener.counters.refused == {"later": 1}


REFUSED_COMMANDS = [
    ("MAIL FROM:<a@client.test>", "503 5.5.1"),
    ("RCPT TO:<1@sms.test>", "503 5.5.1"),
    ("DATA", "503 5.5.1"),
    ("AUTH PLAIN", "503 5.5.1"),
    ("EHLO", "501 5.5.4"),
    ("HELO", "501 5.5.4"),
    ("EHLO č.test", "501 5.5.4"),
    ("LHLO client.test", "500 5.5.1"),
    ("", "500 5.5.1"),
    ("NONSENSE", "500 5.5.1"),
    ("BDAT 10 LAST", "500 5.5.1"),
    ("NO\0OP", "500 5.5.2"),
    ("NOOP \x1b[2J", "500 5.5.2"),
    (b"NOOP \xff\xfe\r\n", "500 5.5.2"),
    ("NOOP " + "x" * 3000, "500 5.5.2"),
    ("NOOP " + "x" * 100_000, "500 5.5.2"),
    ("QUIT now", "501 5.5.4"),
    ("RSET now", "501 5.5.4"),
    ("VRFY", "501 5.5.4"),
    ("EXPN list", "502 5.5.1"),
    ("STARTTLS", "454 4.7.0"),
    ("STARTTLS now", "501 5.5.4"),
]


@both_loops
async def test_each_command_out_of_place_has_its_status() -> None:
    async with listening(limits=Limits(errors=100)) as listener, client_of(listener) as client:
        for command, expected in REFUSED_COMMANDS:
            assert (await client.say(command))[:9] == expected, command
        assert await client.say("NOOP still here") == "250 2.0.0 OK"


REFUSED_IN_SESSION = [
    ("MAIL", "501 5.5.4"),
    ("MAIL FROM", "501 5.5.4"),
    ("MAIL TO:<a@client.test>", "501 5.5.4"),
    ("MAIL FROM:<a@client.test", "553 5.1.7"),
    ("MAIL FROM:<a b@client.test>", "553 5.1.7"),
    ("MAIL FROM:<a@b@client.test>", "553 5.1.7"),
    ("MAIL FROM:<č@client.test>", "553 5.6.7"),
    ("MAIL FROM:<a@client.test> SMTPUTF8=1", "501 5.5.4"),
    ("MAIL FROM:<a@client.test> BODY=BINARYMIME", "501 5.5.4"),
    ("MAIL FROM:<a@client.test> BODY", "501 5.5.4"),
    ("MAIL FROM:<a@client.test> SIZE=many", "501 5.5.4"),
    ("MAIL FROM:<a@client.test> SIZE", "501 5.5.4"),
    ("MAIL FROM:<a@client.test> SIZE=1 SIZE=2", "501 5.5.4"),
    ("MAIL FROM:<a@client.test> SIZE=99999999", "552 5.3.4"),
    ("MAIL FROM:<a@client.test> SIZE=" + "9" * 1000, "501 5.5.4"),
    ("MAIL FROM:<a@client.test> RET=FULL", "555 5.5.4"),
    ("AUTH", "501 5.5.4"),
    ("AUTH PLAIN a b", "501 5.5.4"),
    ("AUTH CRAM-MD5", "504 5.5.4"),
    ("AUTH PLAIN !!!", "501 5.5.2"),
    ("AUTH PLAIN =", "501 5.5.2"),
    ("AUTH PLAIN YWJj", "501 5.5.2"),
]
REFUSED_IN_MAIL = [
    ("MAIL FROM:<a@client.test>", "503 5.5.1"),
    ("AUTH PLAIN", "503 5.5.1"),
    ("RCPT", "501 5.5.4"),
    ("RCPT FROM:<1@sms.test>", "501 5.5.4"),
    ("RCPT TO:<>", "501 5.5.4"),
    ("RCPT TO:<1@sms.test", "553 5.1.3"),
    ("RCPT TO:<č@sms.test>", "553 5.6.7"),
    ("RCPT TO:<1@sms.test> NOTIFY=NEVER", "555 5.5.4"),
    ("RCPT TO:<1@sms.test> ==", "501 5.5.4"),
    ("DATA now", "501 5.5.4"),
]


@both_loops
async def test_each_wrong_argument_has_its_status() -> None:
    async with listening(limits=Limits(errors=100)) as listener, client_of(listener) as client:
        await client.say("EHLO client.test")
        for command, expected in REFUSED_IN_SESSION:
            assert (await client.say(command))[:9] == expected, command
        await client.say("MAIL FROM:<a@client.test>")
        for command, expected in REFUSED_IN_MAIL:
            assert (await client.say(command))[:9] == expected, command


@both_loops
async def test_addresses_are_taken_in_every_common_writing() -> None:
    door = FakeDoor()
    async with listening(door) as listener, client_of(listener) as client:
        await client.say("EHLO client.test")
        for written, sender in (
            ("<>", ""),
            ("<> SIZE=5", ""),
            (" <anna@client.test>", "anna@client.test"),
            ("anna@client.test", "anna@client.test"),
            ("<@relay.test,@relay2.test:anna@client.test>", "anna@client.test"),
            ("<žofie@client.test> SMTPUTF8", "žofie@client.test"),
            ('<"anna novak"@client.test>', '"anna novak"@client.test'),
            ('<"an@na"@client.test>', '"an@na"@client.test'),
            ('<"anna"@client.test>', "anna@client.test"),
            ("<postmaster>", "postmaster"),
        ):
            assert (await client.say("mail from:" + written)).startswith("250 2.1.0 "), written
            assert door.senders[-1] == sender
            await client.say("rcpt to:<+420601123456>")
            assert door.asked[-1] == "+420601123456"
            await client.say("rset")


# --- the end of data


SMUGGLED = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r\n\0.\r\n",
    b"\r\r\n.\n\r\n",
]


@both_loops
@pytest.mark.parametrize("false_end", SMUGGLED)
async def test_only_crlf_dot_crlf_ends_a_mail(false_end: bytes) -> None:
    door = FakeDoor()
    async with listening(door) as listener, client_of(listener) as client:
        await client.begin()
        inside = b"MAIL FROM:<evil@client.test>\r\nRCPT TO:<2@sms.test>\r\nDATA\r\nevil\r\n"
        client.send(b"first" + false_end)
        await client.writer.drain()
        assert await client.say(inside + b".\r\n") == "250 2.0.0 Accepted"
        assert await client.say("NOOP") == "250 2.0.0 OK"
        assert door.senders == ["anna@client.test"]
        assert len(door.mails) == 1
        assert b"evil@client.test" in door.mails[0][2]


@both_loops
async def test_an_empty_mail_is_a_mail() -> None:
    door = FakeDoor()
    async with listening(door) as listener, client_of(listener) as client:
        await client.begin()
        assert (await client.say(b".\r\n")).startswith("250 ")
        assert door.mails[0][2] == b""


# --- limits


@both_loops
async def test_a_mail_that_is_too_large_is_swallowed_and_refused() -> None:
    door = FakeDoor()
    limits = Limits(max_size=100_000, data_line=100_000)
    async with listening(door, limits=limits) as listener, client_of(listener) as client:
        await client.begin()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(300):
            client.send(b"x" * 100_000 + b"\r\n")
            await client.writer.drain()
        assert listener.service.buffered < 1_000_000
        assert (await client.say(b".\r\n")).startswith("552 5.3.4 ")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
        assert listener.service.buffered == 0
        assert await client.say("NOOP") == "250 2.0.0 OK"
        await client.begin()
        assert (await client.say(b"x" * 99_998 + b"\r\n.\r\n")).startswith("250 ")
        await client.begin()
        assert (await client.say(b"x" * 99_999 + b"\r\n.\r\n")).startswith("552 5.3.4 ")
    assert [len(mail[2]) for mail in door.mails] == [100_000]
    assert listener.counters.refused["size"] == 2


@both_loops
async def test_long_lines_are_content_up_to_a_limit() -> None:
    door = FakeDoor()
    limits = Limits(data_line=5000)
    async with listening(door, limits=limits) as listener, client_of(listener) as client:
        await client.begin()
        assert (await client.say(b"x" * 4999 + b"\r\n.\r\n")).startswith("250 ")
        await client.begin()
        assert (await client.say(b"x" * 5001 + b"\r\n.\r\n")).startswith("500 5.5.2 ")
    assert len(door.mails) == 1


@both_loops
async def test_unfinished_mails_share_a_bounded_memory() -> None:
    async with (
        listening(limits=Limits(buffered=50_000)) as listener,
        client_of(listener) as first,
        client_of(listener) as second,
    ):
        await first.begin()
        await second.begin()
        first.send(b"x" * 40_000)
        await until(lambda: listener.service.buffered >= 40_000)
        second.send(b"x" * 40_000)
        await until(lambda: listener.counters.refused["memory"])
        assert (await second.say(b"\r\n.\r\n")).startswith("452 4.3.1 ")
        assert (await first.say(b"\r\n.\r\n")).startswith("250 ")
        assert listener.service.buffered == 0


@both_loops
async def test_recipients_beyond_the_limit_come_in_the_next_mail() -> None:
    door = FakeDoor()
    async with (
        listening(door, limits=Limits(max_recipients=100)) as listener,
        client_of(listener) as client,
    ):
        await client.say("EHLO client.test")
        await client.say("MAIL FROM:<anna@client.test>")
        client.send(b"".join(b"RCPT TO:<%d@sms.test>\r\n" % n for n in range(10_000)))
        codes = [(await client.reply())[:9] for _ in range(10_000)]
        assert codes == ["250 2.1.5"] * 100 + ["452 4.5.3"] * 9_900
        await client.say("DATA")
        assert (await client.say(MAIL + b".\r\n")).startswith("250 ")
        assert len(door.mails[0][1]) == 100


@both_loops
async def test_errors_and_unknown_commands_have_an_end() -> None:
    async with listening(limits=Limits(errors=3, unrecognised=3)) as listener:
        for command, reason in ((b"RCPT\r\n", "errors"), (b"NONSENSE\r\n", "unrecognised")):
            async with client_of(listener) as client:
                client.send(command * 10)
                said = (await client.rest()).split(b"\r\n")
                assert [line[:3] for line in said[:-1]][-1] == b"421"
                assert 4 <= len(said) <= 6
            assert listener.counters.refused[reason] == 1


@both_loops
async def test_a_web_page_cannot_post_a_mail() -> None:
    door = FakeDoor()
    async with listening(door) as listener, client_of(listener) as client:
        client.send(
            b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nEHLO x\r\nMAIL FROM:<a@client.test>\r\n"
        )
        assert (await client.rest()).startswith(b"421 4.7.0 ")
        assert door.senders == []


@both_loops
async def test_connections_are_limited_in_all_and_by_address() -> None:
    limits = Limits(connections=2, per_loopback=1)
    async with listening(limits=limits) as listener, client_of(listener):
        for source in ("127.0.0.1", "127.0.0.2"):  # one machine, whatever it calls itself
            _, writer = reader_writer = await asyncio.open_connection(
                "127.0.0.1", port_of(listener), local_addr=(source, 0)
            )
            refused = await Client(*reader_writer).rest()
            assert refused == b"421 4.7.0 Too many connections from your address\r\n"
            writer.close()
            await writer.wait_closed()
    assert listener.counters.refused["address"] == 2
    async with listening(limits=Limits(connections=1)) as listener:
        async with client_of(listener):
            reader, writer = await asyncio.open_connection("127.0.0.1", port_of(listener))
            assert (await reader.read()).startswith(b"421 4.7.0 Too many connections, ")
            writer.close()
            await writer.wait_closed()
        await until(lambda: not listener.counters.open)
        async with client_of(listener) as client:  # room again
            assert await client.say("NOOP") == "250 2.0.0 OK"


@both_loops
async def test_a_thousand_idle_connections_disturb_nobody() -> None:
    door = FakeDoor()
    async with listening(door) as listener:
        idle = [await asyncio.open_connection("127.0.0.1", port_of(listener)) for _ in range(1000)]
        await until(lambda: listener.counters.open >= 1000)
        async with client_of(listener) as client:
            await client.begin()
            assert (await client.say(MAIL + b".\r\n")).startswith("250 ")
        for _, writer in idle:
            writer.close()
        for _, writer in idle:
            await writer.wait_closed()


# --- time


@both_loops
async def test_an_idle_client_is_sent_away() -> None:
    async with listening(limits=Limits(idle=0.2)) as listener, client_of(listener) as client:
        client.send(b"NOO")  # part of a command is none
        assert (await client.rest()).startswith(b"421 4.4.2 ")
    assert listener.counters.refused["idle"] == 1


@both_loops
async def test_an_idle_login_is_sent_away() -> None:
    async with listening(limits=Limits(idle=0.2)) as listener, client_of(listener) as client:
        await client.say("EHLO client.test")
        assert await client.say("AUTH LOGIN") == "334 VXNlcm5hbWU6"
        assert (await client.rest()).startswith(b"421 4.4.2 ")


@both_loops
async def test_a_mail_must_not_take_for_ever() -> None:
    door = FakeDoor()
    limits = Limits(transaction=0.2)
    async with listening(door, limits=limits) as listener, client_of(listener) as client:
        await client.begin()
        client.send(b"x\r\n")
        assert (await client.rest()).startswith(b"421 4.4.2 ")
    assert listener.counters.refused["slow"] == 1
    assert door.mails == []


@both_loops
async def test_data_must_come_at_some_rate() -> None:
    limits = Limits(data_rate=100_000, data_grace=0.1)
    async with listening(limits=limits) as listener, client_of(listener) as client:
        await client.begin()
        client.send(b"x\r\n")
        assert (await client.rest()).startswith(b"421 4.4.2 ")
    assert listener.counters.refused["slow"] == 1


@both_loops
async def test_the_house_may_take_its_time() -> None:
    door = FakeDoor()
    door.gate.clear()
    limits = Limits(idle=0.1, transaction=0.1, data_grace=0.1, data_rate=1_000_000)
    async with listening(door, limits=limits) as listener, client_of(listener) as client:
        await client.begin()
        client.send(MAIL + b".\r\n")
        await door.arrived.wait()
        (connection,) = listener.service.connections
        connection.check_time(asyncio.get_running_loop().time() + 1000)
        door.gate.set()
        assert await client.reply() == "250 2.0.0 Accepted"


@both_loops
async def test_a_client_that_does_not_read_is_not_served_without_end() -> None:
    async with listening(limits=Limits(idle=0.3)) as listener, client_of(listener) as client:
        raw = client.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.writer.transport.pause_reading()
        help_wanted = b"HELP\r\n" * 10_000
        with pytest.raises((ConnectionError, OSError)):  # noqa: PT012
            while True:
                client.send(help_wanted)
                await client.writer.drain()
                await asyncio.sleep(0)
    assert listener.counters.refused["slow"] == 1


# --- a client that leaves


@both_loops
async def test_leaving_at_any_stage_leaves_nothing_behind() -> None:
    door = FakeDoor()
    stages = [
        b"",
        b"EHL",
        b"EHLO client.test\r\n",
        b"EHLO client.test\r\nAUTH LOGIN\r\n",
        b"EHLO client.test\r\nMAIL FROM:<a@client.test>\r\n",
        b"EHLO client.test\r\nMAIL FROM:<a@client.test>\r\nRCPT TO:<slow@sms.test>\r\n",
        b"EHLO client.test\r\nMAIL FROM:<a@client.test>\r\nRCPT TO:<1@sms.test>\r\nDATA\r\n",
        b"EHLO client.test\r\nMAIL FROM:<a@client.test>\r\nRCPT TO:<1@sms.test>\r\nDATA\r\nabc",
        b"EHLO client.test\r\nMAIL FROM:<a@client.test>\r\nRCPT TO:<1@sms.test>\r\nDATA\r\na\r\n.",
    ]
    async with listening(door) as listener:
        for rude in (False, True):
            for stage in stages:
                async with client_of(listener) as client:
                    client.send(stage)
                    await client.writer.drain()
                    if rude:
                        reset(client)
                await until(lambda: not listener.counters.open)
        assert listener.service.buffered == 0
        assert not listener.service.per_address
    assert door.mails == []


@both_loops
async def test_leaving_during_the_commit_does_not_stop_it() -> None:
    door = FakeDoor()
    door.gate.clear()
    async with listening(door) as listener:
        for rude in (False, True):
            door.arrived.clear()
            door.finished.clear()
            door.gate.clear()
            async with client_of(listener) as client:
                await client.begin()
                client.send(MAIL + b".\r\n")
                await door.arrived.wait()
                if rude:
                    reset(client)
            if rude:
                await until(lambda: not listener.counters.open)
            door.gate.set()
            await door.finished.wait()
    assert len(door.mails) == 2
    assert listener.counters.open == 0


# --- TLS and logins


@both_loops
async def test_starttls_begins_the_session_anew(tmp_path: Path) -> None:
    door = FakeDoor()
    async with (
        listening(door, certificate=Certificate(*certificate(tmp_path))) as listener,
        client_of(listener) as client,
    ):
        await client.say("EHLO client.test")
        await client.say("AUTH PLAIN " + plain("acme", "right"))
        await client.say("MAIL FROM:<anna@client.test>")
        await client.starttls()
        assert (await client.say("MAIL FROM:<anna@client.test>")).startswith("503 5.5.1 ")
        offered = await client.say("EHLO client.test")
        assert "STARTTLS" not in offered
        assert "AUTH LOGIN PLAIN" in offered
        assert (await client.say("STARTTLS")).startswith("503 5.5.1 ")
        await client.begin()
        assert (await client.say(MAIL + b".\r\n")).startswith("250 ")
        assert door.sessions[-1] == Session("127.0.0.1", tls=True, helo="client.test")
        assert (await client.say("AUTH PLAIN " + plain("acme", "right"))).startswith("235 ")
        await client.begin()
        client.send((b"x" * 900 + b"\r\n") * 3_000 + b".\r\n")
        assert (await client.reply()).startswith("250 ")
        assert door.sessions[-1].login == "acme"
        assert await client.say("QUIT") == "221 2.0.0 Bye"
    await until(lambda: not listener.counters.open)


@both_loops
async def test_nothing_sent_before_the_handshake_counts_after_it(tmp_path: Path) -> None:
    door = FakeDoor()
    async with (
        listening(door, certificate=Certificate(*certificate(tmp_path))) as listener,
        client_of(listener) as client,
    ):
        await client.say("EHLO client.test")
        injected = b"STARTTLS\r\nEHLO evil.test\r\nMAIL FROM:<evil@client.test>\r\n"
        assert await client.say(injected) == "220 2.0.0 Ready to start TLS"
        await client.writer.start_tls(trusting())
        assert await client.say("NOOP") == "250 2.0.0 OK"
        assert (await client.say("MAIL FROM:<anna@client.test>")).startswith("503 5.5.1 ")
        assert door.senders == []


@both_loops
async def test_a_failed_handshake_ends_the_connection(tmp_path: Path) -> None:
    async with listening(certificate=Certificate(*certificate(tmp_path))) as listener:
        for rubbish in (b"this is no TLS\r\n" * 10, b""):
            async with client_of(listener) as client:
                await client.say("EHLO client.test")
                await client.say("STARTTLS")
                client.send(rubbish)
                if not rubbish:
                    reset(client)
                await client.rest()
            await until(lambda: not listener.counters.open)
        assert listener.counters.tls_failures == 2


@both_loops
async def test_a_new_certificate_is_used_without_a_restart(tmp_path: Path) -> None:
    paths = certificate(tmp_path)
    async with listening(certificate=Certificate(*paths)) as listener:
        before = listener.service.tls
        certificate(tmp_path)
        listener.reload_certificate()
        assert listener.service.tls is not before
        paths[0].write_text("no certificate")
        kept = listener.service.tls
        with pytest.raises(Misconfigured, match="not a PEM certificate"):
            listener.reload_certificate()
        assert listener.service.tls is kept
        async with client_of(listener) as client:
            await client.say("EHLO client.test")
            await client.starttls()


@both_loops
async def test_logins_by_plain_and_login() -> None:
    door = FakeDoor()
    async with listening(door, throttle=Throttle(free=100)) as listener:
        secret = plain("acme", "right")
        name, password = (base64.b64encode(word).decode() for word in (b"acme", b"right"))
        for dialogue in (
            [f"AUTH PLAIN {secret}"],
            [f"auth plain {secret}"],
            ["AUTH PLAIN", secret],
            ["AUTH LOGIN", name, password],
            [f"AUTH LOGIN {name}", password],
        ):
            async with client_of(listener) as client:
                await client.say("EHLO client.test")
                *asked, last = [await client.say(line) for line in dialogue]
                assert all(line.startswith("334 ") for line in asked)
                assert last.startswith("235 2.7.0 ")
                assert (await client.say("AUTH PLAIN " + secret)).startswith("503 5.5.1 ")
        async with client_of(listener) as client:
            await client.say("EHLO client.test")
            assert (await client.say("AUTH PLAIN " + plain("acme", "wrong")))[:9] == "535 5.7.8"
            await client.say("AUTH LOGIN")
            assert (await client.say("*"))[:9] == "501 5.7.0"
            await client.say("AUTH LOGIN")
            assert (await client.say("?"))[:9] == "501 5.5.2"
            client.send(b"AUTH LOGIN\r\n" + name.encode() + b"\r\n" + password.encode() + b"\r\n")
            assert [(await client.reply())[:3] for _ in range(3)] == ["334", "334", "235"]
    assert door.logins[:5] == [("acme", "right")] * 5
    assert (listener.counters.logins, listener.counters.auth_failures) == (6, 1)


@both_loops
async def test_no_login_in_the_clear_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.smtp.line.peer_of", lambda _: "192.0.2.7")
    door = FakeDoor()
    async with listening(door) as listener, client_of(listener) as client:
        assert "AUTH" not in await client.say("EHLO client.test")
        refused = await client.say("AUTH PLAIN " + plain("acme", "right"))
        assert refused.startswith("538 5.7.11 ")
    assert door.logins == []


@both_loops
async def test_no_login_where_there_are_none() -> None:
    async with listening(auth=False) as listener, client_of(listener) as client:
        assert "AUTH" not in await client.say("EHLO client.test")
        assert (await client.say("AUTH PLAIN")).startswith("502 5.5.1 ")


@both_loops
async def test_guessing_is_slowed_down_and_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.smtp.line.peer_of", lambda _: "192.0.2.7")
    monkeypatch.setattr("bridge.smtp.server.Server.may_log_in", True)
    door = FakeDoor()
    throttle = Throttle(free=3, most=3)
    async with listening(door, throttle=throttle) as listener, client_of(listener) as client:
        await client.say("EHLO client.test")
        for _ in range(3):
            assert (await client.say("AUTH PLAIN " + plain("acme", "wrong")))[:3] == "535"
        assert (await client.say("AUTH PLAIN " + plain("other", "right")))[:9] == "421 4.7.0"
        assert await client.rest() == b""
    assert len(door.logins) == 3
    assert listener.counters.refused["login"] == 1


# --- starting and stopping


@both_loops
async def test_stopping_sends_idle_clients_away_and_lets_mails_finish() -> None:
    door = FakeDoor()
    door.gate.clear()
    async with (
        listening(door) as listener,
        client_of(listener) as idle,
        client_of(listener) as sending,
        client_of(listener) as committing,
    ):
        await sending.begin()
        await committing.begin()
        committing.send(MAIL + b".\r\n")
        await door.arrived.wait()
        port = port_of(listener)
        stopping = asyncio.create_task(listener.stop(20))
        assert await idle.rest() == b"421 4.3.2 Shutting down, please try again soon\r\n"
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        door.gate.set()
        for client in (sending, committing):
            if client is sending:
                client.send(MAIL + b".\r\n")
            said = await client.rest()
            assert said.startswith(b"250 2.0.0 Accepted\r\n421 4.3.2 ")
        await stopping
    assert len(door.mails) == 2


@both_loops
async def test_stopping_waits_no_longer_than_told() -> None:
    door = FakeDoor()
    door.gate.clear()
    async with (
        listening(door) as listener,
        client_of(listener) as sending,
        client_of(listener) as committing,
    ):
        await sending.begin()
        await committing.begin()
        committing.send(MAIL + b".\r\n")
        await door.arrived.wait()
        await listener.stop(0.1)
        assert (await sending.rest()).startswith(b"421 4.3.2 ")
        assert b"250" not in await committing.rest()
        door.gate.set()
        await door.finished.wait()  # the door was not cut short
    assert len(door.mails) == 1


@both_loops
async def test_an_opened_socket_is_taken_as_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        port = opened.getsockname()[1]
        async with listening(listen=[opened]) as listener:
            assert listener.addresses == [f"127.0.0.1:{port}"]
            async with client_of(listener) as client:
                assert await client.say("NOOP") == "250 2.0.0 OK"


@both_loops
async def test_replies_do_not_wait_for_acknowledgements() -> None:
    async with listening() as listener, client_of(listener):
        (connection,) = listener.service.connections
        assert connection.transport is not None
        raw = connection.transport.get_extra_info("socket")
        assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def complaint(listen: str, **options: object) -> Misconfigured:
    with pytest.raises(Misconfigured) as raised:
        await Listener(FakeDoor(), listen, hostname="sms.test", **options).start()
    assert raised.value.hint
    return raised.value


async def test_a_taken_port_is_told() -> None:
    async with listening() as listener:
        where = listener.addresses[0]
        said = await complaint(where)
        assert said.sentence == f"{where} is taken by another program; set [smtp] listen"


async def test_a_name_may_stand_for_several_addresses() -> None:
    async with listening(listen="localhost:0") as listener:
        assert listener.addresses


@pytest.mark.parametrize(
    ("listen", "part"),
    [
        ("192.0.2.1:2525", "192.0.2.1:2525 is not an address of this machine"),
        ("nowhere.invalid:2525", "no address is known for nowhere.invalid"),
        ("2525", "no address to listen at"),
        ("127.0.0.1:", "no address to listen at"),
        ("127.0.0.1:smtp", "no address to listen at"),
        ("127.0.0.1:65536", "no address to listen at"),
        ("[::1", "no address to listen at"),
    ],
)
async def test_a_wrong_address_is_told(
    listen: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "no name")

    if "invalid" in listen:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nothing)
    said = await complaint(listen)
    assert part in said.sentence
    assert "[smtp] listen" in said.sentence


async def test_a_privileged_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("bridge.smtp.sockets._tcp", refuse)
    said = await complaint("127.0.0.1:25")
    assert said.sentence == "127.0.0.1:25 may not be opened by this user; set [smtp] listen"
    assert "2525" in said.hint


async def test_wrong_certificates_are_told(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    absent = await complaint("127.0.0.1:0", certificate=Certificate(cert, tmp_path / "no.pem"))
    assert "no.pem cannot be read" in absent.sentence
    assert "tls_key" in absent.hint
    swapped = await complaint("127.0.0.1:0", certificate=Certificate(key, cert))
    assert "not a PEM certificate and its key" in swapped.sentence
