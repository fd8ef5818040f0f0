"""Who may send: proofs at RCPT and after DATA, and what a person decides on what failed softly."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import aiosmtplib
import pytest
from argon2 import PasswordHasher

from bridge.dispatch.receive import Reception
from bridge.operations import REGISTRY, Office
from bridge.smtp.proof import new_token
from bridge.store.tenants import add_tokens
from tests.bridges import ANNA, Running, a_bridge, until, write_config
from tests.smsc import smsc

TO = f"{ANNA}@sms.example"
PARTNER = '{ address = "*@partner.example", proof = "dmarc" }'


@pytest.fixture
def silent_dns() -> Iterator[str]:
    """A DNS server that never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{silent.getsockname()[1]}"


async def refusal(bridge: Running, *to: str, **mail: str) -> str:
    with pytest.raises(aiosmtplib.SMTPResponseException) as no:
        await bridge.mail(*to, **mail)
    assert no.value.code == 550
    return no.value.message


async def decide(bridge: Running, what: str, id: str) -> dict[str, object]:  # noqa: A002
    office = Office(bridge.bridge, Reception(bridge.bridge, lambda _people: None), "eva")
    return [dict(item) async for item in REGISTRY[what](office, id=id)].pop()


async def test_a_stranger_is_refused_at_rcpt(tmp_path: Path) -> None:
    senders = '{ address = "*@acme.example", proof = "network:127.0.0.0/8" }'
    async with a_bridge(write_config(tmp_path, senders=senders)) as bridge:
        await refusal(bridge, TO, sender="mallory@other.example")
        assert await bridge.states() == []


async def test_a_wrong_network_is_refused(tmp_path: Path) -> None:
    senders = '{ address = "*", proof = "network:192.0.2.0/24" }'
    async with a_bridge(write_config(tmp_path, senders=senders)) as bridge:
        await refusal(bridge, TO)


async def test_a_login_of_the_tenant_proves(tmp_path: Path) -> None:
    senders = '{ address = "boss@acme.example", proof = "auth" }'
    hashed = PasswordHasher(time_cost=1, memory_cost=64).hash("right")
    config = write_config(
        tmp_path,
        senders=senders,
        tenant=f'logins = [ {{ user = "acme", password_hash = "{hashed}" }} ]',
    )
    async with a_bridge(config) as bridge:
        assert "login" in await refusal(bridge, TO, sender="boss@acme.example")
        async with aiosmtplib.SMTP(hostname=bridge.host, port=bridge.port) as client:
            with pytest.raises(aiosmtplib.SMTPAuthenticationError):
                await client.login("acme", "wrong")
        async with aiosmtplib.SMTP(hostname=bridge.host, port=bridge.port) as client:
            await client.login("acme", "right")
            for number in (1, 2):  # the login holds for every mail of the connection
                await client.sendmail(
                    "boss@acme.example", [TO], b"Subject: x\r\n\r\nMail %d\r\n" % number
                )
        assert len(await bridge.states()) == 2


async def test_a_token_in_the_address_proves(tmp_path: Path) -> None:
    senders = '{ address = "*", proof = "token" }'
    async with a_bridge(write_config(tmp_path, senders=senders)) as bridge:
        tenant = bridge.bridge.register.named("acme")
        assert tenant is not None
        token, kept = new_token()
        await bridge.bridge.store.write(add_tokens, (tenant.id, kept, 0.0))
        await bridge.bridge.refresh()
        await refusal(bridge, TO)
        await refusal(bridge, f"{ANNA}.t-{'a' * 16}@sms.example")
        await bridge.mail(f"{ANNA}.t-{token}@sms.example")
        assert len(await bridge.states()) == 1


async def test_p71_what_fails_softly_waits_for_a_person(tmp_path: Path, silent_dns: str) -> None:
    """DNS does not answer: neither proved nor forged."""
    async with smsc() as centre:
        config = write_config(tmp_path, port=centre.port, senders=PARTNER)
        text = config.read_text().replace("[http]", f'nameservers = ["{silent_dns}"]\n[http]', 1)
        config.write_text(text)
        async with a_bridge(config) as bridge:
            first = await bridge.mail(TO, sender="jan@partner.example", text="First")
            second = await bridge.mail(TO, sender="jan@partner.example", text="Second")
            assert await bridge.states() == ["held", "held"]
            assert "held as" in first
            assert not centre.submits
            released = await decide(bridge, "held release", first.split()[4])
            assert released["state"] == "queued"
            dropped = await decide(bridge, "held drop", second.split()[4])
            assert dropped["state"] == "cancelled"

            async def delivered() -> bool:
                return "delivered" in await bridge.states()

            await until(delivered)
            assert [m.text for m in centre.messages] == ["First"]

            async def told() -> list[dict[str, object]]:
                return await bridge.mails()

            report = (await until(told))[0]
            assert report["to"] == "jan@partner.example"


async def test_p71_a_forged_sender_is_refused(tmp_path: Path, silent_dns: str) -> None:
    """Two From headers can never be proved, whatever DNS says."""
    config = write_config(tmp_path, senders=PARTNER)
    config.write_text(
        config.read_text().replace("[http]", f'nameservers = ["{silent_dns}"]\n[http]', 1)
    )
    forged = b"From: jan@partner.example\r\nFrom: eva@partner.example\r\n\r\nPay\r\n"
    async with a_bridge(config) as bridge:
        with pytest.raises(aiosmtplib.SMTPDataError) as no:
            await bridge.raw([TO], forged, sender="jan@partner.example")
        assert no.value.code == 550
        assert await bridge.states() == []
