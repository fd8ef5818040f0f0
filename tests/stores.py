"""A process of the bridge over its store alone: what it stores, sends, claims and hears."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, func, select

from bridge import store as store_package
from bridge.master import Master
from bridge.model import Receipt, State
from bridge.store.cards import Card, CardIn, ClaimCards, claim_cards
from bridge.store.claims import Claim, Claims, ClaimScript
from bridge.store.drafts import ChatSend, Draft, send_from_chats, store_drafts
from bridge.store.ids import Ids
from bridge.store.leases import Begin, begin
from bridge.store.notices import ClaimNotices, Notice, claim_notices
from bridge.store.outcomes import Move, PartDone, Progress, record_progress
from bridge.store.receipts import ReceiptIn, record_receipts
from bridge.store.sql import Row, Statement
from bridge.store.store import Store, driver
from bridge.store.submissions import Prepared, Stored, store_submissions
from bridge.store.tables import metadata
from bridge.store.tenants import TenantIn, put_tenants
from bridge.store.updates import StoreUpdate, store_updates
from bridge.store.vault import Vault
from tests.seeds import seed

NOW = 1_790_000_000.0
EDGE, PLACE = "telegram", "-1001"
OURS = "+420601000000"


def whole_metadata() -> MetaData:
    """Every table there is, also those that no imported module has asked for yet."""
    for module in pkgutil.iter_modules(store_package.__path__):
        if module.name.endswith("tables"):
            importlib.import_module(f"bridge.store.{module.name}")
    return metadata


def a_vault() -> Vault:
    """A process's vault; all of a test's processes have the same master key."""
    return Vault(Master([b"m" * 32]))


def a_message(number: int, now: float, person: int = 0, /, **more: Any) -> Prepared:
    """A message of tenant 1 to a person, by number, as it is about to be stored."""
    base = Prepared(
        id=number,
        tenant_id=1,
        phone=f"+4206011234{person:02d}",
        phone_index=f"person-{person}",
        all_index=f"all-{person}",
        country="CZ",
        originator="+420601000000",
        origin_kind="mail",
        origin_address="eva@acme.example",
        origin="",
        klass="transactional",
        urgent=False,
        text="Boiler 3 is cold",
        encoding="gsm7",
        lang="",
        parts=1,
        rules="",
        state="queued",
        reason="",
        lane="smsc.bulk",
        due_at=now,
        expires_at=now + 3600,
        now=now,
        dedupe=None,
    )
    return replace(base, **more)


class Worker:
    """One process; its clock stands still at `now` until a test moves it."""

    def __init__(self, store: Store, incarnation: int) -> None:
        self.store = store
        self.me = incarnation
        self.ids = Ids(incarnation)
        self.claims = ClaimScript(self.ids.next)
        self.now = NOW
        self._keys = 0

    async def rows(self, clause: Any) -> list[Row]:
        """What a SELECT finds."""
        return [tuple(row) for row in await self.store.read(Statement(clause))]

    async def count(self, table: Any) -> int:
        """How many rows a table has."""
        found: int = (await self.rows(select(func.count()).select_from(table)))[0][0]
        return found

    # -- from chats --------------------------------------------------------------------------

    async def update(
        self, key: str = "", payload: str = '{"text": "x"}', **more: Any
    ) -> int | None:
        """Store an update; its key is a new one unless given."""
        self._keys += 1
        base = StoreUpdate(EDGE, key or f"{self.me}-{self._keys}", payload, self.now, self.me)
        found: int | None = await self.store.write(store_updates, replace(base, **more))
        return found

    async def draft(self, **more: Any) -> Draft:
        """Keep a draft for an hour."""
        number = self.ids.next()
        base = Draft(number, 1, 5, EDGE, PLACE, "", {}, "open", self.now, self.now + 3600)
        draft = replace(base, **more)
        await self.store.write(store_drafts, draft)
        return draft

    def prepared(self, person: int = 0, **more: Any) -> Prepared:
        """A message to a person, by number."""
        mine = {"originator": OURS, "origin_kind": EDGE, "origin_address": PLACE}
        return a_message(self.ids.next(), self.now, person, **mine | more)

    async def submit(self, person: int = 0, **more: Any) -> Stored:
        """A message that no chat sent."""
        mail = {"origin_kind": "mail", "origin_address": "eva@acme.example", **more}
        stored: Stored = await self.store.write(store_submissions, self.prepared(person, **mail))
        return stored

    def command(
        self, update: int, *prepared: Prepared, draft: int | None = None, thread: str = ""
    ) -> ChatSend:
        """What a chat's command sends."""
        card = CardIn(self.ids.next(), 1, 5, EDGE, PLACE, thread, "", self.now)
        return ChatSend(update, draft, prepared or (self.prepared(),), card, self.now)

    async def send(self, *prepared: Prepared, thread: str = "") -> ChatSend:
        """A command that sends, done."""
        number = await self.update()
        assert number is not None
        item = self.command(number, *prepared, thread=thread)
        assert await self.store.write(send_from_chats, item) is not None
        return item

    # -- desks -------------------------------------------------------------------------------

    async def cards(self, **more: Any) -> list[Card]:
        """The cards that are due, claimed."""
        item = ClaimCards(EDGE, self.me, self.now)
        found: list[Card] = await self.store.write(claim_cards, replace(item, **more))
        return found

    async def notices(self, edge: str = EDGE, **more: Any) -> list[Notice]:
        """The notices that are due, claimed."""
        item = ClaimNotices(edge, self.me, self.now)
        found: list[Notice] = await self.store.write(claim_notices, replace(item, **more))
        return found

    # -- carriers ----------------------------------------------------------------------------

    async def claim(self) -> Claims:
        """The messages that are due, claimed."""
        item = Claim("smsc", self.me, self.now, 100, 100)
        found: Claims = await self.store.write(self.claims, item)
        return found

    def progress(self, claims: Claims, state: State = State.SENT) -> list[Progress]:
        """What the carrier says of all that was claimed."""
        return [
            Progress(
                "smsc",
                self.now,
                self.me,
                tuple(PartDone(a, "accepted", f"id-{a}", "") for a in c.attempts.values()),
                Move(
                    c.id,
                    state,
                    "",
                    "smsc.bulk",
                    0,
                    self.now,
                    c.resent,
                    "gsm7",
                    "",
                    c.parts,
                    c.tries,
                ),
            )
            for c in claims.messages
        ]

    async def answer(self, claims: Claims, state: State = State.SENT) -> None:
        """The carrier has said it."""
        await self.store.write(record_progress, self.progress(claims, state))

    async def receipt(self, claims: Claims, state: State) -> None:
        """The carrier tells how the first of these ended."""
        attempt = next(iter(claims.messages[0].attempts.values()))
        item = ReceiptIn("smsc", Receipt(f"id-{attempt}", state, ""), self.now)
        await self.store.write(record_receipts, item)


class Database:
    """A migrated database with the tenant acme, and the processes that a test starts over it."""

    def __init__(self, url: str, folder: Path, stack: AsyncExitStack) -> None:
        self.url = url
        self._folder = folder
        self._stack = stack
        self.stores: list[Store] = []

    async def worker(self, slot: str) -> Worker:
        """A process in a slot: what its forebears there held is free again."""
        store = Store(driver(self.url, self._folder, a_vault()))
        await store.open()
        self.stores.append(store)
        self._stack.push_async_callback(store.close)
        return Worker(store, await store.write(begin, Begin(slot, NOW)))

    async def two(self) -> tuple[Worker, Worker]:
        """Two processes at once."""
        return await self.worker("work-1"), await self.worker("work-2")


@asynccontextmanager
async def a_database(url: str, folder: Path, settings: dict[str, Any]) -> AsyncIterator[Database]:
    """Migrate, and make the tenant acme with these settings."""
    seed(folder)
    async with AsyncExitStack() as stack:
        database = Database(url, folder, stack)
        first = await database.worker("setup")
        await first.store.write(put_tenants, TenantIn("acme", settings, [], [], "file", NOW))
        yield database
