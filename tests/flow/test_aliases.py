"""Mail to the names of contacts and groups, through a real listener and into the phones."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from sqlalchemy import select

from bridge import phone
from bridge.dispatch.contacts import Imported, import_csv, save_contact, save_members
from bridge.dispatch.tenants import Tenant
from bridge.smtp import proof
from bridge.smtp.aliases import as_one
from bridge.smtp.door import Reply
from bridge.store.contacts import remove_contacts
from bridge.store.sql import Statement
from bridge.store.suppressions import Suppress, suppress_all
from bridge.store.tables import message, subject
from tests.bridges import ANNA, BERIT, WRITER, Running, a_bridge, until, write_config
from tests.smtp_peer import Client

BERTA = "+420602123456"
CLARA = "+420603123456"
FILE = f"name,number,groups\nanna,{ANNA},oncall\nberta,{BERTA},oncall|night\nclara,{CLARA},\n"
PEOPLE = Statement(
    select(subject.c.phone, message.c.state, message.c.urgent, message.c.originator)
    .join(subject, subject.c.id == message.c.subject_id)
    .order_by(message.c.id)
)
TWO_TENANTS = """
[[tenants]]
name = "sister"
countries = ["CZ", "NO"]
region = "CZ"
senders = [ { address = "*@sister.example", proof = "network:127.0.0.0/8" } ]
"""


def acme(running: Running, name: str = "acme") -> Tenant:
    found = running.bridge.register.named(name)
    assert found is not None
    return found


async def with_names(running: Running, file: str = FILE) -> None:
    done = await import_csv(running.bridge, acme(running), file.encode())
    assert done.problems == ()


async def refusal(running: Running, *to: str, **mail: str) -> str:
    with pytest.raises(aiosmtplib.SMTPResponseException) as no:
        await running.mail(*to, **mail)
    assert no.value.code == 550
    return no.value.message


async def numbers(running: Running) -> list[str]:
    return sorted(row[0] for row in await running.rows(PEOPLE))


async def suppress(running: Running, number: str) -> None:
    tenant = acme(running)
    token = running.bridge.keys.person(tenant.id, number)
    item = Suppress(tenant.id, token, "tenant", "operator", 1.0)
    await running.bridge.store.write(suppress_all, item)


class Lmtp:
    """An LMTP client."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def mail(self, *to: str, text: str = "Boiler 3 is cold") -> list[str]:
        """The replies to RCPT that are no, else those after the final dot."""
        await self.client.say("LHLO client.test")
        await self.client.say(f"MAIL FROM:<{WRITER}>")
        no = [
            reply
            for name in to
            if (reply := await self.client.say(f"RCPT TO:<{name}@sms.example>"))[:3] != "250"
        ]
        if len(no) == len(to):
            return no
        await self.client.say("DATA")
        content = f"Subject: x\r\n\r\n{text}\r\n.\r\n".encode()
        return (await self.client.say(content, replies=len(to) - len(no))).split("\n")


async def lmtp_to(path: Path) -> Lmtp:
    client = Client(*await asyncio.open_unix_connection(str(path)))
    await client.reply()
    return Lmtp(client)


def with_lmtp(config: Path, path: Path) -> Path:
    config.write_text(config.read_text().replace("[http]", f'lmtp = "unix:{path}"\n[http]', 1))
    return config


# One person


async def test_a_mail_to_a_contact_reaches_the_phone(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path)) as running:
        await with_names(running)
        assert "accepted as" in await running.mail("Anna@sms.example")

        async def delivered() -> bool:
            return await running.states() == ["delivered"]

        await until(delivered)
        assert await numbers(running) == [ANNA]


async def test_options_follow_a_name_as_they_follow_a_number(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path), works=False) as running:
        await with_names(running)
        await running.mail("anna.urgent.from-ACME@sms.example")
        tomorrow = datetime.now() + timedelta(days=1)  # noqa: DTZ005 - the recipients' own clock
        await running.mail(f"oncall.at-{tomorrow:%Y%m%d%H%M}@sms.example")
        rows = [tuple(row[1:]) for row in await running.rows(PEOPLE)]
        assert rows[0] == ("queued", True, "ACME")
        assert [row[0] for row in rows[1:]] == ["scheduled", "scheduled"]
        assert "did you mean .urgent" in await refusal(running, f"{ANNA}.urgnet@sms.example")


async def test_a_name_with_a_dot_and_beyond_ascii(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path), works=False) as running:
        await with_names(running, f"name,number\njan.novák,{ANNA}\n")
        async with aiosmtplib.SMTP(hostname=running.host, port=running.port) as client:
            await client.ehlo()
            await client.mail(WRITER, options=["SMTPUTF8"], encoding="utf-8")
            await client.rcpt("Jan.NOVÁK.urgent@sms.example", encoding="utf-8")
            answer = await client.data(b"Subject: x\r\n\r\nCome\r\n")
        assert answer.code == 250
        assert [tuple(row[:3]) for row in await running.rows(PEOPLE)] == [(ANNA, "queued", True)]


async def test_who_is_unknown_is_refused_at_rcpt(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path), works=False) as running:
        await with_names(running)
        for name in ("bertha", "team+x", "x" * 50):
            said = await refusal(running, f"{name}@sms.example")
            assert said.startswith("5.1.1 there is no contact or group of this name; ")
            assert name not in said
        await running.bridge.store.write(remove_contacts, (acme(running).id, "anna"))
        assert "5.1.1" in await refusal(running, "anna@sms.example")
        # The others of the same mail are taken.
        async with aiosmtplib.SMTP(hostname=running.host, port=running.port) as client:
            await client.mail(WRITER)
            with pytest.raises(aiosmtplib.SMTPRecipientRefused):
                await client.rcpt("bertha@sms.example")
            await client.rcpt("berta@sms.example")
            await client.data(b"Subject: x\r\n\r\nCome\r\n")
        assert await numbers(running) == [BERTA]


async def test_a_name_is_only_for_its_tenants_senders(tmp_path: Path) -> None:
    senders = '{ address = "*@acme.example", proof = "network:127.0.0.0/8" }'
    config = write_config(tmp_path, senders=senders, carriers=TWO_TENANTS)
    async with a_bridge(config, works=False) as running:
        await with_names(running)
        assert "5.1.1" in await refusal(running, "anna@sms.example", sender="jan@sister.example")
        berit = phone.parse(BERIT)
        await save_contact(running.bridge, acme(running, "sister"), "anna", berit)
        await running.mail("anna@sms.example", sender="jan@sister.example")
        await running.mail("anna@sms.example")
        assert await numbers(running) == sorted([ANNA, BERIT])
        # Whose sender is not listed is told so, whether the name is there or not.
        for name in ("anna", "nobody"):
            said = await refusal(running, f"{name}@sms.example", sender="eve@other.example")
            assert "5.7.1" in said


async def test_a_contact_who_has_opted_out_is_refused_at_rcpt(tmp_path: Path) -> None:
    config = write_config(tmp_path, tenant='countries = ["CZ"]')
    async with a_bridge(config, works=False) as running:
        await with_names(running, f"{FILE}berit,{BERIT},\n")
        await suppress(running, ANNA)
        await running.bridge.refresh()
        assert "opted out" in await refusal(running, "anna@sms.example")
        assert "does not send to NO" in await refusal(running, "berit@sms.example")


# Groups


async def test_a_group_is_an_sms_a_member(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path)) as running:
        await with_names(running)
        said = await running.mail("oncall.urgent@sms.example", Message_ID="<1@acme.example>")
        assert said.startswith("250 2.0.0 accepted as ")
        assert said.endswith(", and for 1 more")
        assert await numbers(running) == [ANNA, BERTA]

        async def delivered() -> bool:
            return await running.states() == ["delivered", "delivered"]

        await until(delivered)


async def test_the_same_mail_again_is_one_sms_a_person(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path), works=False) as running:
        await with_names(running)
        first = await running.mail("night@sms.example", Message_ID="<1@acme.example>")
        again = await running.mail(
            "oncall@sms.example", "anna@sms.example", Message_ID="<1@acme.example>"
        )
        assert await numbers(running) == [ANNA, BERTA]
        await running.mail("oncall@sms.example", Message_ID="<1@acme.example>")
        assert await numbers(running) == [ANNA, BERTA]
        assert "accepted as" in first
        assert "accepted" in again


async def test_a_person_named_several_times_in_a_mail_gets_one_sms(tmp_path: Path) -> None:
    """Without a Message-ID too, and by whatever name."""
    async with a_bridge(write_config(tmp_path), works=False) as running:
        await with_names(running)
        to = [f"{name}@sms.example" for name in ("oncall", ANNA, "berta", "night", "ONCALL")]
        await running.raw(to, b"Subject: x\r\n\r\nCome\r\n")
        assert await numbers(running) == [ANNA, BERTA]


async def test_a_large_group_is_taken_whole(tmp_path: Path) -> None:
    count = 1_100
    lines = [f"n{i},+420{601_000_000 + i},all" for i in range(count)]
    async with a_bridge(write_config(tmp_path), works=False) as running:
        await with_names(running, "\n".join(["name,number,groups", *lines]))
        said = await running.mail("all@sms.example")
        assert said.endswith(f", and for {count - 1} more")
        assert len(set(await numbers(running))) == count


async def test_an_empty_group_is_refused_in_a_sentence(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path), works=False) as running:
        await with_names(running)
        await running.bridge.store.write(remove_contacts, (acme(running).id, "berta"))
        said = await refusal(running, "night@sms.example")
        assert said.startswith("5.1.1 there is nobody in this group; ")


@pytest.mark.parametrize("is_heard_of", [True, False])
async def test_who_has_opted_out_does_not_keep_the_sms_from_others(
    tmp_path: Path, is_heard_of: bool
) -> None:
    async with a_bridge(write_config(tmp_path), works=False) as running:
        await with_names(running)
        await suppress(running, ANNA)
        if is_heard_of:
            await running.bridge.refresh()
        await running.mail("oncall@sms.example")
        found = {row[0]: row[1] for row in await running.rows(PEOPLE)}
        assert found == {ANNA: "suppressed", BERTA: "queued"}
        await suppress(running, BERTA)
        await running.bridge.refresh()
        said = await refusal(running, "oncall@sms.example")
        assert "nobody in this group can be written to: this person has opted out" in said


async def test_a_member_abroad_does_not_keep_the_sms_from_others(tmp_path: Path) -> None:
    config = write_config(tmp_path, tenant='countries = ["CZ"]')
    async with a_bridge(config, works=False) as running:
        await with_names(running, f"name,number,groups\nberit,{BERIT},ops\nanna,{ANNA},ops\n")
        said = await running.mail("ops@sms.example")
        assert said.startswith("250 2.0.0 accepted as ")
        assert "; not for 1: acme does not send to NO" in said
        assert await numbers(running) == [ANNA]


async def test_a_group_has_members_by_number_too(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path), works=False) as running:
        await with_names(running)
        members = [phone.parse(number) for number in (ANNA, CLARA)]
        await save_members(running.bridge, acme(running), "Oncall", ["Clara"], members)
        await running.mail("oncall@sms.example")
        assert await numbers(running) == [ANNA, BERTA, CLARA]


async def test_what_nobody_can_get_is_refused_for_the_group(tmp_path: Path) -> None:
    config = write_config(tmp_path, tenant="max_parts = 1")
    async with a_bridge(config, works=False) as running:
        await with_names(running)
        assert "parts" in await refusal(running, "oncall@sms.example", text="long " * 100)
        assert await running.states() == []


# Over LMTP


async def test_over_lmtp_each_address_has_one_reply(tmp_path: Path) -> None:
    path = tmp_path / "lmtp"
    async with a_bridge(with_lmtp(write_config(tmp_path), path), works=False) as running:
        await with_names(running)
        client = await lmtp_to(path)
        replies = await client.mail("clara", "oncall", "bertha", "night", CLARA)
        assert [reply[:9] for reply in replies] == ["250 2.0.0"] * 4
        assert replies[1].endswith(", and for 1 more")
        assert replies[0] == replies[3]  # clara, by name and by number
        assert await numbers(running) == [ANNA, BERTA, CLARA]
        (no,) = await client.mail("bertha")
        assert no.startswith("550 5.1.1 there is no contact or group of this name")
        await client.client.close()


async def test_over_lmtp_one_address_may_fail_alone(tmp_path: Path) -> None:
    path = tmp_path / "lmtp"
    config = with_lmtp(write_config(tmp_path, tenant='countries = ["CZ"]'), path)
    async with a_bridge(config, works=False) as running:
        await with_names(running)
        client = await lmtp_to(path)
        replies = await client.mail("oncall", "anna.from-ACME.at-209911232000")
        assert [reply[:3] for reply in replies] == ["250", "550"]
        assert "days ahead" in replies[1]
        await client.client.close()


# Explained


async def explained(running: Running, count: int) -> list[dict[str, Any]]:
    async def all_there() -> list[dict[str, Any]] | None:
        found = await running.mails()
        return found if len(found) >= count else None

    found: list[dict[str, Any]] = await until(all_there)
    assert len(found) == count
    return found


@pytest.mark.parametrize(
    ("to", "shown"), [("explain.anna", "To: anna\n"), ("explain.oncall", "To: oncall (2 people)\n")]
)
async def test_a_name_is_explained_by_name(tmp_path: Path, to: str, shown: str) -> None:
    async with a_bridge(write_config(tmp_path)) as running:
        await with_names(running)
        await running.mail(f"{to}@sms.example", text="Čerpadlo 3\n\n-- \nEva")
        (mail,) = await explained(running, 1)
        assert shown in mail["text"]
        assert "Čerpadlo 3" in mail["text"] or "Cerpadlo 3" in mail["text"]
        assert ANNA not in mail["text"]
        assert await running.states() == []


async def test_a_group_is_explained_by_what_would_become_of_its_people(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path, tenant='countries = ["CZ"]')) as running:
        await with_names(running, f"{FILE}berit,{BERIT},oncall\n")
        await running.mail("explain.oncall@sms.example", "explain.anna@sms.example")
        texts = sorted(mail["text"] for mail in await explained(running, 3))
        assert ["To: oncall (1 of 3 people)" in text for text in texts].count(True) == 1
        assert ["To: oncall (2 of 3 people)" in text for text in texts].count(True) == 1
        (refused,) = [text for text in texts if "would be refused" in text]
        assert "does not send to NO" in refused


# Proved by the content


@pytest.fixture
def silent_dns() -> Iterator[str]:
    """A DNS server that never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{silent.getsockname()[1]}"


async def test_a_proof_is_asked_for_once_for_all_of_a_group(
    tmp_path: Path, silent_dns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    prove = proof.Prover.prove

    async def counted(self: proof.Prover, *arguments: Any) -> proof.Proof:
        asked.append(1)
        return await prove(self, *arguments)

    monkeypatch.setattr(proof.Prover, "prove", counted)
    config = write_config(tmp_path, senders='{ address = "*@partner.example", proof = "dmarc" }')
    text = config.read_text().replace("[http]", f'nameservers = ["{silent_dns}"]\n[http]', 1)
    config.write_text(text)
    async with a_bridge(config, works=False) as running:
        await with_names(running)
        said = await running.mail("oncall@sms.example", sender="jan@partner.example")
        assert "held as" in said
        assert await running.states() == ["held", "held"]
        assert asked == [1]


async def test_nothing_of_names_and_numbers_is_logged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with a_bridge(write_config(tmp_path)) as running:
        await with_names(running)
        wrong = await import_csv(running.bridge, acme(running), b"name,number\nzdislava,12\n")
        assert isinstance(wrong, Imported)
        assert wrong.problems
        await running.mail("oncall@sms.example")
        await refusal(running, "zdislava@sms.example")
    heard = capsys.readouterr()
    for word in (ANNA, BERTA, "oncall", "zdislava"):
        assert word not in heard.out + heard.err


# One reply for a group

TAKEN, LATER, NO = (
    Reply(250, "2.0.0", "yes"),
    Reply(451, "4.3.0", "later"),
    Reply(550, "5.7.1", "no"),
)


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        ([TAKEN], TAKEN),
        ([TAKEN, TAKEN, TAKEN], Reply(250, "2.0.0", "yes, and for 2 more")),
        ([NO, TAKEN, NO], Reply(250, "2.0.0", "yes; not for 2: no")),
        ([TAKEN, LATER, NO], LATER),
        ([NO, NO], NO),
        ([NO, LATER], LATER),
    ],
)
def test_of_many_replies_one_is_said(replies: list[Reply], said: Reply) -> None:
    assert as_one(replies) == said
