"""Mail going out, against real SMTP servers on loopback: TLS, login, refusals, broken lines."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd import smtp as aiosmtpd
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bridge.errors import Misconfigured, Refused, TryLater
from bridge.smtp.outbound import Smarthost

MAIL = b"From: a@sms.example\r\nSubject: hello\r\n\r\n.dot\r\nbody\r\n"


class Post:
    """A handler that keeps what it takes, and answers as it is told."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.sessions: list[Session] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.replies: dict[str, str] = {}
        self.password = b"s3cret:/@"
        self.arrived = asyncio.Event()
        self.left = asyncio.Event()
        self.proceed = asyncio.Event()
        self.proceed.set()

    # aiosmtpd calls hooks by these names with (server, session, envelope, ...).
    async def handle_MAIL(self, *call: Any) -> str:  # noqa: N802
        _, _, envelope, address, options = call
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.replies.get("MAIL", "250 OK")

    async def handle_RCPT(self, *call: Any) -> str:  # noqa: N802
        _, _, envelope, address, _ = call
        envelope.rcpt_tos.append(address)
        return self.replies.get("RCPT", "250 OK")

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.arrived.set()
        await self.proceed.wait()
        if self.replies.get("DATA") == "drop":
            server.transport.abort()
        if "DATA" not in self.replies:
            self.mails.append(envelope)
            self.sessions.append(session)
        return self.replies.get("DATA", "250 taken")

    async def handle_QUIT(self, *_call: Any) -> str:  # noqa: N802
        self.left.set()
        return "221 Bye"

    def authenticate(self, *call: Any) -> AuthResult:
        *_, data = call
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == self.password, handled=False)


@asynccontextmanager
async def listening(
    factory: Callable[[], asyncio.BaseProtocol], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def taking(
    post: Post, *, tls: ssl.SSLContext | None = None, implicit: bool = False, **options: Any
) -> AsyncIterator[int]:
    """A mail server; with `tls` it offers STARTTLS, or speaks TLS from the start if `implicit`."""
    settings = {
        "hostname": "post.test",
        "enable_SMTPUTF8": True,
        "authenticator": post.authenticate,
    } | options
    context = None if implicit else tls
    protocols: list[aiosmtpd.SMTP] = []

    def factory() -> aiosmtpd.SMTP:
        protocols.append(
            aiosmtpd.SMTP(post, tls_context=context, loop=asyncio.get_running_loop(), **settings)
        )
        return protocols[-1]

    async with listening(factory, tls if implicit else None) as port:
        yield port
    for protocol in protocols:
        if protocol.transport is not None:
            protocol.transport.abort()


@asynccontextmanager
async def smarthost(url: str, **options: Any) -> AsyncIterator[Smarthost]:
    host = Smarthost(url, "bridge.test", **{"timeout": 5.0} | options)
    yield host
    await host.close()


@pytest.fixture
def post() -> Post:
    return Post()


def certificate(folder: Path, name: str = "localhost") -> Path:
    """A self-signed certificate and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == "localhost":
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    path = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return server_context(path)


@pytest.fixture
def untrusted(tmp_path: Path) -> ssl.SSLContext:
    return server_context(certificate(tmp_path))


def server_context(path: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context


async def send(host: Smarthost, to: str = "anna@acme.example", content: bytes = MAIL) -> None:
    await host.send("r-abc@sms.example", to, content)


# --- it arrives


async def test_a_mail_arrives_as_it_was_written(post: Post) -> None:
    async with taking(post) as port, smarthost(f"smtp://127.0.0.1:{port}") as host:
        await send(host)
    [mail] = post.mails
    assert (mail.mail_from, mail.rcpt_tos) == ("r-abc@sms.example", ["anna@acme.example"])
    assert mail.content == MAIL
    assert post.sessions[0].host_name == "bridge.test"


async def test_the_null_sender_stays_null(post: Post) -> None:
    async with taking(post) as port, smarthost(f"smtp://127.0.0.1:{port}") as host:
        await host.send("", "anna@acme.example", MAIL)
    assert post.mails[0].mail_from == "<>"  # as aiosmtpd calls it


async def test_addresses_beyond_ascii_need_smtputf8(post: Post) -> None:
    async with taking(post) as port, smarthost(f"smtp://127.0.0.1:{port}") as host:
        await send(host, "žofie@acme.example")
    assert post.mails[0].rcpt_tos == ["žofie@acme.example"]
    async with (
        taking(post, enable_SMTPUTF8=False) as port,
        smarthost(f"smtp://127.0.0.1:{port}") as host,
    ):
        with pytest.raises(Refused, match="beyond ASCII") as no:
            await send(host, "žofie@acme.example")
        assert no.value.status == "5.6.7"
        await send(host)


@pytest.mark.parametrize(
    "to",
    [
        "anna@acme.example\r\nDATA",
        "anna\n@acme.example",
        "a\x00@acme.example",
        "",
        "<>",
        "a b@acme.example\t",
    ],
)
async def test_no_address_smuggles_a_command(post: Post, to: str) -> None:
    async with taking(post) as port, smarthost(f"smtp://127.0.0.1:{port}") as host:
        with pytest.raises(Refused):
            await send(host, to)
        await send(host)
    assert [mail.rcpt_tos for mail in post.mails] == [["anna@acme.example"]]


async def test_content_cannot_end_itself(post: Post) -> None:
    tricky = b"a\r\n.\r\nMAIL FROM:<x@evil.test>\r\n..\nb\r.\rc\r\n"
    async with taking(post) as port, smarthost(f"smtp://127.0.0.1:{port}") as host:
        await send(host, content=tricky)
    assert len(post.mails) == 1
    assert b"MAIL FROM" in (post.mails[0].content or b"")


# --- one connection for several mails


async def test_mails_that_follow_share_the_connection(post: Post) -> None:
    async with taking(post) as port, smarthost(f"smtp://127.0.0.1:{port}", idle=60.0) as host:
        for _ in range(3):
            await send(host)
    assert len({id(session) for session in post.sessions}) == 1


async def test_an_idle_connection_is_given_up(post: Post) -> None:
    async with taking(post) as port, smarthost(f"smtp://127.0.0.1:{port}", idle=0.0) as host:
        await send(host)
        await asyncio.wait_for(post.left.wait(), 10)
        await send(host)
    assert len({id(session) for session in post.sessions}) == 2


async def test_a_kept_connection_that_died_is_replaced() -> None:
    dialogues = 0

    async def hang_up_after_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal dialogues
        dialogues += 1
        writer.write(b"220 x\r\n")
        mails = 0
        while line := await reader.readline():
            if line.startswith(b"DATA"):
                writer.write(b"354 go\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                mails += 1
            if line.startswith(b"MAIL") and mails:
                break
            writer.write(b"250 OK\r\n")
        writer.close()

    async with (
        talking(hang_up_after_one) as port,
        smarthost(f"smtp://127.0.0.1:{port}", idle=60.0) as host,
    ):
        await send(host)
        await send(host)
    assert dialogues == 2


async def test_a_connection_carries_so_many_mails_and_no_more(post: Post) -> None:
    async with taking(post) as port, smarthost(f"smtp://127.0.0.1:{port}", idle=60.0) as host:
        for _ in range(51):
            await send(host)
    assert len({id(session) for session in post.sessions}) == 2


async def test_few_connections_at_once(post: Post) -> None:
    post.proceed.clear()
    open_now = 0
    most = 0

    class Counting(aiosmtpd.SMTP):
        def connection_made(self, transport: Any) -> None:
            nonlocal open_now, most
            open_now += 1
            most = max(most, open_now)
            super().connection_made(transport)

        def connection_lost(self, error: Exception | None) -> None:
            nonlocal open_now
            open_now -= 1
            super().connection_lost(error)

    async with (
        listening(lambda: Counting(post, loop=asyncio.get_running_loop(), hostname="x")) as port,
        smarthost(f"smtp://127.0.0.1:{port}") as host,
    ):
        sending = [asyncio.create_task(send(host)) for _ in range(12)]
        await post.arrived.wait()
        post.proceed.set()
        await asyncio.gather(*sending)
    assert len(post.mails) == 12
    assert most <= 5  # one more while a finished one says QUIT


# --- TLS and login


async def test_starttls_is_used_where_it_is_offered(post: Post, untrusted: ssl.SSLContext) -> None:
    async with taking(post, tls=untrusted) as port, smarthost(f"smtp://127.0.0.1:{port}") as host:
        await send(host)
    assert post.sessions[0].ssl is not None


async def test_starttls_can_be_insisted_on(post: Post, trusted: ssl.SSLContext) -> None:
    async with (
        taking(post, tls=trusted) as port,
        smarthost(f"smtp+starttls://localhost:{port}") as host,
    ):
        await send(host)
        assert "TLSv1" in await host.probe()
    async with taking(post) as port, smarthost(f"smtp+starttls://localhost:{port}") as host:
        with pytest.raises(TryLater, match="STARTTLS"):
            await send(host)
    assert len(post.mails) == 1


async def test_tls_from_the_start(post: Post, trusted: ssl.SSLContext) -> None:
    async with (
        taking(post, tls=trusted, implicit=True, auth_require_tls=False) as port,
        smarthost(f"smtps://anna:s3cret%3A%2F%40@127.0.0.1:{port}") as host,
    ):
        await send(host)
    assert post.logins == [(b"anna", b"s3cret:/@")]


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_a_certificate_that_is_not_trusted_is_refused(
    post: Post, untrusted: ssl.SSLContext, scheme: str
) -> None:
    async with (
        taking(post, tls=untrusted, implicit=scheme == "smtps") as port,
        smarthost(f"{scheme}://anna:s3cret@127.0.0.1:{port}") as host,
    ):
        with pytest.raises(TryLater, match="not trusted") as error:
            await send(host)
        assert "SSL_CERT_FILE" in error.value.hint
    assert post.logins == []


async def test_a_certificate_for_another_name_is_refused(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path, "other.test")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    async with (
        taking(post, tls=server_context(path), implicit=True) as port,
        smarthost(f"smtps://127.0.0.1:{port}") as host,
    ):
        with pytest.raises(TryLater, match="not trusted"):
            await send(host)


async def test_tls_spoken_to_a_port_without_it(post: Post) -> None:
    async with taking(post) as port, smarthost(f"smtps://127.0.0.1:{port}") as host:
        with pytest.raises(TryLater, match="TLS"):
            await send(host)


async def test_a_password_leaves_in_clear_on_this_machine_only(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        taking(post, auth_require_tls=False) as port,
        smarthost(f"smtp://anna:s3cret%3A%2F%40@127.0.0.1:{port}") as host,
    ):
        await send(host)
        assert post.logins == [(b"anna", b"s3cret:/@")]
        # The only machine that a test may talk to, taken for another.
        monkeypatch.setattr("bridge.smtp.target.Target.is_loopback", False)
        with pytest.raises(TryLater, match="password was not sent"):
            await host.probe()
    assert len(post.logins) == 1


async def test_a_wrong_password_delays_and_loses_nothing(post: Post) -> None:
    async with (
        taking(post, auth_require_tls=False) as port,
        smarthost(f"smtp://anna:wrong@127.0.0.1:{port}") as host,
    ):
        with pytest.raises(TryLater, match="refused the login") as error:
            await send(host)
        assert "password" in error.value.hint
        assert "wrong" not in str(error.value)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
async def test_a_missing_login_delays_and_loses_nothing(post: Post) -> None:
    async with (
        taking(post, auth_required=True, auth_require_tls=False) as port,
        smarthost(f"smtp://127.0.0.1:{port}") as host,
    ):
        with pytest.raises(TryLater, match="530"):
            await send(host)


# --- it does not arrive


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_a_permanent_no_is_refused_in_the_servers_words(post: Post, verb: str) -> None:
    post.replies[verb] = (
        "550 5.1.1 <anna@acme.example>: user anna@acme.example (+420601123456) unknown"
    )
    async with taking(post) as port, smarthost(f"smtp://127.0.0.1:{port}") as host:
        with pytest.raises(Refused, match="550 …: user … ") as no:
            await send(host)
        assert no.value.status == "5.1.1"
        assert "anna" not in str(no.value)
        assert "601123456" not in str(no.value)
        post.replies.clear()
        await send(host)
    assert len(post.mails) == 1


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_a_temporary_no_is_tried_later(post: Post, verb: str) -> None:
    post.replies[verb] = "452 4.2.2 mailbox full"
    async with taking(post) as port, smarthost(f"smtp://127.0.0.1:{port}") as host:
        with pytest.raises(TryLater, match="452 mailbox full") as later:
            await send(host)
        assert later.value.status == "4.2.2"
        post.replies.clear()
        await send(host)
    assert len({id(session) for session in post.sessions}) == 1


async def test_a_size_that_is_too_much_is_refused(post: Post) -> None:
    async with (
        taking(post, data_size_limit=1000) as port,
        smarthost(f"smtp://127.0.0.1:{port}") as host,
    ):
        with pytest.raises(Refused, match="552"):
            await send(host, content=MAIL + b"x\r\n" * 1000)


async def test_a_line_that_breaks_in_the_content_is_tried_later(post: Post) -> None:
    post.replies["DATA"] = "drop"
    async with taking(post) as port, smarthost(f"smtp://127.0.0.1:{port}") as host:
        with pytest.raises(TryLater, match="broke"):
            await send(host)
        del post.replies["DATA"]
        await send(host)
    assert len(post.mails) == 1


async def test_nobody_there_is_tried_later() -> None:
    async with listening(asyncio.Protocol) as port:
        pass
    async with smarthost(f"smtp://127.0.0.1:{port}") as host:
        for attempt in (send(host), host.probe()):
            with pytest.raises(TryLater, match="cannot be reached"):
                await attempt


@asynccontextmanager
async def talking(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any],
) -> AsyncIterator[int]:
    writers: list[asyncio.StreamWriter] = []

    async def remember(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await talk(reader, writer)

    server = await asyncio.start_server(remember, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    for writer in writers:
        writer.transport.abort()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    "greeting",
    [b"554 no service for 192.0.2.1\r\n", b"421 busy\r\n", b"hello?\r\n", b"", b"x" * 100_000],
)
async def test_a_server_that_does_not_greet_is_tried_later(greeting: bytes) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    async with talking(talk) as port, smarthost(f"smtp://127.0.0.1:{port}") as host:
        with pytest.raises(TryLater):
            await send(host)


async def test_a_server_that_falls_silent_is_tried_later() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        await reader.read()

    async with talking(talk) as port, smarthost(f"smtp://127.0.0.1:{port}", timeout=0.2) as host:
        with pytest.raises(TryLater, match="in time"):
            await send(host)


async def test_a_send_that_is_cancelled_leaves_no_half_dialogue(post: Post) -> None:
    post.proceed.clear()
    async with taking(post) as port, smarthost(f"smtp://127.0.0.1:{port}") as host:
        sending = asyncio.create_task(send(host))
        await post.arrived.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        post.proceed.set()
        await send(host)
    assert len({id(session) for session in post.sessions}) == len(post.sessions)


# --- the URL


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost",
        "localhost:25",
        "http://localhost",
        "smtp://",
        "smtp://:25",
        "smtp://host:port",
        "smtp://host:99999",
        "smtp://host/path",
        "smtp://host?x=1",
        "smtp://[::1",
        "smtp://u:pa/ss@host",
    ],
)
def test_a_url_that_cannot_be_is_an_error_without_the_password(url: str) -> None:
    with pytest.raises(Misconfigured) as error:
        Smarthost(url, "bridge.test")
    assert "smtps://" in error.value.hint
    assert "pa/ss" not in str(error.value)


def test_a_url_has_the_ports_people_expect() -> None:
    ports = [
        Smarthost(f"{scheme}://host", "x")._target.port
        for scheme in ("smtp", "smtps", "smtp+starttls")
    ]
    assert ports == [25, 465, 587]
    target = Smarthost("smtp://anna%40acme.example:p%3Aw@[::1]:2525", "x")._target
    assert (target.host, target.port, target.user, target.password) == (
        "::1",
        2525,
        "anna@acme.example",
        "p:w",
    )
    assert "p:w" not in repr(target)
