"""Mail programs that others wrote, over the listener: each delivers a mail, with TLS and login."""

import asyncio
import os
import smtplib
import ssl
from pathlib import Path
from typing import Any

import pytest

from bridge.smtp.listener import Certificate
from tests.smtp_peer import FakeDoor, certificate, listening, port_of

RECIPIENT = "+420601123456@sms.test"
TEXT = "disk full on db1"
MAIL = f"From: <anna@client.test>\r\nTo: <{RECIPIENT}>\r\nSubject: alert\r\n\r\n{TEXT}\r\n"


async def run(*command: str | Path, mail: str = "", env: dict[str, str] | None = None) -> str:
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **(env or {})},
    )
    said, _ = await asyncio.wait_for(process.communicate(mail.encode()), 30)
    assert process.returncode == 0, said.decode()
    return said.decode()


def arrived(door: FakeDoor, *, tls: bool = False, login: str | None = None) -> None:
    (mail,) = door.mails
    assert mail[1] == [RECIPIENT]
    assert TEXT.encode() in mail[2]
    assert (door.sessions[0].tls, door.sessions[0].login) == (tls, login)


async def test_smtplib(tmp_path: Path) -> None:
    door, (cert, key) = FakeDoor(), certificate(tmp_path)

    def send(port: int) -> None:
        context = ssl.create_default_context(cafile=str(cert))
        context.check_hostname = False
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            client.starttls(context=context)
            client.login("acme", "right")
            client.sendmail("anna@client.test", [RECIPIENT], MAIL)
            refused = client.sendmail("a@client.test", [RECIPIENT, "refused@sms.test"], MAIL)
            assert refused == {"refused@sms.test": (550, b"5.1.1 No such recipient: ?")}

    async with listening(door, certificate=Certificate(cert, key)) as listener:
        await asyncio.to_thread(send, port_of(listener))
    assert [mail[1] for mail in door.mails] == [[RECIPIENT], [RECIPIENT]]
    assert [session.login for session in door.sessions] == ["acme", "acme"]
    assert door.sessions[0].tls


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_swaks(program: Any, tmp_path: Path, mechanism: str) -> None:
    swaks = program("swaks")
    door = FakeDoor()
    async with listening(door, certificate=Certificate(*certificate(tmp_path))) as listener:
        plain = [
            swaks,
            "--server",
            "127.0.0.1",
            "--port",
            str(port_of(listener)),
            "--to",
            f"<{RECIPIENT}>",  # without the brackets swaks takes the plus for an option
            "--from",
            "anna@client.test",
            "--body",
            TEXT,
            "--helo",
            "client.test",
        ]
        await run(*plain, "--pipeline")
        arrived(door)
        door.mails.clear()
        door.sessions.clear()
        await run(
            *plain, "--tls", "--auth", mechanism, "--auth-user", "acme", "--auth-password", "right"
        )
        arrived(door, tls=True, login="acme")


async def test_swaks_over_lmtp(program: Any, tmp_path: Path) -> None:
    swaks = program("swaks")
    door = FakeDoor()
    async with listening(door, listen=f"unix:{tmp_path}/lmtp", lmtp=True):
        said = await run(
            swaks,
            "--protocol",
            "LMTP",
            "--socket",
            tmp_path / "lmtp",
            "--to",
            f"<{RECIPIENT}>,2@sms.test",
            "--from",
            "anna@client.test",
            "--body",
            TEXT,
            "--helo",
            "client.test",
        )
    assert said.count("250 2.0.0 Accepted") == 2
    assert door.mails[0][1] == [RECIPIENT, "2@sms.test"]


async def test_msmtp(program: Any, tmp_path: Path) -> None:
    msmtp = program("msmtp")
    door, (cert, key) = FakeDoor(), certificate(tmp_path)
    async with listening(door, certificate=Certificate(cert, key)) as listener:
        said = await run(
            msmtp,
            "--file=/dev/null",
            "--host=127.0.0.1",
            f"--port={port_of(listener)}",
            "--tls=on",
            "--tls-starttls=on",
            "--tls-certcheck=off",
            "--auth=plain",
            "--user=acme",
            "--passwordeval=echo right",
            "--from=anna@client.test",
            "--domain=client.test",
            RECIPIENT,
            mail=MAIL.replace("\r\n", "\n"),
        )
    assert said == ""
    arrived(door, tls=True, login="acme")


async def test_curl(program: Any, tmp_path: Path) -> None:
    curl = program("curl")
    door, (cert, key) = FakeDoor(), certificate(tmp_path)
    async with listening(door, certificate=Certificate(cert, key)) as listener:
        await run(
            curl,
            "--silent",
            "--show-error",
            "--ssl-reqd",
            "--insecure",
            "--user",
            "acme:right",
            "--mail-from",
            "anna@client.test",
            "--mail-rcpt",
            RECIPIENT,
            "--upload-file",
            "-",
            f"smtp://127.0.0.1:{port_of(listener)}/client.test",
            mail=MAIL,
        )
    arrived(door, tls=True, login="acme")


async def test_s_nail(program: Any, tmp_path: Path) -> None:
    s_nail = program("s-nail")
    door = FakeDoor()
    async with listening(door) as listener:
        await run(
            s_nail,
            "-:/",
            "-Sv15-compat",
            f"-Smta=smtp://127.0.0.1:{port_of(listener)}",
            "-Ssmtp-config=-all,ehlo",
            "-Ssmtp-auth=none",
            "-Ssmtp-hostname=client.test",
            "-Sfrom=anna@client.test",
            "-Snosave",
            "-Ssendwait",
            "-s",
            "alert",
            RECIPIENT,
            mail=TEXT + "\n",
            env={"HOME": str(tmp_path), "MAILRC": "/dev/null"},
        )
    arrived(door)


async def test_mutt(program: Any, tmp_path: Path) -> None:
    mutt = program("mutt")
    door = FakeDoor()
    settings = tmp_path / "muttrc"
    async with listening(door) as listener:
        settings.write_text(
            f'set smtp_url="smtp://127.0.0.1:{port_of(listener)}"\nset from="anna@client.test"\nset ssl_starttls=no\nset ssl_force_tls=no\nset copy=no\nset use_envelope_from=yes\n'
        )
        await run(
            mutt,
            "-n",
            "-F",
            settings,
            "-s",
            "alert",
            "--",
            RECIPIENT,
            mail=TEXT + "\n",
            env={"HOME": str(tmp_path)},
        )
    arrived(door)


async def test_nodemailer(program: Any, node_modules: Any, tmp_path: Path) -> None:
    node, package = program("node"), node_modules("nodemailer")
    door, (cert, key) = FakeDoor(), certificate(tmp_path)
    script = tmp_path / "send.js"
    async with listening(door, certificate=Certificate(cert, key)) as listener:
        script.write_text(
            f"""require({str(package)!r}).createTransport({{host: "127.0.0.1", port: {port_of(listener)},
            requireTLS: true, tls: {{rejectUnauthorized: false}}, auth: {{user: "acme", pass: "right"}}}})
            .sendMail({{from: "anna@client.test", to: {RECIPIENT!r}, subject: "alert", text: {TEXT!r}}})
            .catch(error => {{ console.error(error); process.exit(1) }})"""
        )
        await run(node, script)
    arrived(door, tls=True, login="acme")


async def test_postfix_smtp_source(program: Any) -> None:
    smtp_source = program("smtp-source")
    door = FakeDoor()
    async with listening(door) as listener:
        await run(
            smtp_source,
            "-s",
            "4",
            "-m",
            "50",
            "-f",
            "anna@client.test",
            "-t",
            RECIPIENT,
            f"127.0.0.1:{port_of(listener)}",
        )
    assert len(door.mails) == 50
