"""The brakes as this process knows them: a message comes in, what it is counted by or why not out.

Countries and ranges that cost much are judged here. What was sent lately is judged in the
transaction that stores (`store.brakes`); what is stopped is known here within half a second, so
that RCPT can say no, and lanes hold still.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import structlog

from bridge import phone
from bridge.dates import minute
from bridge.dispatch import caps
from bridge.dispatch.tenants import ANYWHERE, Tenant
from bridge.errors import Refused, StoreUnavailable
from bridge.keyring import Keyring
from bridge.model import Class, Submission
from bridge.privacy.duties import duties
from bridge.store.brakes import SPENT, TOO_FAST, Meter, Refusal
from bridge.store.braking import STOPPED, Brake
from bridge.store.halts import EVERYBODY, HALT, SENDER
from bridge.store.store import Store

log = structlog.get_logger("bridge.brakes")

#: Of a foreign country, unless the tenant says otherwise: docs/brakes.md says where it comes from.
ABROAD: Final = "30/10m"
OFF: Final = "off"
#: Numbers of no country: satellite (+870, +881), international networks and services (+882, +883,
#: +979 …), as libphonenumber has them.
NO_COUNTRY: Final = frozenset({"001", ""})
#: libphonenumber's types that cost more than a call to a phone, or whose owner earns by them.
HIGH_COST: Final[Mapping[str, str]] = {
    "PREMIUM_RATE": "a premium-rate number",
    "SHARED_COST": "a shared-cost number",
    "PERSONAL_NUMBER": "a personal number",
    "UAN": "a universal access number",
    "PAGER": "a pager",
    "VOICEMAIL": "a voicemail number",
}
#: A number without so many digits is its range.
RANGE_DIGITS: Final = 4
LOOK: Final = 0.5
_UNITS: Final = {"m": 60.0, "h": 3600.0, "d": 86400.0}


@lru_cache(maxsize=256)
def velocity(written: str) -> tuple[int, float]:
    """(numbers, seconds) of `30/10m`."""
    most, _, span = written.partition("/")
    return int(most), int(span[:-1]) * _UNITS[span[-1]]


def check_number(tenant: Tenant, e164: str, country: str, kind: str = "") -> None:
    """Raises Refused where the tenant does not send; `kind` is libphonenumber's type, if known."""
    if country in NO_COUNTRY:
        if not tenant.high_cost:
            raise _costly(tenant, "a satellite or an international service number")
        return
    allowed = tenant.countries
    if country not in allowed and ANYWHERE not in allowed:
        raise Refused(
            f"{tenant.name} does not send to {country}; allowed countries:"
            f" {', '.join(sorted(allowed))}",
            f'ask the operator to add "{country}" to `countries` of {tenant.name}',
            status="5.7.1",
        )
    if not tenant.high_cost and (kind or phone.kind(e164)) in HIGH_COST:
        raise _costly(tenant, HIGH_COST[kind or phone.kind(e164)])


def _costly(tenant: Tenant, what: str) -> Refused:
    return Refused(
        f"this is {what}, and {tenant.name} does not send to what costs much",
        f"ask the operator for `high_cost = true` of {tenant.name}",
        status="5.7.1",
    )


class Brakes:
    """What is stopped; and what a message is counted by."""

    def __init__(self) -> None:
        self.standing: tuple[Brake, ...] = ()
        self._shut: Mapping[str, str] = {}  # key → kind
        self._halted: frozenset[int] = frozenset()
        #: The operator's inboxes.
        self.places: tuple[tuple[str, str], ...] = ()
        #: Called when something was halted or goes on.
        self.on_change: list[Callable[[], None]] = []

    async def refresh(self, store: Store) -> None:
        """Hear of what is stopped. Raises StoreUnavailable."""
        self.learn(tuple(Brake(*row) for row in await store.read(STOPPED)))

    def learn(self, standing: tuple[Brake, ...]) -> None:
        """This is stopped now, and nothing else."""
        if standing == self.standing:
            return
        self.standing = standing
        self._shut = {each.key: each.kind for each in standing if each.kind != HALT}
        halted = frozenset(each.tenant_id for each in standing if each.kind == HALT)
        if halted != self._halted:
            self._halted = halted
            for tell in self.on_change:
                tell()

    async def watch(self, store: Store) -> None:
        """Hear of it twice a second, for as long as the process lives."""
        while True:
            try:
                await self.refresh(store)
            except StoreUnavailable:
                pass  # the store's own log tells of it
            except Exception as error:  # noqa: BLE001 - a halt must be heard of, whatever was
                log.error("what is stopped could not be read", error=type(error).__name__)
            await asyncio.sleep(LOOK)

    # -- halts -------------------------------------------------------------------------------

    @property
    def halts(self) -> tuple[Brake, ...]:
        """The kill switches that are thrown."""
        return tuple(each for each in self.standing if each.kind == HALT)

    @property
    def all_halted(self) -> bool:
        """Nothing leaves at all."""
        return EVERYBODY in self._halted

    def halted(self, tenant: int) -> bool:
        """Nothing of this tenant leaves."""
        return bool(self._halted) and (tenant in self._halted or EVERYBODY in self._halted)

    def why_halted(self, tenant: int) -> str:
        """Who stopped it and why; "" where it goes on."""
        found = next((h for h in self.halts if h.tenant_id in (tenant, EVERYBODY)), None)
        return f"sending was stopped by {found.actor}: {found.reason}" if found else ""

    # -- what is stopped by a rule -----------------------------------------------------------

    def refuse(self, keys: Keyring, tenant: Tenant, sender: str, e164: str) -> None:
        """Raises Refused for a sender or a range that is stopped, as far as is known here."""
        if not self._shut:
            return
        # What was stopped under an older pepper is stopped.
        for each in (keys, *keys.older):
            kind = self._shut.get(_sender(each, tenant.id, sender)) or self._shut.get(
                _range(each, tenant.id, e164)
            )
            if kind:
                raise stopped(kind)

    def meter(
        self,
        keys: Keyring,
        tenant: Tenant,
        sender: str,
        to: tuple[str, str],  # the number (E.164), and its country
        price: int,
        now: float,
    ) -> Meter | None:
        """What a message is counted by, `price` micro-units a part; None where nothing is."""
        e164, country = to
        bound = tenant.velocity or (ABROAD if country != tenant.region else OFF)
        if bound == OFF and not caps.any_of(tenant):
            return None
        key = _sender(keys, tenant.id, sender)
        capped = tuple(caps.of(tenant, key, _shown(sender), price, now))
        if bound == OFF:
            return Meter(key, _shown(sender), capped)
        most, span = velocity(bound)
        number = keys.repeat(b"number of a range", str(tenant.id).encode(), e164.encode())
        due = now + duties().block_review
        range_ = _range(keys, tenant.id, e164)
        return Meter(
            key,
            _shown(sender),
            capped,
            range_,
            number,
            most,
            span,
            places=self.places,
            review_due=due,
        )


@lru_cache(maxsize=4096)
def _sender(keys: Keyring, tenant: int, sender: str) -> str:
    return keys.repeat(b"sender", str(tenant).encode(), sender.encode())


def _shown(sender: str) -> str:
    """A sender as its tenant knows it: `login:acme` is the login acme."""
    edge, _, name = sender.partition(":")
    return name if edge == "mail" else f"{edge} {name}"


def _range(keys: Keyring, tenant: int, e164: str) -> str:
    return keys.repeat(b"range", str(tenant).encode(), e164[:-RANGE_DIGITS].encode())


def first_line(text: str) -> str:
    """By what two alerts are compared: what stands below it (times, counts) may differ."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def fold_of(keys: Keyring, wanted: Submission, sender: str) -> tuple[str, float] | None:
    """What makes it the same alert as another: tenant, sender, recipient and first line.

    Digits are left as they are: two machines that fail are two alerts.
    """
    if not wanted.fold or wanted.klass is not Class.TRANSACTIONAL:
        return None
    facts = (str(wanted.tenant), sender, wanted.destination, first_line(wanted.text))
    return keys.repeat(b"fold", *(fact.encode("utf-8", "replace") for fact in facts)), wanted.fold


def stopped(kind: str) -> Refused:
    """The sentence for what a rule has stopped."""
    what = "you may send nothing" if kind == SENDER else "nothing may be sent to this range"
    return Refused(
        f"{what} until somebody has looked: too many numbers of one range were written to",
        "ask the operator: `bridge brake list`",
        status="5.7.1",
    )


def refused(why: Refusal, tenant: Tenant) -> Refused:
    """The sentence for what the store has refused."""
    if why.rule == SPENT and why.cap is not None:
        cap = why.cap
        again = minute(cap.until)
        whose = "you have" if cap.whose else f"{tenant.name} has"
        return Refused(
            f"{whose} used up the {caps.amount(cap)} of this {cap.period}",
            f"send again after {again}, or ask the operator for higher `{caps.setting(cap)}`",
            status="5.7.1",
        )
    if why.rule == TOO_FAST:
        return Refused(
            "too many numbers of this range were written to in a short time;"
            " nothing may be sent to it until somebody has looked",
            "ask the operator: `bridge brake list`",
            status="5.7.1",
        )
    return stopped(why.kind)
