"""The main job through real parts: mail in, SMSC out, receipts, answers, and words that bind."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP, Envelope
from structlog.testing import capture_logs

from bridge.dispatch import answer
from tests.bridges import ANNA, BERIT, OURS, WRITER, Running, a_bridge, until, write_config
from tests.consents import OFFER, agree, shift
from tests.smsc import Smsc, smsc

TO = f"{ANNA}@sms.example"
SPARE = """
[[carriers]]
name = "spare"
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "acme"
password = "secret"
"""


async def delivered(bridge: Running, count: int = 1) -> None:
    await until(lambda: _all(bridge, "delivered", count))


async def _all(bridge: Running, state: str, count: int) -> bool:
    return (await bridge.states()).count(state) >= count


async def _mails(bridge: Running, count: int) -> list[dict[str, object]]:
    found = await bridge.mails()
    return found if len(found) >= count else []


async def _answer_below(bridge: Running, words: str) -> str:
    """What stands below the mail that brings these words; "" until it is there."""
    texts = [str(mail["text"]) for mail in await bridge.mails()]
    return next((t for t in texts if t.startswith(f"{words}\n\n-- \n")), "")


async def test_a_mail_becomes_an_sms_and_the_receipt_ends_it(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        reply = await bridge.mail(TO)
        await delivered(bridge)
        assert reply.startswith("250 2.0.0 accepted as ")
        assert [(m.source, m.destination, m.text) for m in centre.messages] == [
            (OURS[1:], ANNA[1:], "Boiler 3 is cold")
        ]


async def test_each_recipient_gets_one_sms_and_a_number_named_twice_gets_one(
    tmp_path: Path,
) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        await bridge.mail(TO, f"{BERIT}@sms.example", "601 123 456@sms.example".replace(" ", ""))
        await delivered(bridge, 2)
        assert sorted(m.destination for m in centre.messages) == sorted([ANNA[1:], BERIT[1:]])


async def test_a_long_text_is_one_message_on_the_phone(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        words = "Příliš žluťoučký kůň úpěl ďábelské ódy. 😀 " * 4
        await bridge.mail(TO, text=words)
        await delivered(bridge)
        assert [m.text for m in centre.messages] == [words.strip()]


async def test_a_long_text_leaves_whole_where_the_carrier_takes_it(tmp_path: Path) -> None:
    async with smsc() as centre:
        config = write_config(tmp_path, port=centre.port, carrier='long = "payload"')
        async with a_bridge(config) as bridge:
            await bridge.mail(TO, text="word " * 60)
            await delivered(bridge)
        assert len(centre.submits) == 1
        assert [m.text for m in centre.messages] == [("word " * 60).strip()]


async def test_the_same_mail_again_is_one_sms(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        first = await bridge.mail(TO, Message_ID="<one@acme.example>")
        again = await bridge.mail(TO, Message_ID="<one@acme.example>")
        await bridge.mail(TO)
        await bridge.mail(TO)
        await delivered(bridge, 3)
        assert first.split()[-1] == again.split()[-1]
        assert "before" in again
        assert len(centre.messages) == 3


async def test_an_answer_returns_in_the_thread_and_can_be_answered(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        await bridge.mail(TO, Message_ID="<one@acme.example>", References="<zero@acme.example>")
        await delivered(bridge)
        centre.mo(source=ANNA[1:], destination=OURS[1:], text="On my way")
        answer = (await until(lambda: _mails(bridge, 1)))[0]
        headers = answer["headers"]
        assert isinstance(headers, dict)
        assert answer["to"] == WRITER
        assert str(answer["text"]).startswith("On my way\n")
        assert answer["subject"] == "Re: Boiler"
        assert headers["In-Reply-To"] == "<one@acme.example>"
        assert headers["References"].split() == ["<zero@acme.example>", "<one@acme.example>"]
        back = headers["From"].split("<")[-1].rstrip(">")
        await bridge.mail(back, text="Thank you", subject="Re: Boiler")
        await delivered(bridge, 2)
        assert centre.messages[-1].destination == ANNA[1:]
        assert centre.messages[-1].text == "Thank you"


async def test_a_reply_address_is_no_use_to_others(tmp_path: Path) -> None:
    senders = '{ address = "*@acme.example", proof = "network:127.0.0.0/8" }'
    async with smsc() as centre:
        config = write_config(tmp_path, port=centre.port, senders=senders)
        async with a_bridge(config) as bridge:
            await bridge.mail(TO)
            await delivered(bridge)
            centre.mo(source=ANNA[1:], destination=OURS[1:], text="Hello")
            answer = (await until(lambda: _mails(bridge, 1)))[0]
            back = answer["headers"]["From"].split("<")[-1].rstrip(">")  # type: ignore[index]
            with pytest.raises(aiosmtplib.SMTPResponseException) as no:
                await bridge.mail(back, sender="mallory@other.example")
            assert no.value.code == 550


async def test_a_reply_without_a_conversation_goes_to_the_inbox(tmp_path: Path) -> None:
    async with smsc() as centre:
        config = write_config(tmp_path, port=centre.port, tenant='inbox = "desk@acme.example"')
        async with a_bridge(config) as bridge:
            await until(lambda: _bound(centre))
            centre.mo(source=BERIT[1:], destination=OURS[1:], text="Who is this?")
            mail = (await until(lambda: _mails(bridge, 1)))[0]
            assert mail["to"] == "desk@acme.example"
            assert "Who is this?" in str(mail["text"])


class Relay:
    """A smarthost that knows nobody by the name of our writer."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: object, _session: object, envelope: Envelope, address: str, _options: object
    ) -> str:
        if address == WRITER:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: object, _session: object, envelope: Envelope
    ) -> str:
        self.mails.append((envelope.rcpt_tos, envelope.original_content or b""))
        return "250 OK"


async def test_an_answer_that_its_writers_mailbox_refuses_goes_to_the_inbox(
    tmp_path: Path,
) -> None:
    loop, relay = asyncio.get_running_loop(), Relay()
    server = await loop.create_server(lambda: SMTP(relay, hostname="mx.test"), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    more = f'[mail]\nsmarthost = "smtp://127.0.0.1:{port}"'
    async with server, smsc() as centre:
        tenant = 'inbox = "desk@acme.example"'
        config = write_config(tmp_path, port=centre.port, tenant=tenant, more=more)
        async with a_bridge(config) as bridge:
            await bridge.mail(TO)
            await delivered(bridge)
            centre.mo(source=ANNA[1:], destination=OURS[1:], text="On my way")
            await until(lambda: _any(relay.mails))
            ((recipients, content),) = relay.mails
            assert recipients == ["desk@acme.example"]
            assert b"On my way" in content


async def test_a_smarthost_that_says_nothing_is_told_of_and_gets_the_mail_once_it_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer, "FIRST_RETRY", 0.01)
    loop, relay = asyncio.get_running_loop(), Relay()
    silent = socket.create_server(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    more = f'[mail]\nsmarthost = "smtp://127.0.0.1:{port}"\ntimeout = "1s"'
    async with smsc() as centre:
        config = write_config(
            tmp_path, port=centre.port, tenant='inbox = "desk@acme.example"', more=more
        )
        async with a_bridge(config):
            await until(lambda: _bound(centre))
            with capture_logs() as logs:

                async def said(event: str) -> list[Any]:
                    return [each for each in logs if each["event"] == event]

                centre.mo(source=BERIT[1:], destination=OURS[1:], text="Who is this?")
                (waits,) = await until(lambda: said("notices wait"))
                assert waits["edge"] == "mail"
                assert waits["why"].endswith("did not answer in time")
                silent.close()
                server = await loop.create_server(
                    lambda: SMTP(relay, hostname="mx.test"), "127.0.0.1", port
                )
                async with server:
                    await until(lambda: said("notices leave again"))
                assert [recipients for recipients, _ in relay.mails] == [["desk@acme.example"]]
                assert len(await said("notices wait")) == 1


async def _any(found: Sequence[object]) -> bool:
    return bool(found)


async def _bound(centre: Smsc) -> bool:
    return bool(centre.binds)


async def test_an_mo_delivered_again_is_one_answer(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        await bridge.mail(TO)
        await delivered(bridge)
        for _ in range(3):
            centre.mo(source=ANNA[1:], destination=OURS[1:], text="Yes")
        centre.mo(source=ANNA[1:], destination=OURS[1:], text="Really")
        await until(lambda: _mails(bridge, 2))
        assert len(await bridge.mails()) == 2


@pytest.mark.parametrize("how", ["udh", "sar", "payload"])
async def test_a_long_answer_is_joined(tmp_path: Path, how: str) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        await bridge.mail(TO)
        await delivered(bridge)
        words = "Jsem na cestě, čekejte prosím 😀 " * 8
        centre.mo(source=ANNA[1:], destination=OURS[1:], text=words, how=how)
        answer = (await until(lambda: _mails(bridge, 1)))[0]
        assert str(answer["text"]).startswith(words.strip())


async def test_stop_suppresses_cancels_confirms_once_and_start_lifts(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        await bridge.mail(TO)
        await delivered(bridge)
        later = datetime.now(UTC) + timedelta(days=2)
        await bridge.mail(f"{ANNA[1:]}.at-{later:%Y%m%d%H%M}@sms.example")
        centre.mo(source=ANNA[1:], destination=OURS[1:], text="Stop.")
        await delivered(bridge, 2)
        assert "no more messages" in centre.messages[-1].text
        assert (await bridge.states()).count("suppressed") == 1
        assert "nothing more is sent to them. 1 waiting message was cancelled.\n" in await until(
            lambda: _answer_below(bridge, "Stop.")
        )
        with pytest.raises(aiosmtplib.SMTPResponseException) as no:
            await bridge.mail(TO)
        assert no.value.code == 550
        assert "opted out" in no.value.message
        centre.mo(source=ANNA[1:], destination=OURS[1:], text="STOP")
        centre.mo(source=ANNA[1:], destination=OURS[1:], text="start")
        await delivered(bridge, 3)
        assert "may be written to again. Answer this mail" in await until(
            lambda: _answer_below(bridge, "start")
        )
        await bridge.mail(TO)
        await delivered(bridge, 4)
        assert sum("no more messages" in m.text for m in centre.messages) == 1


async def test_help_is_answered(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        await bridge.mail(TO)
        await delivered(bridge)
        centre.mo(source=ANNA[1:], destination=OURS[1:], text="HELP")
        await delivered(bridge, 2)
        assert "STOP" in centre.messages[-1].text


async def test_what_follows_an_automatic_answer_still_finds_its_thread(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        await bridge.mail(TO, Message_ID="<one@acme.example>")
        await delivered(bridge)
        centre.mo(source=ANNA[1:], destination=OURS[1:], text="HELP")
        await delivered(bridge, 2)
        centre.mo(source=ANNA[1:], destination=OURS[1:], text="On my way")
        answer = (await until(lambda: _mails(bridge, 2)))[-1]
        assert str(answer["text"]).startswith("On my way\n")
        assert answer["headers"]["In-Reply-To"] == "<one@acme.example>"  # type: ignore[index]


async def test_a_failure_is_reported_in_plain_words(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        centre.behave.dlr = "UNDELIV"
        await bridge.mail(TO, Message_ID="<one@acme.example>")
        mail = (await until(lambda: _mails(bridge, 1)))[0]
        headers = mail["headers"]
        assert isinstance(headers, dict)
        assert headers["Content-Type"].startswith("multipart/report")
        assert headers["Auto-Submitted"] == "auto-replied"
        assert "was not delivered" in str(mail["text"])
        assert await bridge.states() == ["failed"]


async def test_a_refusing_carrier_hands_over_to_the_next(tmp_path: Path) -> None:
    async with smsc() as first, smsc() as second:
        first.behave.status = 0x0000000D  # ESME_RBINDFAIL: this account will never send
        config = write_config(
            tmp_path,
            port=first.port,
            route='["smsc", "spare"]',
            carrier=f"""
{SPARE.format(port=second.port)}""",
        )
        async with a_bridge(config) as bridge:
            await bridge.mail(TO)
            await delivered(bridge)
        assert len(second.messages) == 1


async def test_a_dead_carrier_is_left_for_the_next(tmp_path: Path) -> None:
    async with smsc() as first, smsc() as second:
        first.behave.bind_status = 0x0E
        config = write_config(
            tmp_path,
            port=first.port,
            route='["smsc", "spare"]',
            carrier=f"""
failover = "1s"
{SPARE.format(port=second.port)}""",
        )
        async with a_bridge(config) as bridge:
            await bridge.mail(TO)
            await delivered(bridge)
        assert len(second.messages) == 1


async def test_throttling_pauses_and_loses_nothing(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        centre.behave.statuses.extend([0x58, 0x58])
        await asyncio.gather(*(bridge.mail(f"+4206011234{n:02d}@sms.example") for n in range(10)))
        await delivered(bridge, 10)
        assert len({m.destination for m in centre.messages}) == len(centre.messages) == 10


async def test_what_is_in_doubt_is_sent_again_and_marked(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        centre.behave.drop_after = 1
        await bridge.mail(TO)
        await until(lambda: _submits(centre, 1))
        centre.behave.drop_after = 0
        await delivered(bridge)
        from sqlalchemy import select

        from bridge.store.sql import Statement
        from bridge.store.tables import message

        assert (await bridge.rows(Statement(select(message.c.resent))))[0][0] == 1


async def _submits(centre: Smsc, count: int) -> bool:
    return len(centre.submits) >= count


async def test_marketing_in_doubt_waits_for_a_person(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        centre.behave.drop_after = 1
        shift(bridge.bridge, "2026-11-23T12:00")
        await agree(bridge.bridge, ANNA)
        await bridge.mail(f"{ANNA}.marketing@sms.example", text=OFFER)
        await until(lambda: _all(bridge, "unknown", 1))


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Auto_Submitted", "auto-replied"),
        ("List_Id", "<news.acme.example>"),
        ("X_SMS_Bridge", "answer"),
    ],
)
async def test_automatic_mail_never_becomes_an_sms(tmp_path: Path, header: str, value: str) -> None:
    async with a_bridge(write_config(tmp_path)) as bridge:
        with pytest.raises(aiosmtplib.SMTPDataError) as no:
            await bridge.mail(TO, **{header: value})
        assert no.value.code == 550
        assert await bridge.states() == []


async def test_a_bounce_is_refused_at_rcpt(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path)) as bridge:
        with pytest.raises(aiosmtplib.SMTPResponseException) as no:
            await bridge.raw([TO], b"Subject: x\r\n\r\nx\r\n", sender="")
        assert no.value.code == 550


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("12@sms.example", ""),
        (f"{ANNA}@other.example", "not taken here"),
        ("oncall@sms.example", "no contact or group"),
        (f"{ANNA}.soon@sms.example", "option"),
        ("+4740612345@sms.example", "does not send to NO"),
    ],
)
async def test_a_wrong_recipient_is_refused_at_rcpt_in_a_sentence(
    tmp_path: Path, to: str, words: str
) -> None:
    async with a_bridge(write_config(tmp_path, tenant='countries = ["CZ"]')) as bridge:
        with pytest.raises(aiosmtplib.SMTPResponseException) as no:
            await bridge.mail(to)
        assert no.value.code == 550
        assert words in no.value.message


async def test_too_long_a_text_is_refused_with_counts(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path, tenant="max_parts = 2")) as bridge:
        with pytest.raises(aiosmtplib.SMTPDataError) as no:
            await bridge.mail(TO, text="word " * 100)
        assert "4 SMS parts" in no.value.message
        assert "allows 2" in no.value.message


async def test_a_tenant_may_have_long_texts_cut_visibly(tmp_path: Path) -> None:
    async with smsc() as centre:
        config = write_config(
            tmp_path, port=centre.port, tenant='max_parts = 1\nover_limit = "cut"'
        )
        async with a_bridge(config) as bridge:
            await bridge.mail(TO, text="word " * 100)
            await delivered(bridge)
        assert centre.messages[0].text.endswith("...")
        assert len(centre.messages[0].text) <= 160


async def test_explain_sends_nothing_and_answers_by_mail(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        await bridge.mail(f"explain.{ANNA}@sms.example", text="Čerpadlo 3\n\n-- \nEva")
        mail = (await until(lambda: _mails(bridge, 1)))[0]
        assert mail["to"] == WRITER
        assert "Čerpadlo 3" in str(mail["text"])
        assert "signature" in str(mail["text"])
        assert not centre.submits


async def test_a_mail_that_no_database_can_hold_harms_nobody(tmp_path: Path) -> None:
    """UTF-7 can spell half a surrogate pair, and a phone may send NUL."""
    odd = (
        b"From: eva@acme.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-7\r\n\r\nab +2AA- cd\r\n"
    )
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        await asyncio.gather(
            bridge.raw([TO], odd),
            *(bridge.mail(f"+4206011234{n:02d}@sms.example") for n in range(9)),
        )
        await delivered(bridge, 10)
        centre.mo(source=ANNA[1:], destination=OURS[1:], text="See\0 you", coding=8)
        answer = (await until(lambda: _mails(bridge, 1)))[0]
        assert "\0" not in str(answer["text"])


async def test_stop_start_stop_ends_in_stop(tmp_path: Path) -> None:
    async with smsc() as centre, a_bridge(write_config(tmp_path, port=centre.port)) as bridge:
        await bridge.mail(TO)
        await delivered(bridge)
        for count, word in enumerate(("STOP", "START", "STOP"), 2):
            centre.mo(source=ANNA[1:], destination=OURS[1:], text=word)
            await delivered(bridge, count)

        async def refused() -> str:
            """Before RCPT knows of the STOP a mail is taken, and suppressed."""
            try:
                await bridge.mail(TO)
            except aiosmtplib.SMTPResponseException as no:
                return no.message
            return ""

        assert "opted out" in await until(refused)
        assert set((await bridge.states())[4:]) <= {"suppressed"}


async def test_a_short_blip_does_not_hand_over(tmp_path: Path) -> None:
    async with smsc() as first, smsc() as second:
        config = write_config(
            tmp_path,
            port=first.port,
            route='["smsc", "spare"]',
            carrier=f"""
failover = "20s"
{SPARE.format(port=second.port)}""",
        )
        async with a_bridge(config) as bridge:
            await bridge.mail(TO)
            await delivered(bridge)
            for session in list(first.sessions):
                session.transport.abort()
            await bridge.mail(TO)
            await delivered(bridge, 2)
        assert len(first.messages) == 2
        assert not second.messages


async def test_two_long_texts_at_once_have_references_of_their_own(tmp_path: Path) -> None:
    async with smsc() as centre:
        config = write_config(tmp_path, port=centre.port, window=100)
        async with a_bridge(config) as bridge:
            words = [f"{n} " * 100 for n in range(12)]
            await asyncio.gather(*(bridge.mail(TO, text=text) for text in words))
            await delivered(bridge, 12)
        assert sorted(m.text for m in centre.messages) == sorted(t.strip() for t in words)
        assert len({s.ref for s in centre.submits}) > 6
