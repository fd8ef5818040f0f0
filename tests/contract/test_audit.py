"""The audit's chain over both databases: whole whoever appends, broken by whoever touches it."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from bridge.keyring import Signer
from bridge.privacy.chain import Verdict, verify
from bridge.store.announcements import words_of
from bridge.store.audit import (
    LONGEST_REASON,
    Entry,
    append,
    audited,
    digest,
    masked,
    note_activity,
    record_entries,
    row_of,
)
from bridge.store.audit_heads import (
    Head,
    PurgeAudit,
    SignHead,
    purge_activity,
    purge_audit,
    sign_heads,
)
from bridge.store.audit_tables import activity, audit, audit_checkpoint, audit_head, audit_tail
from bridge.store.sql import Do, Refs, Script, Shred, Statement
from bridge.store.tables import notice, notice_body
from bridge.store.tenants import add_tokens, revoke_tokens
from tests.e2e.processes import Process, until
from tests.stores import Database, Worker

SIGNER = Signer(b"s" * 32)
STRANGER = Signer(b"x" * 32)
DAY = 86400.0
MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()


def entry(reason: str = "", at: float = MONDAY, **more: Any) -> Entry:
    return Entry("eva", "read a message", reason, at, **more)


async def filled(work: Worker, count: int = 6) -> None:
    """That many entries, a day apart, and a head after each."""
    for n in range(count):
        at = MONDAY + n * DAY
        await work.store.write(record_entries, entry(f"n={n + 1}", at))
        await work.store.write(sign_heads, SignHead(SIGNER, at))


async def judged(work: Worker, *outside: Head, since: str = "") -> Verdict:
    return await verify(work.store, {SIGNER.public}, outside, since)


async def told(work: Worker, *outside: Head) -> list[tuple[int, str]]:
    return [(p.seq, p.problem) for p in (await judged(work, *outside)).problems]


async def tamper(work: Worker, *clauses: Any) -> None:
    """Change the database as somebody would who has it in their hands."""

    def script(_: Sequence[None]) -> Script:
        for clause in clauses:
            yield Do(Statement(clause), {})
        return [None]

    await work.store.write(script, None)


async def rows(work: Worker) -> list[dict[str, Any]]:
    columns = ("seq", "at", "tenant_id", "actor", "action", "subject_ref", "reason", "prev", "hash")
    found = await work.rows(select(*(audit.c[name] for name in columns)).order_by(audit.c.seq))
    return [row_of(each) for each in found]


async def heads(work: Worker) -> list[Head]:
    return [Head(*row) for row in await work.rows(select(audit_head).order_by(audit_head.c.day))]


# -- one chain -------------------------------------------------------------------------------------


async def test_p62_entries_that_are_appended_at_once_are_one_chain(work: Worker) -> None:
    await asyncio.gather(*(work.store.write(record_entries, entry(f"n={n}")) for n in range(300)))
    verdict = await judged(work)
    assert (verdict.problems, verdict.entries, verdict.last) == ([], 300, 300)
    assert {row["reason"] for row in await rows(work)} == {f"n={n}" for n in range(300)}


class Appender(Process):
    """A process of its own that appends until it is killed."""

    def __init__(self, database: Database, folder: Path, name: str) -> None:
        command = [sys.executable, "-m", "tests.appender", database.url, str(folder), name]
        super().__init__(folder, command, name=name)

    @property
    def confirmed(self) -> int:
        """How many entries it has said to be on disk."""
        return self.out.count("\n")

    async def appends(self, more: int = 40) -> None:
        """Wait until it has appended so many more."""
        wanted = self.confirmed + more
        await until(lambda: self.confirmed >= wanted, "the appends")


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_p62_several_processes_extend_one_chain(
    database: Database, work: Worker, tmp_path: Path
) -> None:
    processes = [Appender(database, tmp_path, f"process-{n}") for n in range(3)]
    try:
        for _ in range(2):
            await asyncio.gather(*(process.appends() for process in processes))
    finally:
        for process in processes:
            process.kill()
    assert (await judged(work)).problems == []
    actors = [row["actor"] for row in await rows(work)]
    for n, process in enumerate(processes):
        assert actors.count(f"process-{n}") >= process.confirmed
    turns = sum(one != other for one, other in itertools.pairwise(actors))
    assert turns > len(processes), "they wrote by turns"


async def test_p62_kill_9_in_the_middle_of_appends_leaves_a_whole_chain(
    database: Database, tmp_path: Path
) -> None:
    confirmed = 0
    for run in range(3):
        process = Appender(database, tmp_path, f"killed-{run}")
        try:
            await process.appends()
        finally:
            process.kill()
        confirmed += process.confirmed
        work = await database.worker(f"after-{run}")
        await work.store.write(record_entries, entry("after the kill"))
        verdict = await judged(work)
        assert verdict.problems == []
        assert verdict.entries >= confirmed + run + 1, "what was said to be on disk is there"
        await work.store.close()


async def test_an_act_and_its_entry_commit_together(work: Worker) -> None:
    ended = audited(revoke_tokens)

    def tell(count: int) -> Entry | None:
        return entry(f"tokens={count}") if count else None

    for token in "ab":
        await work.store.write(add_tokens, (1, token, MONDAY))
    assert await work.store.write(ended, (1, tell)) == 2
    assert await work.store.write(ended, (1, tell)) == 0
    assert [row["reason"] for row in await rows(work)] == ["tokens=2"]


async def test_an_act_that_fails_leaves_no_entry(work: Worker) -> None:
    def fails(_: Sequence[int]) -> Script:
        yield from append([entry("it never was")])
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await work.store.write(fails, 1)
    assert await rows(work) == []
    assert await told(work) == []


# -- whoever touches it ----------------------------------------------------------------------------


def rehashed(row: dict[str, Any], **changed: Any) -> dict[str, Any]:
    row = {**row, **changed}
    return {**row, "hash": digest(row)}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", 5.0),
        ("tenant_id", 9),
        ("actor", "nobody"),
        ("action", "looked away"),
        ("subject_ref", "someone else"),
        ("reason", "a better reason"),
        ("prev", "0" * 64),
        ("hash", "0" * 64),
    ],
)
async def test_p62_an_altered_entry_is_found(work: Worker, column: str, value: Any) -> None:
    await filled(work)
    await tamper(work, update(audit).where(audit.c.seq == 3).values({column: value}))
    found = await told(work)
    assert found[0][0] == 3
    assert "entry 3" in found[0][1]


async def test_p62_an_altered_entry_with_a_new_hash_breaks_the_next(work: Worker) -> None:
    await filled(work)
    changed = rehashed((await rows(work))[2], reason="a better reason")
    await tamper(work, update(audit).where(audit.c.seq == 3).values(changed))
    assert (4, "entry 4 does not follow the one before it") in await told(work)


async def test_p62_a_chain_that_was_rewritten_to_its_end_betrays_itself_by_its_heads(
    work: Worker,
) -> None:
    await filled(work)
    prev, clauses = "", []
    for row in await rows(work):
        changed = rehashed(row, reason=row["reason"] + "!", prev=prev)
        prev = changed["hash"]
        clauses.append(update(audit).where(audit.c.seq == row["seq"]).values(changed))
    await tamper(work, *clauses, update(audit_tail).values(hash=prev))
    assert (1, "entry 1 is not the one that the head of 2026-11-23 names") in await told(work)


@pytest.mark.parametrize("seq", [1, 3])
async def test_p62_a_removed_entry_is_found(work: Worker, seq: int) -> None:
    await filled(work)
    await tamper(work, delete(audit).where(audit.c.seq == seq))
    assert (await told(work))[0] == (seq, f"entry {seq} is missing")


async def test_p62_reordered_entries_are_found(work: Worker) -> None:
    await filled(work)
    await tamper(
        work,
        *(
            update(audit).where(audit.c.seq == before).values(seq=after)
            for before, after in ((2, 7), (3, 2), (7, 3))
        ),
    )
    assert {seq for seq, _ in await told(work)} == {2, 3, 4}


async def test_p62_a_tail_that_was_cut_behind_a_head_is_found(work: Worker) -> None:
    await filled(work)
    last = (await rows(work))[3]
    await tamper(
        work,
        delete(audit).where(audit.c.seq > 4),
        update(audit_tail).values(seq=4, hash=last["hash"]),
    )
    said = "entries 5 to 6 are missing at the end: the head of 2026-11-28 names the last"
    assert (5, said) in await told(work)


async def test_p62_a_tail_that_was_cut_with_its_heads_is_found_by_one_kept_elsewhere(
    work: Worker,
) -> None:
    await filled(work)
    kept = (await heads(work))[-1]
    last = (await rows(work))[3]
    await tamper(
        work,
        delete(audit).where(audit.c.seq > 4),
        delete(audit_head).where(audit_head.c.seq > 4),
        update(audit_tail).values(seq=4, hash=last["hash"]),
    )
    assert await told(work) == []
    assert [seq for seq, _ in await told(work, kept)] == [5]


async def test_p62_the_newest_entry_alone_cannot_be_cut_either(work: Worker) -> None:
    await work.store.write(record_entries, entry("a"))
    await work.store.write(record_entries, entry("b"))
    await tamper(work, delete(audit).where(audit.c.seq == 2))
    assert await told(work) == [(2, "entry 2 is missing at the end: the tail names the last")]


async def test_p62_a_tail_that_is_gone_is_found(work: Worker) -> None:
    await filled(work)
    await tamper(work, delete(audit_tail))
    assert await told(work) == [(0, "the tail is missing")]


async def test_p62_a_forged_head_is_found(work: Worker) -> None:
    await filled(work)
    await tamper(work, update(audit_head).where(audit_head.c.seq == 4).values(count=7))
    assert await told(work) == [(4, "the head of 2026-11-26 has a wrong signature")]


async def test_p62_heads_of_another_key_are_named(work: Worker) -> None:
    await work.store.write(record_entries, entry())
    await work.store.write(sign_heads, SignHead(STRANGER, MONDAY))
    verdict = await judged(work)
    assert verdict.foreign == {STRANGER.public}
    assert verdict.signed_until == ""
    both = {SIGNER.public, STRANGER.public}
    assert not (await verify(work.store, both)).foreign


async def test_p62_a_part_of_the_chain_begins_at_a_signed_head(work: Worker) -> None:
    await filled(work)
    verdict = await judged(work, since="2026-11-26")
    assert (verdict.first, verdict.last, verdict.entries) == (5, 6, 2)
    await tamper(work, update(audit).where(audit.c.seq == 2).values(reason="long ago"))
    assert (await judged(work, since="2026-11-26")).problems == []
    await tamper(work, update(audit).where(audit.c.seq == 6).values(reason="lately"))
    assert [p.seq for p in (await judged(work, since="2026-11-26")).problems] == [6]


# -- whom it names ---------------------------------------------------------------------------------


async def test_p62_erasing_the_mapping_keeps_the_chain_valid(work: Worker) -> None:
    person = (await work.submit(1)).subject_id
    other = (await work.submit(2)).subject_id
    for _ in range(2):
        await work.store.write(record_entries, entry(subject_id=person))
    await work.store.write(record_entries, entry(subject_id=other))
    first, second, third = [row["subject_ref"] for row in await rows(work)]
    assert first == second != third
    assert re.fullmatch(r"[0-9a-f]{24}", first)

    def erase(_: Sequence[None]) -> Script:
        yield Shred([person])
        return [None]

    def refs(_: Sequence[None]) -> Script:
        return [(yield Refs([person, other]))]

    before = await work.store.write(refs, None)
    assert before == {person: first, other: third}
    await work.store.write(erase, None)
    assert await told(work) == []
    after = await work.store.write(refs, None)
    assert after[person] != first, "nothing leads from the person to what was audited any more"
    assert after[other] == third


NUMBERS = ["+420601123456", "601 123 456", "+47 40 61 23 45", "(555) 010-0123", "00420601123456"]


@pytest.mark.parametrize("number", NUMBERS)
async def test_p62_a_number_that_was_typed_as_a_reason_is_not_kept(
    work: Worker, number: str
) -> None:
    typed = f"asked by {number}, eva@acme.example\nid=38g4sre5p0100 on 2026-11-23"
    await work.store.write(record_entries, entry(typed))
    (row,) = await rows(work)
    assert row["reason"] == "asked by •••, ••• id=38g4sre5p0100 on 2026-11-23"


@given(
    st.text(max_size=20),
    st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True),
    st.sampled_from(["", " ", "-", "."]),
)
def test_p67_no_reason_holds_a_number(words: str, number: str, between: str) -> None:
    written = between.join([number[:4], number[4:7], number[7:]])
    kept = masked(f"{words} {written} {words}")
    assert number not in re.sub(r"[ .-]", "", kept)


@pytest.mark.parametrize("again", ["A", "1-", "1 ", "a.", "@", "+("])
def test_a_reason_of_any_length_is_read_once(again: str) -> None:
    kept = masked(again * 500_000 + " by +420 601 123 456, eva@acme.example")
    assert len(kept) <= LONGEST_REASON


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("1-234 5678901a", "1-234 5678901a"),
        ("+420 601 123 456 7a", "••• 7a"),
        ("(601) 123-456, ok", "•••, ok"),
        ("7f61b9e2d55046", "7f61b9e2d55046"),
    ],
)
def test_what_of_a_reason_is_a_number(written: str, kept: str) -> None:
    assert masked(written) == kept


# -- heads -----------------------------------------------------------------------------------------


async def test_p20_a_day_has_one_signed_head_whoever_signs(database: Database) -> None:
    one, two = await database.two()
    await one.store.write(record_entries, entry())
    asked = [w.store.write(sign_heads, SignHead(SIGNER, MONDAY)) for w in (one, two)]
    made = [head for head in await asyncio.gather(*asked) if head is not None]
    await one.store.write(record_entries, entry())
    await one.store.write(record_entries, entry())
    made.append(await two.store.write(sign_heads, SignHead(SIGNER, MONDAY + DAY)))
    assert [(h.day, h.seq, h.count) for h in made] == [("2026-11-23", 1, 1), ("2026-11-24", 3, 2)]
    assert await heads(one) == made
    assert (await judged(one)).signed_until == "2026-11-24"


async def test_p62_the_head_leaves_the_server(work: Worker) -> None:
    await work.store.write(record_entries, entry())
    item = SignHead(SIGNER, MONDAY, (("mail", "dpo@acme.example"),))
    head = await work.store.write(sign_heads, item)
    assert await work.rows(select(notice.c.edge, notice.c.place)) == [("mail", "dpo@acme.example")]
    payload = (await work.rows(select(notice_body.c.payload)))[0][0]
    words = words_of(payload)
    assert words is not None
    assert words.subject == "Audit head of 2026-11-23"
    assert Head(**json.loads(words.lines[-1])) == head
    assert await work.store.write(sign_heads, item) is None
    assert await work.count(notice) == 1


# -- retention -------------------------------------------------------------------------------------


async def test_p5_the_rest_of_the_chain_verifies_after_a_purge(work: Worker) -> None:
    await filled(work)
    gone = await work.store.write(purge_audit, PurgeAudit(SIGNER, MONDAY + 3 * DAY, MONDAY))
    assert gone == 3
    assert [row["seq"] for row in await rows(work)] == [4, 5, 6]
    verdict = await judged(work)
    assert (verdict.problems, verdict.first, verdict.entries) == ([], 4, 3)
    assert [head.seq for head in await heads(work)] == [3, 4, 5, 6]
    assert await work.store.write(purge_audit, PurgeAudit(SIGNER, MONDAY + 3 * DAY, MONDAY)) == 0
    again = PurgeAudit(SIGNER, MONDAY + 99 * DAY, MONDAY + 99 * DAY)
    assert await work.store.write(purge_audit, again) == 3
    await work.store.write(record_entries, entry("after the purge"))
    verdict = await judged(work)
    assert (verdict.problems, verdict.first, verdict.entries) == ([], 7, 1)
    assert await work.count(audit_checkpoint) == 1


async def test_p5_a_purge_that_nobody_signed_is_found(work: Worker) -> None:
    await filled(work)
    await tamper(work, delete(audit).where(audit.c.seq <= 3))
    assert (1, "entries 1 to 3 are missing") in await told(work)
    forged = {"seq": 3, "hash": (await rows(work))[0]["prev"], "at": MONDAY}
    more = {"signed_by": SIGNER.public, "signature": STRANGER.sign(b"a checkpoint")}
    await tamper(work, insert(audit_checkpoint).values({**forged, **more}))
    assert await told(work) == [(3, "the checkpoint has a wrong signature")]


async def test_p5_more_cannot_be_removed_behind_a_checkpoint(work: Worker) -> None:
    await filled(work)
    await work.store.write(purge_audit, PurgeAudit(SIGNER, MONDAY + 2 * DAY, MONDAY))
    await tamper(work, delete(audit).where(audit.c.seq == 3))
    assert (3, "entry 3 is missing") in await told(work)


async def test_p5_old_activity_goes_and_the_audit_stays(work: Worker) -> None:
    for at in (MONDAY - 40 * DAY, MONDAY):
        await work.store.write(note_activity, entry("send", at, tenant_id=1))
        await work.store.write(record_entries, entry("send", at))
    assert await work.store.write(purge_activity, MONDAY - 30 * DAY) == 1
    assert await work.rows(select(activity.c.at, activity.c.tenant_id)) == [(MONDAY, 1)]
    assert len(await rows(work)) == 2
