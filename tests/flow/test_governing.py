"""Breaches, demands, complaints and reviews of access, over both databases: what must be told in
time, and what nobody does alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bridge import opening
from bridge.bots.enrolment import code_hash, new_code
from bridge.dispatch import abuse, demanding, reviewing
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.governing import Governor
from bridge.dispatch.receive import Reception
from bridge.dispatch.submit import submit
from bridge.dispatch.tenants import Tenant
from bridge.errors import Refused
from bridge.model import Origin, State, Submission
from bridge.operations import REGISTRY, Office
from bridge.settings import load
from bridge.store import ids, sql
from bridge.store.announcements import KIND, words_of
from bridge.store.audit_tables import audit
from bridge.store.chat_tables import staff
from bridge.store.processor_tables import access_review, demand
from bridge.store.sql import Statement, Values
from bridge.store.staff import PERSON, Invite, Person, Redeem, invite, person_of, redeem
from bridge.store.suppressions import ACTIVE
from bridge.store.tables import fact, message, metadata, notice, notice_body, suppression
from tests.bridges import ANNA, BERIT
from tests.seeds import seeded

HOUR, DAY = 3600.0, 86400.0
CONFIG = """
data_dir = "{data_dir}"
[database]
url = "{url}"
[privacy]
dpo = "dpo@sms.example"
inbox = ["operator@sms.example"]
[[tenants]]
name = "acme"
inbox = ["office@acme.example"]
[[tenants]]
name = "sister"
"""
Do = Callable[..., Any]


@pytest.fixture
async def bridge(tmp_path: Path, url: str) -> AsyncIterator[Bridge]:
    path = tmp_path / "bridge.toml"
    path.write_text(CONFIG.format(data_dir=seeded(tmp_path / "data"), url=url))
    async with opening.opened(load(path, {}), "up") as bridge:
        began = bridge.clock()
        bridge.clock = lambda: began
        yield bridge


@pytest.fixture
def do(bridge: Bridge) -> Do:
    """Run an operation as somebody; its items."""

    async def run(operation: str, actor: str = "root", **arguments: Any) -> list[dict[str, Any]]:
        office = Office(bridge, Reception(bridge, lambda _: None).silence, actor)
        return [item async for item in REGISTRY[operation](office, **arguments)]

    return run


def later(bridge: Bridge, seconds: float) -> None:
    now = bridge.clock() + seconds
    bridge.clock = lambda: now


async def sweep(bridge: Bridge) -> None:
    await Governor(bridge).once(bridge.clock())


async def owed(bridge: Bridge, to: str = "operator@sms.example") -> list[str]:
    """The subjects of what is owed to an inbox."""
    rows = await bridge.store.read(
        Statement(
            select(notice.c.id, notice_body.c.payload)
            .join(notice_body, notice_body.c.notice_id == notice.c.id)
            .where(notice.c.kind == KIND, notice.c.place == to)
            .order_by(notice.c.id)
        )
    )
    found = [words_of(row[1]) for row in rows]
    # The audit's daily head is told there too.
    return [w.subject for w in found if w is not None and "audit" not in w.subject.casefold()]


async def entries(bridge: Bridge, action: str) -> list[tuple[Any, ...]]:
    wanted = select(audit.c.actor, audit.c.tenant_id, audit.c.subject_ref, audit.c.reason)
    rows = await bridge.store.read(Statement(wanted.where(audit.c.action == action)))
    return [tuple(row) for row in rows]


def tenant(bridge: Bridge, name: str = "acme") -> Tenant:
    found = bridge.register.named(name)
    assert found is not None
    return found


async def sent(bridge: Bridge, number: str = ANNA) -> int:
    item = Submission(tenant(bridge).id, Origin("cli", "", {}), number, "CZ", "Boiler 3 is cold")
    return (await submit(bridge, item)).id


# -- breaches ------------------------------------------------------------------------------------

LOST: dict[str, Any] = {"nature": "A disk was lost", "people": "120", "measures": "keys destroyed"}


async def test_p58_the_clock_runs_from_awareness(bridge: Bridge, do: Do) -> None:
    aware = datetime.fromtimestamp(bridge.clock() - 5 * HOUR, UTC)
    (opened,) = await do("breach open", facts=LOST, tenants=["acme"], aware=aware.isoformat())
    until = {key: datetime.fromisoformat(opened[key]) - aware for key in ("target_at", "due_at")}
    assert [round(until[key].total_seconds() / HOUR) for key in ("target_at", "due_at")] == [24, 72]
    assert opened["state"] == "open"
    assert opened["tenants"] == {"acme": None}
    assert await owed(bridge) == ["A breach was opened"]
    assert len(await entries(bridge, "breach open")) == 1


async def test_p58_the_operator_is_reminded_until_the_tenant_is_told(
    bridge: Bridge, do: Do
) -> None:
    await do("breach open", facts=LOST, tenants=["acme"])
    heard = []
    for hours in (0, 11, 1, 12, 23, 1, 18, 6, 100):
        later(bridge, hours * HOUR)
        await sweep(bridge)
        await sweep(bridge)  # of several processes one tells
        heard.append(len(await owed(bridge)) - 1)
    assert heard == [1, 1, 2, 3, 3, 4, 5, 6, 6]
    assert "72 hours are over" in (await owed(bridge))[-1]
    await do("breach notify", id=1)
    later(bridge, 1000 * HOUR)
    await sweep(bridge)
    assert len(await owed(bridge)) == 7


async def test_p58_each_tenant_is_told_once_and_nothing_closes_over_an_untold_one(
    bridge: Bridge, do: Do
) -> None:
    await do("breach open", facts=LOST)  # it concerns all
    (done,) = await do("breach notify", id=1)
    assert (done["told"], done["untold"], done["state"]) == (["acme"], ["sister"], "open")
    assert await owed(bridge, "office@acme.example") == ["A breach of security concerns your data"]
    with pytest.raises(Refused, match="a tenant has not been told"):
        await do("breach close", id=1, outcome="found again")
    (done,) = await do("breach notify", id=1, by_hand=["sister"])
    assert (done["told"], done["state"]) == (["sister"], "told")
    assert len(await owed(bridge, "office@acme.example")) == 1
    (closed,) = await do("breach close", id=1, outcome="found again")
    assert closed["state"] == "closed"
    with pytest.raises(Refused, match="is closed"):
        await do("breach notify", id=1)
    assert [row[1] for row in await entries(bridge, "breach notify")] == [
        tenant(bridge).id,
        tenant(bridge, "sister").id,
    ]


async def test_p58_the_draft_has_what_article_33_3_asks_for(bridge: Bridge, do: Do) -> None:
    await do("breach open", facts=LOST, tenants=["acme"])
    (before,) = await do("breach draft", id=1)
    assert "Likely consequences: not known yet" in before["draft"]
    await do("breach learn", id=1, facts={"consequences": "spam", "categories": "numbers"})
    later(bridge, 80 * HOUR)
    await do("breach notify", id=1)
    (after,) = await do("breach draft", id=1)
    for said in ("A disk was lost", "numbers", "120", "dpo@sms.example", "spam", "keys destroyed"):
        assert said in after["draft"]
    assert "later than 72 hours" in after["draft"]


async def test_p58_a_tenant_reports_what_it_suspects(bridge: Bridge, do: Do) -> None:
    facts = {"nature": "Somebody knew our messages"}
    (opened,) = await do("breach open", facts=facts, tenants=["acme"], source="tenant")
    assert opened["source"] == "tenant"
    assert await owed(bridge) == ["A tenant suspects a breach"]


async def test_p58_the_same_told_twice_is_one_breach(bridge: Bridge, do: Do) -> None:
    """A kill between the case and the end of the command works the command anew."""
    facts = {"nature": "Somebody knew our messages"}
    for _ in range(2):
        (opened,) = await do("breach open", facts=facts, tenants=["acme"], source="tenant")
        assert opened["id"] == 1
    assert await owed(bridge) == ["A tenant suspects a breach"]
    for other in (
        {"facts": facts, "tenants": ["acme"]},
        {"facts": facts, "tenants": ["sister"], "source": "tenant"},
        {"facts": {"nature": "And more"}, "tenants": ["acme"], "source": "tenant"},
    ):
        await do("breach open", **other)
    assert len(await do("breach list")) == 4
    later(bridge, HOUR)
    await do("breach open", facts=facts, tenants=["acme"], source="tenant")
    assert len(await do("breach list")) == 5


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"facts": {}}, "what has happened?"),
    ({"facts": {"nature": "x", "people": "many"}}, "no such fact"),
    ({"facts": {"nature": "x"}, "aware": "2999-01-01"}, "in the future"),
    ({"facts": {"nature": "x"}, "aware": "yesterday"}, "is no time"),
    ({"facts": {"nature": "x"}, "tenants": ["nobody"]}, "there is no tenant"),
]


async def test_p58_what_is_no_breach(do: Do) -> None:
    for arguments, said in WRONG:
        with pytest.raises(Refused) as caught:
            await do("breach open", **arguments)
        assert said in caught.value.sentence
        assert caught.value.hint
    assert await do("breach list") == []


# -- demands of authorities ----------------------------------------------------------------------

PAPER: dict[str, Any] = {
    "authority": "Police of the Czech Republic",
    "reference": "KRPA-1/2026",
    "basis": "Act 141/1961, § 88a",
    "fields": ["state", "sent_at"],
}


async def demanded(bridge: Bridge, do: Do, **more: Any) -> int:
    await sent(bridge)
    (opened,) = await do("demand open", number=ANNA, tenant="acme", paper={**PAPER, **more})
    number: int = opened["id"]
    return number


async def test_p57_nothing_goes_out_before_two_different_people_agree(
    bridge: Bridge, do: Do
) -> None:
    number = await demanded(bridge, do)
    with pytest.raises(Refused, match="not been approved"):
        await do("demand answer", id=number)
    (once,) = await do("demand approve", "eva", id=number)
    assert (once["state"], once["approvals"]) == ("open", 1)
    with pytest.raises(Refused, match="you have agreed already"):
        await do("demand approve", "eva", id=number)
    with pytest.raises(Refused, match="not been approved"):
        await do("demand answer", id=number)
    (twice,) = await do("demand approve", "petr", id=number)
    assert twice["state"] == "approved"
    (answer,) = await do("demand answer", "petr", id=number)
    assert answer == {"sent_at": None, "state": "queued"}
    with pytest.raises(Refused, match="this demand is answered"):
        await do("demand answer", id=number)


async def test_p57_the_answer_has_the_approved_fields_alone(bridge: Bridge, do: Do) -> None:
    await sent(bridge, BERIT)  # of somebody else
    number = await demanded(bridge, do, fields=["number"])
    for actor in ("eva", "petr"):
        await do("demand approve", actor, id=number)
    assert await do("demand answer", id=number) == [{"number": ANNA}]


async def test_p57_each_act_is_logged_with_its_basis_and_the_person_by_reference(
    bridge: Bridge, do: Do
) -> None:
    number = await demanded(bridge, do)
    for actor in ("eva", "petr"):
        await do("demand approve", actor, id=number)
    await do("demand answer", "petr", id=number)
    (listed,) = await do("demand list")
    assert listed["basis"] == PAPER["basis"]
    assert listed["approved_by"] == ["eva", "petr"]
    assert (listed["opened_by"], listed["state"]) == ("root", "answered")
    for action, actors in (
        ("demand open", ["root"]),
        ("demand approve", ["eva", "petr"]),
        ("demand answer", ["petr"]),
    ):
        rows = await entries(bridge, action)
        assert [row[0] for row in rows] == actors
        assert all(row[1] == tenant(bridge).id and row[2] for row in rows)
        assert not any(ANNA[4:] in str(row) for row in rows)


async def test_p57_a_demand_can_be_refused(bridge: Bridge, do: Do) -> None:
    number = await demanded(bridge, do)
    await do("demand refuse", id=number, reason="no order of a court")
    with pytest.raises(Refused, match="this demand is refused"):
        await do("demand approve", "eva", id=number)


NOT_ENOUGH: list[tuple[dict[str, Any], str]] = [
    ({"basis": ""}, "its legal basis"),
    ({"authority": " "}, "the authority"),
    ({"fields": []}, "which fields"),
    ({"fields": ["state", "everything"]}, "no field 'everything'"),
    ({"since": "long ago"}, "is no day"),
    ({"colour": "red"}, "no such fact"),
]


async def test_p57_a_demand_without_basis_or_fields_is_none(bridge: Bridge, do: Do) -> None:
    await sent(bridge)
    for wrong, said in NOT_ENOUGH:
        with pytest.raises(Refused) as caught:
            await do("demand open", number=ANNA, tenant="acme", paper={**PAPER, **wrong})
        assert said in caught.value.sentence
    with pytest.raises(Refused, match="has nothing about this number"):
        await do("demand open", number=BERIT, tenant="acme", paper=PAPER)
    assert await do("demand list") == []


async def test_p07_by_default_nothing_is_kept_for_authorities(bridge: Bridge, do: Do) -> None:
    assert not await demanding.is_declared(bridge)
    assert await bridge.store.read(Statement(select(demand.c.id))) == []
    kept = " ".join(metadata.tables).casefold()
    assert not any(word in kept for word in ("enforcement", "location", "cell", "police"))
    with pytest.raises(Refused, match="which law"):
        await do("demand declare", basis=" ")


async def test_p07_a_store_for_them_needs_a_declaration_and_two_people(
    bridge: Bridge, do: Do
) -> None:
    (opened,) = await do("demand declare", basis="Act 127/2005, § 97(3)")
    await do("demand approve", "eva", id=opened["id"])
    with pytest.raises(Refused, match="you have agreed already"):
        await do("demand approve", "eva", id=opened["id"])
    assert not await demanding.is_declared(bridge)
    await do("demand approve", "petr", id=opened["id"])
    assert await demanding.is_declared(bridge)
    rows = await bridge.store.read(
        Statement(select(fact.c.value).where(fact.c.name == "covered provider"))
    )
    assert "97(3)" in rows[0][0]
    with pytest.raises(Refused, match="declared already"):
        await do("demand declare", basis="again")
    with pytest.raises(Refused, match="not been approved"):
        await do("demand answer", id=opened["id"])  # it is no demand for data


# -- complaints and blocks -----------------------------------------------------------------------


async def test_p53_a_complaint_suppresses_and_opens_a_case(bridge: Bridge, do: Do) -> None:
    await sent(bridge)
    await sent(bridge, BERIT)
    (opened,) = await do("abuse open", number=ANNA, tenant="acme", source="7726")
    assert (opened["state"], opened["suppressed"]) == ("open", True)
    rows = await bridge.store.read(Statement(select(message.c.state).order_by(message.c.id)))
    assert [row[0] for row in rows] == [State.SUPPRESSED, State.QUEUED]
    found = await bridge.store.read(Statement(select(suppression.c.source)))
    assert [row[0] for row in found] == ["complaint-7726"]
    with pytest.raises(Refused, match="opted out"):
        bridge.lists.refuse(bridge.keys, tenant(bridge).id, ANNA, "CZ", "transactional")
    ((actor, owner, ref, _),) = await entries(bridge, "abuse open")
    assert (actor, owner) == ("root", tenant(bridge).id)
    assert ref
    assert await owed(bridge) == ["A case of abuse was opened"]


async def test_p53_whoever_was_never_texted_is_suppressed_too(bridge: Bridge, do: Do) -> None:
    await do("abuse open", number=ANNA, tenant="acme", source="carrier")
    keys = bridge.keys
    tokens = Values([keys.person(tenant(bridge).id, ANNA)])
    assert len(await bridge.store.read(ACTIVE, keys=tokens)) == 1
    (case,) = await do("abuse list")
    assert (case["kind"], case["state"]) == ("complaint", "open")


async def test_p32_an_automatic_block_waits_for_a_person_a_day_at_most(
    bridge: Bridge, do: Do
) -> None:
    number = await abuse.blocked(bridge, tenant(bridge), "velocity")
    (case,) = await do("abuse list")
    due = datetime.fromisoformat(case["review_due"]).timestamp()
    assert round((due - bridge.clock()) / HOUR) == 24
    later(bridge, 23 * HOUR)
    await sweep(bridge)
    assert await owed(bridge) == ["A case of abuse was opened"]
    later(bridge, HOUR)
    await sweep(bridge)
    await sweep(bridge)
    assert (await owed(bridge))[1:] == ["Cases wait for a person"]
    await do("abuse review", "eva", id=number, outcome="a mistake, unblocked")
    with pytest.raises(Refused, match="no open case"):
        await do("abuse review", id=number, outcome="again")
    ((actor, *_),) = await entries(bridge, "abuse review")
    assert actor == "eva"


# -- access --------------------------------------------------------------------------------------


async def enrolled(bridge: Bridge, who: str, due: float | None = None) -> int:
    code, now = new_code(), bridge.clock()
    hashed = code_hash(bridge.keys, code)
    await bridge.store.write(
        invite, Invite(tenant(bridge).id, "agent", f"Eva {who}", hashed, now, now + 900)
    )
    number = bridge.ids.next()
    item = Redeem(number, hashed, "telegram", "", who, 0, now, due or reviewing.review_due(now))
    assert (await bridge.store.write(redeem, item)).person is not None
    return number


async def person(bridge: Bridge, who: str) -> Person | None:
    rows = await bridge.store.read(PERSON, edge="telegram", team="", person=who)
    return person_of(rows[0]) if rows else None


async def test_p59_a_grant_that_nobody_confirms_ends_after_a_quarter(
    bridge: Bridge, do: Do
) -> None:
    kept, lost = await enrolled(bridge, "501"), await enrolled(bridge, "502")
    rows = await do("access review")
    due = datetime.fromisoformat(rows[0]["review_due"]).timestamp()
    assert round((due - bridge.clock()) / DAY) == 90
    later(bridge, 75 * DAY)
    await sweep(bridge)
    assert await owed(bridge) == []
    later(bridge, 2 * DAY)
    await sweep(bridge)
    await sweep(bridge)
    assert await owed(bridge) == ["Access is to be reviewed"]
    await do("access confirm", "eva", id=ids.show(kept))
    later(bridge, 13 * DAY)
    await sweep(bridge)
    assert await person(bridge, "501") is not None
    assert await person(bridge, "502") is None
    reviews = await bridge.store.read(
        Statement(
            select(access_review.c.staff_id, access_review.c.outcome).where(
                access_review.c.outcome != "announced"
            )
        )
    )
    assert {tuple(row) for row in reviews} == {(kept, "confirmed"), (lost, "expired")}
    assert [row[3] for row in await entries(bridge, "access expire")] == [f"id={ids.show(lost)}"]
    assert [row["id"] for row in await do("access review")] == [ids.show(kept)]


async def test_p59_the_next_quarter_is_announced_again(bridge: Bridge, do: Do) -> None:
    kept = await enrolled(bridge, "501")
    later(bridge, 80 * DAY)
    await sweep(bridge)
    await do("access confirm", id=ids.show(kept))
    for _ in range(80):
        later(bridge, DAY)
        await sweep(bridge)
    assert len(await owed(bridge)) == 2


async def test_p59_an_old_grant_without_a_day_is_shown_and_stands(bridge: Bridge, do: Do) -> None:
    number = await enrolled(bridge, "501", -1.0)
    await bridge.store.write(_no_day, number)
    later(bridge, 1000 * DAY)
    await sweep(bridge)
    (shown,) = await do("access review")
    assert shown["review_due"] is None
    await do("access confirm", id=shown["id"])
    (shown,) = await do("access review", tenant="acme")
    assert shown["review_due"] is not None
    with pytest.raises(Refused, match="nobody is enrolled"):
        await do("access confirm", id="38g4sre5p0100")


def _no_day(items: Any) -> Any:
    yield sql.Do(Statement(staff.update().values(review_due=None)), {})
    return [None] * len(items)
