"""What people, networks and disks do wrong: a clear sentence each time, and nothing lost."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bridges import ANNA, BERIT, WRITER, write_config
from tests.conftest import absent
from tests.e2e.processes import House, a_house, get, phones, post, resident, until
from tests.e2e.senders import Connection, Load, Refusal, a_mail, a_session
from tests.smsc import smsc
from tests.smtp_peer import FakeDoor, listening

TO = f"{ANNA}@sms.example"


@contextlib.contextmanager
def a_taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@contextlib.contextmanager
def a_small_disk(folder: Path, size: str = "64m") -> Iterator[Path]:
    """A file system of its own, which a test may fill or remount."""
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        absent("mounting a small file system needs root")
    try:
        yield folder
    finally:
        shell("umount", "--lazy", folder)


def shell(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True)


async def refused(house: House, *sentences: str, env: dict[str, str] | None = None) -> None:
    """`bridge up` ends at once, with 1 and these words on standard error, and no traceback."""
    code, out, err = await house.call("up", env=env)
    assert (code, out) == (1, ""), err
    assert err.startswith("bridge: ") or "level=" in err
    assert "Traceback" not in err
    for sentence in sentences:
        assert re.search(sentence, err), err


# -- at the start ---------------------------------------------------------------------------------


async def test_a_configuration_that_cannot_be(tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    async with a_house(tmp_path, config, bare=True) as house:
        config.write_text("[smtp\nlisten = 1")
        await refused(house, "bridge.toml", "line 1")
        config.write_text('[smtp]\nlistn = "127.0.0.1:0"')
        await refused(house, r"\[smtp\] listn", '"listen"')
        config.write_text('data_dir = "bridge.toml/var"')
        await refused(house, "data_dir .* cannot be written", "set data_dir")
        config.write_text('data_dir = "/proc/none"')
        await refused(house, "data_dir .* cannot be written")
        config.unlink()
        await refused(house, "bridge.toml")


@pytest.mark.parametrize("which", ["SMTP", "HTTP"])
async def test_a_taken_port(tmp_path: Path, which: str) -> None:
    async with a_house(tmp_path, write_config(tmp_path)) as house:
        with a_taken_port() as port:
            name = {f"BRIDGE__{which}__LISTEN": f"127.0.0.1:{port}"}
            await refused(house, f"127.0.0.1:{port}", "another program|in use", env=name)
        await house.start()


async def test_a_second_start_is_refused(tmp_path: Path) -> None:
    async with a_house(tmp_path, write_config(tmp_path)) as house:
        up = await house.start()
        await refused(house, f"already runs .*process {up.pid}", "stop that one")
        await Load(lambda: up.smtp, count=1, rate=10)()
        await phones(up.http, 1)


async def test_a_database_that_cannot_be_used(tmp_path: Path) -> None:
    async with a_house(tmp_path, write_config(tmp_path)) as house:
        up = await house.start()
        await Load(lambda: up.smtp, count=20, rate=1000)()
        up.signal(15)
        assert await up.ended() == 0
        file = tmp_path / "var" / "bridge.sqlite"
        good = file.read_bytes()
        file.write_bytes(good[: len(good) // 2])
        await refused(house, "damaged|malformed", "backup")
        file.write_bytes(b"no database at all" * 1000)
        await refused(house, "no database", "backup")
        file.write_bytes(good)
        newer(file, "9999")
        await refused(house, "9999", "newer", "install the newer bridge")
        newer(file, None)
        up = await house.start()
        assert len(await phones(up.http, 20)) == 20


def newer(file: Path, version: str | None) -> None:
    with contextlib.closing(sqlite3.connect(file)) as database:
        (was,) = database.execute("SELECT max(version_num) FROM alembic_version").fetchone()
        there = version or (file.parent / "version").read_text()
        (file.parent / "version").write_text(was)
        database.execute("UPDATE alembic_version SET version_num = ?", (there,))
        database.commit()


@pytest.mark.postgres
async def test_a_newer_postgresql(tmp_path: Path, postgres_url: str, redis_url: str) -> None:
    import asyncpg

    config = write_config(tmp_path, database=postgres_url, queue=redis_url)
    async with a_house(tmp_path, config) as house:
        serve = await house.start("serve")
        serve.kill()
        database = await asyncpg.connect(postgres_url)
        await database.execute("UPDATE alembic_version SET version_num = '9999'")
        await database.close()
        await refused(house, "9999", "newer")


async def test_a_read_only_database(tmp_path: Path) -> None:
    with a_small_disk(tmp_path / "disk") as disk:
        config = write_config(tmp_path)
        env = {"BRIDGE__DATA_DIR": str(disk / "var")}
        async with a_house(tmp_path, config) as house:
            up = await house.start(env=env)
            await Load(lambda: up.smtp, count=1, rate=10)()
            up.kill_tree()
            shell("mount", "-o", "remount,ro", disk)
            await refused(house, "cannot be written .*[Rr]ead-only", env=env)
            shell("mount", "-o", "remount,rw", disk)
            # The directory can be written, the database in it cannot.
            file = disk / "var" / "bridge.sqlite"
            shell("mount", "--bind", file, file)
            shell("mount", "-o", "remount,bind,ro", file)
            try:
                await refused(house, "database", "owner and mode|damaged|cannot be", env=env)
            finally:
                shell("umount", file)
            up = await house.start(env=env)
            await phones(up.http, 1)


# -- while it runs --------------------------------------------------------------------------------


async def test_a_wrong_carrier_password(tmp_path: Path) -> None:
    async with smsc() as centre:
        centre.behave.password = "another"
        config = write_config(tmp_path, port=centre.port)
        async with a_house(tmp_path, config) as house:
            up = await house.start()
            load = Load(lambda: up.smtp, count=5, rate=100)
            await load()
            code, out, _ = await house.call("check")
            (line,) = [line for line in out.splitlines() if "carrier smsc" in line]
            assert (code, line[:6]) == (1, "FAILED")
            assert "password" in line
            assert {row["state"] for row in await house.log()} == {"queued"}
            found = await get(up.http, "/readyz")
            assert found is None or found["binds"]["smsc"] is False
            assert "password" in up.err
            centre.behave.password = "secret"
            up.signal(15)  # else the next try is some time away
            assert await up.ended() == 0
            up = await house.start()
            await until(lambda: len(centre.messages) == 5, "messages after the right password")


async def test_a_dead_smarthost(tmp_path: Path, free_port: Callable[[], int]) -> None:
    port = free_port()
    config = write_config(tmp_path, more=f'[mail]\nsmarthost = "smtp://127.0.0.1:{port}"')
    async with a_house(tmp_path, config) as house:
        up = await house.start()
        async with a_session(up.smtp) as session:
            await session.mail([TO], a_mail(1))
        (shown,) = await phones(up.http, 1)
        answer = {"from": shown["to"], "to": shown["from"], "text": "on my way"}
        await post(up.http, "/sandbox/api/messages", answer)
        code, out, _ = await house.call("check")
        (line,) = [line for line in out.splitlines() if line[6:].strip().startswith("smarthost:")]
        assert (code, line[:6]) == (1, "FAILED")
        assert f"127.0.0.1:{port}" in line
        up.kill()
        up = await house.start()
        door = FakeDoor()
        async with listening(door, listen=f"127.0.0.1:{port}"):
            await until(lambda: door.mails, "the answer by mail")
        ((_, to, content),) = [mail[:3] for mail in door.mails]
        assert to == [WRITER]
        assert b"on my way" in content


async def test_a_mail_of_30_megabytes(tmp_path: Path) -> None:
    async with a_house(tmp_path, write_config(tmp_path)) as house:
        up = await house.start()
        async with a_session(up.smtp) as session:
            with pytest.raises(Refusal, match=r"^552 5\.3\.4 "):
                await session.say(f"MAIL FROM:<{WRITER}> SIZE={30 * 2**20}")
            before = resident(up.pid)
            most = 0
            # Not announced: the server reads it to its end, without keeping it.
            for command in (f"MAIL FROM:<{WRITER}>", f"RCPT TO:<{TO}>", "DATA"):
                await session.say(command)
            session.writer.write(a_mail(2))
            for _ in range(480):
                session.writer.write((b"x" * 62 + b"\r\n") * 1024)
                await session.writer.drain()
                most = max(most, resident(up.pid))
            with pytest.raises(Refusal, match=r"^552 5\.3\.4 "):
                await session.say("\r\n.")
            print(f"resident: {before} MB before, {most} MB at most")  # noqa: T201
            assert most < before + 60
            await session.mail([TO], a_mail(3))
        (shown,) = await phones(up.http, 1)
        assert shown["text"].startswith("id=a3;")


async def test_ten_thousand_recipients(tmp_path: Path) -> None:
    async with a_house(tmp_path, write_config(tmp_path)) as house:
        up = await house.start()
        before = resident(up.pid)
        async with a_session(up.smtp, limit=2**22) as session:
            await session.say(f"MAIL FROM:<{WRITER}>")
            replies = []
            for first in range(0, 10_000, 500):
                numbers = range(first, first + 500)
                lines = [f"RCPT TO:<+42060{n + 1_000_000}@sms.example>\r\n" for n in numbers]
                session.writer.write("".join(lines).encode())
                for _ in numbers:
                    try:
                        replies.append(await session.reply())
                    except Refusal as no:
                        replies.append(str(no))
            assert [r[:3] for r in replies[:100]] == ["250"] * 100
            assert {r[:9] for r in replies[100:]} == {"452 4.5.3 "[:9]}
            await session.say("DATA")
            assert (await session.say(a_mail(4).decode() + "\r\n.")).startswith("250 ")
        found = await phones(up.http, 100)
        assert len({message["to"] for message in found}) == 100
        print(f"resident: {before} MB before, {resident(up.pid)} MB after")  # noqa: T201
        assert resident(up.pid) < before + 60


async def test_nul_bytes(tmp_path: Path) -> None:
    async with a_house(tmp_path, write_config(tmp_path)) as house:
        up = await house.start()
        async with a_session(up.smtp) as session:
            await session.mail([TO], a_mail(5).replace(b"is cold", b"is\0 very\0 cold"))
            for line in ("EH\0LO x", "MAIL FROM:<e\0va@acme.example>", f"RCPT TO:<\0{TO}>", "\0"):
                with pytest.raises(Refusal, match=r"^5\d\d "):
                    await session.say(line)
        (shown,) = await phones(up.http, 1)
        assert shown["text"] == "id=a5; Boiler is very cold"
        async with a_session(up.smtp) as session:
            await session.mail([TO], a_mail(6))
        assert len(await phones(up.http, 2)) == 2


async def test_a_thousand_idle_connections(tmp_path: Path) -> None:
    async with a_house(tmp_path, write_config(tmp_path)) as house:
        up = await house.start()
        before = resident(up.pid)
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(20):
                opened = await asyncio.gather(*(Connection.open(up.smtp) for _ in range(50)))
                for connection in opened:
                    stack.push_async_callback(connection.close)
            load = Load(lambda: up.smtp, count=200, rate=500)
            await load()
            assert load.refusals == []
            assert len(await phones(up.http, 200)) == 200
            print(f"resident: {before} MB before, {resident(up.pid)} MB after")  # noqa: T201


async def test_a_locked_database(tmp_path: Path) -> None:
    async with a_house(tmp_path, write_config(tmp_path)) as house:
        up = await house.start()
        load = Load(lambda: up.smtp, count=30, rate=100)
        file = tmp_path / "var" / "bridge.sqlite"
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            sending = asyncio.create_task(load())
            await until(lambda: len(load.refusals) >= 3, "a refusal")
            assert {said[:9] for said in load.refusals} == {"451 4.3.0"}
            assert not load.accepted
            other.execute("ROLLBACK")
        await sending
        found = await phones(up.http, 30)
        assert len({message["text"] for message in found}) == len(found) == 30
        assert up.popen.poll() is None
        assert "another program holds the database" in up.err


@pytest.mark.postgres
async def test_a_postgresql_that_only_reads(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    import asyncpg

    config = write_config(tmp_path, database=postgres_url, queue=redis_url)
    async with a_house(tmp_path, config) as house:
        serve = await house.start("serve")
        name = postgres_url.rpartition("/")[2]
        admin = await asyncpg.connect(postgres_url)
        try:
            await read_only(admin, name, "on")
            load = Load(lambda: serve.smtp, count=20, rate=100)
            sending = asyncio.create_task(load())
            await until(lambda: len(load.refusals) >= 3, "a refusal")
            assert {said[:9] for said in load.refusals} == {"451 4.3.0"}
            await read_only(admin, name, "off")
            await sending
        finally:
            await admin.close()
        assert len(await house.log()) == 20
        assert serve.popen.poll() is None
        assert "only reads" in serve.err


async def read_only(admin: Any, name: str, how: str) -> None:
    await admin.execute("SET default_transaction_read_only = off")
    await admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {how}')
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


@contextlib.asynccontextmanager
async def filled(disk: Path) -> AsyncIterator[None]:
    """A disk without a free octet, until the block ends."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    assert shutil.disk_usage(disk).free == 0
    try:
        yield
    finally:
        filler.unlink()


async def test_a_full_disk(tmp_path: Path) -> None:
    with a_small_disk(tmp_path / "disk") as disk:
        config = write_config(tmp_path)
        env = {"BRIDGE__DATA_DIR": str(disk / "var")}
        async with a_house(tmp_path, config) as house:
            up = await house.start(env=env)
            first = Load(lambda: up.smtp, count=50, rate=200, run="f")
            await first()
            async with filled(disk):
                second = Load(lambda: up.smtp, count=200, rate=200, run="g")
                sending = asyncio.create_task(second())
                await until(lambda: len(second.refusals) >= 5, "a refusal")
                assert {said[:9] for said in second.refusals} == {"451 4.3.0"}
                assert up.popen.poll() is None
                there = len(second.accepted)
                print(f"{there} accepted before the disk was full")  # noqa: T201
            await sending
            found = await phones(up.http, 250)
            texts = [message["text"] for message in found]
            assert len(set(texts)) == len(texts) == 250
            assert "full: free some space" in up.err
            # Killed on a full disk: what was accepted is there when there is room again.
            async with filled(disk):
                third = Load(lambda: up.smtp, count=300, rate=500, run="h")
                sending = asyncio.create_task(third())
                # The log's file has room for some: it is written anew from its beginning.
                await until(lambda: len(third.refusals) >= 5 or sending.done(), "a refusal")
                up.kill_tree()
            up = await house.start(env=env)
            await sending
            names = {re.match(r"id=(\w+);", m["text"])[1] for m in await phones(up.http, 550)}  # type: ignore[index]
            assert names == {*first.accepted, *second.accepted, *third.accepted}


async def test_a_start_on_a_full_disk(tmp_path: Path) -> None:
    with a_small_disk(tmp_path / "disk") as disk:
        env = {"BRIDGE__DATA_DIR": str(disk / "var")}
        async with a_house(tmp_path, write_config(tmp_path)) as house:
            async with filled(disk):
                await refused(house, "No space left|full", env=env)
            up = await house.start(env=env)
            async with a_session(up.smtp) as session:
                await session.mail([TO, f"{BERIT}@sms.example"], a_mail(7))
            assert len(await phones(up.http, 2)) == 2
