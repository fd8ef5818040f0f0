"""Whether the books survive: messages, payments and bookings at once, by processes that are killed.

    python bench/accounts.py [postgresql://…] [--operations 50000] [--kills 40]
    python bench/accounts.py [postgresql://…] --cost      what an account costs each message

Each operation is a message taken (and paid for), refused, claimed, answered, reported on or taken
back, a payment, or a turn of bookings, each acknowledged on disk. Processes are killed with
SIGKILL at random moments and started again. Afterwards: debits equal credits to the last unit, as
much is reserved as open messages may cost, each payment is booked once, and revenue is what the
messages' own records say. On SQLite one process writes, on PostgreSQL several at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import bindparam, select, update

from bridge.model import Receipt, State
from bridge.store.account_tables import charge, entry, transfer
from bridge.store.accounts import Charge, Close, Closed, Posting, close_charges, post
from bridge.store.books import verified
from bridge.store.chat_log import TakeBack, take_back
from bridge.store.leases import Begin, begin
from bridge.store.migrate import migrate
from bridge.store.outcomes import Move, PartDone, Progress, record_progress
from bridge.store.receipts import ReceiptIn, record_receipts
from bridge.store.sql import Do, Script, Statement
from bridge.store.store import Store, driver
from bridge.store.submissions import Stored, store_submissions
from bridge.store.tables import message
from bridge.store.tenants import TenantIn, put_tenants
from tests.stores import Worker, a_vault

TENANTS = ("ash", "birch", "cedar", "dogwood")
CURRENCY = "CZK"
TASKS = 24
TOLD = 0.02  # seconds between two lines of a process
#: Prices and limits that no rounding hides; the last tenant pays for what arrives.
CHARGES = {
    1: Charge(1_234_567, CURRENCY, 0),
    2: Charge(333_333, CURRENCY, 0),
    3: Charge(52_100, CURRENCY, 9_999_999_999),
    4: Charge(777_777, CURRENCY, 0, "delivered"),
}


def payment(slot: int, n: int) -> tuple[int, int]:
    """The tenant and the amount of a process's so-manieth payment."""
    return 1 + (slot + n) % len(TENANTS), 5_000_001 + 1_000_003 * (n % 7)


class Clerk:
    """One process: many tasks that use the store as the bridge does."""

    def __init__(self, worker: Worker, slot: int, first: int) -> None:
        self.work = worker
        self.slot = slot
        self.next_payment = first
        self.counts: Counter[str] = Counter()
        self.flying: list[tuple[int, int]] = []  # (message, attempt)
        self.taken: list[tuple[int, int]] = []  # (message, tenant)
        self.luck = random.Random()

    async def run(self) -> None:
        """Work until killed."""
        tasks = [self.submit() for _ in range(TASKS)]
        await asyncio.gather(*tasks, self.send(), self.pay(), self.book(), self.tell())

    async def tell(self) -> None:
        """What is on disk, for whoever kills this process."""
        while True:
            await asyncio.sleep(TOLD)
            done, self.counts = self.counts, Counter()
            print(json.dumps({"done": dict(done), "payments": self.next_payment}), flush=True)

    async def submit(self) -> None:
        while True:
            tenant = self.luck.randint(1, len(TENANTS))
            item = self.work.prepared(
                self.luck.randrange(90),
                tenant_id=tenant,
                phone_index=f"{tenant}-{self.luck.randrange(90)}",
                parts=self.luck.randint(1, 3),
                charge=CHARGES[tenant],
                now=time.time(),
                due_at=time.time(),
                expires_at=time.time() + 3600,
            )
            stored: Stored = await self.work.store.write(store_submissions, item)
            self.counts["refused" if stored.unpaid else "taken"] += 1
            if not stored.unpaid:
                self.taken.append((stored.id, tenant))
            if self.taken and self.luck.random() < 0.15:
                number, whose = self.taken.pop(self.luck.randrange(len(self.taken)))
                await self.work.store.write(take_back, TakeBack(number, whose, time.time()))
                self.counts["taken back"] += 1
            if self.flying and self.luck.random() < 0.5:
                await self.receive(self.flying.pop(self.luck.randrange(len(self.flying))))

    async def receive(self, part: tuple[int, int]) -> None:
        state = self.luck.choice((State.DELIVERED, State.DELIVERED, State.FAILED, State.EXPIRED))
        receipt = Receipt(f"id-{part[1]}", state, "")
        await self.work.store.write(record_receipts, ReceiptIn("smsc", receipt, time.time()))
        self.counts["reported"] += 1

    async def send(self) -> None:
        """The lane: what is due is claimed and answered, in every way there is."""
        while True:
            self.work.now = time.time()
            claims = await self.work.claim()
            answers = [self.answer(c) for c in claims.messages]
            if answers:
                await self.work.store.write(record_progress, answers)
                self.counts["answered"] += len(answers)
            else:
                await asyncio.sleep(0.01)

    def answer(self, claimed: Any) -> Progress:
        ways = (State.SENT,) * 12 + (State.FAILED, State.EXPIRED, State.QUEUED, State.UNKNOWN)
        state = self.luck.choice(ways)
        parts = claimed.parts % 3 + 1 if state is State.QUEUED else claimed.parts
        accepted = state in (State.SENT, State.UNKNOWN)
        if state is State.SENT:
            self.flying += [(claimed.id, a) for a in claimed.attempts.values()]
        done = tuple(
            PartDone(a, "accepted" if accepted else "failed", f"id-{a}" if accepted else "", "")
            for a in claimed.attempts.values()
        )
        to = (claimed.id, state, "", "smsc.bulk", 0, time.time(), claimed.resent, "gsm7", "")
        move = Move(*to, parts, claimed.tries)
        return Progress("smsc", time.time(), self.work.me, done, move)

    async def pay(self) -> None:
        """One payment after the other; one that is in doubt is made again under its key."""
        while True:
            await self.work.store.write(post, self.posting(self.next_payment))
            self.next_payment += 1
            self.counts["paid"] += 1
            await asyncio.sleep(0.005)

    def posting(self, n: int) -> Posting:
        tenant, amount = payment(self.slot, n)
        number, key = self.work.ids.next(), f"payment {self.slot} {n}"
        return Posting(
            number, tenant, "payment", CURRENCY, amount, f"clerk {self.slot}", time.time(), key
        )

    async def book(self) -> None:
        while True:
            count = await book(self.work)
            self.counts["booked"] += count
            await asyncio.sleep(0.01)


async def book(work: Worker) -> int:
    """Book all that has ended; how many."""
    count, after = 0, 0
    while True:
        item = Close(after, time.time(), work.ids.next)
        done: Closed = await work.store.write(close_charges, item)
        count += done.count
        if done.after is None:
            return count
        after = done.after


async def opened(url: str, folder: Path, slot: int) -> Worker:
    """A process in its slot; what its forebear held is free again."""
    store = Store(driver(url, folder, a_vault()))
    await store.open()
    return Worker(store, await store.write(begin, Begin(f"clerk-{slot}", time.time())))


async def child(url: str, folder: Path, slot: int, first: int) -> None:
    """What a killed process is doing."""
    await Clerk(await opened(url, folder, slot), slot, first).run()


class Killer:
    """Starts processes, counts what they acknowledge, and kills them."""

    def __init__(self, url: str, folder: Path, processes: int, operations: int, kills: int) -> None:
        self.url = url
        self.folder = folder
        self.processes = processes
        self.operations = operations
        self.kills = kills
        self.killed = 0
        self.counts: Counter[str] = Counter()
        self.payments = [0] * processes
        self.luck = random.Random()

    async def run(self) -> None:
        """Until the operations are done and the kills too."""
        await asyncio.gather(*(self.keep(slot) for slot in range(self.processes)))

    def is_over(self) -> bool:
        return self.counts.total() >= self.operations and self.killed >= self.kills

    async def keep(self, slot: int) -> None:
        while not self.is_over():
            first = str(self.payments[slot])
            command = (__file__, self.url, "--folder", str(self.folder))
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *(*command, "--child", str(slot), "--first", first),
                stdout=asyncio.subprocess.PIPE,
            )
            share = self.operations / max(1, self.kills) * self.processes
            wanted = self.counts.total() + self.luck.uniform(0.3, 1.7) * share
            assert process.stdout is not None
            while line := await process.stdout.readline():
                if not line.endswith(b"\n"):
                    break
                told = json.loads(line)
                self.counts += Counter(told["done"])
                self.payments[slot] = told["payments"]
                if self.counts.total() >= wanted or self.is_over():
                    await asyncio.sleep(self.luck.random() * TOLD)
                    process.kill()
                    self.killed += 1
                    break
            # What it had told before it died is read to the end.
            async for line in process.stdout:
                if line.endswith(b"\n"):
                    self.payments[slot] = json.loads(line)["payments"]
            if await process.wait() != -9:
                raise SystemExit("a process ended by itself")


async def judged(url: str, folder: Path, killer: Killer) -> dict[str, Any]:
    """Everybody's last payment, if it was in doubt; then the books."""
    for slot in range(killer.processes):
        work = await opened(url, folder, slot)
        clerk = Clerk(work, slot, 0)
        await work.store.write(post, clerk.posting(killer.payments[slot]))
        await book(work)
        await work.store.close()
    work = await opened(url, folder, 0)
    found = await verified(work.store)
    wrong = [*found.faults, *await _payments(work, killer), *await _revenue(work)]
    messages = await work.count(message)
    await work.store.close()
    return {
        "operations": killer.counts.total(),
        "done": dict(killer.counts),
        "kills": killer.killed,
        "messages": messages,
        "transfers": found.transfers,
        "charges": found.charges,
        "open": found.open,
        "debits": found.sides[0][1],
        "credits": found.sides[0][2],
        "wrong": wrong,
    }


async def _payments(work: Worker, killer: Killer) -> list[str]:
    """Each payment once: all that were told of, none missing before the last that was made."""
    rows = await work.rows(
        select(transfer.c.key, entry.c.tenant_id, entry.c.amount)
        .join(entry, entry.c.transfer_id == transfer.c.id)
        .where(entry.c.kind == "paid")
    )
    booked = {key: (tenant, -amount) for key, tenant, amount in rows}
    wrong = [] if len(booked) == len(rows) else ["a payment was booked twice"]
    meant = {}
    for slot, told in enumerate(killer.payments):
        # The last process may have made more than it could tell of.
        made = sum(key.split()[1] == str(slot) for key in booked)
        meant |= {f"payment {slot} {n}": payment(slot, n) for n in range(max(made, told))}
    return wrong if booked == meant else [*wrong, "payments are missing, or are not what was paid"]


async def _revenue(work: Worker) -> list[str]:
    """What was earned, by the messages' own records; and every message has its charge."""
    rows = await work.rows(
        select(
            message.c.tenant_id, message.c.state, message.c.parts, message.c.sent_at, charge.c.state
        ).select_from(message.outerjoin(charge, charge.c.message_id == message.c.id))
    )
    meant: Counter[int] = Counter()
    wrong = []
    for tenant, state, parts, sent_at, stands in rows:
        on_delivery = CHARGES[tenant].charge_on == "delivered"
        waits = state in ("queued", "sending", "unknown") or (state == "sent" and on_delivery)
        if (stands == "open") != waits:
            wrong.append(f"a message that is {state} has a charge that is {stands}")
        if state == "delivered" or (sent_at is not None and not on_delivery):
            meant[tenant] += CHARGES[tenant].price * parts
    earned: Counter[int] = Counter()
    found = select(entry.c.tenant_id, entry.c.amount).where(entry.c.kind == "revenue")
    for tenant, amount in await work.rows(found):
        earned[tenant] += amount
    if earned != meant:
        wrong.append(f"earned {dict(earned)}, meant {dict(meant)}")
    return wrong[:10]


async def measure(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All of it, in a database at the URL; what is there stays there."""
    await migrate(given.url, folder)
    store = Store(driver(given.url, folder, a_vault()))
    await store.open()
    for name in TENANTS:
        await store.write(put_tenants, TenantIn(name, {}, [], [], "file", time.time()))
    await store.close()
    processes = 1 if given.url == "sqlite" else given.processes
    killer = Killer(given.url, folder, processes, given.operations, given.kills)
    began = time.monotonic()
    await killer.run()
    seconds = time.monotonic() - began
    return {"seconds": round(seconds, 1), **await judged(given.url, folder, killer)}


async def cost(url: str, folder: Path, rounds: int = 5, count: int = 4000) -> dict[str, Any]:
    """Microseconds of CPU that a message costs where it is stored, without and with an account."""
    await migrate(url, folder)
    work = await opened(url, folder, 0)
    await work.store.write(put_tenants, TenantIn("ash", {}, [], [], "file", time.time()))
    money = (work.ids.next(), 1, "payment", CURRENCY, 10**15, "eva", time.time())
    await work.store.write(post, Posting(*money))
    found: dict[str, list[float]] = {}

    async def timed(name: str, tasks: int, charged: Charge | None) -> None:
        async def some(task: int) -> None:
            for n in range(count // tasks):
                item = work.prepared((task + n) % 90, charge=charged, now=time.time())
                await work.store.write(store_submissions, item)

        began = time.process_time()
        await asyncio.gather(*(some(task) for task in range(tasks)))
        spent = 1e6 * (time.process_time() - began) / count
        found.setdefault(name, []).append(spent)

    for _ in range(rounds):
        for tasks in (1, 64):
            await timed(f"without, {tasks} at once", tasks, None)
            await timed(f"with, {tasks} at once", tasks, CHARGES[1])
        await work.store.write(_taken, time.time())
        began = time.process_time()
        closed = await book(work)
        found.setdefault("booked", []).append(1e6 * (time.process_time() - began) / closed)
    await work.store.close()
    return {name: round(min(times), 1) for name, times in found.items()}


def _taken(items: list[float]) -> Script:
    """A carrier has taken all that was stored."""
    yield Do(_TAKEN, {"at": items[0]})
    return [None] * len(items)


_TAKEN = Statement(
    update(message).where(message.c.state == "queued").values(state="sent", sent_at=bindparam("at"))
)


def main() -> None:
    """Read the arguments, and measure."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("url", nargs="?", default="sqlite")
    reader.add_argument("--folder", type=Path, default=Path())
    reader.add_argument("--operations", type=int, default=50_000)
    reader.add_argument("--kills", type=int, default=40)
    reader.add_argument("--processes", type=int, default=3)
    reader.add_argument("--cost", action="store_true")
    reader.add_argument("--child", type=int)
    reader.add_argument("--first", type=int, default=0)
    given = reader.parse_args()
    if given.child is not None:
        asyncio.run(child(given.url, given.folder, given.child, given.first))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        if given.cost:
            print(json.dumps(asyncio.run(cost(given.url, Path(folder)))))
            return
        found = asyncio.run(measure(given, Path(folder)))
    print(json.dumps(found))
    sys.exit(1 if found["wrong"] else 0)


if __name__ == "__main__":
    main()
