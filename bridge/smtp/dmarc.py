"""A mail and the way it came in; out: is the author whom its From header names (RFC 7489)?

| what is found                                                            | ruling |
| ------------------------------------------------------------------------ | ------ |
| no From, several, one with several addresses, or one that cannot be read | REFUSE |
| SPF passes for an aligned domain, or a signature of one verifies         | PASS   |
| neither, and DNS gave no answer to a question that could have helped     | HOLD   |
| neither, and the policy is `p=reject`                                    | REFUSE |
| neither, and the policy is `p=none` or `p=quarantine`                    | HOLD   |
| neither, no policy, but an aligned signature that broke on the way, or   | HOLD   |
| SPF that says softfail, neutral or permerror                             |        |
| neither, no policy, no trace of SPF or DKIM, or SPF says fail            | REFUSE |

A DMARC record is not required: without one an aligned pass proves as much. A mail that a list or
a forwarder altered fails as a forgery does, which is why a soft policy means that a person looks.

SPF is asked for the envelope sender's domain, for HELO only where the sender is null. From a
loopback or private address (a relay of our own before us) only a pass of SPF counts.

Whoever holds a signed mail can send it again as it is: who must rule that out asks for `network`,
`auth` or `token` as well.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import getaddresses
from typing import Any

import spf

from bridge.errors import Refused
from bridge.smtp import dkim_check
from bridge.smtp.dns import LookupFailed, Resolver
from bridge.smtp.domains import aligned, canonical, organisational, split
from bridge.smtp.ruling import Finding, Ruling, Way

_HEADER_LIMIT = 524_288
_LINES = re.compile(rb"\r\n|\n|\r")

# RFC 1918, RFC 4193, link-local and loopback: where a relay of our own stands.
_PRIVATE = tuple(
    ipaddress.ip_network(net)
    for net in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)


@dataclass(frozen=True, slots=True)
class _Policy:
    known: bool = False  # a record was found
    reject: bool = False
    strict_dkim: bool = False
    strict_spf: bool = False


def author(content: bytes) -> tuple[str, str]:
    """The one address in the one From header, as (local part, domain) ready to be compared.

    Raises Refused where there is none, or more than one (RFC 7489 6.6.1 lets a receiver refuse).
    """
    header = dkim_check.header(content)
    if len(header) > _HEADER_LIMIT:
        raise Refused("the header of the mail is too long")
    fields = list(_from_fields(header))
    if len(fields) != 1:
        raise Refused(f"the mail has {len(fields) or 'no'} From headers; exactly one is needed")
    try:
        addresses = [address for _, address in getaddresses(fields)]
        if len(addresses) == 1:
            return split(addresses[0])
    except (ValueError, RecursionError):  # the latter for comments within comments
        raise Refused("the From header holds no address that can be read") from None
    raise Refused("the From header must hold exactly one address")


def _from_fields(header: bytes) -> Iterator[str]:
    """Every From header as any reader could see it: each line end there is counts as one."""
    field: list[bytes] = []
    for line in _LINES.split(header):
        if line[:1] in (b" ", b"\t"):
            field.append(line)
            continue
        yield from _if_from(field)
        field = [line]
    yield from _if_from(field)


def _if_from(field: list[bytes]) -> Iterator[str]:
    name, colon, value = b"".join(field).partition(b":")
    if colon and name.strip().lower() == b"from":
        yield value.decode("utf-8", "replace").strip()


def assess(content: bytes, way: Way, domain: str, resolver: Resolver, deadline: float) -> Finding:
    """Whether a mail comes from the canonical domain that its From header names.

    Blocks: for DNS until `deadline` (time.monotonic), then for the hashing of the content.
    """
    silent = False
    try:
        policy = _policy(domain, resolver, deadline)
    except LookupFailed:
        # The domain may ask for strict alignment: only an exact match is beyond doubt.
        policy, silent = _Policy(known=True, strict_dkim=True, strict_spf=True), True
    spf_says = _spf(way, domain, policy.strict_spf, resolver, deadline)
    if spf_says == "pass":
        return Finding(Ruling.PASS, f"SPF of {domain} allows the sending host")
    signed = dkim_check.verify(content, domain, policy.strict_dkim, resolver, deadline)
    if signed == "pass":
        return Finding(Ruling.PASS, f"signed by {domain}")
    if silent or "temperror" in (spf_says, signed):
        return Finding(Ruling.HOLD, f"DNS of {domain} gave no answer: SPF and DKIM are not known")
    return _unproved(domain, policy, spf_says, signed)


def _unproved(domain: str, policy: _Policy, spf_says: str, signed: str) -> Finding:
    found = f"neither SPF nor DKIM proves that it comes from {domain}"
    if policy.reject:
        return Finding(Ruling.REFUSE, f"{found}, and {domain} asks to reject such mail")
    if policy.known:
        return Finding(Ruling.HOLD, found)
    if signed == "broken":
        return Finding(Ruling.HOLD, f"the DKIM signature of {domain} does not hold (altered?)")
    if spf_says in ("softfail", "neutral", "permerror"):
        return Finding(Ruling.HOLD, f"{found} (SPF: {spf_says})")
    return Finding(Ruling.REFUSE, f"{found}; send from a host in its SPF record, or sign with DKIM")


def _policy(domain: str, resolver: Resolver, deadline: float) -> _Policy:
    """RFC 7489 6.6.3: the domain's own record, or its organisational domain's."""
    tags, wish = _record(domain, resolver, deadline), "p"
    if not tags and (above := organisational(domain)) != domain:
        tags, wish = _record(above, resolver, deadline), "sp"
    if not tags:
        return _Policy()
    wanted = tags.get(wish, tags.get("p", "none"))
    strict_dkim, strict_spf = tags.get("adkim") == "s", tags.get("aspf") == "s"
    return _Policy(True, wanted == "reject", strict_dkim, strict_spf)


def _record(domain: str, resolver: Resolver, deadline: float) -> dict[str, str]:
    """The tags of the one DMARC record at a domain; several are as none (RFC 7489 6.6.3)."""
    texts = resolver.txt(f"_dmarc.{domain}", deadline)
    found = [text for text in texts if re.match(rb"v\s*=\s*DMARC1\s*(;|\Z)", text)]
    if len(found) != 1:
        return {}
    pairs = (tag.partition("=") for tag in found[0].decode("utf-8", "replace").split(";"))
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}


def _spf(way: Way, domain: str, strict: bool, resolver: Resolver, deadline: float) -> str:
    """RFC 7208's result for the domain that the client spoke for; "none" where not aligned."""
    try:
        speaker = split(way.sender)[1] if way.sender else canonical(way.helo)
        peer = ipaddress.ip_address(way.ip.partition("%")[0])
    except ValueError:
        return "none"
    # pyspf takes the first @ for the border: `"x@acme.example"@other.example` is not its case.
    if way.sender.count("@") > 1 or not aligned(domain, speaker, strict):
        return "none"
    local, at, _ = way.sender.rpartition("@")
    sender = f"{local}@{speaker}" if at else ""
    says = _Query(str(peer), sender, way.helo, resolver, deadline).result()
    return says if says == "pass" or not _is_private(peer) else "none"


def _is_private(peer: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    # The standard library's `is_private` includes the blocks for documentation.
    mapped = peer.ipv4_mapped if isinstance(peer, ipaddress.IPv6Address) else None
    address = mapped or peer
    return any(address in net for net in _PRIVATE if net.version == address.version)


class _Query(spf.query):  # type: ignore[misc]
    """pyspf's evaluation (RFC 7208) over our resolver, which follows CNAMEs itself."""

    def __init__(
        self, ip: str, sender: str, helo: str, resolver: Resolver, deadline: float
    ) -> None:
        super().__init__(ip, sender, helo)
        self._resolver, self._deadline = resolver, deadline

    def result(self) -> str:
        try:
            return str(self.check()[0])
        except (ValueError, IndexError, TypeError, AttributeError, AssertionError):
            return "permerror"  # a record that pyspf stumbles over

    def dns(
        self, name: Any, qtype: str, cnames: object = None, ignore_void: bool = False
    ) -> list[Any]:
        del cnames
        try:
            found = self._resolver.look(str(name), qtype, self._deadline)
        except LookupFailed as failed:
            raise spf.TempError(failed.sentence) from failed
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("too many lookups without an answer")
        return [_spoken(record, qtype) for record in found]


def _spoken(record: Any, qtype: str) -> Any:
    """A record in the form that pyspf expects."""
    if qtype in ("A", "AAAA"):
        return record.address
    if qtype == "MX":
        return record.preference, record.exchange.to_text(omit_final_dot=True)
    if qtype == "PTR":
        return record.target.to_text(omit_final_dot=True)
    return record.strings
