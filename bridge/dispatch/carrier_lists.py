"""Who has opted out with a carrier comes in, read from its own list once a night; they are opted
out here too, and the operator is told what differed, in counts (PRIVACY P44).

An entry is about a tenant: the one whose number or name it was said to, else every tenant that may
write over this carrier, whether they know the person or not. Nothing is lifted here: whom a carrier
has taken from its list stays on ours, and START from the phone later than the opt-out there holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from bridge.carriers import optout_list
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.carrier_readings import Reading, reason, words
from bridge.dispatch.nights import next_night
from bridge.dispatch.receive import number_of
from bridge.dispatch.stopping import Silence, wish
from bridge.errors import BridgeError, Misconfigured, StoreUnavailable, TryLater
from bridge.model import OptedOut, OptOutPage
from bridge.ports import OptOutList
from bridge.settings import Carrier
from bridge.store.audit import Entry
from bridge.store.carrier_lists import (
    LISTS,
    BeginList,
    EndList,
    Gone,
    Listing,
    Page,
    Taken,
    begin_lists,
    end_lists,
    forget_gone,
    take_pages,
)
from bridge.store.notices import inbox_places
from bridge.store.suppressions import suppress_all

log = structlog.get_logger("bridge.carrier_lists")

#: Seconds between two looks; after which a reading that broke off is tried again; how often.
LOOK: Final = 30.0
AGAIN: Final = 3600.0
TRIES: Final = 3
#: Seconds for which whoever reads a list has it, from each page on, beside the time of its answers.
LEASE: Final = 180.0
#: People of a transaction.
_SLICE: Final = 500


class Busy(TryLater):
    """Another process reads the list just now."""


class ListReader:
    """Reads each carrier's list once a night, one that was never read at once.

    Any number of processes may be at it.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._lists: dict[str, OptOutList] | None = None

    async def run(self) -> None:
        """Look for what is due for as long as the process lives."""
        while True:
            await asyncio.sleep(LOOK)
            try:
                await self.once()
            except StoreUnavailable:
                log.debug("the lists of carriers wait for the database")
            except Exception as error:  # noqa: BLE001 - the next night must come all the same
                log.error("reading a carrier's list stumbled", error=type(error).__name__)

    async def once(self) -> None:
        """Read every list that is due. Raises StoreUnavailable."""
        bridge = self._bridge
        if self._lists is None:
            self._lists = dict(readable(bridge))
            for name in self._lists:
                for what in ("taken", "dropped", "failed"):  # a rise from nothing is none
                    bridge.metrics.carrier_optouts.labels(name, what)
        if not self._lists:
            return
        due = {row[0]: row[3] for row in await bridge.store.read(LISTS)}
        for name, listed in self._lists.items():
            if due.get(name, 0.0) <= bridge.clock():
                await Reader(bridge, name, listed, bridge.silence).read()


def readable(bridge: Bridge) -> Iterator[tuple[str, OptOutList]]:
    """The carriers that show a list, by name. Raises Misconfigured."""
    for carrier in bridge.settings.carriers:
        found = _list_of(bridge, carrier)
        if found is not None:
            yield carrier.name, found


def _list_of(bridge: Bridge, carrier: Carrier) -> OptOutList | None:
    return optout_list(carrier, bridge.keys, bridge.settings.public_url)


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom an entry of a carrier's list may be about."""

    users: Sequence[int]  # the tenants that may write over the carrier
    owners: Mapping[str, Sequence[int]]  # numbers and names that are tenants' own

    @classmethod
    def by(cls, bridge: Bridge, carrier: str) -> Concerned:
        """As routes and tenants are now."""
        tenants = bridge.register.tenants.values()
        owners: dict[str, list[int]] = {}
        for tenant in tenants:
            for each in {tenant.originator, *tenant.originators} - {""}:
                owners.setdefault(each.casefold(), []).append(tenant.id)
        return cls([t.id for t in tenants if bridge.routes.serves(carrier, t.name)], owners)

    def of(self, sender: str) -> Sequence[int]:
        """Of whom somebody does not want to hear who said so to this sender."""
        return self.owners.get(number_of(sender)[0].casefold(), self.users)

    @property
    def all(self) -> frozenset[int]:
        """Every tenant whom an entry may be about."""
        return frozenset(self.users).union(*self.owners.values())


class Reader:
    """Reads one carrier's list."""

    def __init__(self, bridge: Bridge, name: str, listed: OptOutList, silence: Silence) -> None:
        self._bridge = bridge
        self._name = name
        self._listed = listed
        self._silence = silence
        self._lease = LEASE + 3 * bridge.carrier(name).response_timeout.total_seconds()
        self._concerned = Concerned.by(bridge, name)
        self._totals: set[int | None] = set()
        self._changed = False

    async def read(self, *, actor: str = "") -> Reading | None:
        """Read the list, if it is due, or because somebody asks (`actor`).

        None where it is not due, or is being read. What goes wrong with the carrier stands in the
        reading. Raises StoreUnavailable.
        """
        bridge = self._bridge
        run, now = bridge.ids.next(), bridge.clock()
        begin = BeginList(self._name, run, now, now + self._lease, forced=bool(actor))
        if not await bridge.store.write(begin_lists, begin):
            return None
        reading = Reading(self._name)
        try:
            await self._pages(run, reading)
            if len(self._totals) < 2:  # else pages may have moved under us
                reading.dropped = await self._dropped(run)
            reading.whole = True
        except Busy:
            return None
        except StoreUnavailable:
            raise
        except BridgeError as error:
            reading.problem, reading.hint = error.sentence, error.hint
            reading.for_good = isinstance(error, Misconfigured)
        except Exception as fault:  # noqa: BLE001 - the other carriers' lists must be read as well
            # The words of a fault may hold a number.
            reading.problem = f"the bridge failed at this ({type(fault).__name__})"
            reading.hint = "tell its developers"
        if self._changed:
            await bridge.refresh()
        await self._end(run, reading, actor)
        return reading

    async def _pages(self, run: int, reading: Reading) -> None:
        async with aclosing(self._listed.pages()) as pages:
            async for page in pages:
                self._totals.add(page.total)
                reading.read += len(page.people)
                people = await asyncio.to_thread(self._people, page, reading)
                # A page without anybody is a sign of life as well.
                for at in range(0, max(1, len(people)), _SLICE):
                    await self._take(run, people[at : at + _SLICE], reading)

    async def _take(self, run: int, people: Sequence[Listing], reading: Reading) -> None:
        now = self._bridge.clock()
        page = Page(self._name, run, now, now + self._lease, people)
        taken: Taken | None = await self._bridge.store.write(take_pages, page)
        if taken is None:
            raise Busy(f"another process reads {self._name}'s list", "wait until it has")
        reading.taken += taken.added
        reading.started += taken.kept
        for each in taken.known:
            bound, is_new = await self._bridge.store.write(suppress_all, each)
            reading.taken += is_new
            self._changed = True
            if bound:
                await self._hushed(bound)
        self._changed = self._changed or bool(taken.added)

    async def _hushed(self, bound: Sequence[int]) -> None:
        """It is on disk; what another process has under way does not stop the reading."""
        try:
            await self._silence(bound)
        except StoreUnavailable:
            raise
        except TryLater:
            log.warning("parts to somebody who has opted out are still under way")

    def _people(self, page: OptOutPage, reading: Reading) -> list[Listing]:
        """Each entry for each tenant that it is about, once."""
        found: dict[str, Listing] = {}
        now = self._bridge.clock()
        for entry in page.people:
            e164, _ = number_of(entry.number)
            if not (e164.startswith("+") and e164[1:].isdigit()):
                reading.unreadable += 1
                continue
            for tenant in self._concerned.of(entry.sender):
                made = wish(
                    self._bridge.keys, tenant, e164, scope="tenant", source="carrier", now=now
                )
                before = found.get(made.token)
                found[made.token] = Listing(made, _later(before, entry))
        return list(found.values())

    async def _dropped(self, run: int) -> int:
        count, after = 0, ""
        gone: int
        while True:
            look = Gone(self._name, run, self._concerned.all, after)
            after, gone = await self._bridge.store.write(forget_gone, look)
            count += gone
            if not after:
                return count

    async def _end(self, run: int, reading: Reading, actor: str) -> None:
        bridge, now = self._bridge, self._bridge.clock()
        known = {row[0]: row for row in await bridge.store.read(LISTS)}[self._name]
        tries, problem = known[1] + 1, known[2]
        again = not reading.whole and not reading.for_good and tries < TRIES
        if not again:
            tries, problem = 0, reading.problem
        told = reading.differs or problem not in ("", known[2])
        entry = Entry(actor or "bridge", "suppress sync", reason(reading), now)
        end = EndList(
            self._name,
            run,
            now,
            now + AGAIN if again else next_night(now),
            tries,
            reading.whole,
            problem,
            entry if actor or reading.differs else None,
            tuple(inbox_places(bridge.settings.privacy.inbox)),
            words(reading) if told else None,
        )
        await bridge.store.write(end_lists, end)
        if told:
            bridge.ring_edges()
        self._count(reading)

    def _count(self, reading: Reading) -> None:
        counts = {
            "read": reading.read,
            "taken": reading.taken,
            "dropped": reading.dropped,
            "started": reading.started,
            "unreadable": reading.unreadable,
        }
        metric = partial(self._bridge.metrics.carrier_optouts.labels, self._name)
        for what in ("taken", "dropped"):
            metric(what).inc(counts[what])
        metric("failed").inc(int(not reading.whole))
        tell = log.warning if reading.problem else log.info
        said = "a carrier's list of opt-outs was not read to its end"
        if reading.whole:
            said = "a carrier's list of opt-outs was read"
        why = {"why": reading.problem, "hint": reading.hint} if reading.problem else {}
        tell(said, carrier=self._name, **counts, **why)


def _later(before: Listing | None, entry: OptedOut) -> float | None:
    """When somebody opted out who stands there several times; None where one does not say."""
    if before is None:
        return entry.at
    return None if before.at is None or entry.at is None else max(before.at, entry.at)
