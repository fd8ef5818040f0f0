"""Mail programs that others wrote, whole way: each mail is one SMS on the sandbox phone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import smtplib
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Self

import pytest

from tests.bridges import ANNA, BERIT, OURS, WRITER, write_config
from tests.conftest import absent
from tests.e2e.brokers import listens
from tests.e2e.processes import BridgeProcess, a_house, environment, mailbox, phones, until

Program = Callable[[str], Path]
FreePort = Callable[[], int]

TO = f"{ANNA}@sms.example"
TEXT = "Příliš žluťoučký kůň 🐎 úpěl ďábelské ódy"


async def run(*command: str | Path, mail: str = "", home: Path, **env: str) -> None:
    """A mail program's run, which must succeed."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment({"HOME": str(home), "LC_ALL": "C.UTF-8", **env}),
    )
    said, _ = await asyncio.wait_for(process.communicate(mail.encode()), 60)
    assert process.returncode == 0, said.decode()


def a_mail(to: str = TO) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = WRITER, to, "poplach"
    mail["Message-ID"] = f"<{os.urandom(6).hex()}@acme.example>"
    mail.set_content(TEXT + "\n")
    return mail


@asynccontextmanager
async def up(folder: Path) -> AsyncIterator[BridgeProcess]:
    async with a_house(folder, write_config(folder)) as house:
        yield await house.start()


# The programs, each a function that sends TEXT from WRITER to TO through a port.


async def swaks(program: Program, port: int, home: Path) -> None:
    await run(
        *(program("swaks"), "--server", "127.0.0.1", "--port", str(port), "--helo", "acme.example"),
        *("--from", WRITER, "--to", f"<{TO}>", "--h-Subject", "poplach", "--body", TEXT),
        *("--add-header", "MIME-Version: 1.0"),
        *("--add-header", "Content-Type: text/plain; charset=utf-8"),
        *("--add-header", "Content-Transfer-Encoding: 8bit"),
        home=home,
    )


async def msmtp(program: Program, port: int, home: Path) -> None:
    await run(
        *(program("msmtp"), "--file=/dev/null", "--host=127.0.0.1", f"--port={port}"),
        *("--tls=off", "--auth=off", f"--from={WRITER}", "--domain=acme.example", TO),
        mail=a_mail().as_string(),
        home=home,
    )


async def s_nail(program: Program, port: int, home: Path) -> None:
    await run(
        *(program("s-nail"), "-:/", "-Sv15-compat", f"-Smta=smtp://127.0.0.1:{port}"),
        *("-Ssmtp-config=-all,ehlo", "-Ssmtp-auth=none", "-Ssmtp-hostname=acme.example"),
        *(f"-Sfrom={WRITER}", "-Snosave", "-Ssendwait", "-Sttycharset=utf-8"),
        *("-Ssendcharsets=utf-8", "-s", "poplach", TO),
        mail=TEXT + "\n",
        home=home,
        MAILRC="/dev/null",
    )


async def mutt(program: Program, port: int, home: Path) -> None:
    settings = home / "muttrc"
    settings.write_text(
        f'set smtp_url="smtp://127.0.0.1:{port}"\nset from="{WRITER}"\nset ssl_starttls=no\n'
        "set ssl_force_tls=no\nset copy=no\nset use_envelope_from=yes\nset hostname=acme.example\n"
        "set charset=utf-8\nset send_charset=utf-8\n"
    )
    command = (program("mutt"), "-n", "-F", settings, "-s", "poplach", "--", TO)
    await run(*command, mail=TEXT + "\n", home=home)


async def curl(program: Program, port: int, home: Path) -> None:
    await run(
        *(program("curl"), "--silent", "--show-error", "--mail-from", WRITER, "--mail-rcpt", TO),
        *("--upload-file", "-", f"smtp://127.0.0.1:{port}/acme.example"),
        mail=a_mail().as_string().replace("\n", "\r\n"),
        home=home,
    )


async def python(program: Program, port: int, home: Path) -> None:
    del program, home

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            assert client.send_message(a_mail()) == {}

    await asyncio.to_thread(send)


@pytest.mark.parametrize("client", [swaks, msmtp, s_nail, mutt, curl, python])
async def test_a_mail_program(
    tmp_path: Path, program: Program, client: Callable[..., AsyncIterator[None]]
) -> None:
    async with up(tmp_path) as bridge:
        await client(program, bridge.smtp, tmp_path)  # type: ignore[misc]
        await one_sms(bridge)


async def one_sms(bridge: BridgeProcess) -> None:
    """TEXT is on ANNA's phone, once."""
    (shown,) = await phones(bridge.http, 1)
    assert (shown["to"], shown["text"]) == (ANNA, TEXT)


async def test_nodemailer(
    tmp_path: Path, program: Program, node_modules: Callable[[str], Path]
) -> None:
    node, package = program("node"), node_modules("nodemailer")
    async with up(tmp_path) as bridge:
        script = tmp_path / "send.js"
        script.write_text(
            f"""require({str(package)!r}).createTransport({{host: "127.0.0.1", port: {bridge.smtp},
            ignoreTLS: true}}).sendMail({{from: {WRITER!r}, to: {TO!r}, subject: "poplach",
            text: {TEXT!r}}}).catch(error => {{ console.error(error); process.exit(1) }})"""
        )
        await run(node, script, home=tmp_path)
        await one_sms(bridge)


# -- Postfix --------------------------------------------------------------------------------------


class Postfix:
    """A Postfix of its own: configuration, queue and port, without chroot."""

    def __init__(self, program: Program, port: int, transport: str) -> None:
        if os.geteuid() != 0:
            absent("Postfix is started by root")
        self.program = program("postfix")
        self.port = port
        # Its daemons run as the user postfix, who must be able to enter.
        self.home = Path("/tmp") / f"bridge-postfix-{os.getpid()}-{port}"
        self.home.mkdir(mode=0o755)
        for name in ("conf", "queue", "data"):
            (self.home / name).mkdir(mode=0o755)
        shutil.chown(self.home / "data", "postfix")
        (self.home / "conf" / "transport").write_text(f"sms.example {transport}\n")
        (self.home / "conf" / "main.cf").write_text(
            f"""compatibility_level = 3.6
queue_directory = {self.home}/queue
data_directory = {self.home}/data
maillog_file = {self.home}/log
maillog_file_prefixes = /tmp
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.acme.example
mydestination =
mynetworks = 127.0.0.0/8
relay_domains = sms.example
transport_maps = texthash:{self.home}/conf/transport
smtpd_recipient_restrictions = permit_mynetworks, reject
alias_maps =
alias_database =
smtputf8_enable = no
smtp_tls_security_level = none
lmtp_tls_security_level = none
minimal_backoff_time = 2s
queue_run_delay = 2s
"""
        )
        daemons = [
            f"127.0.0.1:{port} inet n - n - - smtpd",
            "postlog unix-dgram n - n - 1 postlogd",
            "pickup unix n - n 60 1 pickup",
            "cleanup unix n - n - 0 cleanup",
            "qmgr unix n - n 300 1 qmgr",
            "tlsmgr unix - - n 1000? 1 tlsmgr",
            *(f"{name} unix - - n - 0 bounce" for name in ("bounce", "defer", "trace")),
            "rewrite unix - - n - - trivial-rewrite",
            "verify unix - - n - 1 verify",
            "proxymap unix - - n - - proxymap",
            *(f"{name} unix - - n - - {name}" for name in ("smtp", "lmtp", "error", "showq")),
            "relay unix - - n - - smtp",
            "retry unix - - n - - error",
            "discard unix - - n - - discard",
            "anvil unix - - n - 1 anvil",
            "scache unix - - n - 1 scache",
        ]
        (self.home / "conf" / "master.cf").write_text("\n".join(daemons) + "\n")

    def _say(self, word: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.program), "-c", str(self.home / "conf"), word],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def log(self) -> str:
        with contextlib.suppress(OSError):
            return (self.home / "log").read_text()
        return ""

    async def __aenter__(self) -> Self:
        said = await asyncio.to_thread(self._say, "start")
        assert said.returncode == 0, said.stderr + self.log()
        await until(lambda: listens(self.port), "Postfix")
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._say, "stop")
        shutil.rmtree(self.home, ignore_errors=True)

    def sent(self) -> int:
        """Recipients that Postfix is rid of."""
        return self.log().count("status=sent")


@pytest.mark.parametrize("how", ["smtp", "lmtp"])
async def test_postfix_by_transport_map(
    tmp_path: Path, program: Program, free_port: FreePort, how: str
) -> None:
    lmtp = free_port()
    env = {"BRIDGE__SMTP__LMTP": f"127.0.0.1:{lmtp}"}
    async with a_house(tmp_path, write_config(tmp_path)) as house:
        bridge = await house.start(env=env)
        port = bridge.smtp if how == "smtp" else lmtp
        async with Postfix(
            program,
            free_port(),
            f"{how}:inet:127.0.0.1:{port}".replace("smtp:inet:", "smtp:"),
        ) as postfix:
            recipients = [TO, f"{BERIT}@sms.example", "123@sms.example"]

            def send() -> None:
                with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as client:
                    client.sendmail(WRITER, recipients, a_mail().as_bytes())

            await asyncio.to_thread(send)
            await until(lambda: postfix.sent() == 2, "Postfix's deliveries")
            found = await phones(bridge.http, 2)
            assert sorted(m["to"] for m in found) == sorted([ANNA, BERIT])
            assert {m["text"] for m in found} == {TEXT}
            # The refused number is Postfix's to tell of, in our words.
            await until(lambda: "status=bounced" in postfix.log(), "the bounce")
            assert "550 5.1.3" in postfix.log()


async def test_postfix_waits_for_a_bridge_that_is_down(
    tmp_path: Path, program: Program, free_port: FreePort
) -> None:
    """A kill in the middle of a mail server's load: each mail is one message."""
    listen = free_port()
    env = {"BRIDGE__SMTP__LISTEN": f"127.0.0.1:{listen}"}
    async with a_house(tmp_path, write_config(tmp_path)) as house:
        bridge = await house.start(env=env)
        async with Postfix(program, free_port(), f"smtp:127.0.0.1:{listen}") as postfix:
            source = program("smtp-source")
            words = ("-s", "4", "-m", "60", "-f", WRITER, "-t", TO, f"127.0.0.1:{postfix.port}")
            sending = asyncio.create_task(run(source, *words, home=tmp_path))
            await until(lambda: postfix.sent() >= 3, "Postfix's first deliveries")
            bridge.kill_tree()
            bridge = await house.start(env=env)
            await sending
            await until(lambda: postfix.sent() == 60, "Postfix's last delivery")
            rows = await house.log()
            assert len(rows) == 60, "a mail that Postfix sent again became a message of its own"
            # What was on its way at the kill may be on the phone twice, and is marked.
            marked = [row for row in rows if row["resent"]]
            assert 60 <= len(await phones(bridge.http, 60)) <= 60 + len(marked)


# -- the other side -------------------------------------------------------------------------------


async def test_the_smsc_of_npm(
    tmp_path: Path, program: Program, node_modules: Callable[[str], Path]
) -> None:
    """SMPP towards an SMSC that we did not write: text out, receipts and a long answer in."""
    node, package = program("node"), node_modules("smpp")
    script = Path(__file__).parents[1] / "contract" / "smsc.js"
    async with a_house(tmp_path, None) as cellar:
        env = {"NODE_PATH": str(package.parent)}
        centre = cellar.run(node, script, name="smsc", env=env)
        await until(lambda: centre.out.partition("\n")[1], "the SMSC's port")
        port = int(centre.out.split()[0])
        async with a_house(
            tmp_path, write_config(tmp_path, port=port, carrier='long = "payload"')
        ) as house:
            bridge = await house.start()
            mail, words = a_mail(), " ".join([TEXT] * 3)
            mail.set_content(f"mo udh {words}\n")

            def send() -> None:
                with smtplib.SMTP("127.0.0.1", bridge.smtp, timeout=30) as client:
                    client.send_message(mail)

            await asyncio.to_thread(send)
            (answer,) = await mailbox(bridge.http, 1)
            assert answer["text"].startswith(words)
            assert answer["headers"]["In-Reply-To"] == mail["Message-ID"]

            async def delivered() -> bool:
                return [row["state"] for row in await house.log()] == ["delivered"]

            await until(delivered, "the receipts")
            assert OURS[1:] in centre.out
