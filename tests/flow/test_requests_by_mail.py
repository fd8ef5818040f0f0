"""Mails to `privacy@…`: requests go into the register, answers come back in the writer's thread."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from sqlalchemy import select

from bridge.dispatch.identity import send_code
from bridge.dispatch.requests import By
from bridge.store.request_rows import Request, request_of
from bridge.store.request_tables import dsr
from bridge.store.sql import Statement
from bridge.store.tables import message, suppression
from tests.bridges import ANNA, Running, a_bridge, until, write_config

BOX = "privacy@sms.example"
EVA = "eva@person.example"
TENANT = 'inbox = ["boss@acme.example"]'


async def requests(running: Running) -> list[Request]:
    found = await running.rows(Statement(select(*dsr.columns).order_by(dsr.c.id)))
    return [request_of(row) for row in found]


async def asks(running: Running, text: str, sender: str = EVA, **more: str) -> str:
    return await running.mail(BOX, text=text, sender=sender, subject="My data", **more)


async def answer(running: Running, to: str = EVA) -> dict[str, Any]:
    """The newest mail to somebody, once there is one."""

    async def look() -> Any:
        return [mail for mail in await running.mails() if mail["to"] == to]

    return (await until(look))[-1]  # type: ignore[no-any-return]


async def test_p15_a_mail_opens_a_request_and_says_who_decides(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path, tenant=TENANT)) as running:
        await running.mail(f"{ANNA}@sms.example", sender=EVA)
        said = await asks(
            running, "Please send me a copy of my personal data.", Message_ID="<1@person.example>"
        )
        assert said.startswith("250")
        (request,) = await requests(running)
        assert (request.type, request.state, request.identity) == ("access", "received", EVA)
        assert request.told_at is not None
        mail = await answer(running)
        assert "acme" in mail["text"]
        assert mail["headers"]["In-Reply-To"] == "<1@person.example>"
        assert mail["headers"]["Auto-Submitted"] == "auto-replied"
        assert "privacy@sms.example" in mail["headers"]["From"]
        assert "access" in (await answer(running, "boss@acme.example"))["text"]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("Dobrý den, žádám o výmaz všech svých údajů. Děkuji.", "erase", "Zaevidovali jsme"),
        ("Hei, jeg ber om innsyn i opplysningene om meg.", "access", "Vi har registrert"),
        ("I object to your advertisements. Regards", "object", "We have registered"),
    ],
)
async def test_p33_the_answer_is_in_the_writers_language_with_remedy_and_authority(
    tmp_path: Path, text: str, kind: str, words: str
) -> None:
    async with a_bridge(write_config(tmp_path, tenant=TENANT)) as running:
        await asks(running, text)
        (request,) = await requests(running)
        assert request.type == kind
        mail = await answer(running)
        assert words in mail["text"]
        assert "Úřad pro ochranu osobních údajů" in mail["text"]
        assert "/privacy" not in mail["text"]  # the portal takes numbers alone


async def test_a_letter_that_no_words_settle_is_left_to_a_person(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path, tenant=TENANT)) as running:
        await asks(running, "Hello, I have a question about you.")
        (request,) = await requests(running)
        assert request.undetermined
        assert "A person reads it" in (await answer(running))["text"]
        assert request.known_details["words"].endswith("question about you.")


async def test_p28_an_objection_for_a_number_stops_marketing_and_proves_nothing(
    tmp_path: Path,
) -> None:
    async with a_bridge(write_config(tmp_path, tenant=TENANT), works=False) as running:
        await running.mail(f"{ANNA}@sms.example")
        await asks(running, "Námitka: na číslo 601 123 456 mi neposílejte reklamu.")
        (request,) = await requests(running)
        assert (request.identity_kind, request.identity) == ("number", ANNA)
        assert (request.state, request.identity_level) == ("received", "")
        found = await running.rows(Statement(select(suppression.c.purpose)))
        assert [row[0] for row in found] == ["marketing"]
        assert await running.states() == ["queued"]


async def test_p74_the_answer_about_a_number_is_the_same_whether_it_is_known_or_not(
    tmp_path: Path,
) -> None:
    # Its authority would tell whose number it is as well as its name.
    tenant = f'{TENANT}\nauthority = "NO"'
    async with a_bridge(write_config(tmp_path, tenant=tenant)) as running:
        await running.mail(f"{ANNA}@sms.example")
        told = []
        for number, sender in ((ANNA, "a@person.example"), ("+420601123499", "b@person.example")):
            await asks(running, f"Please send me a copy of my data: {number}", sender=sender)
            mail = await answer(running, sender)
            reference = mail["subject"].split()[-1]
            told.append(mail["text"].replace(reference, "…"))
        assert told[0] == told[1]
        assert "acme" not in told[0]


async def test_automatic_mail_and_bounces_open_nothing(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path, tenant=TENANT)) as running:
        with pytest.raises(aiosmtplib.SMTPResponseException) as no:
            await asks(running, "I am away; delete me", Auto_Submitted="auto-replied")
        assert no.value.code == 550
        with pytest.raises(aiosmtplib.SMTPResponseException):
            await asks(running, "Undeliverable", sender="")
        with pytest.raises(aiosmtplib.SMTPResponseException):
            await asks(running, "erase me", X_SMS_Bridge="request")
        assert await requests(running) == []


async def test_the_same_letter_again_is_a_duplicate_and_answered_once(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path, tenant=TENANT)) as running:
        for number in range(3):
            await asks(running, "Please erase my data", Message_ID=f"<{number}@person.example>")
        states = [request.state for request in await requests(running)]
        assert states == ["received", "duplicate", "duplicate"]
        await answer(running)
        assert len([m for m in await running.mails() if m["to"] == EVA]) == 1


async def test_a_letter_to_the_box_and_an_sms_have_replies_of_their_own(tmp_path: Path) -> None:
    senders = '{ address = "*@person.example", proof = "network:127.0.0.0/8" }'
    async with a_bridge(write_config(tmp_path, tenant=TENANT, senders=senders)) as running:
        said = await running.mail(
            BOX, f"{ANNA}@sms.example", text="Please erase my data", sender=EVA
        )
        assert said.startswith("250")
        assert len(await requests(running)) == 1
        assert len(await running.rows(Statement(select(message.c.id)))) == 1


async def test_whoever_may_not_send_sms_may_write_to_the_box(tmp_path: Path) -> None:
    senders = '{ address = "boss@acme.example", proof = "auth" }'
    async with a_bridge(write_config(tmp_path, tenant=TENANT, senders=senders)) as running:
        assert (await asks(running, "Please erase my data")).startswith("250")


async def test_the_box_has_the_name_that_the_configuration_gives_it(tmp_path: Path) -> None:
    more = '[privacy]\naddress = "gdpr"'
    async with a_bridge(write_config(tmp_path, tenant=TENANT, more=more)) as running:
        said = await running.mail("GDPR@sms.example", text="Please erase my data", sender=EVA)
        assert said.startswith("250")
        assert len(await requests(running)) == 1


async def test_a_flood_of_letters_is_slowed_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bridge.smtp import mailboxes

    monkeypatch.setattr(mailboxes, "AN_HOUR", 2)
    async with a_bridge(write_config(tmp_path, tenant=TENANT), works=False) as running:
        for _ in range(2):
            await asks(running, "Please erase my data")
        with pytest.raises(aiosmtplib.SMTPResponseException) as no:
            await asks(running, "Please erase my data")
        assert no.value.code == 451


async def test_a_letter_that_is_not_taken_now_is_not_lost_beside_an_sms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bridge.smtp import mailboxes

    config = write_config(tmp_path, tenant=TENANT)
    async with a_bridge(config, works=False) as running:
        both, once = (f"{ANNA}@sms.example", BOX), {"Message_ID": "<1@client.example>"}
        monkeypatch.setattr(mailboxes, "AN_HOUR", 0)
        with pytest.raises(aiosmtplib.SMTPResponseException) as no:
            await running.mail(*both, text="Please erase my data", **once)
        assert no.value.code == 451
        monkeypatch.setattr(mailboxes, "AN_HOUR", 2)
        assert "accepted before" in await running.mail(*both, text="Please erase my data", **once)
        assert len(await requests(running)) == 1
        assert len(await running.rows(Statement(select(message.c.id)))) == 1


async def test_p23_an_address_is_proved_by_answering_with_its_code(tmp_path: Path) -> None:
    """The portal takes numbers alone: the letter says to answer it, and the answer counts."""
    async with a_bridge(write_config(tmp_path, tenant=TENANT)) as running:
        await running.mail(f"{ANNA}@sms.example", sender=EVA)
        await asks(running, "Please send me a copy of my personal data.")
        (request,) = await requests(running)
        await send_code(running.bridge, request.id, By("operator", "cli"))

        async def told() -> Any:
            return [m for m in await running.mails() if m["to"] == EVA and "Your code" in m["text"]]

        (mail,) = await until(told)
        found = re.search(r"\d{6}", mail["text"])
        assert found
        with pytest.raises(aiosmtplib.SMTPResponseException):
            await asks(running, f"{(int(found[0]) + 1) % 10**6:06}")
        await asks(running, f"My code is {found[0]}, thank you")
        (request,) = await requests(running)
        assert (request.state, request.identity_level) == ("forwarded", "address")


@pytest.mark.parametrize("written", ["406 12 345", "40 61 23 45", "40612345"])
async def test_a_norwegian_letter_means_a_norwegian_number(tmp_path: Path, written: str) -> None:
    async with a_bridge(write_config(tmp_path, tenant=TENANT)) as running:
        await asks(running, f"Hei, jeg vil ha innsyn i opplysningene om nummeret mitt {written}.")
        (request,) = await requests(running)
        assert (request.identity_kind, request.identity) == ("number", "+4740612345")
