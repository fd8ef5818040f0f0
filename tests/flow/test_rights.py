"""Export and erasure as an operator carries them out, over both databases."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import pyzipper
from sqlalchemy import func, select

from bridge import opening
from bridge.dispatch import contacts, receipting
from bridge.dispatch.aftercare import SETTLED, Aftercare
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.clerk import Clerk
from bridge.dispatch.erasing import Wish, _orders, erase, ledger_of
from bridge.dispatch.executor import Fulfilment
from bridge.dispatch.exporting import purge
from bridge.dispatch.nights import next_night
from bridge.dispatch.receive import Reception
from bridge.dispatch.requests import Ask, Someone, open_request
from bridge.dispatch.submit import submit
from bridge.errors import Refused, StoreUnavailable
from bridge.model import Origin, State, Submission
from bridge.operations import REGISTRY, Office
from bridge.privacy.export import SCHEMA, packed
from bridge.privacy.periods import DAY
from bridge.privacy.requests import Kind
from bridge.settings import load
from bridge.store import ids
from bridge.store.audit_tables import audit
from bridge.store.chat_erasures import CondemnedDone, finish_condemned, queue_posts
from bridge.store.erasing import begin_erasures, erase_more
from bridge.store.erasure_tables import chat_erasure, erasure, export_file, receipt
from bridge.store.request_tables import dsr, instruction
from bridge.store.requests import Check
from bridge.store.sql import Many, Rows, Script, Statement, insert
from bridge.store.tables import body, message, reply, reply_body, subject, suppression
from tests.crowd import REPLY
from tests.seeds import seeded

ANNA, BERTA = "+420601123456", "+420602123456"
CONFIG = """
data_dir = "{data_dir}"
region = "CZ"
[database]
url = "{url}"
[smtp]
domains = ["sms.example"]
[[tenants]]
name = "acme"
countries = ["CZ", "SK"]
[[tenants]]
name = "sister"
"""
WORDS = "letter of 23 November, signed by Mr Novak"

Do = Callable[..., Any]


@pytest.fixture
async def bridge(tmp_path: Path, url: str) -> AsyncIterator[Bridge]:
    path = tmp_path / "bridge.toml"
    path.write_text(CONFIG.format(data_dir=seeded(tmp_path / "data"), url=url))
    async with opening.opened(load(path, {}), "up") as bridge:
        yield bridge


@pytest.fixture
def do(bridge: Bridge) -> Do:
    """Run an operation; its only item."""

    async def run(operation: str, **arguments: Any) -> dict[str, Any]:
        office = Office(bridge, Reception(bridge, lambda _: None).silence, "eva")
        found = [item async for item in REGISTRY[operation](office, **arguments)]
        assert len(found) == 1
        return dict(found[0])

    return run


async def count(bridge: Bridge, table: Any) -> int:
    return int((await bridge.store.read(Statement(select(func.count()).select_from(table))))[0][0])


REQUESTS = Statement(select(dsr.c.state).order_by(dsr.c.id))


async def sent(bridge: Bridge, to: str = ANNA, tenant: str = "acme", **more: Any) -> int:
    """An SMS of the tenant's Eva; its id."""
    owner = bridge.register.named(tenant)
    assert owner is not None
    facts: dict[str, Any] = {
        "tenant": owner.id,
        "origin": Origin("mail", "eva@acme.example", {"subject": "Pump"}),
        "destination": to,
        "country": "CZ",
        "text": f"Call Jan on {BERTA}, or jan@acme.example",
    }
    return (await submit(bridge, Submission(**{**facts, **more}))).id


async def answered(bridge: Bridge, text: str, at: float = 0.0) -> None:
    """Anna writes back."""
    rows = await bridge.store.read(Statement(select(subject.c.id, subject.c.tenant_id)))
    number = bridge.ids.next()
    row = {
        "id": number,
        "reply_id": number,
        "tenant_id": rows[0][1],
        "subject_id": rows[0][0],
        "conversation_id": None,
        "message_id": None,
        "carrier": "sandbox",
        "originator": "+420601000000",
        "verdict": "none",
        "partial": False,
        "at": at or bridge.clock(),
        "text": text,
    }
    await bridge.store.write(_put_answer, row)


def _put_answer(items: Any) -> Script:
    yield Many(insert(reply, REPLY), items)
    yield Many(insert(reply_body), items)
    return [None] * len(items)


def opened(item: dict[str, Any]) -> dict[str, Any]:
    """The data in an export."""
    with pyzipper.AESZipFile(item["files"][0]) as archive:
        archive.setpassword(item["password"].encode())
        document: dict[str, Any] = json.loads(archive.read("data.json"))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.validate(document, schema, jsonschema.Draft202012Validator)
    return document


def kept(item: dict[str, Any]) -> bool:
    """Whether the first file is still there."""
    return Path(item["files"][0]).exists()


def words(item: dict[str, Any]) -> str:
    """What stands in the first file."""
    return Path(item["files"][0]).read_text(encoding="ascii")


WHO: dict[str, Any] = {"number": ANNA, "tenant": "acme", "instruction": WORDS}


# Export


async def test_p24_all_that_is_kept_is_handed_out_and_others_are_masked(
    bridge: Bridge, do: Do
) -> None:
    await sent(bridge)
    await sent(bridge, BERTA, text="Not for Anna")
    await answered(bridge, "What is cold?")
    await do("suppress add", number=ANNA, tenant="acme")
    item = await do("privacy export", **WHO)
    assert (item["state"], Path(item["files"][0]).parent.name) == ("done", "exports")
    told = opened(item)
    assert told["person"] == {"identity": ANNA, "kind": "number", "country": "CZ"}
    assert told["language"] == "cs"
    assert [m["text"] for m in told["messages"]] == [
        "Call Jan on +420 ••• ••• 456, or j…@acme.example"
    ]
    assert [m["by"] for m in told["messages"]] == ["mail"]
    assert [r["text"] for r in told["replies"]] == ["What is cold?"]
    assert [s["source"] for s in told["suppressions"]] == ["operator"]
    assert [r["type"] for r in told["requests"]] == ["access"]
    assert told["purposes"] == ["messages", "suppression", "rights"]
    assert {p["what"] for p in told["periods"]} >= {"text", "traffic", "backup"}
    assert told["contact"] == "privacy@sms.example"
    whole = json.dumps(told, ensure_ascii=False)
    for hidden in (BERTA, "eva@acme.example", "Not for Anna"):
        assert hidden not in whole


async def test_p24_evidence_and_ones_own_words_are_in_it_and_a_strangers_letter_is_not(
    bridge: Bridge, do: Do
) -> None:
    await sent(bridge)
    given = {"evidence": f"paper form, from {BERTA}"}
    await do("consent add", number=ANNA, tenant="acme", given=given)
    for kind, text, proof in (
        (Kind.RECTIFY, f"I am Anna, not {BERTA}", Check("portal", 0.0, 0.0, passed=True)),
        (Kind.OBJECT, "I am her neighbour", None),
    ):
        tenant = bridge.register.named("acme")
        ask = Ask(kind, Someone("number", ANNA), tenant, "mail", "mail", details={"words": text})
        await open_request(bridge, replace(ask, proof=proof))
    told = opened(await do("privacy export", **WHO))
    assert told["automated_decisions"] is False
    assert [c["evidence"] for c in told["consents"]] == ["paper form, from +420 ••• ••• 456"]
    by_type = {r["type"]: r["words"] for r in told["requests"]}
    assert by_type["rectify"] == "I am Anna, not +420 ••• ••• 456"
    assert by_type["object"] == ""
    assert {p["what"] for p in told["periods"]} >= {"consent", "audit", "contact"}


async def test_p25_what_a_person_may_take_along_is_what_they_gave(bridge: Bridge, do: Do) -> None:
    await sent(bridge)
    await answered(bridge, "What is cold?")
    told = opened(await do("privacy export", **WHO, portable=True))
    assert told["kind"] == "portability"
    assert [r["text"] for r in told["replies"]] == ["What is cold?"]
    assert "messages" not in told
    assert "names" not in told
    assert "recipients" not in told


async def test_p52_after_a_number_changed_hands_only_what_came_since(
    bridge: Bridge, do: Do
) -> None:
    await sent(bridge, text="For the one before")
    await answered(bridge, "From the one before")
    acme = bridge.register.named("acme")
    assert acme is not None
    await contacts.import_csv(bridge, acme, f"name,number,groups\neva,{ANNA},night\n".encode())
    named = opened(await do("privacy export", **WHO))["names"]
    assert {each["name"] for each in named} == {"eva", "night"}
    await do("reassigned", number=ANNA, evidence="the operator's list", tenant="acme")
    await sent(bridge, text="For the new one")
    await answered(bridge, "From the new one")
    told = opened(await do("privacy export", **WHO))
    assert told["since"] is not None
    assert [m["text"] for m in told["messages"]] == ["For the new one"]
    assert [r["text"] for r in told["replies"]] == ["From the new one"]
    assert told["names"] == []


async def test_p24_the_other_tenants_data_is_not_in_it(bridge: Bridge, do: Do) -> None:
    await sent(bridge, text="Of acme")
    await sent(bridge, tenant="sister", text="Of the sister")
    told = opened(await do("privacy export", **{**WHO, "tenant": "sister"}))
    assert [m["text"] for m in told["messages"]] == ["Of the sister"]


async def test_p24_somebody_unknown_gets_an_answer_too(do: Do) -> None:
    told = opened(await do("privacy export", **WHO))
    assert told["messages"] == told["replies"] == []


async def test_p24_a_writer_gets_what_they_wrote(bridge: Bridge, do: Do) -> None:
    await sent(bridge)
    await sent(bridge, origin=Origin("mail", "Jan@acme.example", {}), text="Of Jan")
    told = opened(await do("privacy export", **{**WHO, "number": "jan@acme.example"}))
    assert [(m["text"], m["to"]) for m in told["written"]] == [("Of Jan", "+420 ••• ••• 456")]


async def test_p13_an_export_that_is_asked_for_again_is_the_same_until_it_is_old(
    bridge: Bridge, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(bridge, text="The first")
    first = await do("privacy export", **WHO)
    await sent(bridge, text="The second")
    assert await do("privacy export", **WHO) == first
    monkeypatch.setattr("bridge.operations.privacy.FRESH_S", 0.0)
    second = await do("privacy export", **WHO)
    assert second["request"] != first["request"]
    assert [m["text"] for m in opened(second)["messages"]] == ["The first", "The second"]


async def test_an_export_is_purged_when_its_time_is_over(
    bridge: Bridge, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await do("privacy export", **WHO)
    stray = {"files": [str(Path(item["files"][0]).with_name("0000000000000.zip"))]}
    packed({**opened(item)}, "left by a kill", Path(stray["files"][0]))
    assert await purge(bridge) == 1
    assert (kept(item), kept(stray)) == (True, False)
    now = bridge.clock()
    monkeypatch.setattr(bridge, "clock", lambda: now + 7 * 86400 + 1)
    assert await purge(bridge) == 1
    assert not kept(item)
    assert await count(bridge, export_file) == 0


# The instruction


@pytest.mark.parametrize("operation", ["privacy export", "privacy erase"])
async def test_p16_nothing_is_done_without_an_instruction(
    bridge: Bridge, do: Do, operation: str
) -> None:
    await sent(bridge)
    with pytest.raises(Refused, match="on whose instruction"):
        await do(operation, **{**WHO, "instruction": " "})
    assert await count(bridge, body) == 1
    assert await count(bridge, dsr) == 0


@pytest.mark.parametrize("operation", ["privacy export", "privacy erase"])
async def test_p16_the_instruction_is_kept_with_who_when_and_its_hash(
    bridge: Bridge, do: Do, operation: str
) -> None:
    await sent(bridge)
    item = await do(operation, **WHO)
    columns = ("actor", "channel", "decision", "text_hash", "reason")
    rows = await bridge.store.read(Statement(select(*(instruction.c[c] for c in columns))))
    digest = hashlib.sha256(WORDS.encode()).hexdigest()
    assert [tuple(row) for row in rows] == [("eva", "cli", "fulfil", digest, WORDS)]
    (found,) = await bridge.store.read(Statement(select(dsr.c.id, dsr.c.instruction_id)))
    assert (ids.show(found[0]), found[1] is not None) == (item["request"], True)


async def test_p16_an_instruction_outlives_the_number_that_it_names(bridge: Bridge, do: Do) -> None:
    await do("privacy erase", **{**WHO, "instruction": f"call of {ANNA} at noon"})
    ((reason,),) = await bridge.store.read(Statement(select(instruction.c.reason)))
    assert reason == "call of ••• at noon"


# Erasure


async def test_p2_p29_erase_and_suppress_is_what_happens(bridge: Bridge, do: Do) -> None:
    await sent(bridge)
    await sent(bridge, BERTA)
    item = await do("privacy erase", **WHO)
    assert item["state"] in ("done", "receipt_sent")
    assert item["erased"]["texts"] == 1
    assert await count(bridge, subject) == await count(bridge, body) == 1
    assert (await do("suppress check", number=ANNA, tenant="acme"))["source"] == "erasure"
    assert not (await do("suppress check", number=ANNA, tenant="sister"))["suppressed"]


async def test_p30_who_is_imported_again_is_still_suppressed(bridge: Bridge, do: Do) -> None:
    await sent(bridge)
    await do("privacy erase", **WHO)
    number = await sent(bridge)
    rows = await bridge.store.read(Statement(select(message.c.state).where(message.c.id == number)))
    assert rows[0][0] == State.SUPPRESSED


async def test_p29_erase_only_keeps_nothing_and_says_so(bridge: Bridge, do: Do) -> None:
    await sent(bridge)
    item = await do("privacy erase", **WHO, only=True)
    assert "messages may be sent" in item["warning"]
    standing = Statement(select(suppression.c.source).where(suppression.c.purpose == "any"))
    assert await bridge.store.read(standing) == []


async def test_p34_a_legal_hold_keeps_the_data(bridge: Bridge, do: Do) -> None:
    await sent(bridge)
    await do("hold add", ref=ANNA, basis="a claim", until="2999-01-01", tenant="acme")
    with pytest.raises(Refused, match="legal hold"):
        await do("privacy erase", **WHO)
    assert await count(bridge, body) == 1
    with pytest.raises(Refused, match="legal hold"):
        await do("privacy erase", **WHO)


async def test_p34_a_hold_on_a_person_keeps_what_others_wrote_to_them(
    bridge: Bridge, do: Do
) -> None:
    await sent(bridge)
    held = await do("hold add", ref=ANNA, basis="a claim", until="2999-01-01", tenant="acme")
    with pytest.raises(Refused, match="legal hold"):
        await do("privacy erase", **{**WHO, "number": "Eva@acme.example"})
    assert await count(bridge, body) == 1
    assert await bridge.store.read(REQUESTS) == [("held",)]
    await do("hold release", id=held["id"])
    await Clerk(bridge, Fulfilment(bridge)).once()  # the request goes on where it stood
    item = await do("privacy erase", **{**WHO, "number": "Eva@acme.example"})
    assert item["erased"]["texts"] == 1


async def test_an_erasure_takes_earlier_exports_along(bridge: Bridge, do: Do) -> None:
    await sent(bridge)
    file = await do("privacy export", **WHO)
    item = await do("privacy erase", **WHO)
    assert not kept(file)
    assert item["erased"]["export_files"] == 1


async def test_of_all_tenants_at_once(bridge: Bridge) -> None:
    await sent(bridge)
    await sent(bridge, tenant="sister")
    await sent(bridge, BERTA)
    wish = Wish(5, 0, Someone("number", ANNA), "eva")
    done = (await erase(bridge, [wish]))[0]
    assert sum(one.rows.get("texts", 0) for one in done) == 2
    assert await count(bridge, subject) == 1
    again = (await erase(bridge, [wish]))[0]
    assert [one.id for one in again] == [one.id for one in done]
    for tenant in ("acme", "sister"):
        number = await sent(bridge, tenant=tenant)
        rows = await bridge.store.read(
            Statement(select(message.c.state).where(message.c.id == number))
        )
        assert rows[0][0] == State.SUPPRESSED


async def test_a_writer_by_mail_is_erased(bridge: Bridge, do: Do) -> None:
    await sent(bridge)
    item = await do("privacy erase", **{**WHO, "number": "Eva@acme.example"})
    assert item["erased"]["texts"] == 1
    assert await count(bridge, subject) == 1
    found = json.loads(words(item))["receipt"]
    assert "configuration" in {stays["what"] for stays in found["stays"]}
    assert "suppression" not in {stays["what"] for stays in found["stays"]}
    row = await do("log", reveal=True)
    assert (row["origin"], row["destination"], row["text"]) == ("", ANNA, None)


# The ledger and the receipt


async def test_p66_the_ledger_knows_of_it_before_a_text_goes(
    bridge: Bridge, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(bridge)
    there: list[int] = []

    def watched(items: Any) -> Script:
        there.append(len(ledger_of(bridge).lines()))
        return (yield from erase_more(items))

    monkeypatch.setattr("bridge.dispatch.erasing.erase_more", watched)
    await do("privacy erase", **WHO)
    assert there == [1]
    (line,) = ledger_of(bridge).lines().values()
    assert (line.kind, line.tenant, line.suppressed[0][0]) == ("number", 1, "tenant")
    text = ledger_of(bridge).path.read_text()
    for hidden in (ANNA, ANNA[4:], "Call Jan"):
        assert hidden not in text


async def test_p68_the_receipt_tells_what_went_what_stays_and_where_it_is_proved(
    bridge: Bridge, do: Do
) -> None:
    await sent(bridge)
    await answered(bridge, "What is cold?")
    item = await do("privacy erase", **WHO)
    text = words(item)
    for hidden in (ANNA, ANNA[4:], ANNA[1:], "Call Jan", "What is", "eva@"):
        assert hidden not in text
    told = json.loads(text)["receipt"]
    (erased,) = told["erased"]
    assert (erased["of"], erased["key_destroyed"]) == ("acme", True)
    went = ("conversations", "messages", "notices", "numbers", "replies", "texts")
    assert erased["categories"] == dict.fromkeys(went, 1)
    assert {stays["what"] for stays in told["stays"]} >= {"traffic", "suppression", "audit"}
    days = 86400
    at = _seconds(told["erased_at"])
    assert _seconds(told["backups"]["until"]) - at == 120 * days
    assert _seconds(told["backups"]["keys_until"]) - at == 7 * days
    (entry,) = told["audit"]
    rows = await bridge.store.read(
        Statement(select(audit.c.hash, audit.c.subject_ref).where(audit.c.seq == entry["entry"]))
    )
    assert [tuple(row) for row in rows] == [(entry["hash"], erased["person"])]
    assert await do("privacy verify", receipt=text) == {
        "valid": True,
        "request": item["request"],
        "erased_at": told["erased_at"],
        "backups_until": told["backups"]["until"],
        "audit": "found",
        "key": bridge.signer.public,
    }


def _seconds(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()


async def test_p68_an_altered_receipt_is_refused(bridge: Bridge, do: Do) -> None:
    await sent(bridge)
    item = await do("privacy erase", **WHO)
    text = words(item)
    with pytest.raises(Refused, match="altered"):
        await do("privacy verify", receipt=text.replace('"texts": 1', '"texts": 2'))
    with pytest.raises(Refused, match="another key"):
        await do("privacy verify", receipt=text, key="00" * 32)


async def test_p68_a_receipt_follows_when_the_posts_have_gone(bridge: Bridge) -> None:
    await sent(bridge)
    wish = Wish(9, 1, Someone("number", ANNA), "eva")
    ((one,),) = await erase(bridge, [wish])

    def queued(items: Any) -> Script:
        for number in items:
            posts = [("slack", "T/C", "1.1", "post"), ("telegram", "-1", "7", "post")]
            yield from queue_posts(number, posts, bridge.clock())
        return [None] * len(items)

    await bridge.store.write(queued, one.id)
    file = await receipting.issue(bridge, 9)
    chats = [s for s in json.loads(file.read_text())["receipt"]["stays"] if s["what"] == "chat"]
    assert [(c["name"], "still" in c["why"]) for c in chats] == [
        ("slack", True),
        ("telegram", True),
    ]
    care = Aftercare(bridge)
    await care.once(bridge.clock())
    (row,) = await bridge.store.read(Statement(select(receipt.c.is_last)))
    assert not row[0]
    rows = await bridge.store.read(
        Statement(select(chat_erasure.c.id, chat_erasure.c.edge).order_by(chat_erasure.c.edge))
    )
    for (number, _), outcome in zip(rows, ("deleted", "refused"), strict=True):
        done = CondemnedDone(number, bridge.clock(), outcome)
        await bridge.store.write(finish_condemned, done)
    await care.once(bridge.clock())
    (row,) = await bridge.store.read(Statement(select(receipt.c.is_last)))
    assert row[0]
    chats = [s for s in json.loads(file.read_text())["receipt"]["stays"] if s["what"] == "chat"]
    assert [(c["name"], c["count"], "still" in c["why"]) for c in chats] == [("telegram", 1, False)]
    text = await receipting.receipt_of(bridge, 9)
    assert text == file.read_text()


# What time sees to


async def test_p13_an_erasure_that_a_kill_left_is_finished(bridge: Bridge) -> None:
    await sent(bridge)
    (order,) = await _orders(bridge, Wish(9, 1, Someone("number", ANNA), "eva"))
    one = await bridge.store.write(begin_erasures, order)
    assert await count(bridge, body) == 1
    await Aftercare(bridge).once(one.begun_at + 30)
    assert await count(bridge, body) == 1
    await Aftercare(bridge).once(one.begun_at + 61)
    assert await count(bridge, body) == 0
    assert list(ledger_of(bridge).lines()) == [one.id]
    (row,) = await bridge.store.read(Statement(select(erasure.c.state, erasure.c.value)))
    assert tuple(row) == ("done", "")


class Scrubs:
    """Counts how often the whole file is written anew; `full`: its disk has no room for that."""

    def __init__(self) -> None:
        self.whole = 0
        self.full = False

    async def __call__(self, *, whole: bool = False) -> None:
        self.whole += whole
        if whole and self.full:
            raise StoreUnavailable("the disk is full", "")


@pytest.fixture
async def scrubs(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> Scrubs:
    """Somebody is erased at the minute before the night's work; the days before were quiet."""
    night = next_night(bridge.clock())
    await Aftercare(bridge).once(night - DAY + 60)
    await sent(bridge)
    bridge.clock = lambda: night - 60
    await erase(bridge, [Wish(9, 1, Someone("number", ANNA), "eva")])
    found = Scrubs()
    monkeypatch.setattr(bridge.store, "scrub", found)
    return found


async def test_p65_after_a_day_with_erasures_the_whole_file_is_written_anew_once_at_night(
    bridge: Bridge, scrubs: Scrubs
) -> None:
    care, night = Aftercare(bridge), next_night(bridge.clock())
    for moment, whole in ((night - 1, 0), (night, 1), (night + 60, 1), (night + 2000, 1)):
        await care.once(moment)
        assert scrubs.whole == whole
    # Who was erased just before may have left something that came late: it is seen to once more.
    for days in (1, 2, 3):
        await care.once(night + days * DAY)
        assert scrubs.whole == 2


@pytest.mark.parametrize("hours", [0.5, 7, 31, 24 * 40])
async def test_p65_a_night_that_was_missed_is_made_up_for_once(
    bridge: Bridge, scrubs: Scrubs, hours: float
) -> None:
    """The process was down, or busy, at that hour."""
    morning = next_night(bridge.clock()) + hours * 3600
    await Aftercare(bridge).once(morning)
    assert scrubs.whole == 1
    await Aftercare(bridge).once(morning + 600)  # another process, or this one started anew
    assert scrubs.whole == 1


async def test_p65_a_night_that_failed_is_tried_again_each_hour(
    bridge: Bridge, scrubs: Scrubs
) -> None:
    care, night = Aftercare(bridge), next_night(bridge.clock())
    scrubs.full = True
    with pytest.raises(StoreUnavailable):
        await care.once(night)
    await care.once(night + 20)
    assert scrubs.whole == 1
    scrubs.full = False
    await care.once(night + 3600)
    assert scrubs.whole == 2


async def test_p65_a_clock_that_was_a_year_ahead_puts_no_night_off(
    bridge: Bridge, scrubs: Scrubs
) -> None:
    care, night = Aftercare(bridge), next_night(bridge.clock())
    await care.once(night + 365 * DAY)
    await care.once(night)
    assert scrubs.whole == 2
    await care.once(night + 60)
    assert scrubs.whole == 2


async def test_a_ledger_learns_what_another_machine_has_erased(bridge: Bridge) -> None:
    await sent(bridge)
    ((one,),) = await erase(bridge, [Wish(9, 1, Someone("number", ANNA), "eva")])
    ledger_of(bridge).path.unlink()
    await Aftercare(bridge).once(bridge.clock())
    assert list(ledger_of(bridge).lines()) == [one.id]


async def test_an_erasure_that_is_done_is_looked_at_once_more(bridge: Bridge) -> None:
    await sent(bridge)
    ((one,),) = await erase(bridge, [Wish(9, 1, Someone("number", ANNA), "eva")])
    row = {"message_id": bridge.ids.next(), "subject_id": one.subject_id, "text": "late"}

    def late(items: Any) -> Script:
        yield Many(insert(body), [{**i, "origin": ""} for i in items])
        names = [column.name for column in message.c]
        found = yield Rows(Statement(select(message)), {})
        values = dict(zip(names, found[0], strict=True))
        values |= {"id": items[0]["message_id"], "subject_id": items[0]["subject_id"]}
        yield Many(insert(message), [values])
        return [None] * len(items)

    await bridge.store.write(late, row)
    assert await count(bridge, body) == 1
    care = Aftercare(bridge)
    assert one.done_at is not None
    await care.once(one.done_at + 1)
    assert await count(bridge, body) == 1
    await care.once(one.done_at + SETTLED)
    assert await count(bridge, body) == 0
