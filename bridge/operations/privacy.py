"""A person's whole request in one act: who, and on whose instruction, comes in; files go out.

It is the operator's act on an instruction that a tenant gave (P16): the request, the instruction
and who carried it out are on record before the first row is read or deleted.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from bridge import phone
from bridge.dispatch import requests as register
from bridge.dispatch.request_stops import NUMBER
from bridge.dispatch.requests import Ask
from bridge.errors import Refused, TryLater
from bridge.operations.office import Item, Office, tenant_named
from bridge.operations.requests import CHANNEL, WARNING, someone
from bridge.privacy.letters import of_country
from bridge.privacy.receipt import checked
from bridge.privacy.requests import FINAL, RELEASING, Kind, State
from bridge.store import ids
from bridge.store.audit import HASH_OF, masked
from bridge.store.proofs import IS_LAST
from bridge.store.request_rows import Request
from bridge.store.requests import Instruct, Move

#: Seconds for which asking again is taken for the same act: a run was killed.
FRESH_S: Final = 600.0
#: Where somebody's own act may take a request from; one that is held waits for the hold's end.
_BEFORE: Final = tuple(
    str(state)
    for state in State
    if state not in FINAL and state not in (State.EXECUTING, State.DONE, State.HELD)
)


async def privacy_export(
    office: Office,
    *,
    number: str,
    tenant: str = "",
    instruction: str = "",
    portable: bool = False,
    lang: str = "",
) -> AsyncIterator[Item]:
    """A file of all that is kept of somebody, and its password. Raises Refused."""
    kind = Kind.PORTABILITY if portable else Kind.ACCESS
    request = await _carried_out(office, kind, number, tenant, instruction, lang)
    yield {**_shown(request), "password": request.result.get("password", "")}


async def privacy_erase(
    office: Office,
    *,
    number: str,
    tenant: str = "",
    instruction: str = "",
    only: bool = False,
) -> AsyncIterator[Item]:
    """Erase somebody, and suppress them unless `only` is said; the receipt. Raises Refused.

    It is not final while chats and carriers are still asked to erase: another one takes its place.
    """
    request = await _carried_out(office, Kind.ERASE, number, tenant, instruction, only=only)
    rows = await office.bridge.store.read(IS_LAST, request=request.id)
    final = all(is_last for (is_last,) in rows)
    shown = {**_shown(request), "erased": request.result.get("erased", {}), "final": final}
    yield {**shown, "warning": WARNING} if only else shown


async def privacy_verify(office: Office, *, receipt: str, key: str = "") -> AsyncIterator[Item]:
    """Whether a receipt is as the bridge signed it, and the audit tells of it. Raises Refused."""
    bridge = office.bridge
    found = checked(receipt, {key or bridge.signer.public})
    if not found.is_good:
        raise Refused(found.why, "ask the operator for the receipt anew, and for the public key")
    proved = True
    for entry in found.document["audit"]:
        rows = await bridge.store.read(HASH_OF, seq=entry["entry"])
        # An entry older than two years is purged, with all before it.
        proved = proved and bool(rows) and rows[0][0] == entry["hash"]
    yield {
        "valid": True,
        "request": found.document["request"],
        "erased_at": found.document["erased_at"],
        "backups_until": found.document["backups"]["until"],
        "audit": "found" if proved else "not found",
        "key": found.public_key,
    }


async def _carried_out(
    office: Office,
    kind: Kind,
    number: str,
    tenant: str,
    instruction: str,
    lang: str = "",
    *,
    only: bool = False,
) -> Request:
    """The request, carried out; one that is open already is taken on. Raises Refused."""
    words = instruction.strip()
    if not words:
        raise Refused(
            "on whose instruction?",
            'say who asked for it, when and how: --instruction "letter of 23 Nov from Acme"',
        )
    bridge = office.bridge
    owner = await tenant_named(office, tenant)
    details = {"mode": "only"} if only else {}
    who = someone(number, owner.region)
    theirs = of_country(phone.country(who.value)) if who.kind == NUMBER else ""
    ask = Ask(kind, who, owner, CHANNEL, office.actor, lang or theirs, details=details)
    request = await _opened(office, ask)
    if request.state == State.DONE:
        return request  # by a run that was killed before it could say so
    if request.state == State.HELD:
        raise Refused("a legal hold keeps this person's data", "`bridge hold list` shows it")
    if request.state != State.EXECUTING:
        request = await register.moved(bridge, _act(office, request, words), "carried out")
    return await _done(office, request)


async def _opened(office: Office, ask: Ask) -> Request:
    """A new request, or the same person's that is open; a file that is not new is made anew."""
    bridge = office.bridge
    opened = await register.open_request(bridge, ask)
    request = await register.read(bridge, opened.duplicate_of or opened.id)
    if request.state != State.DONE or _is_fresh(request):
        return request
    now = bridge.clock()
    closing = Move(
        request.id,
        (str(State.DONE),),
        str(State.RECEIPT_SENT),
        "answered",
        office.actor,
        now,
        changes={"closed_at": now},
    )
    await register.moved(bridge, closing, "closed")
    opened = await register.open_request(bridge, ask)
    return await register.read(bridge, opened.id)


def _is_fresh(request: Request) -> bool:
    """Whether its file was made just now, and is still there."""
    with contextlib.suppress(OSError, StopIteration):
        made = Path(next(iter(request.result.get("files", ())))).stat().st_mtime
        return time.time() - made < FRESH_S
    return False


def _act(office: Office, request: Request, words: str) -> Move:
    """The operator's act: the instruction, and the leave to carry it out."""
    now = office.bridge.clock()
    given = Instruct(
        office.bridge.ids.next(),
        office.actor,
        CHANNEL,
        "fulfil",
        hashlib.sha256(words.encode("utf-8", "replace")).hexdigest(),
        masked(words),  # it outlives the person's data
    )
    changes = {
        "instruction_id": given.id,
        "identity_level": request.identity_level or "vouched",
        "approved_by": office.actor,
        "ran_by": office.actor,
        "tries": 0,
        "retry_at": None,
    }
    if Kind(request.type) in RELEASING:
        changes["release_at"] = now
    return Move(
        request.id,
        _BEFORE,
        str(State.EXECUTING),
        "carried out on instruction",
        office.actor,
        now,
        changes=changes,
        instruct=given,
    )


async def _done(office: Office, request: Request) -> Request:
    bridge = office.bridge
    assert bridge.clerk is not None  # noqa: S101 - `app` makes it with the bridge
    await bridge.clerk.carry_out(request.id)
    after = await register.read(bridge, request.id)
    if after.state == State.HELD:
        raise Refused("a legal hold keeps this person's data", "`bridge hold list` shows it")
    if after.state == State.FAILED:
        raise Refused(after.reason or "it failed", "see the log, and run this again")
    if after.state == State.EXECUTING:
        raise TryLater(
            after.reason or "the request is being carried out",
            f"it goes on by itself: bridge dsar show {ids.show(after.id)}",
        )
    return after


def _shown(request: Request) -> Item:
    return {
        "request": ids.show(request.id),
        "state": request.state,
        "files": list(request.result.get("files", ())),
    }
