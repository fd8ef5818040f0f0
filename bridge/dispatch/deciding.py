"""Somebody decides on a data subject's request; it moves, is carried out or ends, and news go out.

The tenant instructs, the operator approves and refuses, a second person agrees to an erasure. Each
act names the states that it may come from; whoever comes second hears how it stands.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bridge.dates import day
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.request_stops import NUMBER, let_go, stops, to_marketing
from bridge.dispatch.requests import UNPROVED, By, by_sms, decide, forwarding, moved, read, told
from bridge.errors import Refused
from bridge.privacy import requests as law
from bridge.privacy.requests import FINAL, RELEASING, TWO_PEOPLE, Kind, Role, State
from bridge.store import ids
from bridge.store.request_rows import INSTRUCTIONS, Request
from bridge.store.requests import Instruct, Move

_CONFIRM_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


async def forward(bridge: Bridge, number: int, by: By) -> Request:
    """Tell the tenant (again) that it must decide. Raises Refused."""
    request = await read(bridge, number, by.tenant)
    if request.role != Role.PROCESSOR:
        raise Refused("nobody else decides on this request", "approve or refuse it")
    if request.state == State.VERIFIED:
        return await moved(bridge, forwarding(bridge, request, by.actor), "forwarded")
    again = replace(
        forwarding(bridge, request, by.actor),
        before=tuple(str(s) for s in State if s in _TELLABLE),
        after="",
        told=decide(bridge, request, proved=request.state == State.FORWARDED),
    )
    return await moved(bridge, again, "forwarded")


_TELLABLE: Final = frozenset({State.RECEIVED, State.IDENTITY_PENDING, State.FORWARDED})


async def instruct(bridge: Bridge, number: int, decision: str, reason: str, by: By) -> Request:
    """The tenant decides about its own data; that is kept for good (P16). Raises Refused."""
    request = await read(bridge, number, by.tenant)
    if request.role != Role.PROCESSOR:
        raise Refused("this request is the operator's to decide", "approve or refuse it")
    if decision not in ("fulfil", "refuse"):
        raise Refused("a decision is fulfil or refuse")
    if decision == "refuse":
        _weighed(request)
    if not reason.strip():
        raise Refused("a decision needs its reason", 'write reason="…"')
    now = bridge.clock()
    given = Instruct(
        bridge.ids.next(), by.actor, by.channel, decision, _hash(reason), reason.strip()
    )
    item = Move(
        number,
        (str(State.FORWARDED),),
        str(State.INSTRUCTED),
        "instructed",
        by.actor,
        now,
        detail=decision,
        tenant_id=by.tenant,
        changes={"instruction_id": given.id},
        instruct=given,
        then=_after_instruction(bridge, request, decision, reason, by),
    )
    return await moved(bridge, item, "decided on now")


def _weighed(request: Request) -> None:
    """Raises Refused where the law leaves nothing to refuse."""
    if to_marketing(request):
        raise Refused(
            "an objection to advertising is not weighed: it is followed (GDPR Art. 21(3))",
            "fulfil it",
        )


def _after_instruction(
    bridge: Bridge, request: Request, decision: str, reason: str, by: By
) -> tuple[Move, ...]:
    if decision == "refuse":
        return (_refusal(bridge, request, (str(State.INSTRUCTED),), reason, by),)
    if Kind(request.type) in TWO_PEOPLE:
        return ()
    return (_approval(bridge, request, by),)


def _refusal(
    bridge: Bridge,
    request: Request,
    before: tuple[str, ...],
    reason: str,
    by: By,
    declines: str = "",
) -> Move:
    now = bridge.clock()
    return Move(
        request.id,
        before,
        str(State.REFUSED),
        "refused",
        by.actor,
        now,
        changes={"reason": reason.strip(), "closed_at": now},
        letters=("refused",),
        declines=declines,
        unstops=let_go(bridge, request, "refused"),
        sends=by_sms(bridge, request, "refused"),
    )


def _approval(bridge: Bridge, request: Request, by: By) -> Move:
    return Move(
        request.id,
        (str(State.INSTRUCTED), str(State.VERIFIED)),
        str(State.APPROVED),
        "approved",
        by.actor,
        bridge.clock(),
        changes={"approved_by": by.actor},
        told=told(bridge, request, "approved", f"{request.type} may be carried out."),
        # Afterwards nobody knows them.
        sends=by_sms(bridge, request, "erasing") if request.type == Kind.ERASE else (),
    )


def _hash(words: str) -> str:
    return hashlib.sha256(words.strip().encode("utf-8", "replace")).hexdigest()


def needs_another(request: Request) -> bool:
    """Whether a second person must agree to it."""
    return Kind(request.type) in TWO_PEOPLE


async def approve(bridge: Bridge, number: int, by: By, others: Sequence[str] = ()) -> Request:
    """Agree that it is carried out; for an erasure by another person than who opened it or decided.

    `others` are the same person's other names. Raises Refused.
    """
    request = await read(bridge, number, by.tenant)
    if request.role == Role.PROCESSOR and request.state != State.INSTRUCTED:
        raise Refused(
            "the tenant has not decided on this request: nothing is done without its instruction",
            f'/sms dsar instruct {ids.show(number)} fulfil|refuse reason="…"',
        )
    if needs_another(request) and request.opened_by in (by.actor, *others):
        raise Refused("a second person must agree, not the one who opened it")
    decided = await bridge.store.read(INSTRUCTIONS, id=number)
    if needs_another(request) and {row[1] for row in decided} & {by.actor, *others}:
        raise Refused("a second person must agree, not the one who decided for the tenant")
    item = replace(_approval(bridge, request, by), tenant_id=by.tenant)
    return await moved(bridge, item, "approved")


async def refuse(bridge: Bridge, number: int, reason: str, by: By) -> Request:
    """Refuse a request on which we decide, or a tenant's unlawful instruction (P17).

    Raises Refused.
    """
    if not reason.strip():
        raise Refused("a refusal needs its reason", "the person, and the tenant, are told it")
    request = await read(bridge, number, by.tenant)
    if request.role == Role.CONTROLLER:
        _weighed(request)
        before = (str(State.VERIFIED), str(State.HELD))
        return await moved(bridge, _refusal(bridge, request, before, reason, by), "refused")
    item = replace(
        _refusal(bridge, request, (str(State.INSTRUCTED),), reason, by, declines=reason),
        what="instruction refused",
        told=told(
            bridge,
            request,
            "your instruction was not followed",
            "The operator holds that it would break the law (GDPR Art. 28(3)).",
            f"Why: {reason.strip()}",
        ),
    )
    return await moved(bridge, item, "refused by the operator: it is the tenant's to decide")


async def reject(bridge: Bridge, number: int, by: By) -> Request:
    """Nobody has proved to be the person. Raises Refused."""
    now = bridge.clock()
    item = Move(
        number,
        law.before(State.REJECTED),
        str(State.REJECTED),
        "rejected",
        by.actor,
        now,
        tenant_id=by.tenant,
        changes={"closed_at": now},
        letters=("rejected",),
    )
    return await moved(bridge, item, "rejected")


async def extend(bridge: Bridge, number: int, months: int, reason: str, by: By) -> Request:
    """Take up to two months more; the person is told why before the answer is due (P22).

    Raises Refused.
    """
    request = await read(bridge, number, by.tenant)
    now = bridge.clock()
    if not reason.strip():
        raise Refused("an extension needs its reason", "the person is told it")
    if request.state in FINAL:
        raise Refused("this request is closed")
    if now >= request.due:
        raise Refused("the answer is overdue: it is too late to extend it", "answer it now")
    if request.extended_to is not None:
        raise Refused(f"it was extended to {day(request.extended_to)} already")
    try:
        until = law.extended(request.received_at, months)
    except ValueError as wrong:
        raise Refused(str(wrong)) from None
    item = Move(
        number,
        tuple(str(s) for s in State if s not in FINAL),
        "",
        "extended",
        by.actor,
        now,
        detail=f"months={months}",
        tenant_id=by.tenant,
        changes={"extended_to": until, "extension_reason": reason.strip()},
        letters=("extended",),
        sends=by_sms(bridge, replace(request, extended_to=until), "extended"),
        told=told(bridge, request, "extended", f"The answer is due by {day(until)} now."),
    )
    return await moved(bridge, item, "extended")


async def withdraw(bridge: Bridge, number: int, by: By, reason: str = "") -> Request:
    """The person takes a request back, or stops an export that is not theirs. Raises Refused."""
    request = await read(bridge, number, by.tenant)
    item = replace(
        withdrawing(bridge, number, by, reason), unstops=let_go(bridge, request, "withdrawn")
    )
    return await moved(bridge, item, "withdrawn: it has been carried out")


def withdrawing(bridge: Bridge, number: int, by: By, reason: str = "") -> Move:
    """The move that ends a request at the person's wish."""
    now = bridge.clock()
    return Move(
        number,
        law.before(State.WITHDRAWN),
        str(State.WITHDRAWN),
        "withdrawn",
        by.actor,
        now,
        detail=reason,
        tenant_id=by.tenant,
        changes={"closed_at": now},
        letters=("withdrawn",),
    )


async def classed(bridge: Bridge, number: int, kind: Kind, by: By) -> Request:
    """A person has read what no words settled: it is a request for `kind`. Raises Refused."""
    request = await read(bridge, number, by.tenant)
    if not request.undetermined:
        raise Refused(f"this is a request for {request.type} already")
    now = replace(request, type=str(kind))
    item = Move(
        number,
        UNPROVED,
        "",
        "classed",
        by.actor,
        bridge.clock(),
        detail=str(kind),
        tenant_id=by.tenant,
        changes={"type": str(kind), "undetermined": False},
        stops=stops(bridge, now, proved=False),
        letters=("acknowledged",),
    )
    return await moved(bridge, item, "classed")


async def corrected(bridge: Bridge, number: int, right: str, by: By) -> Request:
    """Say the right number (E.164), where the person wrote it in words. Raises Refused."""
    request = await read(bridge, number, by.tenant)
    if request.type != Kind.RECTIFY or request.identity_kind != NUMBER:
        raise Refused("this is no request to correct a number")
    begun = (State.EXECUTING, State.DONE)
    item = Move(
        number,
        tuple(str(s) for s in State if s not in FINAL and s not in begun),
        # What was shown, was shown with another number.
        str(State.APPROVED) if request.state == State.PREVIEWED else "",
        "corrected",
        by.actor,
        bridge.clock(),
        tenant_id=by.tenant,
        changes={"details": json.dumps({**request.known_details, "number": right}), "confirm": ""},
    )
    return await moved(bridge, item, "corrected")


# What must be kept, waits (P34)


async def hold(bridge: Bridge, number: int, hold_id: int, reason: str, by: By) -> Request:
    """The data must be kept: the request waits, and the person is told why. Raises Refused."""
    request = await read(bridge, number, by.tenant)
    item = Move(
        number,
        law.before(State.HELD),
        str(State.HELD),
        "held",
        by.actor,
        bridge.clock(),
        changes={
            "held_from": request.state,
            "hold_id": hold_id,
            "reason": reason.strip(),
            "lease": None,
        },
        letters=("held",),
        sends=by_sms(bridge, request, "held"),
    )
    return await moved(bridge, item, "held")


async def resume(bridge: Bridge, number: int, by: By) -> Request:
    """A hold has ended: the request goes on where it stood. Raises Refused."""
    request = await read(bridge, number, by.tenant)
    if request.state != State.HELD:
        raise Refused("this request is not held")
    item = Move(
        number,
        (str(State.HELD),),
        str(law.resumed(request.held_from)),
        "resumed",
        by.actor,
        bridge.clock(),
        changes={"held_from": "", "hold_id": None, "reason": ""},
    )
    return await moved(bridge, item, "resumed")


# Carrying out


def confirm_code() -> str:
    """What a preview shows and `run` must repeat."""
    return "".join(secrets.choice(_CONFIRM_ALPHABET) for _ in range(6))


async def previewed(bridge: Bridge, number: int, by: By) -> tuple[Request, str]:
    """Show what would be done; the code that `run` needs. Raises Refused."""
    await read(bridge, number, by.tenant)
    code = confirm_code()
    item = Move(
        number,
        (str(State.APPROVED), str(State.PREVIEWED)),
        str(State.PREVIEWED),
        "previewed",
        by.actor,
        bridge.clock(),
        tenant_id=by.tenant,
        changes={"confirm": _hash(code)},
    )
    return await moved(bridge, item, "previewed"), code


async def run(
    bridge: Bridge, number: int, confirm: str, by: By, others: Sequence[str] = ()
) -> Request:
    """Begin to carry it out; whoever works on requests finds it from now on. Raises Refused."""
    request = await read(bridge, number, by.tenant)
    if request.state == State.FAILED:
        return await _begin(bridge, request, by)
    if request.state != State.PREVIEWED:
        raise Refused(
            f"this request is {request.state.replace('_', ' ')}: it is previewed first",
            f"/sms dsar preview {ids.show(number)}",
        )
    if not secrets.compare_digest(_hash(confirm.upper()), request.confirm):
        raise Refused("this is not the code of the last preview", "preview it again")
    if needs_another(request) and request.approved_by in (by.actor, *others):
        raise Refused("a second person carries it out, not the one who approved it")
    if request.role == Role.PROCESSOR and request.instruction_id is None:
        raise Refused("nothing is done without the tenant's recorded instruction")  # P16
    return await _begin(bridge, request, by)


async def _begin(bridge: Bridge, request: Request, by: By) -> Request:
    item = Move(
        request.id,
        (str(State.PREVIEWED), str(State.FAILED)),
        str(State.EXECUTING),
        "begun",
        by.actor,
        bridge.clock(),
        changes={"ran_by": by.actor, "confirm": "", "tries": 0, "retry_at": None},
    )
    return await moved(bridge, item, "carried out")


def may_release(request: Request, now: float) -> str:
    """Why an export may not be handed out yet; "" where it may (P23, P73)."""
    if Kind(request.type) not in RELEASING or request.state not in (State.DONE, State.RECEIPT_SENT):
        return "it is not ready"
    if request.release_at is None or now < request.release_at:
        return "it is released after the notice to the number has stood for its time"
    if request.identity_kind == NUMBER and request.identity_level not in ("second-fact", "vouched"):
        return "a second fact is asked for first"
    return ""
