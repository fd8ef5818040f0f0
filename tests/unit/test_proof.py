"""Sender rules at RCPT, address patterns, tokens, and the reading of From headers."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.errors import Misconfigured, Refused
from bridge.model import Class
from bridge.smtp import dmarc
from bridge.smtp.dns import Resolver
from bridge.smtp.domains import canonical, organisational, split
from bridge.smtp.proof import Match, Peer, Rule, Ruleset, new_token

ACME, OTHER = 1, 2
INSIDE = Peer("192.0.2.7")
OUTSIDE = Peer("203.0.113.9")
LOGGED_IN = Peer("203.0.113.9", login_tenant=ACME)
NETWORK = "network:192.0.2.0/24"


def rules(*lines: tuple[str, str], tokens: tuple[tuple[int, str], ...] = ()) -> Ruleset:
    return Ruleset([Rule(ACME, address, tuple(proof.split())) for address, proof in lines], tokens)


@pytest.mark.parametrize(
    ("pattern", "sender", "passes"),
    [
        ("*@acme.example", "anna@acme.example", True),
        ("*@acme.example", "Anna@ACME.example", True),
        ("*@acme.example", "anna@sub.acme.example", False),
        ("*@acme.example", "anna@acme.example.evil.test", False),
        ("*@acme.example", "anna@notacme.example", False),
        ("*@acme.example", '"x@acme.example"@evil.test', False),
        ("*@acme.example", "anna@acme.example.", True),
        ("*@acme.example", "", False),
        ("*@acme.example", "acme.example", False),
        ("*@acme.example", "@acme.example", False),
        ("Boss@acme.example", "boss@acme.example", True),
        ("boss@acme.example", "boss2@acme.example", False),
        ("boss@acme.example", "anna@acme.example", False),
        ("*@žluť.example", "anna@xn--lu-yta1h.example", True),
        ("*@xn--lu-yta1h.example", "anna@ŽLUŤ.example", True),
        ("*@faß.example", "anna@fass.example", False),
        ("straße@acme.example", "strasse@acme.example", False),
        ("žofie@acme.example", "Z\u030cofie@acme.example", True),
        ("*", "anna@anywhere.example", True),
        ("*", "anna@[192.0.2.1]", True),
        ("*", "", True),
    ],
)
def test_a_pattern_covers_the_addresses_it_is_meant_to(
    pattern: str, sender: str, passes: bool
) -> None:
    assert (rules((pattern, NETWORK)).at_rcpt(INSIDE, sender).rule is not None) == passes


@pytest.mark.parametrize(
    ("proof", "ip", "passes"),
    [
        (NETWORK, "192.0.2.7", True),
        (NETWORK, "::ffff:192.0.2.7", True),
        (NETWORK, "192.0.3.7", False),
        (NETWORK, "2001:db8::1", False),
        (NETWORK, "", False),
        (NETWORK, "nonsense", False),
        ("network:192.0.2.7", "192.0.2.7", True),
        ("network:2001:db8::/32", "2001:db8::1", True),
        ("network:2001:db8::/32", "192.0.2.7", False),
        ("network:fe80::/10", "fe80::1%eth0", True),
        ("network:127.0.0.0/8", "127.0.0.1", True),
    ],
)
def test_a_network_holds_the_peers_inside_it(proof: str, ip: str, passes: bool) -> None:
    assert (rules(("*", proof)).at_rcpt(Peer(ip), "a@acme.example").rule is not None) == passes


def test_a_login_counts_for_its_own_tenant_only() -> None:
    ours = rules(("*@acme.example", "auth"))
    assert ours.at_rcpt(LOGGED_IN, "a@acme.example").rule is not None
    assert ours.at_rcpt(Peer("203.0.113.9", login_tenant=OTHER), "a@acme.example").rule is None
    refused = ours.at_rcpt(OUTSIDE, "a@acme.example")
    assert refused.rule is None
    assert refused.reason == "mail from this sender address is accepted only after login"


def test_all_proofs_of_a_rule_are_needed() -> None:
    both = rules(("*@acme.example", f"auth {NETWORK}"))
    assert both.at_rcpt(INSIDE, "a@acme.example").rule is None
    assert both.at_rcpt(LOGGED_IN, "a@acme.example").rule is None
    assert both.at_rcpt(Peer("192.0.2.7", login_tenant=ACME), "a@acme.example").rule is not None


def test_rules_for_one_address_are_alternatives() -> None:
    either = rules(("*@acme.example", "auth"), ("boss@acme.example", NETWORK))
    assert either.at_rcpt(INSIDE, "boss@acme.example").rule is not None
    assert either.at_rcpt(LOGGED_IN, "boss@acme.example").rule is not None
    refused = either.at_rcpt(OUTSIDE, "boss@acme.example")
    assert refused.reason.endswith("after login, or from the sender's own network")


def test_the_first_tenant_whose_rule_is_satisfied_wins() -> None:
    both = Ruleset(
        [
            Rule(ACME, "*", ("auth",)),
            Rule(OTHER, "*@acme.example", (NETWORK,), Class.MARKETING),
            Rule(ACME, "*@acme.example", (NETWORK,)),
        ],
    )
    network = both.at_rcpt(INSIDE, "a@acme.example").rule
    assert network is not None
    assert (network.tenant, network.klass) == (OTHER, Class.MARKETING)
    login = both.at_rcpt(Peer("192.0.2.7", login_tenant=ACME), "a@acme.example").rule
    assert login is not None
    assert login.tenant == ACME


def test_a_proof_in_hand_wins_over_one_still_to_come() -> None:
    both = rules(("*@acme.example", "dmarc"), ("*@acme.example", NETWORK))
    assert not both.at_rcpt(INSIDE, "a@acme.example").needs_dmarc
    later = both.at_rcpt(OUTSIDE, "a@acme.example")
    assert later.needs_dmarc
    assert later.rule is not None


def test_only_rules_that_may_still_hold_wait_for_the_content() -> None:
    some = Ruleset(
        [
            Rule(ACME, "*@acme.example", ("dmarc", "auth")),
            Rule(ACME, "a@acme.example", ("dmarc",)),
            Rule(ACME, "*", ("dmarc",)),
            Rule(OTHER, "*@acme.example", ("dmarc",)),
        ],
    )
    found = some.at_rcpt(OUTSIDE, "a@acme.example")
    assert [rule.address for rule in found.candidates] == ["a@acme.example", "*"]
    assert found.rule is found.candidates[0]


def test_a_token_counts_for_its_tenant_in_any_case() -> None:
    token, known = new_token()
    wrong, _ = new_token()
    ours = rules(("*@acme.example", "token"), tokens=((OTHER, "0" * 64), (ACME, known)))
    assert token == token.lower()
    assert token not in known
    assert ours.at_rcpt(OUTSIDE, "a@acme.example", token.upper()).rule is not None
    for bad in (wrong, "", None, known, token[:-1], "ž"):
        refused = ours.at_rcpt(OUTSIDE, "a@acme.example", bad)
        assert refused.rule is None
        assert "token" in refused.reason
    foreign = rules(("*@acme.example", "token"), tokens=((OTHER, known),))
    assert foreign.at_rcpt(OUTSIDE, "a@acme.example", token).rule is None


def test_a_refusal_names_no_tenant_and_no_network() -> None:
    both = Ruleset([Rule(ACME, "*@acme.example", (NETWORK,)), Rule(OTHER, "*", ("auth", NETWORK))])
    reason = both.at_rcpt(OUTSIDE, "a@acme.example").reason
    assert "192.0.2" not in reason
    assert "acme" not in reason
    assert "*" not in reason


def test_no_rules_let_nobody_in() -> None:
    assert Ruleset([]).at_rcpt(INSIDE, "a@acme.example") == Match(
        None, Ruleset([]).at_rcpt(INSIDE, "x").reason
    )


def test_decisions_are_remembered_within_bounds() -> None:
    ours = rules(("*@acme.example", NETWORK))
    for i in range(10_000):
        ours.at_rcpt(OUTSIDE, f"a{i}@acme.example")
    assert len(ours._decided) <= 4096
    assert ours.at_rcpt(INSIDE, "a@acme.example") is ours.at_rcpt(INSIDE, "a@acme.example")


@pytest.mark.parametrize(
    ("address", "proofs", "says"),
    [
        ("acme.example", ("auth",), "no address pattern"),
        ("@acme.example", ("auth",), "no address pattern"),
        ("a*@acme.example", ("auth",), "no address pattern"),
        ("*@*.example", ("auth",), "no address pattern"),
        ("", ("auth",), "no address pattern"),
        ("*", (), "proof is missing"),
        ("*", ("password",), "'password' is no proof"),
        ("*", ("AUTH",), "'AUTH' is no proof"),
        ("*", ("network:",), "no network"),
        ("*", ("network:10.0.0.1/8",), "no network"),
        ("*", ("network:office",), "no network"),
    ],
)
def test_a_rule_that_cannot_be_understood_is_an_error(
    address: str, proofs: tuple[str, ...], says: str
) -> None:
    with pytest.raises(Misconfigured, match=says) as error:
        Ruleset([Rule(ACME, address, proofs)])
    assert error.value.hint


@given(st.text(max_size=80))
@example("a@" + "x" * 64 + ".example")
@example("a@..")
@example("a@xn--a.example")
@example("a@\u2488com.example")
def test_any_sender_is_decided_without_a_crash(sender: str) -> None:
    assert rules(("*@acme.example", NETWORK)).at_rcpt(OUTSIDE, sender).rule is None


@pytest.mark.parametrize(
    ("domain", "owner"),
    [
        ("acme.example", "acme.example"),
        ("a.b.acme.example", "acme.example"),
        ("example", "example"),
        ("acme.co.uk", "acme.co.uk"),
        ("mail.acme.co.uk", "acme.co.uk"),
        ("co.uk", "co.uk"),
        ("foo.github.io", "foo.github.io"),
        ("a.foo.github.io", "foo.github.io"),
        ("a.b.ck", "a.b.ck"),
        ("x.a.b.ck", "a.b.ck"),
        ("www.ck", "www.ck"),
        ("mail.www.ck", "www.ck"),
        ("city.kobe.jp", "city.kobe.jp"),
        ("a.b.c.kobe.jp", "b.c.kobe.jp"),
        ("a.acme.xn--55qx5d.cn", "acme.xn--55qx5d.cn"),
    ],
)
def test_the_organisational_domain_follows_the_public_suffix_list(domain: str, owner: str) -> None:
    assert organisational(domain) == owner


@given(st.text(max_size=40))
def test_a_canonical_name_is_its_own_canonical_name(text: str) -> None:
    try:
        name = canonical(text)
    except ValueError:
        return
    assert canonical(name) == name
    assert name.endswith(organisational(name))


@pytest.mark.parametrize(
    "address", ["", "a", "@", "a@", "@b.example", "a@b example", "a@[192.0.2.1]", "a@b..example"]
)
def test_what_is_no_address_is_not_split(address: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        split(address)


@pytest.mark.parametrize(
    "header",
    [
        b"From: boss@acme.example",
        b"from:boss@ACME.example",
        b'From: "Boss, The" <boss@acme.example>',
        b"From: =?utf-8?q?=C5=BD?= <Boss@acme.example>",
        b"From: Boss\r\n <boss@acme.example>",
        b"From:\r\n boss@acme.example",
        b"From: boss@acme.example (the boss)",
        b'From: "boss@evil.test" <boss@acme.example>',
        b"X-From: x@evil.test\r\nFrom: boss@acme.example\r\nReply-To: y@evil.test",
    ],
)
def test_the_author_is_the_one_address_in_from(header: bytes) -> None:
    for end in (b"\r\n\r\nFrom: body@evil.test\r\n", b"\n\nFrom: body@evil.test\n"):
        assert dmarc.author(header + end) == ("boss", "acme.example")


@pytest.mark.parametrize(
    "header",
    [
        b"Subject: nobody",
        b"From:",
        b"From: <>",
        b"From: Boss",
        b"From: undisclosed:;",
        b"From: boss@acme.example, anna@acme.example",
        b"From: boss@acme.example\r\nFrom: x@evil.test",
        b"From: boss@acme.example\r\nfrom : x@evil.test",
        b"From: boss@acme.example\r\nX: y\rFrom: x@evil.test",
        b"From: boss@acme.example\nFROM:\n x@evil.test",
        b"From: boss@[192.0.2.1]",
        b"From: boss@acme..example",
        b"\r\nFrom: boss@acme.example",
        b"From: " + b"(" * 5000 + b"boss@acme.example",
        b"From: boss@acme.example\r\nX: " + b"a\r\n " * 200_000,
    ],
)
def test_a_from_that_is_not_one_address_is_refused(header: bytes) -> None:
    with pytest.raises(Refused):
        dmarc.author(header + b"\r\n\r\nbody\r\n")


@given(st.binary(max_size=300))
def test_any_content_is_read_without_a_crash(content: bytes) -> None:
    for mail in (content, b"From: " + content):
        try:
            local, domain = dmarc.author(mail)
        except Refused:
            continue
        assert local
        assert canonical(domain) == domain


@pytest.mark.parametrize(
    "server", ["dns.example", "192.0.2.1:dns", "999.0.0.1", "192.0.2.1:99999", ""]
)
def test_a_name_server_is_an_ip_address(server: str) -> None:
    with pytest.raises(Misconfigured, match="no IP address"):
        Resolver([server])


@pytest.mark.parametrize(
    "server", ["192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353"]
)
def test_name_servers_may_have_a_port(server: str) -> None:
    Resolver([server])
