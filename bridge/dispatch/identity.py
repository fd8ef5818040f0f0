"""Somebody says who they are, and proves it: a code comes back, a fact is known, a handset writes.

A code goes by SMS to the number, or by mail to the address, and comes back from there or by the
command line, never by a chat (PRIVACY P23). It is made from what nobody can guess and never stored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Final

from bridge.dispatch import consents
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.request_stops import NUMBER, let_go
from bridge.dispatch.requests import (
    By,
    facts,
    following,
    moved,
    read,
    tenants_of,
    to_number,
    verified,
)
from bridge.dispatch.stopping import wish
from bridge.errors import Refused
from bridge.phone import Phone
from bridge.privacy import letters
from bridge.privacy.requests import FINAL, RELEASING, Kind, State, before, rules
from bridge.store import ids
from bridge.store.consents import Ended, end_consents
from bridge.store.identity import (
    LAST_TEXTS,
    OWNED_SINCE,
    PASSED,
    WRONG,
    PassCode,
    PassFact,
    Reassigned,
    Restrict,
    StartCode,
    pass_code,
    pass_fact,
    reassign,
    restrict_all,
    start_code,
)
from bridge.store.listed import RESTRICTED
from bridge.store.request_rows import OF_PERSON, Request, request_of
from bridge.store.requests import Check, Move, Moved
from bridge.store.sql import Values

_WAITS: Final = (str(State.RECEIVED), str(State.IDENTITY_PENDING))
#: Where an export asks for a second fact: once it is proved, and while its file may be had.
FACT_ASKED: Final = (frozenset(State) - FINAL - frozenset(map(State, _WAITS))) | {
    State.RECEIPT_SENT
}
CODE_RULE: Final = "request-code"


async def send_code(bridge: Bridge, number: int, by: By) -> Request:
    """Send a code to the number or the address of a request. Raises Refused."""
    request = await read(bridge, number, by.tenant)
    if request.state not in _WAITS:
        raise Refused(f"this request is {request.state.replace('_', ' ')}: no proof is needed")
    if request.identity_kind not in (NUMBER, "mail"):
        raise Refused("a code cannot be sent to a chat", "whoever writes there is known already")
    started = await bridge.store.write(start_code, _code(bridge, request, by))
    if started is None:
        raise Refused("this person has had too many codes lately", "wait an hour, or a day")
    return await following(bridge, started, "proved")


def _code(bridge: Bridge, request: Request, by: By) -> StartCode:
    now, limits = bridge.clock(), rules()
    nonce = ids.show(bridge.ids.next())
    code = code_of(bridge, request.id, nonce)
    sms = None
    if request.identity_kind == NUMBER:
        words = letters.sms("code", request.lang, facts(bridge, request, code=code))
        sms = to_number(bridge, request, words, CODE_RULE, limits.code_seconds)
        if sms is None:
            raise Refused("no SMS goes to this number", "the tenant's countries leave it out")
    check = Check(
        "sms-code" if sms else "mail-code",
        now,
        now + limits.code_seconds,
        otp_hmac=hmac_of(bridge, request.id, code),
        message_id=sms.id if sms else None,
    )
    then = Move(
        request.id,
        _WAITS,
        str(State.IDENTITY_PENDING),
        "code sent",
        by.actor,
        now,
        tenant_id=by.tenant,
        letters=() if sms else (f"code:{nonce}",),
    )
    token = request.token
    return StartCode(request.id, token, check, limits.codes_an_hour, limits.codes_a_day, then, sms)


def code_of(bridge: Bridge, number: int, nonce: str) -> str:
    """The code of a request that a nonce stands for: digits, known to who has the pepper alone."""
    made = bridge.keys.repeat(b"request code", str(number).encode(), nonce.encode())
    value = int.from_bytes(hashlib.sha256(made.encode()).digest()[:8], "big")
    digits = rules().code_digits
    return f"{value % 10**digits:0{digits}d}"


def hmac_of(bridge: Bridge, number: int, code: str) -> str:
    """What is kept of a code."""
    return bridge.keys.repeat(b"request otp", str(number).encode(), code.encode())


async def enter_code(bridge: Bridge, number: int, code: str, by: By) -> Request:
    """A code that came back. Raises Refused: a wrong one, or one that is over."""
    request = await read(bridge, number, by.tenant)
    digits = "".join(c for c in code if c.isdigit())
    method = "sms-code" if request.identity_kind == NUMBER else "mail-code"
    check = Check(method, bridge.clock(), bridge.clock())
    then = verified(bridge, request, check, by.actor)
    item = PassCode(
        number, hmac_of(bridge, number, digits), rules().code_tries, bridge.clock(), then
    )
    verdict, done = await bridge.store.write(pass_code, item)
    return await _judged(bridge, verdict, done)


async def _judged(bridge: Bridge, verdict: str, done: Moved | None) -> Request:
    if verdict == PASSED and done is not None:
        return await following(bridge, done, "proved again")
    if verdict == WRONG:
        raise Refused("that is not right", "look again; there are few tries")
    raise Refused("its time or its tries are over", "ask for a new one")


async def vouch(bridge: Bridge, number: int, evidence: str, by: By) -> Request:
    """Somebody who saw the person, or their letter, says who they are. Raises Refused.

    Only who runs the bridge may; of what was said a hash is kept.
    """
    if not evidence.strip():
        raise Refused("who vouches says by what", "name the letter, the meeting or the call")
    request = await read(bridge, number, by.tenant)
    now = bridge.clock()
    kept = hashlib.sha256(evidence.strip().encode()).hexdigest()
    check = Check("vouched", now, now, evidence=kept, passed=True)
    return await moved(bridge, verified(bridge, request, check, by.actor), "proved again")


async def second_fact(bridge: Bridge, number: int, answer: str, by: By) -> Request:
    """What only the person knows: who texted them last, or the day of the last text (P23).

    Raises Refused.
    """
    request = await read(bridge, number, by.tenant)
    if Kind(request.type) not in RELEASING or request.state not in FACT_ASKED:
        raise Refused("no second fact is asked for here")
    now = bridge.clock()
    known = await bridge.store.read(LAST_TEXTS, all_index=bridge.keys.everyone(request.identity))
    tenant = bridge.register.tenants.get(request.tenant_id)
    texts = {row[0]: float(row[1]) for row in known}
    own = texts.get(tenant.name) if tenant is not None else None
    right = request.identity_kind == NUMBER and _knows(answer, texts, own)
    then = Move(
        number,
        tuple(map(str, FACT_ASKED)),
        "",
        "second fact",
        by.actor,
        now,
        changes={"identity_level": "second-fact"},
    )
    item = PassFact(number, right, rules().code_tries, now - 86400.0, now, then)
    verdict, done = await bridge.store.write(pass_fact, item)
    return await _judged(bridge, verdict, done)


def _knows(answer: str, texts: Mapping[str, float], own: float | None) -> bool:
    """Whether an answer is a tenant's name that texted them, or the day (UTC) of the last text.

    The last one of all, or of the tenant whose data is asked for (`own`): the portal asks for that.
    """
    said = " ".join(answer.split()).casefold()
    if not said or not texts:
        return False
    if said in {name.casefold() for name in texts}:
        return True
    try:
        asked = date.fromisoformat(said)
    except ValueError:
        return False
    # Midnight is another moment where the person lives.
    last = {max(texts.values())} | ({own} if own is not None else set())
    return any(abs((asked - datetime.fromtimestamp(at, UTC).date()).days) <= 1 for at in last)


# Restriction (Art. 18, P27)


async def restrict(bridge: Bridge, request: Request, by: By, *, on: bool, ground: str = "") -> bool:
    """Restrict the person of a request, or end that; whether it changed. Raises Refused."""
    if request.identity_kind != NUMBER or not request.tenant_id or not request.identity:
        raise Refused("only a person with a number, of one tenant, can be restricted")
    ground = ground or str(request.known_details.get("ground", "accuracy"))
    asked = wish(
        bridge.keys,
        request.tenant_id,
        request.identity,
        scope="tenant",
        source="restriction",
        now=bridge.clock(),
        purpose=RESTRICTED,
    )
    changed, bound = await bridge.store.write(
        restrict_all, Restrict(request.id, ground, by.actor, asked, on)
    )
    if bound:
        await bridge.silence(bound)
    await bridge.refresh()
    bridge.ring_edges()
    return bool(changed)


# A number changes hands (P51, P52)


async def reassigned(
    bridge: Bridge, number: Phone, evidence: str, at: float, by: By
) -> tuple[int, int]:
    """A number has another owner since `at` (Unix time): how many consents are void.

    Also how many requests of its former owner ended: the number proves nobody's any more. Its
    suppressions stay. Raises TryLater where parts under way do not settle.
    """
    kept = hashlib.sha256(evidence.strip().encode()).hexdigest()
    item = Reassigned(bridge.keys.everyone(number.e164), by.actor, kept, at)
    await bridge.store.write(reassign, item)
    count = 0
    for tenant in await tenants_of(bridge, number.e164):
        over = consents.ending(bridge, tenant, number, via=by.channel, void=True)
        done: Ended = await bridge.store.write(end_consents, over)
        await consents.ended(bridge, over, done)
        count += done.ended
    return count, await _orphaned(bridge, number.e164, at, by)


async def _orphaned(bridge: Bridge, e164: str, at: float, by: By) -> int:
    """End what a former owner of a number asked for; whoever wrote by mail is told."""
    keys, ended = bridge.keys, 0
    tokens = Values(k.everyone(e164) for k in (keys, *keys.older))
    for request in map(request_of, await bridge.store.read(OF_PERSON, tokens=tokens)):
        if request.state in FINAL or request.received_at >= at:
            continue
        item = Move(
            request.id,
            before(State.WITHDRAWN),
            str(State.WITHDRAWN),
            "ended",
            by.actor,
            bridge.clock(),
            detail="reassigned",
            changes={"closed_at": bridge.clock()},
            letters=("reassigned",),
            unstops=let_go(bridge, request, "reassigned"),
        )
        with suppress(Refused):  # it is being carried out
            await moved(bridge, item, "ended")
            ended += 1
    return ended


async def owned_since(bridge: Bridge, e164: str) -> float:
    """What is older than this is not its owner's to see; 0 where nobody knows of a change."""
    keys = bridge.keys
    tokens = Values(k.everyone(e164) for k in (keys, *keys.older))
    rows = await bridge.store.read(OWNED_SINCE, tokens=tokens)
    return float(rows[0][0] or 0.0)


def news_code(bridge: Bridge, request: Request, news: str) -> str:
    """The code that a letter "code:<nonce>" carries; "" for other letters."""
    name, _, nonce = news.partition(":")
    return code_of(bridge, request.id, nonce) if name == "code" else ""


def answer_to(request: Request) -> dict[str, str]:
    """Where a request's letters go, and below which mail; {} for nowhere."""
    found: dict[str, str] = json.loads(request.answer_to or "{}")
    return found
