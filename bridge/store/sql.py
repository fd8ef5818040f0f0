"""A statement written once in SQLAlchemy Core; compiled once for each of the two databases.

The hot paths do not run through SQLAlchemy's execution layers (six times the driver's own cost):
a script yields `One`, `Rows` or `Many` with a `Statement`, and a driver runs the compiled text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    Double,
    Integer,
    SmallInteger,
    Subquery,
    Table,
    Text,
    bindparam,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import NullType, TypeEngine

Row = Sequence[Any]
T = TypeVar("T")


class Among(ColumnElement[bool]):
    """`column` is one of the values of a list parameter, of any length, in one statement."""

    inherit_cache = False
    # A Boolean would be compared with 1 in SQLite.
    type = NullType()  # type: ignore[assignment]

    def __init__(self, column: ColumnElement[Any], parameter: ColumnElement[Any]) -> None:
        self.column = column
        self.parameter = parameter


@compiles(Among, "sqlite")
def _among_sqlite(element: Among, compiler: SQLCompiler, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    parameter = compiler.process(element.parameter, **kw)
    return f"{column} IN (SELECT value FROM json_each({parameter}))"  # noqa: S608


@compiles(Among, "postgresql")
def _among_postgresql(element: Among, compiler: SQLCompiler, **kw: Any) -> str:
    kind = "bigint" if isinstance(element.column.type, BigInteger) else "text"
    column = compiler.process(element.column, **kw)
    parameter = compiler.process(element.parameter, **kw).split("::")[0]
    return f"{column} = ANY({parameter}::{kind}[])"


def among(column: ColumnElement[Any], name: str) -> Among:
    """`column` is one of the values of the list parameter `name`."""
    return Among(column, bindparam(name, type_=Text()))


class Values(list[Any]):
    """A list parameter for `among`: JSON for SQLite, an array for PostgreSQL."""

    __slots__ = ()


class Sealed(Text):
    """A text that is encrypted at rest (`store.vault`).

    `owner` names the value of a row that says whose key: a person's id. "" is the bridge's own.
    """

    def __init__(self, column: str = "", owner: str = "") -> None:
        super().__init__()
        self.column = column
        self.owner = owner

    @property
    def seal(self) -> tuple[str, bytes]:
        """Whose key, and what is bound to the value."""
        return self.owner, self.column.encode()


Seals = Mapping[str, tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a driver runs: the text, and how a row of values becomes its parameters in order.

    `seals` are the values that are encrypted first (name → whose key, column), `opens` the places
    of a found row that are decrypted (place, column).
    """

    text: str
    bind: Callable[[Mapping[str, Any]], Sequence[Any]]
    seals: Seals
    opens: Sequence[tuple[int, bytes]]
    guarded: bool


Clause = ClauseElement | Callable[[str], ClauseElement]


ROWS = "/*rows*/"


class Statement:
    """One SQLAlchemy Core statement, compiled for a database when it is first used there.

    `clause` may be a function of the database's name, for the few that differ (ON CONFLICT);
    `keys` are an INSERT's columns, where not all of the table's.
    """

    def __init__(
        self,
        clause: Clause,
        keys: Sequence[str] | None = None,
        *,
        whole: bool = False,
        seals: Seals | None = None,
    ) -> None:
        self._clause = clause
        self._seals = seals or {}
        self._keys = keys
        #: Whether it takes all rows of a `Many` step at once, and how a row becomes a list.
        self.whole = whole
        self.row = _binder(tuple(keys), {}) if keys and whole else None
        self._compiled: dict[str, Compiled] = {}
        self._rows_texts: dict[int, str] = {}

    def rows_text(self, count: int) -> str:
        """A batched statement's text for so many rows, on SQLite."""
        found = self._rows_texts.get(count)
        if found is None:
            row = f"({', '.join('?' * len(self._keys or ()))})"
            rows = ", ".join([row] * count)
            found = self._rows_texts[count] = self.of("sqlite").text.replace(ROWS, rows)
        return found

    def of(self, database: str) -> Compiled:
        """The text for "sqlite" or "postgresql"."""
        found = self._compiled.get(database)
        if found is None:
            found = self._compiled[database] = self._compile(database)
        return found

    def _compile(self, database: str) -> Compiled:
        dialect: Dialect
        if database == "sqlite":
            dialect = SQLiteDialect_pysqlite(paramstyle="qmark")
        else:
            dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
        keys = list(self._keys) if self._keys and not self.whole else None
        clause = self._clause(database) if callable(self._clause) else self._clause
        sql = cast("SQLCompiler", clause.compile(dialect=dialect, column_keys=keys))
        fixed = {name: p.value for name, p in sql.binds.items() if not p.required}
        seals = {**self._seals, **_sealed_parameters(sql)}
        opens = _sealed_columns(sql)
        bind = _binder(tuple(sql.positiontup or ()), fixed)
        return Compiled(str(sql), bind, seals, opens, bool(seals or opens))


def _sealed_parameters(sql: SQLCompiler) -> Seals:
    """What of a statement's parameters goes into a sealed column."""
    found = {}
    for name, parameter in sql.binds.items():
        kind = parameter.type
        if isinstance(kind, Sealed) and parameter.required:
            found[name] = kind.seal
    return found


def _sealed_columns(sql: SQLCompiler) -> list[tuple[int, bytes]]:
    """What of a found row comes from a sealed column."""
    return [
        (place, entry.type.seal[1])
        for place, entry in enumerate(sql._result_columns)  # noqa: SLF001 - it knows the types
        if isinstance(entry.type, Sealed)
    ]


def _binder(
    names: tuple[str, ...], fixed: Mapping[str, Any]
) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    """How values become parameters; `fixed` are the constants SQLAlchemy took out of the text."""
    own = fixed.keys() & set(names)
    if own:
        return lambda values: [fixed[n] if n in own else values[n] for n in names]
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: [values[n] for n in names]


_POSTGRESQL_TYPES = {
    BigInteger: "bigint",
    Integer: "integer",
    SmallInteger: "smallint",
    Double: "double precision",
    Boolean: "boolean",
    Text: "text",
}


def _given(database: str, types: Mapping[str, type[TypeEngine[Any]]]) -> Subquery:
    """The rows of a `Many` step, as something to select from."""
    if database == "sqlite":
        # As many rows as there are: `Statement.rows_text` puts them in. Reading them from one JSON
        # parameter instead costs several times as much there.
        source = f"(VALUES {ROWS})"
        columns = [f'column{i} AS "{name}"' for i, name in enumerate(types, 1)]
        plain = text(f"SELECT {', '.join(columns)} FROM {source}")  # noqa: S608 - our own names
        return plain.columns(**types).subquery("given")
    columns = [
        f'CAST(value ->> {i} AS {_POSTGRESQL_TYPES[kind]}) AS "{name}"'
        for i, (name, kind) in enumerate(types.items())
    ]
    source = "json_array_elements(CAST(:rows AS json))"
    from_json = text(f"SELECT {', '.join(columns)} FROM {source}")  # noqa: S608 - our own names
    rows = bindparam("rows", type_=Text())
    return from_json.bindparams(rows).columns(**types).subquery("given")


def batched(
    make: Callable[[Subquery, str], ClauseElement],
    seals: Seals | None = None,
    **types: type[TypeEngine[Any]],
) -> Statement:
    """A statement over all rows of a `Many` step at once; `make` gets them as a FROM clause.

    A statement a row would give the interpreter away, and wait for it again, at each row.
    """
    return Statement(
        lambda db: make(_given(db, types), db), keys=tuple(types), whole=True, seals=seals
    )


def _insert(table: Table, keys: Sequence[str] | None, *, new_only: bool) -> Statement:
    columns = [table.c[key] for key in keys] if keys else list(table.columns)
    types = {c.name: _plain(c.type) for c in columns}

    def make(given: Subquery, database: str) -> ClauseElement:
        dialect = {"sqlite": sqlite, "postgresql": postgresql}[database]
        # Without a WHERE, SQLite would read ON CONFLICT as a part of the SELECT.
        clause = dialect.insert(table).from_select(
            [c.name for c in columns], select(*given.c).where(true())
        )
        found: ClauseElement = clause.on_conflict_do_nothing() if new_only else clause
        return found

    seals = {c.name: kind.seal for c in columns if isinstance(kind := c.type, Sealed)}
    return batched(make, seals, **types)


def _plain(kind: TypeEngine[Any]) -> type[TypeEngine[Any]]:
    return next(plain for plain in _POSTGRESQL_TYPES if isinstance(kind, plain))


def insert(table: Table, keys: Sequence[str] | None = None) -> Statement:
    """INSERT of all columns, or of those named, for `Many`."""
    return _insert(table, keys, new_only=False)


def insert_new(table: Table, keys: Sequence[str] | None = None) -> Statement:
    """INSERT, for `Many`, that leaves a row alone which is already there."""
    return _insert(table, keys, new_only=True)


def constant(word: str) -> ColumnElement[str]:
    """A word written into the statement itself, so that a partial index can be used."""
    if not word.replace("-", "a").isalpha() and word:
        raise ValueError("a constant is a plain word, or empty")
    return literal_column(f"'{word}'")


@dataclass(frozen=True, slots=True)
class Rows:
    """Run a statement; the script receives all its rows."""

    statement: Statement
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Do:
    """Run a statement; the script receives how many rows it touched."""

    statement: Statement
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Many:
    """Run a statement for each row, or for all at once (`batched`).

    The script receives how many rows it touched, where it is batched.
    """

    statement: Statement
    rows: Sequence[Mapping[str, Any]]

    def json(self) -> str:
        """All rows for a batched statement."""
        row = self.statement.row
        assert row is not None  # noqa: S101 - what `whole` says
        # Not escaped: a lone surrogate then fails here, in its own item, and not in SQLite's JSON.
        return json.dumps([row(values) for values in self.rows], ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Lock:
    """Run a SELECT … FOR UPDATE for its locks: the script receives its rows, or None from SQLite,
    which has one writer and needs none.
    """

    statement: Statement
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refs:
    """Have the audit's names of these people: the script receives person → reference (P62)."""

    people: Sequence[int]


@dataclass(frozen=True, slots=True)
class Shred:
    """Destroy these people's keys (PRIVACY P65); the script receives how many there were."""

    people: Sequence[int]


Plain = Rows | Do | Many | Lock
Step = Plain | Refs | Shred
# A transaction as a plain generator: it yields steps and is sent their results. The same script
# runs in one hop inside SQLite's thread and step by step over asyncpg.
Script = Generator[Step, Any, Any]


_QUICK: set[Any] = set()


def quick(script: T) -> T:
    """Mark a batch script (a function, or a class of them) that takes a fraction of a millisecond
    an item, whatever is in the database.
    """
    _QUICK.add(script)
    return script


_LAST: set[Any] = set()


def last(script: T) -> T:
    """Mark a batch script that locks what many processes want: it follows all others of its
    transaction, so that whoever holds that lock waits for no other.
    """
    _LAST.add(script)
    return script


_ALONE: set[Any] = set()


def alone(script: T) -> T:
    """Mark a batch script that shares no transaction where several processes write: beside `last`
    ones it would lock in another order than they do.
    """
    _ALONE.add(script)
    return script


def is_alone(script: Any) -> bool:
    """Whether a batch script is marked as alone."""
    return script in _ALONE


def is_last(script: Callable[[], Script]) -> bool:
    """Whether a batch script, with its items bound to it, is marked as last."""
    return getattr(script, "func", None) in _LAST


def is_quick(script: Callable[[], Script]) -> bool:
    """Whether a batch script, with its items bound to it, is marked as quick."""
    batch = getattr(script, "func", None)
    return batch in _QUICK or type(batch) in _QUICK


def unique(values: Iterable[Any]) -> Values:
    """A list parameter without repeats, in a steady order (so that locks are taken in one)."""
    return Values(sorted(set(values)))
