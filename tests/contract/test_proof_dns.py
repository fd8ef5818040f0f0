"""DMARC, SPF and DKIM against a real name server on loopback, with mails really signed."""

from __future__ import annotations

import re
import socket
import socketserver
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import dkim
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import TryLater
from bridge.smtp import dmarc
from bridge.smtp.dns import LookupFailed, Resolver
from bridge.smtp.proof import Peer, Prover, Rule, Ruleset
from bridge.smtp.ruling import Ruling, Way

MX = "198.51.100.5"
STRANGER = "203.0.113.66"

MAIL = (
    b"From: Boss <boss@acme.example>\r\n"
    b"To: +420601123456@sms.localhost\r\n"
    b"Subject: Water\r\n"
    b"Date: Mon, 02 Nov 2026 10:00:00 +0100\r\n"
    b"Message-ID: <1@acme.example>\r\n"
    b"\r\n"
    b"The cellar is  full of water. \r\n"
    b"Bring boots.\r\n"
)


class NameServer:
    """Answers over UDP and TCP from a table; `asked` lists the questions as "name TYPE".

    A value is the records' texts, or "servfail", "refused", "silence" or "truncate TEXT".
    """

    def __init__(self) -> None:
        self.zone: dict[str, list[str] | str] = {}
        self.asked: list[str] = []
        handler = self._handler()
        self._tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        self.port = self._tcp.server_address[1]
        self._udp = socketserver.ThreadingUDPServer(("127.0.0.1", self.port), handler)
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            for server in (self._tcp, self._udp)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        for server in (self._tcp, self._udp):
            server.shutdown()
            server.server_close()

    def answer(self, wire: bytes, tcp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name} {kind}")
        found = self.zone.get(f"{name} {kind}", self.zone.get(name))
        response = dns.message.make_response(query)
        if found == "silence":
            return None
        if found in ("servfail", "refused"):
            response.set_rcode(dns.rcode.from_text(found))
        elif found is None:
            known = any(key.split()[0] == name for key in self.zone)
            response.set_rcode(dns.rcode.NOERROR if known else dns.rcode.NXDOMAIN)
        elif isinstance(found, str) and not tcp:
            response.flags |= dns.flags.TC
        else:
            texts = [found.removeprefix("truncate ")] if isinstance(found, str) else found
            response.answer.append(dns.rrset.from_text(question.name, 300, "IN", kind, *texts))
        return response.to_wire()

    def _handler(self) -> type[socketserver.BaseRequestHandler]:
        answer = self.answer

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                if isinstance(self.request, tuple):
                    wire, sock = self.request
                    if reply := answer(wire, tcp=False):
                        sock.sendto(reply, self.client_address)
                    return
                stream = self.request.makefile("rb")
                wire = stream.read(int.from_bytes(stream.read(2), "big"))
                if reply := answer(wire, tcp=True):
                    self.request.sendall(len(reply).to_bytes(2, "big") + reply)

        return Handler


@pytest.fixture
def names() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.close()


@pytest.fixture
def resolver(names: NameServer) -> Resolver:
    return Resolver([f"127.0.0.1:{names.port}"], timeout=0.4)


@pytest.fixture
async def prover(resolver: Resolver) -> AsyncIterator[Prover]:
    prover = Prover(lambda: resolver, seconds=2.0)
    yield prover
    prover.close()


class Key:
    def __init__(self, bits: int) -> None:
        key = rsa.generate_private_key(65537, bits)
        self.pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        base64 = b"".join(public.splitlines()[1:-1]).decode()
        half = len(base64) // 2
        self.record = f'"v=DKIM1; k=rsa; p={base64[:half]}" "{base64[half:]}"'

    def sign(self, mail: bytes = MAIL, domain: str = "acme.example", **options: Any) -> bytes:
        return bytes(dkim.sign(mail, b"s1", domain.encode(), self.pem, **options)) + mail


@pytest.fixture(scope="session")
def key() -> Key:
    return Key(2048)


def at(domain: str, key: Key) -> dict[str, list[str] | str]:
    return {f"s1._domainkey.{domain} TXT": [key.record]}


def found(
    resolver: Resolver,
    mail: bytes = MAIL,
    ip: str = STRANGER,
    sender: str = "boss@acme.example",
    domain: str = "acme.example",
) -> dmarc.Finding:
    return dmarc.assess(
        mail, Way(ip, "mx.acme.example", sender), domain, resolver, time.monotonic() + 5
    )


def ruling(resolver: Resolver, mail: bytes = MAIL, **way: str) -> Ruling:
    return found(resolver, mail, **way).ruling


SPF = {"acme.example TXT": [f'"v=spf1 ip4:{MX} -all"']}


def policy(text: str, domain: str = "acme.example") -> dict[str, list[str] | str]:
    return {f"_dmarc.{domain} TXT": [f'"v=DMARC1; {text}"']}


# --- what proves


def test_spf_of_the_envelope_domain_proves(names: NameServer, resolver: Resolver) -> None:
    names.zone = SPF | policy("p=reject")
    assert ruling(resolver, ip=MX) == Ruling.PASS
    assert ruling(resolver, ip=f"::ffff:{MX}") == Ruling.PASS
    assert ruling(resolver, ip=STRANGER) == Ruling.REFUSE


def test_a_signature_proves_wherever_the_mail_comes_from(
    names: NameServer, resolver: Resolver, key: Key
) -> None:
    names.zone = SPF | policy("p=reject") | at("acme.example", key)
    forwarded = b"Received: from list.example by mx.example; now\r\n" + key.sign()
    assert ruling(resolver, forwarded) == Ruling.PASS
    assert ruling(resolver, forwarded, sender="bounces@forwarder.example") == Ruling.PASS
    assert ruling(resolver, forwarded, ip="") == Ruling.PASS
    assert ruling(resolver, forwarded.replace(b"\r\n", b"\n")) == Ruling.PASS


@pytest.mark.parametrize(
    "canon",
    [
        (b"simple", b"simple"),
        (b"relaxed", b"relaxed"),
        (b"relaxed", b"simple"),
        (b"simple", b"relaxed"),
    ],
)
def test_each_canonicalisation_is_read(
    names: NameServer, resolver: Resolver, key: Key, canon: tuple[bytes, bytes]
) -> None:
    names.zone = at("acme.example", key)
    signed = key.sign(MAIL + b" \t x\t\r\n\r\n\r\n", canonicalize=canon)
    assert ruling(resolver, signed) == Ruling.PASS
    respaced = signed.replace(
        b"The cellar is  full of water. \r\n", b"The cellar is full  of water.\r\n"
    )
    assert ruling(resolver, respaced) == (Ruling.PASS if canon[1] == b"relaxed" else Ruling.HOLD)


def test_without_a_policy_a_pass_is_still_proof(
    names: NameServer, resolver: Resolver, key: Key
) -> None:
    names.zone = SPF | at("acme.example", key)
    assert ruling(resolver, ip=MX) == Ruling.PASS
    assert ruling(resolver, key.sign(), sender="x@forwarder.example") == Ruling.PASS


def test_spf_from_our_own_relay_is_no_evidence_unless_it_passes(
    names: NameServer, resolver: Resolver
) -> None:
    names.zone = {"acme.example TXT": ['"v=spf1 ip4:127.0.0.1 ~all"']}
    assert ruling(resolver, ip="127.0.0.1") == Ruling.PASS
    assert ruling(resolver, ip="10.0.0.1") == Ruling.REFUSE
    assert ruling(resolver, ip=STRANGER) == Ruling.HOLD


def test_helo_speaks_only_for_the_null_sender(names: NameServer, resolver: Resolver) -> None:
    names.zone = {"mx.acme.example TXT": [f'"v=spf1 ip4:{MX} -all"']}
    assert ruling(resolver, ip=MX, sender="") == Ruling.PASS
    assert ruling(resolver, ip=MX, sender="boss@other.example") == Ruling.REFUSE


def test_spf_follows_includes_mx_and_cname(names: NameServer, resolver: Resolver) -> None:
    names.zone = {
        "acme.example TXT": ['"unrelated"', '"v=spf1 include:_spf.host.example mx -" "all"'],
        "_spf.host.example TXT": ['"v=spf1 ip4:192.0.2.0/24 ?all"'],
        "acme.example MX": ["10 mx.acme.example."],
        "mx.acme.example A": [MX],
        "mx.acme.example AAAA": ["2001:db8::5"],
    }
    for ip, passes in ((MX, True), ("192.0.2.9", True), ("2001:db8::5", True), (STRANGER, False)):
        assert (ruling(resolver, ip=ip) == Ruling.PASS) == passes


# --- alignment


@pytest.mark.parametrize(
    ("author", "signer", "mode", "expected"),
    [
        ("acme.example", "mail.acme.example", "r", Ruling.PASS),
        ("mail.acme.example", "acme.example", "r", Ruling.PASS),
        ("a.acme.example", "b.acme.example", "r", Ruling.PASS),
        ("acme.example", "mail.acme.example", "s", Ruling.REFUSE),
        ("acme.example", "acme.example", "s", Ruling.PASS),
        ("acme.example", "evil.example", "r", Ruling.REFUSE),
        ("acme.example", "notacme.example", "r", Ruling.REFUSE),
        ("acme.co.uk", "evil.co.uk", "r", Ruling.REFUSE),
        ("one.github.io", "two.github.io", "r", Ruling.REFUSE),
    ],
)
def test_a_signature_must_be_aligned(
    names: NameServer,
    resolver: Resolver,
    key: Key,
    author: str,
    signer: str,
    mode: str,
    expected: Ruling,
) -> None:
    organisation = (
        author
        if author.count(".") == 1 or "github" in author or "co.uk" in author
        else "acme.example"
    )
    names.zone = policy(f"p=reject; adkim={mode}", organisation) | at(signer, key)
    mail = key.sign(MAIL.replace(b"<boss@acme.example>", f"<boss@{author}>".encode()), signer)
    assert ruling(resolver, mail, sender=f"boss@{author}", domain=author) == expected


@pytest.mark.parametrize(("mode", "expected"), [("r", Ruling.PASS), ("s", Ruling.REFUSE)])
def test_spf_must_be_aligned(
    names: NameServer, resolver: Resolver, mode: str, expected: Ruling
) -> None:
    names.zone = policy(f"p=reject; aspf={mode}") | {
        "bounce.acme.example TXT": ['"v=spf1 +all"'],
        "evil.example TXT": ['"v=spf1 +all"'],
    }
    assert ruling(resolver, sender="x@bounce.acme.example") == expected
    assert ruling(resolver, sender="x@evil.example") == Ruling.REFUSE
    assert ruling(resolver, sender='"x@bounce.acme.example"@evil.example') == Ruling.REFUSE
    assert ruling(resolver, sender='"y@x"@bounce.acme.example') == Ruling.REFUSE


def test_a_subdomain_has_its_own_policy_or_that_for_subdomains(
    names: NameServer, resolver: Resolver
) -> None:
    names.zone = policy("p=none; sp=reject")
    sub = {"sender": "x@sub.acme.example", "domain": "sub.acme.example"}
    assert ruling(resolver) == Ruling.HOLD
    assert ruling(resolver, **sub) == Ruling.REFUSE
    names.zone |= policy("p=quarantine", "own.acme.example")
    assert ruling(resolver, sender="x@own.acme.example", domain="own.acme.example") == Ruling.HOLD


# --- what does not prove


def test_a_policy_decides_about_what_is_not_proved(names: NameServer, resolver: Resolver) -> None:
    for text, expected in (
        ("p=reject", Ruling.REFUSE),
        ("p=quarantine", Ruling.HOLD),
        ("p=none", Ruling.HOLD),
    ):
        names.zone = policy(text, f"{text[2:]}.example") | {
            f"{text[2:]}.example TXT": ['"v=spf1 -all"']
        }
        domain = f"{text[2:]}.example"
        assert ruling(resolver, sender=f"x@{domain}", domain=domain) == expected


def test_two_policies_or_a_foreign_record_are_no_policy(
    names: NameServer, resolver: Resolver
) -> None:
    names.zone = {
        "_dmarc.acme.example TXT": [
            '"v=DMARC1; p=none"',
            '"v=DMARC1; p=none; pct=5"',
            '"v=spf1 -all"',
        ]
    }
    assert ruling(resolver) == Ruling.REFUSE
    names.zone = {"_dmarc.other.example TXT": ['"p=none; v=DMARC1"', '"hello"']}
    assert ruling(resolver, sender="x@other.example", domain="other.example") == Ruling.REFUSE


def test_a_sloppy_policy_is_read(names: NameServer, resolver: Resolver) -> None:
    names.zone = {
        "_dmarc.acme.example TXT": ['"v=DMARC1 ;P = Reject ;; rua=mailto:a=b@acme.example; junk;"']
    }
    assert ruling(resolver) == Ruling.REFUSE


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("~all", Ruling.HOLD),
        ("?all", Ruling.HOLD),
        ("bogus:x", Ruling.HOLD),
        ("-all", Ruling.REFUSE),
        ("include:acme.example", Ruling.HOLD),
    ],
)
def test_without_a_policy_spf_tells_what_to_do(
    names: NameServer, resolver: Resolver, record: str, expected: Ruling
) -> None:
    names.zone = {"acme.example TXT": [f'"v=spf1 {record}"']}
    assert ruling(resolver) == expected


def test_a_domain_that_publishes_nothing_proves_nothing(resolver: Resolver) -> None:
    finding = found(resolver)
    assert finding.ruling == Ruling.REFUSE
    assert "acme.example" in finding.reason


def test_an_altered_mail_is_held_where_the_policy_is_soft(
    names: NameServer, resolver: Resolver, key: Key
) -> None:
    names.zone = at("acme.example", key)
    altered = key.sign() + b"-- \r\nsent to the list by the list\r\n"
    assert (
        found(resolver, altered).reason
        == "the DKIM signature of acme.example does not hold (altered?)"
    )
    assert ruling(resolver, altered) == Ruling.HOLD
    assert ruling(resolver, key.sign().replace(b"Subject: Water", b"Subject: Fire")) == Ruling.HOLD
    names.zone |= {"_dmarc.strict.example TXT": ['"v=DMARC1; p=reject"']} | at(
        "strict.example", key
    )
    mail = key.sign(MAIL.replace(b"acme", b"strict"), "strict.example") + b"more\r\n"
    assert (
        ruling(resolver, mail, sender="x@strict.example", domain="strict.example") == Ruling.REFUSE
    )


def altered(name: str, key: Key) -> tuple[bytes, str]:
    """A mail and the key record that goes with it, one of them wrong in the named way."""
    now, signed = int(time.time()), key.sign()
    mails = {
        "expired": lambda: resigned(key, f" x={now - 86_400}; t={now - 90_000};"),
        "from the future": lambda: resigned(key, f" t={now + 86_400};"),
        "partial body": lambda: key.sign(length=True) + b"more\r\n",
        "partial body of nothing": lambda: key.sign(length=True),
        "sha1": lambda: key.sign(signature_algorithm=b"rsa-sha1"),
        "second From": lambda: signed.replace(b"To: ", b"From: x@evil.test\r\nTo: "),
        "long signature header": lambda: signed.replace(
            b"v=1;", b"v=1; z=" + b"a" * 9000 + b";", 1
        ),
        "endless white space": lambda: signed.replace(b"v=1;", b"v=1;" + b" " * 5000, 1),
        "endless header": lambda: signed.replace(
            b"To: ", b"X: " + b"a\r\n " * 40_000 + b"\r\nTo: "
        ),
        "no h tag": lambda: re.sub(rb" h=[^;]*;", b"", signed, count=1, flags=re.DOTALL),
    }
    records = {
        "revoked key": lambda: '"v=DKIM1; p="',
        "broken key": lambda: '"v=DKIM1; p=AAAA"',
        "half a base64 key": lambda: '"v=DKIM1; p=AAAAA"',
        "not a key": lambda: '"hello world"',
        "another key": lambda: Key(1024).record,
        "unknown kind of key": lambda: key.record.replace("k=rsa", "k=dsa"),
    }
    return mails.get(name, lambda: signed)(), records.get(name, lambda: key.record)()


def resigned(key: Key, tags: str) -> bytes:
    """A mail signed with more tags in the signature, which dkimpy's own signer cannot set."""

    class Signer(dkim.DKIM):  # type: ignore[misc]
        def gen_header(self, fields: list[Any], *rest: Any, **options: Any) -> Any:
            extra = [
                tuple(x.strip().encode() for x in tag.split("="))
                for tag in tags.split(";")
                if tag.strip()
            ]
            fields = [field for field in fields if field[0] not in {name for name, _ in extra}]
            return super().gen_header(fields[:-1] + extra + fields[-1:], *rest, **options)

    return bytes(Signer(MAIL).sign(b"s1", b"acme.example", key.pem)) + MAIL


def test_a_signature_with_more_tags_is_a_signature(
    names: NameServer, resolver: Resolver, key: Key
) -> None:
    names.zone = policy("p=reject") | at("acme.example", key)
    assert ruling(resolver, resigned(key, f" x={int(time.time()) + 90_000};")) == Ruling.PASS


@pytest.mark.parametrize(
    "name",
    [
        "expired",
        "from the future",
        "partial body",
        "partial body of nothing",
        "sha1",
        "revoked key",
        "broken key",
        "half a base64 key",
        "not a key",
        "another key",
        "unknown kind of key",
        "second From",
        "long signature header",
        "endless white space",
        "endless header",
        "no h tag",
    ],
)
def test_a_signature_that_does_not_hold_proves_nothing(
    names: NameServer, resolver: Resolver, key: Key, name: str
) -> None:
    mail, record = altered(name, key)
    names.zone = policy("p=reject") | {"s1._domainkey.acme.example TXT": [record]}
    assert ruling(resolver, mail) == Ruling.REFUSE


def test_one_good_signature_among_bad_ones_proves(
    names: NameServer, resolver: Resolver, key: Key
) -> None:
    names.zone = policy("p=reject") | at("acme.example", key)
    bad = b"DKIM-Signature: v=1; a=rsa-sha256; d=acme.example; s=none; h=from; bh=AAAA; b=AAAA\r\n"
    junk = b"DKIM-Signature: hello\r\nDKIM-Signature: v=1; d=\xff; s=\xff; =; ;\r\n"
    assert ruling(resolver, junk + bad + key.sign()) == Ruling.PASS
    assert ruling(resolver, bad * 4 + key.sign()) == Ruling.REFUSE


def test_white_space_without_end_costs_nothing_much(
    names: NameServer, resolver: Resolver, key: Key
) -> None:
    names.zone = policy("p=reject") | at("acme.example", key)
    body = b" " * 3_000_000 + b"x\r\n"
    assert ruling(resolver, key.sign() + body) == Ruling.REFUSE


# --- DNS that does not answer


@pytest.mark.parametrize("fault", ["silence", "servfail", "refused"])
@pytest.mark.parametrize(
    "where", ["_dmarc.acme.example", "acme.example", "s1._domainkey.acme.example"]
)
def test_a_question_without_an_answer_holds(
    names: NameServer, resolver: Resolver, key: Key, where: str, fault: str
) -> None:
    names.zone = SPF | policy("p=reject") | at("acme.example", key)
    names.zone |= {f"{where} TXT": fault}
    mail = key.sign() if where.startswith("s1") else MAIL
    finding = found(resolver, mail)
    assert finding.ruling == Ruling.HOLD
    assert "gave no answer" in finding.reason


def test_an_exact_match_is_proof_even_where_the_policy_is_not_known(
    names: NameServer, resolver: Resolver, key: Key
) -> None:
    names.zone = SPF | at("acme.example", key) | {"_dmarc.acme.example": "servfail"}
    assert ruling(resolver, ip=MX) == Ruling.PASS
    assert ruling(resolver, key.sign()) == Ruling.PASS
    names.zone |= at("sub.acme.example", key)
    assert ruling(resolver, key.sign(domain="sub.acme.example")) == Ruling.HOLD


def test_nobody_at_the_name_servers_address_holds(key: Key) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        resolver = Resolver([f"127.0.0.1:{mute.getsockname()[1]}"], timeout=0.1)
        assert ruling(resolver, key.sign(), ip=MX) == Ruling.HOLD
        with pytest.raises(LookupFailed):
            resolver.probe()


def test_patience_ends_at_the_deadline(names: NameServer, resolver: Resolver) -> None:
    with pytest.raises(LookupFailed):
        resolver.look("acme.example", "TXT", time.monotonic())
    assert names.asked == []


def test_the_next_name_server_is_asked_when_one_is_lame(names: NameServer) -> None:
    lame = NameServer()
    lame.zone = {"_dmarc.acme.example": "refused", "acme.example": "refused"}
    resolver = Resolver([f"127.0.0.1:{lame.port}", f"127.0.0.1:{names.port}"], timeout=1.0)
    names.zone = SPF
    assert resolver.txt("acme.example", time.monotonic() + 5) == [f"v=spf1 ip4:{MX} -all".encode()]
    lame.close()


def test_long_answers_come_over_tcp(names: NameServer, resolver: Resolver) -> None:
    names.zone = {"acme.example TXT": f'truncate "v=spf1 ip4:{MX} -all"'}
    assert ruling(resolver, ip=MX) == Ruling.PASS


def test_answers_are_kept_for_a_while(names: NameServer, resolver: Resolver) -> None:
    names.zone = SPF | policy("p=none")
    for _ in range(3):
        assert ruling(resolver, ip=MX) == Ruling.PASS
    assert sorted(names.asked) == ["_dmarc.acme.example TXT", "acme.example TXT"]
    brief = Resolver([f"127.0.0.1:{names.port}"], longest_ttl=0.0)
    names.asked.clear()
    for _ in range(2):
        assert brief.txt("acme.example", time.monotonic() + 5)
    assert len(names.asked) == 2


def test_names_that_cannot_be_have_no_records(names: NameServer, resolver: Resolver) -> None:
    names.zone = {"example TXT": ['"x"']}
    for name in ("a" * 64 + ".example", "a..example", "x." * 150, "\u2488.example"):
        assert resolver.look(name, "TXT", time.monotonic() + 5) == []


def test_the_probe_names_the_servers(names: NameServer, resolver: Resolver) -> None:
    names.zone = {". NS": ["a.root.test."], " NS": ["a.root.test."]}
    assert str(names.port) in resolver.probe()


def test_too_many_or_too_empty_lookups_are_an_error_of_the_record(
    names: NameServer, resolver: Resolver
) -> None:
    names.zone = {
        "acme.example TXT": [
            '"v=spf1 ' + " ".join(f"a:h{i}.acme.example" for i in range(9)) + ' -all"'
        ]
    }
    assert ruling(resolver) == Ruling.HOLD
    assert len(names.asked) < 8


# --- through the door: rules, rulings, threads

RULES = Ruleset(
    [Rule(1, "*@acme.example", ("dmarc",)), Rule(1, "boss@acme.example", ("dmarc", "auth"))]
)


async def test_the_header_must_name_an_address_of_the_rule(
    names: NameServer, prover: Prover
) -> None:
    names.zone = SPF | {"evil.example TXT": ['"v=spf1 +all"']}
    peer = Peer(MX, "mx.acme.example")
    match = RULES.at_rcpt(peer, "boss@acme.example")
    assert match.needs_dmarc
    proof = await prover.prove(match, MAIL, peer, "boss@acme.example")
    assert (proof.ruling, proof.rule) == (Ruling.PASS, match.rule)
    foreign = await prover.prove(
        match, MAIL.replace(b"acme.ex", b"evil.ex"), peer, "boss@acme.example"
    )
    assert foreign.ruling == Ruling.REFUSE
    assert "From" in foreign.reason
    none = await prover.prove(match, MAIL.replace(b"From:", b"X:"), peer, "boss@acme.example")
    assert none.ruling == Ruling.REFUSE


async def test_the_rule_that_covers_the_author_is_named(names: NameServer, prover: Prover) -> None:
    names.zone = SPF
    rules = Ruleset([Rule(1, "boss@acme.example", ("dmarc",)), Rule(1, "*", ("dmarc",))])
    peer = Peer(MX)
    match = rules.at_rcpt(peer, "boss@acme.example")
    proof = await prover.prove(match, MAIL.replace(b"<boss", b"<anna"), peer, "boss@acme.example")
    assert (proof.ruling, proof.rule.address) == (Ruling.PASS, "*")


async def test_a_check_that_takes_too_long_holds(names: NameServer) -> None:
    names.zone = {"_dmarc.acme.example": "silence", "acme.example": "silence"}
    slow = Prover(lambda: Resolver([f"127.0.0.1:{names.port}"], timeout=3.0), seconds=0.3)
    match = RULES.at_rcpt(Peer(MX), "boss@acme.example")
    proof = await slow.prove(match, MAIL, Peer(MX), "boss@acme.example")
    assert proof.ruling == Ruling.HOLD
    slow.close()


async def test_no_free_thread_asks_to_come_again(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = Prover(lambda: resolver, threads=1)
    await busy._free.acquire()
    monkeypatch.setattr("bridge.smtp.proof._QUEUE_SECONDS", 0.01)
    match = RULES.at_rcpt(Peer(MX), "boss@acme.example")
    with pytest.raises(TryLater, match="too many"):
        await busy.prove(match, MAIL, Peer(MX), "boss@acme.example")
    busy.close()


def test_the_system_resolver_is_the_default() -> None:
    assert Resolver()


# --- nothing a stranger writes is a crash

pieces = st.sampled_from(
    [
        b"DKIM-Signature:",
        b"From:",
        b" ",
        b"\r\n",
        b"\n",
        b"\t",
        b"v=1;",
        b"a=rsa-sha256;",
        b"d=acme.example;",
        b"s=s1;",
        b"h=from;",
        b"bh=;",
        b"b=;",
        b"c=relaxed/relaxed;",
        b"c=/;",
        b"x=1;",
        b"t=\xff;",
        b"i=@;",
        b"boss@acme.example",
        b"\x00",
        b"\xff",
        b"=",
    ]
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150
)
@given(st.lists(st.one_of(pieces, st.binary(max_size=5)), max_size=40))
def test_any_content_gets_a_ruling(
    names: NameServer, resolver: Resolver, key: Key, parts: list[bytes]
) -> None:
    names.zone = policy("p=reject") | at("acme.example", key)
    assert ruling(resolver, b"".join(parts)) == Ruling.REFUSE
    assert ruling(resolver, b"DKIM-Signature: " + b"".join(parts) + b"\r\n" + MAIL) == Ruling.REFUSE


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150
)
@given(
    st.lists(
        st.sampled_from(
            [
                "v=spf1",
                " ",
                "ip4:",
                "ip6:",
                "1.2.3.4",
                "/33",
                "//",
                "a",
                "mx",
                "ptr",
                "include:",
                "redirect=",
                "exp=",
                "%{i}",
                "%{",
                "%",
                "exists:",
                "acme.example",
                "=",
                ":",
                "-all",
                "\\255",
            ]
        ),
        max_size=12,
    )
)
def test_any_spf_record_gets_a_ruling(names: NameServer, parts: list[str]) -> None:
    resolver = Resolver([f"127.0.0.1:{names.port}"], timeout=0.5)
    names.zone = {
        "acme.example TXT": ['"v=spf1 ' + "".join(parts) + '"'],
        "acme.example A": ["192.0.2.1"],
    }
    assert ruling(resolver) in set(Ruling)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100
)
@given(
    st.lists(
        st.sampled_from(
            [
                "v=DKIM1;",
                "p=",
                "k=rsa;",
                "k=ed25519;",
                "AAAA",
                "=",
                ";",
                " ",
                "s=x;",
                "t=s;",
                "h=",
                "\\255",
            ]
        ),
        max_size=10,
    )
)
def test_any_key_record_gets_a_ruling(names: NameServer, key: Key, parts: list[str]) -> None:
    resolver = Resolver([f"127.0.0.1:{names.port}"], timeout=0.5)
    names.zone = policy("p=reject") | {
        "s1._domainkey.acme.example TXT": ['"' + "".join(parts) + '"']
    }
    assert ruling(resolver, key.sign()) == Ruling.REFUSE
