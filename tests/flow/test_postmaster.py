"""Mails to `postmaster`: whoever runs the bridge reads them in their inboxes (RFC 5321 4.5.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from bridge.smtp import mailboxes
from bridge.store.sql import Statement
from bridge.store.tables import message
from tests.bridges import ANNA, Running, a_bridge, until, write_config

BOX = "postmaster@sms.example"
EVA = "eva@person.example"
ROOT = '[privacy]\ninbox = ["root@ops.example"]'
LIMITED = '{ address = "*@acme.example", proof = "network:127.0.0.0/8" }'


async def told(running: Running, count: int = 1) -> list[dict[str, Any]]:
    """What the operator has in their inbox, once it is so many."""

    async def look() -> Any:
        found = [mail for mail in await running.mails() if mail["to"] == "root@ops.example"]
        return found if len(found) >= count else None

    return await until(look)  # type: ignore[no-any-return]


@pytest.mark.parametrize("box", [BOX, "Postmaster@SMS.example", "POSTMASTER"])
async def test_anybody_may_write_to_the_postmaster_with_and_without_a_domain(
    tmp_path: Path, box: str
) -> None:
    async with a_bridge(write_config(tmp_path, more=ROOT, senders=LIMITED)) as running:
        words = "Your server sends us reports.\n\nPlease call us.\n\n-- \nEva"
        said = await running.mail(box, sender=EVA, subject="Reports", text=words)
        assert said.startswith("250 2.0.0")
        (mail,) = await told(running)
        assert mail["headers"]["Subject"] == "To postmaster: Reports"
        assert mail["headers"]["Auto-Submitted"].startswith("auto-")
        assert EVA in mail["text"]
        assert "Please call us." in mail["text"]
        assert not await running.rows(Statement(message.select()))


async def test_a_long_mail_to_the_postmaster_is_told_by_its_beginning(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path, more=ROOT)) as running:
        await running.mail(BOX, sender=EVA, text="first " + "word " * 5000)
        (mail,) = await told(running)
        assert "first word" in mail["text"]
        assert "beginning of 25005 characters" in mail["text"]
        assert len(mail["text"]) < 3000


async def test_a_machines_mail_to_the_postmaster_is_refused_after_its_end(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path, more=ROOT)) as running:
        with pytest.raises(aiosmtplib.SMTPDataError, match="automatic"):
            await running.mail(BOX, sender=EVA, Auto_Submitted="auto-replied")
        # A null sender at RCPT is how others ask whether there is a postmaster.
        with pytest.raises(aiosmtplib.SMTPDataError, match="automatic"):
            await running.mail(BOX, sender="")
        await running.mail(BOX, sender=EVA, subject="By hand")
        (mail,) = await told(running)
        assert "By hand" in mail["headers"]["Subject"]


async def test_without_an_operators_inbox_nobody_is_postmaster(tmp_path: Path) -> None:
    async with a_bridge(write_config(tmp_path)) as running:
        with pytest.raises(aiosmtplib.SMTPRecipientRefused, match=r"\[privacy\] inbox"):
            await running.mail(BOX, sender=EVA)


async def test_a_mail_to_the_postmaster_and_to_a_phone_has_an_answer_for_each(
    tmp_path: Path,
) -> None:
    async with a_bridge(write_config(tmp_path, more=ROOT)) as running:
        said = await running.mail(BOX, f"{ANNA}@sms.example", BOX, text="Both of you")
        assert said.startswith("250")
        assert len(await running.rows(Statement(message.select()))) == 1
        assert len(await told(running)) == 1


async def test_too_many_mails_to_the_postmaster_come_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "AN_HOUR", 1)
    async with a_bridge(write_config(tmp_path, more=ROOT)) as running:
        await running.mail(BOX, sender=EVA)
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await running.mail(BOX, sender=EVA)
        assert refused.value.code == 451
        assert len(await told(running)) == 1
