"""Over both databases: what is past its period goes, the rest stays, and a kill changes nothing."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from bridge.model import State
from bridge.privacy.chain import verify
from bridge.privacy.retention import Period, Plan, rules
from bridge.settings import Tenant
from bridge.store import departures, kept, kept_registers, purges
from bridge.store.accounts import Posting, post
from bridge.store.audit import Entry, note_activity, record_entries
from bridge.store.audit_tables import audit
from bridge.store.books import verified
from bridge.store.chat_log import NEWEST, ONE
from bridge.store.chat_tables import card, chat_post, contact, thread
from bridge.store.classes import TABLES
from bridge.store.consent_tables import consent
from bridge.store.consents import End, Give, Terms, end_consents, give_consents
from bridge.store.contacts import CONTACTS
from bridge.store.departures import CLAIMS, ClaimDeletion, claim_deletions
from bridge.store.groups import GROUPS, MEMBERS
from bridge.store.holds import Release, release_holds
from bridge.store.invoices import Issue, issue_invoices
from bridge.store.kept import RETENTION, WALKS
from bridge.store.names import NAMED, Someone
from bridge.store.payments import Import, PaymentIn, import_payments
from bridge.store.retention import Turned
from bridge.store.retention_tables import ledger, retention_run
from bridge.store.sql import ROWS, Statement, Values
from bridge.store.suppressions import Suppress, suppress_all
from bridge.store.tables import (
    body,
    message,
    metadata,
    reply,
    reply_body,
    subject,
    subject_key,
    tenant,
)
from bridge.store.templates import TEMPLATES, TemplateIn, put_templates
from bridge.store.tenants import CloseTenant, TenantIn, close_tenants, put_tenants
from bridge.store.threads import Post, add_posts
from bridge.store.walks import Aged, Unused
from tests.keepers import DAY, SIGNER, Keeping
from tests.seeds import seed
from tests.stores import Database


@pytest.fixture
async def keeping(database: Database) -> Keeping:
    """A process at the present time: ids tell when they were made."""
    work = await database.worker("work-1")
    work.now = time.time()
    return Keeping(work)


async def test_texts_go_sixty_days_after_the_final_status(keeping: Keeping) -> None:
    await keeping.sent(1)
    await keeping.sent(2, State.FAILED)
    keeping.later(59.9)
    assert await keeping.run("text") == {}
    keeping.later(0.2)
    assert await keeping.run("text") == {"body": 2}
    assert await keeping.work.count(message) == 2


async def test_only_final_states_are_purged(keeping: Keeping) -> None:
    await keeping.work.submit(1)  # queued
    await keeping.work.submit(2, state="held")
    await keeping.work.submit(3, state="scheduled")
    keeping.later(4000)
    assert await keeping.run("text", "traffic") == {}
    assert await keeping.work.count(body) == 3


async def test_what_no_receipt_came_for_is_final_when_its_validity_is_over(
    keeping: Keeping,
) -> None:
    await keeping.sent(1, State.SENT, expires_at=keeping.work.now + 10 * DAY)
    keeping.later(69)
    assert await keeping.run("text") == {}
    keeping.later(2)
    assert await keeping.run("text") == {"body": 1}


async def test_answers_lose_their_text_too(keeping: Keeping) -> None:
    await keeping.sent(1)
    keeping.later(30)
    await keeping.answer(1)
    keeping.later(31)
    assert await keeping.run("text") == {"body": 1}
    keeping.later(30)
    assert await keeping.run("text") == {"reply_body": 1}
    assert await keeping.work.count(reply) == 1


async def test_p06_the_traffic_record_goes_after_six_months_but_not_a_disputed_one(
    keeping: Keeping,
) -> None:
    first = await keeping.sent(1)
    second = await keeping.sent(2)
    await keeping.answer(2)
    hold = await keeping.hold(2, message=second)
    keeping.later(170)
    await keeping.run()
    assert await keeping.work.count(message) == 2
    assert await keeping.work.count(body) == 0
    keeping.later(20)
    gone = await keeping.run()
    assert gone["message"] == 1
    assert gone["held"] == 1
    assert await keeping.work.rows(select(message.c.id)) == [(second,)]
    assert first not in [row[0] for row in await keeping.work.rows(select(message.c.id))]
    # The dispute is about the record: the text went in its time.
    assert await keeping.work.count(body) == 0
    assert await keeping.work.store.write(release_holds, Release(hold, "ota", keeping.work.now))
    await keeping.run()
    assert await keeping.work.count(message) == 0


async def test_p69_accounts_balance_by_message_id_without_number_or_text(
    keeping: Keeping,
) -> None:
    await keeping.sent(1, parts=2)
    await keeping.sent(2, State.FAILED, parts=1)
    await keeping.work.submit(3, state="held")
    before = await keeping.work.rows(
        select(message.c.id, message.c.tenant_id, message.c.parts)
        .where(message.c.sent_at.is_not(None))
        .order_by(message.c.id)
    )
    keeping.later(200)
    await keeping.run("traffic")
    rows = select(ledger.c.message_id, ledger.c.tenant_id, ledger.c.parts)
    assert await keeping.work.rows(rows.order_by(ledger.c.message_id)) == before
    assert set(ledger.c.keys()) == {
        *("message_id", "tenant_id", "country", "carrier", "parts", "sent_at")
    }
    assert await keeping.work.rows(select(ledger.c.country, ledger.c.carrier).distinct()) == [
        ("CZ", "smsc")
    ]
    keeping.later(3700)
    assert (await keeping.run("ledger"))["ledger"] == 2


async def test_who_has_nothing_left_goes_with_the_key(keeping: Keeping) -> None:
    await keeping.sent(1)
    await keeping.sent(2)
    await keeping.named("eva", 2)
    keeping.later(200)
    gone = await keeping.run()
    assert gone["subject"] == 1
    assert gone["subject_key"] == 1
    (left,) = await keeping.work.rows(select(subject.c.phone_index))
    assert left == ("person-2",)
    assert await keeping.work.count(subject_key) == 1


async def test_p34_a_hold_keeps_all_of_a_person_until_it_ends(keeping: Keeping) -> None:
    await keeping.sent(1)
    await keeping.answer(1)
    await keeping.sent(2)
    await keeping.hold(1, days=400)
    before = await keeping.person(1)
    keeping.later(300)
    gone = await keeping.run()
    assert gone["held"] >= 3
    assert await keeping.work.rows(select(subject.c.id)) == [(before,)]
    for table in (message, body, reply, reply_body):
        assert await keeping.work.count(table) == 1
    keeping.later(101)
    await keeping.run()
    for table in (message, body, reply, reply_body, subject, subject_key):
        assert await keeping.work.count(table) == 0


async def test_a_hold_that_nobody_agreed_to_lapses(keeping: Keeping) -> None:
    await keeping.sent(1)
    keeping.later(58)
    await keeping.hold(1, approved_by="")
    keeping.later(3)
    assert await keeping.run("text") == {"held": 1}
    keeping.later(5)
    assert await keeping.run("text") == {"body": 1}


async def test_a_tenant_may_keep_texts_for_longer(keeping: Keeping) -> None:
    await keeping.sent(1)
    await keeping.work.store.write(
        put_tenants, TenantIn("beta", {}, [], [], "command", keeping.work.now)
    )
    await keeping.sent(2, tenant_id=2)
    keeping.plan = Plan({("text", 2): Period.of("100d")}, {1: Period.of("70d")})
    keeping.later(65)
    assert await keeping.run("text") == {}
    keeping.later(6)
    assert await keeping.run("text") == {"body": 1}
    keeping.later(30)
    assert await keeping.run("text") == {"body": 1}


async def test_a_dry_run_counts_and_deletes_nothing(keeping: Keeping) -> None:
    for person in range(5):
        await keeping.sent(person)
        await keeping.answer(person)
    await keeping.hold(4)
    keeping.later(200)
    before = await keeping.counts()
    assert await keeping.due("text", "traffic") == {
        "body": 4,
        "reply_body": 4,
        "message": 4,
        "reply": 4,
        "held": 4,
    }
    assert await keeping.counts() == before


async def test_p01_a_tenants_claim_takes_contacts_and_messages_after_sixty_days(
    keeping: Keeping,
) -> None:
    work = keeping.work
    await keeping.sent(1)
    await keeping.answer(1)
    await keeping.named("eva", 2, group="crew")
    await work.submit(3, state="scheduled", due_at=work.now + 90 * DAY)
    await work.store.write(put_tenants, TenantIn("beta", {}, [], [], "command", work.now))
    await keeping.sent(4, tenant_id=2)
    await work.store.write(claim_deletions, ClaimDeletion(1, "claim", "eva", "letter", work.now))
    work.now += 1
    await keeping.named("ota", 5)
    keeping.later(59.9)
    assert not {"message", "reply", "contact"} & (await keeping.run()).keys()
    keeping.later(0.2)
    await keeping.run()
    counts = await keeping.counts()
    assert counts["message"] == 1  # of the other tenant
    assert counts["contact"] == 1  # named after the claim
    assert "reply" not in counts
    assert "contact_group" not in counts
    ((_, _, _, actor, *_, contacts_gone, messages_gone),) = await work.store.read(CLAIMS)
    assert actor == "eva"
    assert contacts_gone
    assert messages_gone


async def test_p01_what_is_claimed_is_hidden_at_once_and_its_names_are_free(
    keeping: Keeping,
) -> None:
    work = keeping.work
    await keeping.named("eva", 1, group="crew")
    await keeping.named("ota", 2)
    await work.store.write(put_templates, TemplateIn(1, "hello", "Good day", work.now))
    old = await keeping.sent(1)
    await keeping.hold(2)
    await work.store.write(claim_deletions, ClaimDeletion(1, "claim", "eva", "letter", work.now))
    names = {"tenant_id": 1, "names": Values(["eva", "crew", "ota"])}
    for statement, values in (
        (NAMED, names),
        *((each, {"tenant_id": 1}) for each in (CONTACTS, GROUPS, MEMBERS, TEMPLATES)),
        (ONE, {"tenant": 1, "id": old}),
        (NEWEST, {"tenant": 1, "most": 9}),
    ):
        assert await work.store.read(statement, **values) == []
    work.now += 1
    await keeping.named("eva", 3, group="crew")
    await work.store.write(put_templates, TemplateIn(1, "hello", "Good night", work.now))
    assert [row[1] for row in await work.store.read(NAMED, **names)] == ["eva", "crew"]
    assert await work.store.read(TEMPLATES, tenant_id=1) == [("hello", "Good night")]
    keeping.later(60.2)
    await keeping.run()
    assert [row[1] for row in await work.store.read(NAMED, **names)] == ["eva", "crew"]
    # Who is held stays, hidden, with the name that was set aside.
    kept = [row[0] for row in await work.store.read(Statement(select(contact.c.name)))]
    assert sorted(kept) == ["eva", "ota"]


async def closed(keeping: Keeping) -> None:
    """An account with a contact, a message and an opt-out is closed by its operator."""
    work = keeping.work
    sender = [("*@acme.example", ["auth"], "transactional", 0.0)]
    login = [("acme", "$argon2id$x")]
    await work.store.write(put_tenants, TenantIn("acme", {}, sender, login, "command", work.now))
    await keeping.sent(1)
    await keeping.named("eva", 2)
    wish = Suppress(tenant_id=1, token="person-1", scope="tenant", source="handset", now=work.now)
    await work.store.write(suppress_all, wish)
    assert await work.store.write(close_tenants, CloseTenant("acme", work.now, "operator eva"))


async def test_p10_a_closed_account_loses_contacts_at_60_and_messages_at_120_days(
    keeping: Keeping,
) -> None:
    await closed(keeping)
    ((*_, actor, _, _, _, _),) = await keeping.work.store.read(CLAIMS)
    assert actor == "operator eva"
    keeping.later(59.9)
    await keeping.run()
    counts = await keeping.counts()
    assert counts["contact"] == counts["login"] == counts["sender_rule"] == 1
    keeping.later(0.2)
    await keeping.run()
    counts = await keeping.counts()
    assert not {"contact", "login", "sender_rule"} & counts.keys()
    assert counts["message"] == 1
    keeping.later(59.8)
    await keeping.run()
    assert (await keeping.counts())["message"] == 1
    keeping.later(0.2)
    await keeping.run()
    counts = await keeping.counts()
    assert not {"message", "attempt", "event", "subject", "subject_key"} & counts.keys()
    assert counts["suppression"] == 1


async def test_p11_a_renewed_account_gets_nothing_back_and_keeps_its_suppressions(
    keeping: Keeping,
) -> None:
    await closed(keeping)
    work = keeping.work
    keeping.later(90)
    await keeping.run()
    assert "contact" not in await keeping.counts()
    await work.store.write(put_tenants, TenantIn("acme", {}, [], [], "command", work.now))
    keeping.later(60)
    await keeping.run()
    counts = await keeping.counts()
    assert "contact" not in counts
    assert counts["message"] == 1  # it was renewed before its messages had to go
    stopped = await work.submit(1, id=work.ids.next())
    assert stopped.state is State.SUPPRESSED


async def test_p09_a_profile_goes_after_ten_years_and_its_id_stays_taken(
    keeping: Keeping,
) -> None:
    await closed(keeping)
    keeping.later(130)
    await keeping.run()
    keeping.later(3500)
    assert "tenant" not in await keeping.run()
    keeping.later(100)
    assert (await keeping.run())["tenant"] == 1
    rows = await keeping.work.rows(select(tenant.c.id, tenant.c.name, tenant.c.settings))
    assert rows == [(1, "closed-1", "{}")]
    assert (await keeping.counts())["suppression"] == 1


async def test_p09_whoever_owes_is_known_until_it_is_settled(keeping: Keeping) -> None:
    work = keeping.work
    debt = ("correction", "CZK", -5, "eva", work.now)
    await work.store.write(post, Posting(work.ids.next(), 1, *debt))
    await closed(keeping)
    keeping.later(130)
    await keeping.run()
    keeping.later(3600)
    assert "tenant" not in await keeping.run()
    paid = ("payment", "CZK", 5, "eva", work.now)
    await work.store.write(post, Posting(work.ids.next(), 1, *paid))
    assert (await keeping.run())["tenant"] == 1


async def test_p09_the_operator_may_shorten_it(keeping: Keeping) -> None:
    await closed(keeping)
    keeping.plan = Plan({("account", 0): Period.of("1y")})
    keeping.later(130)
    await keeping.run()
    keeping.later(240)
    assert (await keeping.run())["tenant"] == 1


async def agreed(keeping: Keeping, person: int, **terms: Any) -> None:
    work = keeping.work
    someone = Someone(0, "", f"person-{person}", f"all-{person}", "CZ")
    item = Give(work.ids.next(), 1, someone, Terms(given_at=work.now, **terms), work.now)
    await work.store.write(give_consents, item)


async def test_p14_what_stood_on_a_consent_alone_goes_when_it_ends(keeping: Keeping) -> None:
    work = keeping.work
    for person in range(1, 5):
        await keeping.named(f"name-{person}", person)
    await keeping.advertise(await keeping.sent(1))
    await keeping.sent(2)
    await agreed(keeping, 1)
    await agreed(keeping, 2)
    await agreed(keeping, 3, expires_at=work.now + 30 * DAY)
    await agreed(keeping, 4)
    for person in (1, 2):
        someone = Someone(0, "", f"person-{person}", f"all-{person}", "CZ")
        item = End(work.ids.next(), 1, someone, "", "portal", work.now)
        await work.store.write(end_consents, item)
    gone = await keeping.run("consented")
    assert (gone["contact"], gone["message"]) == (1, 1)
    names = [row[0] for row in await work.rows(select(contact.c.name).order_by(contact.c.name))]
    assert names == ["name-2", "name-3", "name-4"]  # 2 is also sent what needs no consent
    assert await work.count(message) == 1
    keeping.later(31)
    await keeping.run("consented")
    names = [row[0] for row in await work.rows(select(contact.c.name).order_by(contact.c.name))]
    assert names == ["name-2", "name-4"]
    assert await work.count(consent) == 4  # they prove what was lawful


async def test_p05_activity_goes_after_a_month_and_the_audit_after_two_years_still_verified(
    keeping: Keeping,
) -> None:
    work = keeping.work
    for number in range(5):
        entry = Entry("eva", "look", f"case {number}", work.now, 1)
        await work.store.write(record_entries, entry)
        await work.store.write(note_activity, entry)
        keeping.later(10)
    assert await keeping.run("activity") == {"activity": 2}
    keeping.later(2 * 365.25 - 40)
    assert await keeping.run("audit") == {"audit": 1}
    found = await verify(work.store, {SIGNER.public})
    assert not found.problems
    assert await work.count(audit) == 4


async def test_p03_an_imported_file_leaves_contacts_and_nothing_else(keeping: Keeping) -> None:
    await keeping.named("eva", 1)
    before = await keeping.counts()
    assert before.keys() == {"tenant", "subject", "subject_key", "contact"}
    keeping.later(61)
    await keeping.run()
    assert await keeping.counts() == before


async def test_p04_files_are_kept_for_sixty_days_at_most() -> None:
    assert rules()["attachment"].period == Period(days=60)
    assert rules()["attachment"].maximum == Period(days=60)
    with pytest.raises(ValidationError, match="attachment_days"):
        Tenant.model_validate({"name": "acme", "attachment_days": 61})


async def test_p08_invoices_and_payments_are_kept_for_ten_years(keeping: Keeping) -> None:
    assert rules()["invoice"].period == rules()["invoice"].minimum == Period(months=120)
    work, at = keeping.work, keeping.work.now
    document = {"customer": ["Acme a.s."]}
    year_ends = at + 100 * DAY
    item = Issue(
        work.ids.next(), work.ids.next(), 1, "2026-08", "CZK", 100, 21, document, "eva", at,
        at + 14 * DAY, year_ends, 2026,
    )  # fmt: skip
    await work.store.write(issue_invoices, item)
    line = PaymentIn("key", "2026-09-30", 100, "CZK", "1", "Acme", 1)
    await work.store.write(import_payments, Import((line,), "eva", at, work.ids.next))
    keeping.later(10 * 365)
    assert not await keeping.run("invoice")
    # Issue or the end of the tax period, whichever is later.
    keeping.later(50)
    assert await keeping.run("invoice") == {"payment": 1}
    keeping.later(60)
    assert await keeping.run("invoice") == {"invoice": 1}
    assert (await verified(work.store)).faults == ()


async def test_chat_rows_go_with_the_messages_they_told_of(keeping: Keeping) -> None:
    work = keeping.work
    await work.send(work.prepared(1, now=work.now, due_at=work.now, expires_at=work.now + 9))
    claims = await work.claim()
    await work.answer(claims)
    await work.receipt(claims, State.DELIVERED)
    (found,) = await work.rows(select(thread.c.id))
    await work.store.write(add_posts, Post("telegram", "-1001", "77", found[0], work.now))
    assert {"card", "card_message", "thread", "chat_post"} <= (await keeping.counts()).keys()
    (before,) = await work.rows(select(card.c.wanted))
    keeping.later(61)
    await keeping.run()
    (after,) = await work.rows(select(card.c.wanted))
    assert after[0] == before[0] + 1  # it is told anew, without its text
    keeping.later(130)
    await keeping.run()
    assert not {"card", "card_message", "thread", "chat_post"} & (await keeping.counts()).keys()


async def test_posts_go_also_from_threads_that_go_on(keeping: Keeping) -> None:
    work = keeping.work
    await work.send(work.prepared(1, now=work.now, due_at=work.now, expires_at=work.now + 9))
    (found,) = await work.rows(select(thread.c.id))
    await work.store.write(add_posts, Post("telegram", "-1001", "77", found[0], work.now))
    keeping.later(190)
    await work.store.write(add_posts, Post("telegram", "-1001", "78", found[0], work.now))
    await keeping.run()
    assert await work.rows(select(chat_post.c.post)) == [("78",)]


async def test_p13_a_run_that_was_interrupted_ends_as_one_that_was_not(
    database: Database,
) -> None:
    first = Keeping(await database.worker("work-1"), most=3)
    first.work.now = time.time()
    for person in range(8):
        await first.sent(person)
        await first.answer(person)
    first.later(200)
    turned: Turned = await first.work.store.write(RETENTION.turn, first.turn("traffic"))
    assert turned.counts["message"] == 3
    assert not turned.done
    heir = Keeping(await database.worker("work-1"), most=3)
    heir.work.now = first.work.now + 60
    gone = await heir.run("traffic")
    assert gone["message"] == 8
    assert gone["reply"] == 8
    ((counts,),) = await heir.work.rows(
        select(retention_run.c.counts).where(retention_run.c["class"] == "traffic")
    )
    assert json.loads(counts) == gone
    assert "+420" not in counts


async def test_two_processes_share_a_run(database: Database) -> None:
    here, there = (Keeping(work, most=2) for work in await database.two())
    here.work.now = there.work.now = time.time()
    for person in range(12):
        await here.sent(person)
    here.later(61)
    there.later(61)
    gone = await asyncio.gather(here.run("text"), there.run("text"))
    assert await here.work.count(body) == 0
    assert max(each.get("body", 0) for each in gone) == 12


async def test_a_run_waits_for_its_hour(keeping: Keeping) -> None:
    await keeping.sent(1)
    await keeping.run("text")
    keeping.later(61)
    await keeping.sent(2)
    keeping.later(61)
    await keeping.run("text")
    await keeping.sent(3)
    keeping.later(0.04)  # 3456 seconds
    again = keeping.turn("text", rest=3600.0)
    turned: Turned = await keeping.work.store.write(RETENTION.turn, again)
    assert turned.idle
    keeping.later(0.01)
    again = keeping.turn("text", rest=3600.0)
    turned = await keeping.work.store.write(RETENTION.turn, again)
    assert not turned.idle


@pytest.mark.parametrize("ended", [False, True])
async def test_a_run_of_a_clock_that_was_ahead_puts_none_off_and_takes_nothing_early(
    keeping: Keeping, *, ended: bool
) -> None:
    """It had ended, or was under way, when the clock was set right."""
    await keeping.sent(1)
    keeping.later(400)
    began: Turned = await keeping.work.store.write(RETENTION.turn, keeping.turn("text"))
    assert not began.done
    if ended:
        await keeping.run("text")
    keeping.later(-400)
    await keeping.sent(2)
    await keeping.run("text")
    assert await keeping.work.count(body) == 1
    keeping.later(61)
    again = keeping.turn("text", rest=3600.0)
    turned: Turned = await keeping.work.store.write(RETENTION.turn, again)
    assert not turned.idle
    assert await keeping.work.count(body) == 0


async def test_a_suppression_and_the_blacklist_are_in_no_run() -> None:
    """P45: no class has a walk over them, and no walk deletes from them."""
    assert "suppression" not in WALKS
    for name in ("suppression", "blocked", "optout_link", "reassignment"):
        assert TABLES[name].klass == "suppression"


LARGE = {
    *("message", "body", "reply", "reply_body", "attempt", "event", "notice", "notice_body"),
    *("subject", "subject_key", "conversation", "contact", "group_member", "consent", "ledger"),
    *("card", "card_message", "thread", "chat_post", "sandbox_part", "permit", "wish"),
}


def statements() -> Iterator[Statement]:
    """All that purges run over tables that grow with the messages."""
    for walks in WALKS.values():
        for walk in walks:
            if isinstance(walk, Aged | Unused):
                yield walk.statement
            if isinstance(walk, Unused):
                yield walk.locked
    for module in (kept, kept_registers, departures, purges):
        for value in vars(module).values():
            if isinstance(value, Statement):
                yield value
            elif isinstance(value, dict):
                yield from (each for each in value.values() if isinstance(each, Statement))
    for column in (
        *(body.c.message_id, metadata.tables["attempt"].c.message_id),
        *(metadata.tables["event"].c.message_id, metadata.tables["card_message"].c.message_id),
        *(metadata.tables["sandbox_part"].c.message_id, metadata.tables["chat_post"].c.thread_id),
        *(metadata.tables["group_member"].c.contact_id, metadata.tables["permit"].c.message_id),
    ):
        yield purges._gone(column)


async def test_purges_look_by_indexes(tmp_path: Path) -> None:
    seed(tmp_path)
    found = list(statements())
    assert len(found) > 40
    slow = []
    with closing(sqlite3.connect(tmp_path / "bridge.sqlite")) as connection:
        for statement in found:
            compiled = statement.of("sqlite")
            text = compiled.text.replace(ROWS, "(?)")
            if "/*" in text or "INSERT" in text:
                continue
            values = ["[]" if "json_each" in text else 0] * text.count("?")
            plan = connection.execute(f"EXPLAIN QUERY PLAN {text}", values).fetchall()
            scans = {step[3].split()[1] for step in plan if step[3].startswith("SCAN")}
            if scans & LARGE:
                slow.append((text, plan))
    assert slow == []
