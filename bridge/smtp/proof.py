"""Sender rules, and who speaks to us; out: whether the mail may pass, and as which tenant's.

Two stages. `Ruleset.at_rcpt` needs no content and no DNS, and is asked for each recipient: a rule
is satisfied, or could be by the content (`dmarc`), or nobody's is, which is a refusal. `Prover`
is asked after DATA, and only where `Match.needs_dmarc`.

| at RCPT                                                       | outcome                       |
| ------------------------------------------------------------- | ----------------------------- |
| no rule has such an address                                   | refused                       |
| rules have it; network, login or token of each is lacking     | refused, saying what would do |
| one of them has all it asks for                               | passes: the first such rule   |
| else, all but `dmarc` is there                                | decided after DATA (dmarc.py) |

All proofs of a rule are needed; several rules for an address are alternatives. The first rule
that is satisfied wins, in the order given, and a proof in hand wins over one still to come. When
the decision waits for the content, the tenant is already settled: that of the first such rule.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.errors import Misconfigured, Refused, TryLater
from bridge.model import Class
from bridge.smtp.domains import split
from bridge.smtp.ruling import Ruling, Way

if TYPE_CHECKING:
    from bridge.smtp.dns import Resolver

_REMEMBERED = 4096  # decisions kept, all forgotten together when there are more
_QUEUE_SECONDS = 20.0  # patience of a mail that waits for a free thread

_WAYS = {
    "auth": "after login",
    "network": "from the sender's own network",
    "token": "with its token in the recipient's address",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a tenant's `senders`: who may send, and by what that is proved.

    `address` is `*`, `*@acme.example` or `boss@acme.example`; `proofs` are `network:CIDR`, `auth`
    (a login of this tenant), `dmarc` and `token` (one of this tenant), of which all are needed.
    """

    tenant: int
    address: str
    proofs: tuple[str, ...]
    klass: Class = Class.TRANSACTIONAL
    fold: float = 0.0  # seconds within which the same alert is folded


@dataclass(slots=True)
class Peer:
    """Who speaks to us. `ip` is "" where there is none (a unix socket): no network has it."""

    ip: str
    helo: str = ""
    login_tenant: int | None = None


@dataclass(slots=True)
class Match:
    """The decision at RCPT: `rule` is None when refused, `reason` then says why.

    `candidates` are the rules of that tenant that the content may satisfy, if `needs_dmarc`.
    """

    rule: Rule | None
    reason: str = ""
    candidates: tuple[Rule, ...] = ()

    @property
    def needs_dmarc(self) -> bool:
        return bool(self.candidates)


@dataclass(frozen=True, slots=True)
class Proof:
    """The decision after DATA: a ruling, a sentence for people, and the rule it was made by."""

    ruling: Ruling
    reason: str
    rule: Rule


class Ruleset:
    """All tenants' rules, in order, and the hashes of their tokens as (tenant, hash).

    Raises Misconfigured for a rule that cannot be understood.
    """

    def __init__(self, rules: Iterable[Rule], tokens: Iterable[tuple[int, str]] = ()) -> None:
        self._rules = [_Compiled(order, rule) for order, rule in enumerate(rules)]
        self._tokens = tuple(tokens)
        self._by_address: dict[str, list[_Compiled]] = {}
        for rule in self._rules:
            self._by_address.setdefault(rule.address, []).append(rule)
        self._decided: dict[tuple[str, int | None, str, str | None], Match] = {}

    def at_rcpt(self, peer: Peer, sender: str, token: str | None = None) -> Match:
        """Decide without the content; `token` is what stood after `.t-` in the address."""
        case = (peer.ip, peer.login_tenant, sender, token)
        found = self._decided.get(case)
        if found is None:
            if len(self._decided) >= _REMEMBERED:
                self._decided.clear()
            found = self._decided[case] = self._decide(peer, sender, token)
        return found

    def _decide(self, peer: Peer, sender: str, token: str | None) -> Match:
        rules = self._for(sender)
        if not rules:
            return Match(
                None,
                "this sender address may not send SMS here; ask the operator to list it, "
                "or send from an address that is listed",
            )
        holders = self._holders(token) if token else set()
        open_rules = [rule for rule in rules if rule.allows(peer, holders)]
        for rule in open_rules:
            if not rule.dmarc:
                return Match(rule.rule)
        if not open_rules:
            return Match(None, _what_would_do(rules))
        first = open_rules[0].rule
        same = tuple(each.rule for each in open_rules if each.rule.tenant == first.tenant)
        return Match(first, candidates=same)

    def _holders(self, token: str) -> set[int]:
        """Whose token it is, found in time that does not depend on which."""
        ours = _hash(token)
        return {tenant for tenant, known in self._tokens if hmac.compare_digest(ours, known)}

    def _for(self, sender: str) -> list[_Compiled]:
        found = list(self._by_address.get("*", ()))
        try:
            local, domain = split(sender)
        except ValueError:
            return found  # the null sender, or an address literal
        found += self._by_address.get(f"*@{domain}", ())
        found += self._by_address.get(f"{local}@{domain}", ())
        return sorted(found, key=lambda rule: rule.order)


class Prover:
    """Decides after DATA by DMARC, in threads of its own; close it when done.

    `resolver` is asked for at the first mail that needs one. One mail may take `seconds` in all.
    Raises TryLater when none of the threads gets free.
    """

    def __init__(
        self, resolver: Callable[[], Resolver], *, seconds: float = 5.0, threads: int = 8
    ) -> None:
        self._resolver = resolver
        self._seconds = seconds
        self._free = asyncio.Semaphore(threads)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="dmarc")

    async def prove(self, match: Match, content: bytes, peer: Peer, sender: str) -> Proof:
        """Whether the content satisfies one of the match's candidates.

        `content` is the whole mail as received, byte for byte, without headers added since.
        """
        try:
            async with asyncio.timeout(_QUEUE_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise TryLater("too many senders are being checked", "try again later") from None
        way = Way(peer.ip, peer.helo, sender)
        work = asyncio.get_running_loop().run_in_executor(
            self._pool, self._judge, match.candidates, content, way
        )
        work.add_done_callback(lambda _: self._free.release())
        done, _ = await asyncio.wait([work], timeout=self._seconds + 1)
        if not done:
            return Proof(Ruling.HOLD, "checking SPF and DKIM took too long", match.candidates[0])
        return work.result()

    def _judge(self, candidates: Sequence[Rule], content: bytes, way: Way) -> Proof:
        # Most bridges prove nobody by DNS: they do without its libraries.
        from bridge.smtp import dmarc

        try:
            local, domain = dmarc.author(content)
        except Refused as no:
            return Proof(Ruling.REFUSE, no.sentence, candidates[0])
        rule = next((each for each in candidates if _covers(each, local, domain)), None)
        if rule is None:
            reason = "the From header must name the address that may send SMS here"
            return Proof(Ruling.REFUSE, reason, candidates[0])
        deadline = time.monotonic() + self._seconds
        found = dmarc.assess(content, way, domain, self._resolver(), deadline)
        return Proof(found.ruling, found.reason, rule)

    def close(self) -> None:
        """Let the threads end; what they still check is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def new_token() -> tuple[str, str]:
    """A token to hand out once and the hash to keep: 80 random bits that survive lower-casing."""
    token = base64.b32encode(secrets.token_bytes(10)).decode("ascii").lower()
    return token, _hash(token)


def _hash(token: str) -> str:
    # A plain hash will do: what is hashed is random, not chosen by a person.
    return hashlib.sha256(token.lower().encode("utf-8", "replace")).hexdigest()


class _Compiled:
    """A rule in the form it is asked in."""

    __slots__ = ("address", "auth", "dmarc", "networks", "order", "rule", "token")

    def __init__(self, order: int, rule: Rule) -> None:
        self.order = order
        self.rule = rule
        self.address = _pattern(rule.address)
        self.networks = [_network(proof) for proof in rule.proofs if proof.startswith("network:")]
        self.auth = "auth" in rule.proofs
        self.dmarc = "dmarc" in rule.proofs
        self.token = "token" in rule.proofs
        plain = [proof for proof in rule.proofs if not proof.startswith("network:")]
        unknown = [proof for proof in plain if proof not in ("auth", "dmarc", "token")]
        if unknown or not rule.proofs:
            raise Misconfigured(
                f"senders: {unknown[0]!r} is no proof" if unknown else "senders: proof is missing",
                'use "network:192.0.2.0/24", "auth", "dmarc", "token", or a list of these',
            )

    def allows(self, peer: Peer, token_holders: set[int]) -> bool:
        """Whether all but the content is there."""
        return (
            (not self.auth or peer.login_tenant == self.rule.tenant)
            and (not self.token or self.rule.tenant in token_holders)
            and all(_inside(peer.ip, network) for network in self.networks)
        )

    def wants(self) -> str:
        """What is needed at RCPT, in words; no network, tenant or address is named."""
        kinds = (("auth", self.auth), ("network", self.networks), ("token", self.token))
        return " and ".join(_WAYS[kind] for kind, needed in kinds if needed)


def _what_would_do(rules: Sequence[_Compiled]) -> str:
    ways = list(dict.fromkeys(rule.wants() for rule in rules))
    return "mail from this sender address is accepted only " + ", or ".join(ways)


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(proof: str) -> _Network:
    written = proof.removeprefix("network:").strip()
    try:
        return ipaddress.ip_network(written)
    except ValueError as wrong:
        raise Misconfigured(
            f"senders: {written!r} is no network ({wrong})",
            'write "network:192.0.2.0/24" or "network:192.0.2.7"',
        ) from None


def _inside(ip: str, network: _Network) -> bool:
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return False
    # A dual-stack socket shows IPv4 clients as ::ffff:192.0.2.7 (RFC 4291 2.5.5.2).
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address) in network


def _pattern(address: str) -> str:
    """An address pattern ready to be compared. Raises Misconfigured."""
    if address == "*":
        return address
    try:
        local, domain = split(address)
    except ValueError:
        local, domain = "", ""
    if not local or ("*" in local and local != "*"):
        raise Misconfigured(
            f"senders: {address!r} is no address pattern",
            'write "boss@acme.example", "*@acme.example" or "*"',
        )
    return f"{local}@{domain}"


def _covers(rule: Rule, local: str, domain: str) -> bool:
    return _pattern(rule.address) in ("*", f"*@{domain}", f"{local}@{domain}")
