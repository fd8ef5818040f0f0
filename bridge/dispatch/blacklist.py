"""What is typed of the blacklist comes in; numbers, prefixes and countries are blocked or freed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import phonenumbers

from bridge import phone
from bridge.dispatch.bridge import Bridge
from bridge.errors import BadNumber, Refused
from bridge.keyring import Keyring
from bridge.store.audit import Entry, audited
from bridge.store.blocklist import Block, Unblock, block_all, unblock_all

_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}\*?").fullmatch
_COUNTRY = re.compile(r"[A-Za-z]{2}").fullmatch


@dataclass(frozen=True, slots=True)
class Target:
    """What is blocked, for a tenant or (0) for the whole bridge."""

    tenant: int
    kind: str  # "number" | "prefix" | "country"
    value: str  # a number's token; digits with their plus; an ISO country
    older: tuple[str, ...] = ()  # a number's tokens under older peppers
    e164: str = ""  # a number; never stored


def target(keys: Keyring, tenant: int, written: str, region: str) -> Target:
    """A number in any writing, a prefix (+4477, +4477*) or a country (GB). Raises Refused."""
    words = written.strip()
    if _COUNTRY(words):
        country = words.upper()
        if country not in phonenumbers.SUPPORTED_REGIONS:
            raise Refused("this is no country", "write its two letters, such as GB")
        return Target(tenant, "country", country)
    if words.endswith("*") and _PREFIX(words):
        return Target(tenant, "prefix", words.removesuffix("*"))
    try:
        e164 = phone.parse(words, region).e164
    except BadNumber:
        if _PREFIX(words):
            return Target(tenant, "prefix", words)
        raise
    tokens = [r.person(tenant, e164) if tenant else r.everyone(e164) for r in (keys, *keys.older)]
    return Target(tenant, "number", tokens[0], tuple(tokens[1:]), e164)


async def block(bridge: Bridge, what: Target, reason: str, act: Entry) -> bool:
    """Write there no more; whether that is new. `act` is audited. Raises StoreUnavailable."""
    version = bridge.keys.version
    item = Block(what.tenant, what.kind, what.value, reason, act.actor, act.now, version)
    is_new: bool = await bridge.store.write(audited(block_all), (item, _if(act)))
    await bridge.refresh()
    return is_new


async def unblock(bridge: Bridge, what: Target, act: Entry) -> bool:
    """Write there again; whether it was blocked. `act` is audited. Raises StoreUnavailable."""
    item = Unblock(what.tenant, (what.value, *what.older), act.now)
    was: bool = await bridge.store.write(audited(unblock_all), (item, _if(act)))
    await bridge.refresh()
    return was


def _if(act: Entry) -> Callable[[bool], Entry | None]:
    return lambda is_done: act if is_done else None


def is_blocked(bridge: Bridge, what: Target) -> str:
    """What blocks it: "number", "prefix", "country"; "" where nothing does."""
    lists = bridge.lists
    if what.kind == "number":
        return lists.block_of(bridge.keys, what.tenant, what.e164, phone.country(what.e164))
    if what.kind == "prefix":
        return what.kind if lists.by_prefix(what.tenant, what.value) else ""
    stands = {(what.tenant, what.kind, what.value), (0, what.kind, what.value)} & lists.blocked
    return what.kind if stands else ""
