"""The store's door: scripts come in from many tasks, group commits go out to one database.

Whatever waits when the previous commit ends shares the next one, with whoever comes in the turns
of the loop right after it (no timer): at low load a batch is one, under load the cost of a commit
is shared. A caller resumes once its commit is on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import structlog

from bridge.errors import StoreUnavailable
from bridge.store.sql import Row, Script, Statement, is_alone
from bridge.store.sqlite import Sqlite
from bridge.store.vault import Vault

log = structlog.get_logger("bridge.store")

Item = TypeVar("Item")
#: A transaction over all items that wait; it returns one result an item, in order.
BatchScript = Callable[[Sequence[Item]], Script]

BATCH = 500  # items of one kind in one transaction
QUIET = 2  # turns of the loop in which nobody came, after which nobody is waited for
CROWD = 64  # items that share the cost of a commit well enough


class Driver(Protocol):
    """What the store needs of a database."""

    @property
    def database(self) -> str: ...

    @property
    def vault(self) -> Vault: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def hurry(self, seconds: float) -> None: ...

    async def transaction(self, scripts: Sequence[Callable[[], Script]]) -> list[Any]: ...

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> list[Row]: ...

    async def scrub(self, *, whole: bool = False) -> None: ...


def driver(url: str, data_dir: Path, vault: Vault) -> Driver:
    """The driver for `[database] url`; `vault` seals and opens what is encrypted at rest."""
    if url == "sqlite":
        return Sqlite(data_dir / "bridge.sqlite", vault)
    from bridge.store.postgres import Postgres

    return Postgres(url, vault)


_Waiting = list[tuple[Any, "asyncio.Future[Any]"]]


class Store:
    """One process's access to the database."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self._waiting: dict[BatchScript[Any], _Waiting] = {}
        self._scrubs: list[tuple[bool, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._closing = False
        self.commits = 0
        self.failing: StoreUnavailable | None = None
        self._told: set[str] = set()

    @property
    def database(self) -> str:
        """Which database it is: sqlite or postgresql."""
        return self.driver.database

    async def open(self) -> None:
        """Connect and begin to write. Raises StoreUnavailable."""
        await self.driver.open()
        self._task = asyncio.create_task(self._write_on(), name="store-writer")

    async def close(self) -> None:
        """Write what waits, then disconnect."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self.driver.close()

    def hurry(self, seconds: float) -> None:
        """The end has begun: a database that does not answer is waited for no longer than this."""
        self.driver.hurry(seconds)

    def put(self, script: BatchScript[Item], item: Item) -> asyncio.Future[Any]:
        """Queue an item for its script's next transaction; the future ends after the commit."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._closing:
            future.set_exception(StoreUnavailable("the bridge is closing", "try again soon"))
            return future
        waiting = self._waiting.get(script)
        if waiting is None:
            self._waiting[script] = [(item, future)]
        else:
            waiting.append((item, future))
        self._wake.set()
        return future

    async def write(self, script: BatchScript[Item], item: Item) -> Any:
        """Run a batch script over this item (and its neighbours); the item's own result.

        Raises StoreUnavailable when it is not on disk; else what the script raised for it.
        """
        return await self.put(script, item)

    async def scrub(self, *, whole: bool = False) -> None:
        """Return once nothing of what was deleted is left in the files. Raises StoreUnavailable.

        On SQLite it is done between two transactions; whoever asks at the same time shares it.
        With `whole` it takes as long as it takes: a large database is written anew.
        """
        if self.database != "sqlite":
            await self.driver.scrub(whole=whole)
            return
        asked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._scrubs.append((whole, asked))
        self._wake.set()
        await asked

    async def read(self, statement: Statement, **values: Any) -> list[Row]:
        """Run one SELECT. Raises StoreUnavailable."""
        return await self.driver.rows(statement, values)

    async def _write_on(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._gathered()
                for batches in self._apart(self._take()):
                    await self._try(batches)
            if self._scrubs:
                await self._scrub()
            if self._closing:
                return

    async def _gathered(self) -> None:
        """Whoever is about to come shares this transaction: a turn costs microseconds."""
        count = quiet = 0
        while quiet < QUIET and count < CROWD:
            await asyncio.sleep(0)
            before, count = count, sum(map(len, self._waiting.values()))
            quiet = quiet + 1 if count == before else 0

    async def _try(self, batches: list[tuple[BatchScript[Any], _Waiting]]) -> None:
        try:
            await self._commit(batches)
        except Exception as error:  # noqa: BLE001 - the writer must not end
            log.error("the writer stumbled", error=type(error).__name__)
            self._refuse(batches, StoreUnavailable("the writer stumbled", "see the log"))

    def _apart(
        self, batches: list[tuple[BatchScript[Any], _Waiting]]
    ) -> Iterator[list[tuple[BatchScript[Any], _Waiting]]]:
        """What shares a transaction; on SQLite, where one process writes, everything does."""
        if self.database == "sqlite" or not any(is_alone(script) for script, _ in batches):
            yield batches
            return
        if together := [batch for batch in batches if not is_alone(batch[0])]:
            yield together
        yield from ([batch] for batch in batches if is_alone(batch[0]))

    async def _scrub(self) -> None:
        asked, self._scrubs = self._scrubs, []
        refused: Exception | None = None
        try:
            await self.driver.scrub(whole=any(whole for whole, _ in asked))
        except StoreUnavailable as error:
            refused = error
        except Exception as error:  # noqa: BLE001 - the writer must not end
            log.error("a scrub stumbled", error=type(error).__name__)
            refused = StoreUnavailable("what was deleted is not overwritten yet", "see the log")
        for _, one in asked:
            if refused is not None and not one.done():
                one.set_exception(refused)
            elif not one.done():
                one.set_result(None)

    async def _commit(self, batches: list[tuple[BatchScript[Any], _Waiting]]) -> None:
        try:
            results = await self.driver.transaction(
                [partial(script, [i for i, _ in waiting]) for script, waiting in batches]
            )
        except StoreUnavailable as error:
            self._refuse(batches, error)
        except Exception as error:  # noqa: BLE001
            # One item is at fault: each has its own transaction, so that only that one fails.
            await self._one_by_one(batches, error)
        else:
            self._resolve(batches, results)

    def _take(self) -> list[tuple[BatchScript[Any], _Waiting]]:
        batches = [(script, waiting[:BATCH]) for script, waiting in self._waiting.items()]
        self._waiting = {s: w[BATCH:] for s, w in self._waiting.items() if len(w) > BATCH}
        return batches

    def _resolve(
        self, batches: list[tuple[BatchScript[Any], _Waiting]], results: list[Any]
    ) -> None:
        self.commits += 1
        if self.failing is not None:
            self.failing = None
            self._told.clear()
            log.info("database takes writes again")
        for (_, waiting), answers in zip(batches, results, strict=True):
            for (_, future), answer in zip(waiting, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

    def _refuse(
        self, batches: list[tuple[BatchScript[Any], _Waiting]], error: StoreUnavailable
    ) -> None:
        if error.hint not in self._told:  # what it is may show later than that it is
            self._told.add(error.hint)
            log.error("database refuses writes", error=error.sentence, hint=error.hint)
        self.failing = error
        for _, waiting in batches:
            for _, future in waiting:
                if not future.done():
                    future.set_exception(StoreUnavailable(error.sentence, error.hint))

    async def _one_by_one(
        self, batches: list[tuple[BatchScript[Any], _Waiting]], error: Exception
    ) -> None:
        if sum(len(waiting) for _, waiting in batches) > 1:
            log.warning("a batch failed, its items follow one by one", error=type(error).__name__)
        for script, waiting in batches:
            for item, future in waiting:
                alone = [(script, [(item, future)])]
                try:
                    results = await self.driver.transaction([partial(script, [item])])
                except StoreUnavailable as refused:
                    self._refuse(alone, refused)
                except Exception as fault:  # noqa: BLE001
                    if not future.done():
                        future.set_exception(fault)
                else:
                    self._resolve(alone, results)
