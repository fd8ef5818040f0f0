"""Requests that somebody has decided on come in; they are carried out, and looked after in time.

Killed anywhere, a request is still `executing` and the next process takes it: every step may be
done again. Due dates are watched: the tenant's inbox hears on day 20, three days before the end,
and when the end is over (PRIVACY P22).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

import structlog

from bridge import phone
from bridge.dates import day
from bridge.dispatch import consents, identity
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.choose import Leg, first
from bridge.dispatch.clocks import Rarely
from bridge.dispatch.deciding import resume
from bridge.dispatch.decision_links import told_deciders
from bridge.dispatch.erasing import Wish, erase
from bridge.dispatch.keeping import lapse
from bridge.dispatch.request_stops import NUMBER, let_go, stopping, to_marketing, unstopping
from bridge.dispatch.requests import By, Someone, by_sms, moved, tenants_of, told, writes_for
from bridge.dispatch.stopping import settle, wish
from bridge.errors import BridgeError, Refused, StoreUnavailable, TryLater
from bridge.model import Class
from bridge.privacy import requests as law
from bridge.privacy.requests import RELEASING, STOPPING, Kind, State
from bridge.store import ids
from bridge.store.claims import lane
from bridge.store.erasing import ERASURES_OF, erasure_of
from bridge.store.holds import ON_PERSON
from bridge.store.identity import forget_codes
from bridge.store.leases import LEASE_SECONDS
from bridge.store.listed import ANY, MARKETING
from bridge.store.rectifying import Rectified, Rectify, rectify
from bridge.store.request_rows import ABANDONED, COUNTS, DEALS_WITH, DUE, Request, request_of
from bridge.store.requests import Move, Take, Told, take_requests, unstop
from bridge.store.suppressions import Suppress, suppress_all
from bridge.store.writers import Holding, Writer, holds_on_writers

log = structlog.get_logger("bridge.requests")

EVERY: Final = 2.0
RARELY: Final = 20.0
MOST_TRIES: Final = 6
_ACTOR: Final = "bridge"


class Executor(Protocol):
    """What hands out a person's data; its result may name `files` and how they are opened."""

    async def export(self, request: Request, since: float) -> Mapping[str, Any]:
        """Make the files of a request; nothing older than `since` is its person's (P52)."""

    async def receipt(self, request: Request) -> Mapping[str, Any]:
        """Sign what was erased."""


class Clerk:
    """Carries requests out; one of a process, and several processes do no harm."""

    def __init__(self, bridge: Bridge, executor: Executor) -> None:
        self.bridge = bridge
        self._executor = executor
        self._rare = Rarely(RARELY)

    async def run(self) -> None:
        """Look after requests for as long as the process lives."""
        while True:
            try:
                await self.once()
            except StoreUnavailable:
                log.debug("requests wait for the database")
            except Exception as error:  # noqa: BLE001 - what is due must be found again
                log.error("requests stumbled", error=type(error).__name__)
            await asyncio.sleep(EVERY)

    async def once(self) -> None:
        """What is to be done now. Raises StoreUnavailable."""
        now = self.bridge.clock()
        values = {"alive_since": now - LEASE_SECONDS, "now": now}
        for (number,) in await self.bridge.store.read(ABANDONED, **values):
            await self.carry_out(number)
        if self._rare.due(now):
            await self._watch(now)

    # -- carrying out ------------------------------------------------------------------------

    async def carry_out(self, number: int) -> Request | None:
        """Carry a request out, if nobody else does; how it stands. Raises StoreUnavailable."""
        bridge = self.bridge
        now = bridge.clock()
        take = Take(number, bridge.incarnation, now - LEASE_SECONDS, now)
        request: Request | None = await bridge.store.write(take_requests, take)
        if request is None:
            return None
        try:
            if reason := await self._held(request, now):
                return await self._hold(request, *reason)
            outcome = await self._done(request)
        except StoreUnavailable:
            raise  # the lease ends with the process; the next look takes it again
        except BridgeError as error:
            return await self._failed(request, error)
        return await self._finish(request, outcome)

    async def _held(self, request: Request, now: float) -> tuple[int, str] | None:
        """A hold on the person: what must be kept is neither erased nor changed (P34)."""
        if Kind(request.type) is not Kind.ERASE:
            return None
        return await self._standing(request, now)

    async def _standing(self, request: Request, now: float) -> tuple[int, str] | None:
        """A hold on the person, or on somebody to whom they wrote: its id and its basis."""
        store, since = self.bridge.store, now - lapse()
        if request.identity_kind != NUMBER:
            who = request.identity or await self._erasing(request)
            writer = Writer(0, request.tenant_id, request.identity_kind, who, now)
            held: tuple[int, str] | None
            held = await store.write(holds_on_writers, Holding(writer, since))
            return held
        if not request.subject_id:
            return None
        values = {"subject_id": request.subject_id, "now": now, "asked_since": since}
        rows = await store.read(ON_PERSON, **values)
        return (rows[0][0], rows[0][4]) if rows else None

    async def _hold(self, request: Request, hold_id: int, basis: str) -> Request:
        by = By(_ACTOR, "bridge")
        if request.identity_kind == NUMBER:
            await identity.restrict(self.bridge, request, by, on=True, ground="hold")
        item = Move(
            request.id,
            (str(State.EXECUTING),),
            str(State.HELD),
            "held",
            _ACTOR,
            self.bridge.clock(),
            changes={
                "held_from": request.state,
                "hold_id": hold_id,
                "reason": basis,
                "lease": None,
            },
            letters=("held",),
            sends=by_sms(self.bridge, request, "held"),
            told=told(self.bridge, request, "held", "A legal hold keeps the data; it is not used."),
        )
        return await moved(self.bridge, item, "held")

    async def _done(self, request: Request) -> Mapping[str, Any]:
        kind = Kind(request.type)
        if not request.tenant_id and kind not in STOPPING:
            return await self._unknown(request)
        match kind:
            case Kind.ACCESS | Kind.PORTABILITY:
                since = await self._since(request)
                return await self._executor.export(request, since)
            case Kind.ERASE:
                return await self._erase(request)
            case Kind.RECTIFY:
                return await self._rectify(request)
            case Kind.RESTRICT:
                by = By(request.ran_by, "bridge")
                await identity.restrict(self.bridge, request, by, on=True)
                return {"restricted": True}
            case Kind.OBJECT:
                return await self._stop(request)
            case Kind.WITHDRAW:
                return await self._withdraw(request)

    async def _unknown(self, request: Request) -> Mapping[str, Any]:
        """Whom no tenant knew: that is the answer, if none does by now. Raises Refused."""
        if request.identity_kind == NUMBER:
            known = await tenants_of(self.bridge, request.identity, DEALS_WITH)
        else:
            known = await writes_for(self.bridge, request.identity)
        if known:
            names = ", ".join(tenant.name for tenant in known)
            raise Refused(
                "somebody has data of this person by now",
                f"open the request for each of them (`bridge dsar open --tenant`): {names}",
            )
        return {"nothing": True}

    async def _since(self, request: Request) -> float:
        if request.identity_kind != NUMBER:
            return 0.0
        return await identity.owned_since(self.bridge, request.identity)

    async def _erase(self, request: Request) -> Mapping[str, Any]:
        only = request.known_details.get("mode") == "only"
        who = Someone(request.identity_kind, request.identity or await self._erasing(request))
        asked = Wish(request.id, request.tenant_id, who, request.ran_by, suppress=not only)
        if only and request.identity_kind == NUMBER and request.identity:
            await self._unstop(request)
        done = (await erase(self.bridge, [asked]))[0]
        counts: dict[str, int] = {}
        for one in done:
            for name, count in json.loads(one.counts or "{}").items():
                counts[name] = counts.get(name, 0) + count
        return {"erased": counts, **await self._executor.receipt(request)}

    async def _unstop(self, request: Request) -> None:
        item = unstopping(self.bridge, request, ANY, MARKETING, why="erase-only")
        await self.bridge.store.write(unstop, item)

    async def _erasing(self, request: Request) -> str:
        """Who it was: an erasure that was interrupted knows, the request does not any more."""
        rows = await self.bridge.store.read(ERASURES_OF, request=request.id)
        return next((one.value for one in map(erasure_of, rows) if one.value), "")

    async def _rectify(self, request: Request) -> Mapping[str, Any]:
        right = str(request.known_details.get("number", ""))
        if not right or request.identity_kind != NUMBER:
            return {"by_hand": True}
        bridge = self.bridge
        tenant = bridge.register.tenants.get(request.tenant_id)
        if tenant is None:
            raise Refused("the tenant is closed")
        number = phone.parse(right, tenant.region)
        leg = Leg(tenant, number.e164, number.country, Class.TRANSACTIONAL)
        carrier = first(bridge, leg).carrier.name

        def stopped(purpose: str, source: str, programme: int) -> Suppress:
            return wish(
                bridge.keys,
                tenant.id,
                number.e164,
                scope="programme" if programme else "tenant",
                source=source,
                now=bridge.clock(),
                programme=programme,
                purpose=purpose,
            )

        keys, own = bridge.keys, [p.id for p in bridge.register.programmes_of(tenant.id)]
        programmes = {
            each.programme(tenant.id, one, request.identity): (
                one,
                keys.programme(tenant.id, one, number.e164),
            )
            for one in own
            for each in (keys, *keys.older)
        }

        item = Rectify(
            tenant.id,
            bridge.keys.person(tenant.id, request.identity),
            consents.someone(bridge, tenant, number),
            lambda urgent: lane(carrier, urgent),
            stopped,
            programmes,
            bridge.ids.next,
            bridge.clock(),
        )
        done: Rectified = await bridge.store.write(rectify, item)
        await bridge.refresh()
        return {
            "contacts": done.contacts,
            "messages": done.messages,
            "recipients": list(done.recipients),
        }

    async def _stop(self, request: Request) -> Mapping[str, Any]:
        if request.identity_kind != NUMBER or not request.identity:
            return {"stopped": False}
        item = stopping(self.bridge, request, MARKETING if to_marketing(request) else ANY)
        bound, _ = await self.bridge.store.write(suppress_all, item)
        await settle(self.bridge, bound)
        return {"stopped": True}

    async def _withdraw(self, request: Request) -> Mapping[str, Any]:
        tenant = self.bridge.register.tenants.get(request.tenant_id)
        if request.identity_kind != NUMBER or tenant is None:
            return {"withdrawn": 0}
        number = phone.parse(request.identity, tenant.region)
        done = await consents.withdraw(self.bridge, tenant, number, via=request.channel)
        return {"withdrawn": done.ended}

    async def _finish(self, request: Request, outcome: Mapping[str, Any]) -> Request:
        """Done; what waits for its release is closed later, all else now."""
        now = self.bridge.clock()
        recipients = ", ".join(outcome.get("recipients", ()))
        released = Kind(request.type) in RELEASING and not outcome.get("nothing")
        then = () if released else (self._closing(request, now),)
        lines = [f"{request.type}: done."]
        if recipients:
            lines.append(f"Tell these of the correction, who had the old data: {recipients}.")
        item = Move(
            request.id,
            (str(State.EXECUTING),),
            str(State.DONE),
            "done",
            _ACTOR,
            now,
            changes={
                "outcome": json.dumps(dict(outcome)),
                "lease": None,
                "reason": recipients or request.reason,
            },
            told=told(self.bridge, request, "carried out", *lines, wide=bool(recipients)),
            unstops=let_go(self.bridge, request, "decided"),
            then=then,
            forget=Kind(request.type) is Kind.ERASE,
        )
        return await moved(self.bridge, item, "finished")

    def _closing(self, request: Request, now: float) -> Move:
        return Move(
            request.id,
            (str(State.DONE),),
            str(State.RECEIPT_SENT),
            "answered",
            _ACTOR,
            now,
            changes={"closed_at": now},
            letters=("done",),
            sends=() if request.type == Kind.ERASE else by_sms(self.bridge, request, "done"),
        )

    async def _failed(self, request: Request, error: BridgeError) -> Request:
        """Try again later; what will never do, or has failed too often, waits for a person."""
        now = self.bridge.clock()
        over = not isinstance(error, TryLater) or request.tries >= MOST_TRIES
        log.warning("a request was not carried out", request=ids.show(request.id), over=over)
        item = Move(
            request.id,
            (str(State.EXECUTING),),
            str(State.FAILED) if over else "",
            "failed",
            _ACTOR,
            now,
            detail=type(error).__name__,
            changes={
                "lease": None,
                "reason": error.sentence,
                "retry_at": None if over else now + 5.0 * 2**request.tries,
            },
            told=told(self.bridge, request, "failed", error.sentence, error.hint) if over else (),
        )
        return await moved(self.bridge, item, "failed")

    # -- watching ----------------------------------------------------------------------------

    async def _watch(self, now: float) -> None:
        """What time asks for: reminders, releases, codes that are over."""
        bridge = self.bridge
        await bridge.store.write(forget_codes, now)
        counts = await bridge.store.read(COUNTS, now=now)
        bridge.metrics.requests_open.set(counts[0][0])
        bridge.metrics.requests_overdue.set(counts[0][1])
        horizon = now + 365 * 86400.0
        for row in await bridge.store.read(DUE, tenant_id=0, before=horizon):
            await self._look(request_of(row), now)

    async def _look(self, request: Request, now: float) -> None:
        released = request.release_at is not None and now >= request.release_at
        handed = request.state == State.DONE and Kind(request.type) in RELEASING
        if not request.identity and (handed or request.state in _MOOT):
            await self._move(request, self._moot(request, now))
        elif request.state == State.DONE and released:
            await self._move(request, self._closing(request, now))
        elif request.state == State.HELD:
            await self._perhaps_resume(request, now)
        elif request.state in _WITH_TENANT and request.escalated_at is None:
            if now >= law.escalates_at(request.received_at):
                await self._remind(request, now, "escalated", "escalated_at")
        else:
            marks = [mark for mark in (law.reminds_at(request.due), request.due) if now >= mark]
            if marks and (request.reminded_at or 0.0) < marks[-1]:
                await self._remind(request, now, "reminded", "reminded_at")

    def _moot(self, request: Request, now: float) -> Move:
        """Its person was erased by another request: nobody can prove it, and nothing is left."""
        return Move(
            request.id,
            (request.state,),
            str(State.WITHDRAWN),
            "ended",
            _ACTOR,
            now,
            detail="erased",
            changes={"closed_at": now},
            told=told(self.bridge, request, "ended", "The person was erased: nothing is left."),
        )

    async def _perhaps_resume(self, request: Request, now: float) -> None:
        """A hold that has ended lets the request go on, and the data be used as before it."""
        if await self._standing(request, now):
            return
        by = By(_ACTOR, "bridge")
        if request.identity_kind == NUMBER and request.tenant_id:
            await identity.restrict(self.bridge, request, by, on=False)
        await resume(self.bridge, request.id, by)

    async def _remind(self, request: Request, now: float, what: str, column: str) -> None:
        left = int((request.due - now) // 86400)
        title = f"due in {left} days" if left >= 0 else "OVERDUE"
        lines = (f"{request.type} is {request.state}; due by {day(request.due)}.",)
        deciders: tuple[Told, ...] = ()
        if request.state == State.FORWARDED:
            deciders = told_deciders(self.bridge, request, title, *lines)
        item = Move(
            request.id,
            (request.state,),
            "",
            what,
            _ACTOR,
            now,
            changes={column: now},
            told=(*told(self.bridge, request, title, *lines, wide=True), *deciders),
        )
        await self._move(request, item)

    async def _move(self, request: Request, item: Move) -> None:
        try:
            await moved(self.bridge, item, item.what)
        except Refused:
            log.debug("a request moved meanwhile", request=ids.show(request.id))


_WITH_TENANT: Final = frozenset({State.RECEIVED, State.IDENTITY_PENDING, State.FORWARDED})
#: What another request's erasure leaves without a person.
_MOOT: Final = frozenset(
    {State.RECEIVED, State.IDENTITY_PENDING, State.VERIFIED, State.FORWARDED, State.INSTRUCTED}
) | {State.APPROVED, State.PREVIEWED}
