"""PostgreSQL over asyncpg: one connection that writes in groups, a small pool that reads."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from bridge.errors import StoreUnavailable
from bridge.store.leases import LEASE_SECONDS
from bridge.store.sql import (
    Do,
    Lock,
    Many,
    Plain,
    Refs,
    Row,
    Rows,
    Script,
    Shred,
    Statement,
    Step,
    is_last,
)
from bridge.store.tables import metadata
from bridge.store.vault import Session, Vault

_GONE = (
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that breaks in the middle of a command
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    # What whoever runs the server takes away and gives back: the password, the database, rights.
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    OSError,
    TimeoutError,
)
_HELD_UP = (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError, TimeoutError)
_AGAIN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_AGAIN_TIMES = 5
CONNECT_SECONDS = 10
COMMAND_SECONDS = 30
CLOSE_SECONDS = 5
SCRUB_SECONDS = 3600
NAME = "sms-bridge"
_END = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = $1 AND application_name = $2 AND usename = current_user AND state <> 'idle'
"""
_TABLES = ", ".join(metadata.tables)
#: Those that hold people's names and addresses as they were written, and keys.
_NAMES = "contact, contact_group, conversation, staff, subject_key"


def unavailable(error: Exception) -> StoreUnavailable:
    """What PostgreSQL says, as a temporary refusal with what to do."""
    if isinstance(error, asyncpg.InsufficientResourcesError):
        hint = "PostgreSQL is short of disk, memory or connections: see its log"
    elif isinstance(error, asyncpg.PostgresSystemError):
        hint = "PostgreSQL cannot use its files or its memory: see its log, and its disk"
    elif isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        hint = "this PostgreSQL only reads (a replica?): name the primary in [database] url"
    elif isinstance(error, _HELD_UP):
        hint = (
            "PostgreSQL does not answer in time: see that it is reached,"
            " and in pg_stat_activity who holds a lock"
        )
    else:
        hint = "check that PostgreSQL runs and that [database] url is right"
    return StoreUnavailable(f"the database did not take it ({type(error).__name__})", hint)


_Way: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"


class Postgres:
    """The driver of a PostgreSQL database."""

    database = "postgresql"

    def __init__(self, url: str, vault: Vault) -> None:
        self.url = url
        self.vault = vault
        self._writer: asyncpg.Connection[Any] | None = None
        self._readers: asyncpg.Pool[Any] | None = None
        self._session: int | None = None
        #: When nobody waits any longer, and for whom that holds; see `hurry`.
        self._until: float | None = None
        self._waits: set[asyncio.Timeout] = set()

    async def open(self) -> None:
        """Connect. Raises StoreUnavailable."""
        try:
            await self._renew()
            self._readers = await asyncpg.create_pool(
                self.url,
                min_size=0,
                max_size=4,
                timeout=CONNECT_SECONDS,
                command_timeout=COMMAND_SECONDS,
                reset=_as_it_is,
            )
        except (asyncpg.PostgresError, *_GONE) as error:
            await self.close()
            raise unavailable(error) from error

    async def _renew(self) -> None:
        """Connect the writer, and end what its last connection left at the server.

        That may not have heard of its end; it would keep its locks, and in the midst of a command
        no timeout of the server counts.
        """
        writer = self._writer = await self._connect()
        if self._session is not None:
            await writer.execute(_END, self._session, NAME)
        self._session = writer.get_server_pid()

    async def _connect(self) -> asyncpg.Connection[Any]:
        # synchronous_commit is said aloud: a server-wide "off" would break our 250. A process that
        # stands still within a transaction must not keep its locks from whoever takes over.
        return await asyncpg.connect(
            self.url,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings={
                "synchronous_commit": "on",
                "application_name": NAME,
                "idle_in_transaction_session_timeout": f"{LEASE_SECONDS * 1000:.0f}",
            },
        )

    async def close(self) -> None:
        """Close the connections."""
        writer, readers = self._writer, self._readers
        self._writer = self._readers = None
        # A server that does not answer is left without a farewell; both then drop what they have.
        with contextlib.suppress(*_GONE):
            if writer is not None:
                await writer.close(timeout=CLOSE_SECONDS)
        with contextlib.suppress(*_GONE):
            if readers is not None:
                await asyncio.wait_for(readers.close(), CLOSE_SECONDS)

    def hurry(self, seconds: float) -> None:
        """Wait no longer than these seconds from now, in all, for a server that does not answer."""
        self._until = asyncio.get_running_loop().time() + seconds
        for wait in self._waits:
            wait.reschedule(self._until)

    @asynccontextmanager
    async def _patience(self) -> AsyncIterator[None]:
        async with asyncio.timeout_at(self._until) as wait:
            self._waits.add(wait)
            try:
                yield
            finally:
                self._waits.discard(wait)

    async def transaction(self, scripts: Sequence[Callable[[], Script]]) -> list[Any]:
        """Run scripts in one transaction; their results once it is committed.

        Raises StoreUnavailable; after a connection lost during COMMIT it may have been stored.
        """
        for again in range(_AGAIN_TIMES):
            try:
                async with self._patience():
                    return await self._once(scripts)
            except _AGAIN as error:
                if again == _AGAIN_TIMES - 1:
                    raise unavailable(error) from error
            except _GONE as error:
                await self._drop()
                raise unavailable(error) from error
        raise AssertionError("unreachable")

    async def _once(self, scripts: Sequence[Callable[[], Script]]) -> list[Any]:
        if self._writer is None or self._writer.is_closed():
            await self._renew()
        connection = self._writer
        session = self.vault.session()
        async with _transaction(connection):
            done = dict.fromkeys(range(len(scripts)))
            for place in sorted(done, key=lambda place: is_last(scripts[place])):
                done[place] = await _drive(connection, scripts[place](), session)
        session.committed()
        return list(done.values())

    async def _drop(self) -> None:
        """A connection that failed is not trusted again."""
        if self._writer is not None:
            self._writer.terminate()
            self._writer = None
            await asyncio.sleep(0)

    async def rows(self, statement: Statement, values: Mapping[str, Any]) -> list[Row]:
        """Run one SELECT outside of the writer's way."""
        if self._readers is None:
            raise StoreUnavailable("the database is closed", "start the bridge again")
        session = self.vault.session()
        try:
            async with self._patience(), self._readers.acquire() as reader:
                with _cut(reader):
                    return list(await _perform(reader, Rows(statement, values), session))
        except _GONE as error:
            # Where one connection is dead its neighbours are: each would be waited for as long.
            await self._readers.expire_connections()
            raise unavailable(error) from error

    async def scrub(self, *, whole: bool = False) -> None:
        """Take what was deleted out of its tables; with `whole` write those of names anew.

        That locks them for as long. The server's own log is the operator's.
        """
        if self._readers is None:
            raise StoreUnavailable("the database is closed", "start the bridge again")
        try:
            await self._readers.execute(f"VACUUM {_TABLES}", timeout=SCRUB_SECONDS)
            if whole:
                await self._readers.execute(f"VACUUM FULL {_NAMES}", timeout=SCRUB_SECONDS)
        except (asyncpg.PostgresError, *_GONE) as error:
            raise unavailable(error) from error


async def _as_it_is(_connection: _Way) -> None:
    """A connection that has only read is given back as it is."""


@asynccontextmanager
async def _transaction(connection: asyncpg.Connection[Any]) -> AsyncIterator[None]:
    """A transaction; where the server does not answer nobody waits for its ROLLBACK."""
    with _cut(connection):
        transaction = connection.transaction()
        await transaction.start()
        try:
            yield
        except (asyncio.CancelledError, *_GONE):
            raise
        except BaseException:
            await transaction.rollback()
            raise
        await transaction.commit()


@contextmanager
def _cut(connection: _Way) -> Iterator[None]:
    """Cut a connection that failed: to roll back, or to give it back, would wait for the server."""
    try:
        yield
    except (asyncio.CancelledError, *_GONE):
        connection.terminate()
        raise


async def _drive(connection: asyncpg.Connection[Any], script: Script, session: Session) -> Any:
    answer: Any = None
    while True:
        try:
            step = script.send(answer)
        except StopIteration as end:
            return end.value
        answer = await _perform(connection, step, session)


async def _perform(connection: _Way, step: Step, session: Session) -> Any:
    """Run a step, through the vault where it has to do with it."""
    if not isinstance(step, (Refs, Shred)) and not step.statement.of("postgresql").guarded:
        return await _step(connection, step)
    steps = session.perform(step, "postgresql")
    answer: Any = None
    while True:
        try:
            part = steps.send(answer)
        except StopIteration as end:
            return end.value
        answer = await _step(connection, part)


def _count(status: str) -> int:
    """How many rows a command tag such as `INSERT 0 5` speaks of."""
    word = status.rpartition(" ")[2]
    return int(word) if word.isdigit() else 0


async def _step(connection: _Way, step: Plain) -> Any:
    compiled = step.statement.of("postgresql")
    match step:
        case Rows(values=values):
            return await connection.fetch(compiled.text, *compiled.bind(values))
        case Do(values=values):
            return _count(await connection.execute(compiled.text, *compiled.bind(values)))
        case Many(statement=statement) if statement.whole:
            return _count(
                await connection.execute(compiled.text, *compiled.bind({"rows": step.json()}))
            )
        case Lock(values=values):
            return await connection.fetch(compiled.text, *compiled.bind(values))
        case Many(rows=rows):
            await connection.executemany(compiled.text, [compiled.bind(row) for row in rows])
            return None
