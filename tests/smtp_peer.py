"""A door that notes what it is asked, and a client that speaks SMTP octet by octet."""

import asyncio
import contextlib
import functools
import inspect
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from bridge.errors import StoreUnavailable
from bridge.smtp.door import Refusal, Reply, Session
from bridge.smtp.listener import Listener

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


def both_loops(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The same asynchronous test on asyncio's own loop and on uvloop."""

    def run(loop_name: str, **arguments: object) -> None:
        with asyncio.Runner(loop_factory=LOOPS[loop_name]) as runner:
            runner.run(asyncio.wait_for(test(**arguments), 30))

    functools.update_wrapper(run, test)
    del run.__wrapped__
    signature = inspect.signature(test)
    name = inspect.Parameter("loop_name", inspect.Parameter.KEYWORD_ONLY)
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), name])
    return pytest.mark.parametrize("loop_name", LOOPS)(run)


class FakeDoor:
    """Refuses by the address's first word; `gate` holds mails back while it is not set."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.senders: list[str] = []
        self.asked: list[str] = []
        self.mails: list[tuple[str, list[object], bytes]] = []
        self.logins: list[tuple[str, str]] = []
        self.arrived = asyncio.Event()
        self.finished = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    def mail(self, session: Session, sender: str) -> object:
        self.sessions.append(session)
        self.senders.append(sender)
        if sender.startswith("refused"):
            raise Refusal(550, "5.7.1", "This sender may not send")
        return ("transaction", sender)

    def recipient(
        self, _session: Session, transaction: object, address: str
    ) -> object | Awaitable[object]:
        assert transaction == ("transaction", self.senders[-1])
        self.asked.append(address)
        if address.startswith("refused"):
            raise Refusal(550, "5.1.1", "No such\r\nrecipient: č")
        if address.startswith("later"):
            raise Refusal(451, "4.7.1", "Not yet")
        if address.startswith("boom"):
            raise ValueError("the secret text of a mail")
        return self._slowly(address) if address.startswith("slow") else address

    async def _slowly(self, address: str) -> object:
        async with asyncio.timeout(5):
            await asyncio.sleep(0)
        if address.startswith("slow.refused"):
            raise Refusal(550, "5.1.1", "Looked for, not found")
        return address

    async def data(
        self,
        _session: Session,
        transaction: object,
        sender: str,
        recipients: list[object],
        content: bytes,
    ) -> list[Reply]:
        assert transaction == ("transaction", sender)
        self.arrived.set()
        await self.gate.wait()
        if b"boom" in content:
            raise RuntimeError("the secret text of a mail")
        self.mails.append((sender, list(recipients), content))
        self.finished.set()
        if b"store full" in content:
            raise StoreUnavailable("No room on the disk", status="4.3.1")
        if b"miscounted" in content:
            return [Reply(250, "2.0.0", "Accepted")] * (len(recipients) + 1)
        return [
            Reply(550, "5.6.0", "Nothing to send")
            if str(recipient).startswith("bad")
            else Reply(451, "4.3.1", "Not stored")
            if str(recipient).startswith("postponed")
            else Reply(250, "2.0.0", "Accepted")
            for recipient in recipients
        ]

    async def login(self, _session: Session, user: str, password: str) -> bool:
        self.logins.append((user, password))
        if user == "boom":
            raise RuntimeError("a secret")
        return password == "right"


class Client:
    """Sends exactly what it is told; a reply is its whole text, lines joined by newlines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def reply(self) -> str:
        lines: list[str] = []
        while True:
            line = (await self.reader.readuntil(b"\r\n")).decode()
            lines.append(line[:-2])
            if line[3:4] != "-":
                return "\n".join(lines)

    async def say(self, line: bytes | str, replies: int = 1) -> str:
        self.send(line if isinstance(line, bytes) else line.encode() + b"\r\n")
        return "\n".join([await self.reply() for _ in range(replies)])

    def send(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""

    async def begin(self, recipient: str = "+420601123456@sms.test", greet: str = "EHLO") -> None:
        """As far as 354."""
        assert (await self.say(f"{greet} client.test")).startswith("250")
        assert (await self.say("MAIL FROM:<anna@client.test>")).startswith("250 2.1.0 ")
        assert (await self.say(f"RCPT TO:<{recipient}>")).startswith("250 2.1.5 ")
        assert (await self.say("DATA")).startswith("354 ")

    async def starttls(self) -> None:
        assert await self.say("STARTTLS") == "220 2.0.0 Ready to start TLS"
        await self.writer.start_tls(trusting())

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextlib.asynccontextmanager
async def listening(door: FakeDoor | None = None, **options: Any) -> AsyncIterator[Listener]:
    """A listener at a free port (or at `listen`), stopped at the end."""
    listen = options.pop("listen", "127.0.0.1:0")
    listener = Listener(door or FakeDoor(), listen, hostname="sms.test", **options)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop(0.5)


def port_of(listener: Listener) -> int:
    return int(listener.addresses[0].rpartition(":")[2])


@contextlib.asynccontextmanager
async def client_of(listener: Listener, source: str = "127.0.0.1") -> AsyncIterator[Client]:
    """A connected client that has read the greeting."""
    address = listener.addresses[0]
    if address.startswith("unix:"):
        reader, writer = await asyncio.open_unix_connection(address[5:])
    else:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port_of(listener), local_addr=(source, 0)
        )
    client = Client(reader, writer)
    assert (await client.reply()).startswith("220 sms.test ")
    try:
        yield client
    finally:
        await client.close()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for sms.test and its key, made for the test."""
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sms.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("sms.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_path, key_path


async def until(condition: Callable[[], object]) -> None:
    """Wait for something of which the server gives no sign."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


def reset(client: Client) -> None:
    """Drop the connection without a goodbye: the server sees ECONNRESET."""
    raw = client.writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    client.writer.transport.abort()
