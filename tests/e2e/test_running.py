"""`bridge up` as an operator meets it: its ready line, its end, its logs, its log of messages."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import signal
import sqlite3
import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.bridges import ANNA, BERIT, OURS, WRITER, write_config
from tests.e2e.processes import (
    BridgeProcess,
    House,
    a_house,
    alive,
    get,
    mailbox,
    phones,
    post,
    until,
)
from tests.e2e.senders import Load, Refusal, a_mail, a_session
from tests.e2e.verdicts import RATE, SLOWER, WINDOW, judged
from tests.smsc import smsc
from tests.smtp_peer import FakeDoor, listening

TO = f"{ANNA}@sms.example"

# -- start and end --------------------------------------------------------------------------------


async def test_the_ready_line_is_all_that_is_printed(tmp_path: Path) -> None:
    async with a_house(tmp_path, write_config(tmp_path), bare=True) as house:
        up = await house.start()
        assert re.fullmatch(
            r"ready smtp=127\.0\.0\.1:\d+ http=http://127\.0\.0\.1:\d+\n", up.out_file.read_text()
        )
        async with a_session(up.smtp) as session:
            await session.mail([TO], a_mail(1))
        await phones(up.http, 1)
        up.signal(signal.SIGINT)
        assert await up.ended() == 0
        assert up.out.count("\n") == 1


async def test_without_a_file_in_an_empty_directory(tmp_path: Path) -> None:
    """The defaults, but for the ports, which a test may not take."""
    ports = {"BRIDGE__SMTP__LISTEN": "127.0.0.1:0", "BRIDGE__HTTP__LISTEN": "127.0.0.1:0"}
    async with a_house(tmp_path, None) as house:
        up = await house.start(env=ports)
        async with a_session(up.smtp) as session:
            await session.mail([f"{ANNA}@sms.localhost"], a_mail(1))
        (shown,) = await phones(up.http, 1)
        assert shown["to"] == ANNA
        assert (tmp_path / "var" / "bridge.sqlite").exists()


async def test_from_another_directory(tmp_path: Path) -> None:
    """`data_dir = "var"` is beside the working directory; `--config` may be anywhere."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "elsewhere").mkdir()
    config = write_config(tmp_path / "etc")
    async with a_house(tmp_path, config) as house:
        up = await house.start(cwd=tmp_path / "elsewhere")
        async with a_session(up.smtp) as session:
            await session.mail([TO], a_mail(1))
        await phones(up.http, 1)
        code, out, _ = await house.call("log", "--json", cwd=tmp_path)
        assert (code, out.count("\n")) == (0, 1)


async def test_it_drains_under_load(tmp_path: Path) -> None:
    async with smsc() as centre:
        centre.behave.rate = SLOWER
        centre.behave.latency = 0.05
        config = write_config(tmp_path, port=centre.port, window=WINDOW)
        async with a_house(tmp_path, config) as house:
            running = [await house.start()]
            load = Load(lambda: running[0].smtp, count=400, rate=RATE)
            sending = asyncio.create_task(load())
            await until(lambda: len(centre.messages) > 50, "the first messages")
            began = time.monotonic()
            running[0].signal(signal.SIGTERM)
            assert await running[0].ended(15) == 0
            print(f"drained in {time.monotonic() - began:.2f} s")  # noqa: T201
            assert len(load.accepted) > len(centre.messages), "it was not under load"
            assert not running[0].valkey
            running[0] = await house.start()
            await sending
            # Nothing was in doubt: nothing is marked, nothing twice.
            await judged(house, centre, load, 0)
            assert not [row for row in await house.log() if row["resent"]]


async def test_its_queue_ends_with_it(tmp_path: Path) -> None:
    async with a_house(tmp_path, write_config(tmp_path)) as house:
        for end in (signal.SIGKILL, signal.SIGTERM):
            up = await house.start()
            queue = await until(lambda: up.valkey, "the embedded queue")  # noqa: B023
            up.signal(end)
            await up.ended()
            await until(lambda: not alive(queue), "the end of the queue")  # noqa: B023


# -- what it tells --------------------------------------------------------------------------------

SECRETS = ("Mayonnaise", "Wolpertinger", "Rumpelstilz", "Kartoffelsalat", "Dachbodenfund")


async def test_no_log_line_holds_a_number_a_text_or_an_address(tmp_path: Path) -> None:
    """A run with all that can go wrong in it; then its output and its queue's files are searched."""
    async with smsc() as centre:
        centre.behave.dlr = "none"
        door = FakeDoor()
        async with listening(door) as relay:
            smarthost = f'[mail]\nsmarthost = "smtp://{relay.addresses[0]}"'
            config = write_config(tmp_path, port=centre.port, more=smarthost)
            async with a_house(tmp_path, config) as house:
                up = await house.start()

                async def mail(text: str, *to: str, sender: str = WRITER) -> None:
                    message = EmailMessage()
                    message["From"], message["To"], message["Subject"] = sender, to[0], SECRETS[1]
                    message.set_content(text)
                    async with a_session(up.smtp) as session:
                        await session.mail(list(to), message.as_bytes(), sender)

                await mail(SECRETS[0], TO, f"{BERIT}@sms.example")
                await until(lambda: len(centre.messages) == 2, "the first messages")
                for status in (0x0B, 0x58, 0x14, 0x08, 0x45):  # rejected, and not now
                    centre.behave.statuses.append(status)
                    await mail(SECRETS[0], TO)
                with pytest.raises(Refusal):
                    await mail(SECRETS[0], "123456@sms.example")
                with pytest.raises(Refusal):
                    await mail(SECRETS[0] * 500, TO)
                await mail(SECRETS[2] + "\0" + "\x1b" * 3, TO)
                async with a_session(up.smtp) as session:
                    await session.mail(
                        [TO], b"Content-Type: text/plain; charset=x-y\r\n\r\n\xffMayonnaise \x81"
                    )
                    session.writer.write(f"MAIL FROM:<{WRITER}>\r\nRCPT TO:<{TO}>\r\n".encode())
                await until(lambda: len(centre.messages) >= 4, "messages")
                centre.mo(source=ANNA[1:], destination=OURS[1:], text=SECRETS[3])
                centre.mo(source=BERIT[1:], destination=OURS[1:], text=f"STOP {SECRETS[4]}")
                centre.mo(source=BERIT[1:], destination=OURS[1:], text="STOP")
                centre.raw(
                    b"\0\0\0\x11\0\0\0\x05\0\0\0\0\0\0\0\x07" + b"\xff"
                )  # a broken deliver_sm
                await until(lambda: len(door.mails) >= 2, "answers by mail")
                with pytest.raises(Refusal):
                    await until_refused(mail, BERIT)
                centre.drop()
                await until(centre.bound, "another bind")
                with (
                    held(tmp_path / "var" / "bridge.sqlite"),
                    pytest.raises(Refusal, match=r"^451"),
                ):
                    await mail(SECRETS[0], TO)
                centre.behave.silent = True
                await mail(SECRETS[0], TO)
                up.kill()
                centre.behave.silent = False
                up = await house.start()
                queue = [
                    p.read_bytes() for p in (tmp_path / "var" / "queue").rglob("*") if p.is_file()
                ]
                up.signal(signal.SIGTERM)
                await up.ended()
                said = house.said() + "".join(octets.decode("latin-1") for octets in queue)
    assert "level=" in said
    for secret in (*SECRETS, ANNA[4:], BERIT[3:], WRITER, WRITER.partition("@")[0] + "@"):
        assert secret not in said, (
            f"{secret} stands in {[x for x in said.splitlines() if secret in x]}"
        )


async def until_refused(mail: object, number: str) -> None:
    while True:
        await mail(SECRETS[0], f"{number}@sms.example")  # type: ignore[operator]
        await asyncio.sleep(0.1)


@contextlib.contextmanager
def held(file: Path):  # type: ignore[no-untyped-def]
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


LOG_KEYS = (
    "id tenant origin destination class state parts encoding carrier attempts resent reason"
    " created_at sent_at final_at"
).split()


async def test_the_log_of_messages(tmp_path: Path) -> None:
    async with a_house(tmp_path, write_config(tmp_path)) as house:
        up = await house.start()
        async with a_session(up.smtp) as session:
            reply = await session.mail([TO], a_mail(1))
        await until(lambda: delivered(house), "the receipt")
        (row,) = await house.log()
        assert list(row) == LOG_KEYS
        assert row["id"] == reply.split()[-1]
        assert (row["tenant"], row["class"], row["state"]) == ("acme", "transactional", "delivered")
        assert (row["parts"], row["encoding"], row["carrier"]) == (1, "gsm7", "sandbox")
        assert (row["attempts"], row["resent"], row["reason"]) == (1, 0, "")
        for name in ("created_at", "sent_at", "final_at"):
            assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row[name])
        assert ANNA[4:] not in str(row)
        assert ANNA[-3:] in row["destination"]
        assert WRITER not in str(row)
        (open_row,) = await house.log("--reveal")
        assert list(open_row) == [*LOG_KEYS, "text"]
        assert (open_row["destination"], open_row["text"]) == (ANNA, "id=a1; Boiler is cold")
        # Without a running bridge the answer is the same.
        up.kill_tree()
        assert await house.log() == [row]
        assert await house.log("--since", "2000-01-01") == [row]


async def delivered(house: House) -> bool:
    return {row["state"] for row in await house.log()} == {"delivered"}


# -- the sandbox ----------------------------------------------------------------------------------


async def test_two_answers_come_back_in_the_thread_and_survive_a_kill(tmp_path: Path) -> None:
    async with a_house(tmp_path, write_config(tmp_path)) as house:
        up = await house.start()
        async with a_session(up.smtp) as session:
            await session.mail([TO], a_mail(1))
        (shown,) = await phones(up.http, 1)
        for text in ("on my way", "there in 5"):
            await typed(up, shown, text)
        mails = await mailbox(up.http, 2)
        assert [m["text"].splitlines()[0] for m in mails] == ["on my way", "there in 5"]
        for mail in mails:
            assert mail["to"] == WRITER
            assert mail["subject"] == "Re: x"
            assert mail["headers"]["In-Reply-To"] == "<a.1@acme.example>"
            assert "<a.1@acme.example>" in mail["headers"]["References"]
        assert mails[0]["headers"]["Message-ID"] != mails[1]["headers"]["Message-ID"]
        # An answer that was stored a moment before the kill is there after it.
        await typed(up, shown, "one more")
        before = await get(up.http, "/sandbox/api/messages")
        up.kill_tree()
        up = await house.start()
        assert await phones(up.http, 1) == before
        mails = await mailbox(up.http, 3)
        assert [m["text"].splitlines()[0] for m in mails] == ["on my way", "there in 5", "one more"]
        # The writer's own answer by mail is an SMS again.
        back = re.search(r"<(.+)>", mails[2]["headers"]["From"])[1]  # type: ignore[index]
        async with a_session(up.smtp) as session:
            await session.mail([back], a_mail(2, words="thank you"))
        assert [m["to"] for m in await phones(up.http, 2)] == [ANNA, ANNA]


async def typed(up: BridgeProcess, shown: dict[str, str], text: str) -> None:
    """An answer on the phone, which also waits for those before it to be told."""
    answer = {"from": shown["to"], "to": shown["from"], "text": text}
    assert (await post(up.http, "/sandbox/api/messages", answer))["id"]


# -- the first start ------------------------------------------------------------------------------


async def test_killed_in_the_middle_of_the_first_start(tmp_path: Path) -> None:
    luck = random.Random(21)
    for turn in range(5):
        folder = tmp_path / str(turn)
        folder.mkdir()
        async with a_house(folder, write_config(folder), bare=True) as house:
            first = house.launch()
            file = folder / "var" / "bridge.sqlite"
            await until(file.exists, "the database's file")
            await asyncio.sleep(luck.uniform(0.0, 0.4) if turn > 2 else luck.uniform(0.0, 0.08))
            first.kill_tree()
            up = await house.start()
            async with a_session(up.smtp) as session:
                await session.mail([TO], a_mail(turn))
            await phones(up.http, 1)


@pytest.mark.postgres
async def test_killed_in_the_middle_of_the_first_start_on_postgresql(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    import asyncpg

    luck = random.Random(22)
    config = write_config(tmp_path, database=postgres_url, queue=redis_url)
    database = await asyncpg.connect(postgres_url)
    try:
        async with a_house(tmp_path, config) as house:
            for _ in range(6):
                first = house.launch("serve")
                # Its lock or its tables show that it has begun.
                await until(lambda: begun(database), "the migration")
                await asyncio.sleep(luck.uniform(0.0, 0.08))
                first.kill()
                there = await database.fetchval(
                    "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
                )
                version = there and await database.fetchval("SELECT count(*) FROM alembic_version")
                assert (there > 0) == bool(version), "a half-made schema"
                if there:
                    break
            serve, _ = await asyncio.gather(house.start("serve"), house.start("work"))
            async with a_session(serve.smtp) as session:
                await session.mail([TO], a_mail(1))
            await phones(serve.http, 1)
    finally:
        await database.close()


async def begun(database: object) -> bool:
    found: bool = await database.fetchval(  # type: ignore[attr-defined]
        "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database()))"
        " OR to_regclass('alembic_version') IS NOT NULL"
    )
    return found
