"""The tables: what stands where, so that a number, a text and a traffic record each have one home.

A phone number stands only in `subject` (and in a raw `callback` until it is matched, 72 hours at
most). What people wrote stands only in `body` and `reply_body`. Everything else holds references,
so encryption, retention and erasure touch one place each (PRIVACY b).

Times are Unix seconds (double). Ids are 63-bit, made by `store.ids`, ordered by time.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

from bridge.store.sql import Sealed

metadata = MetaData()

# The conditions of partial indexes. SQLite uses such an index only where a statement repeats the
# condition word for word. It judges OR at a fraction of what IN costs it, at every write.
OPEN = "(state = 'sending' OR state = 'scheduled' OR state = 'held' OR state = 'unknown')"
OWED = "(subject_id IS NOT NULL AND (state = 'due' OR state = 'sending'))"
WAITING = "(state = 'queued' OR state = 'scheduled' OR state = 'held')"
LOOSE = "(message_id IS NULL AND reply_id IS NULL)"


# 64 bits everywhere. In SQLite a key of this very name is the row's own place; BIGINT would make
# it an index beside the table, and each of our ids a second insertion.
KEY = BigInteger().with_variant(Integer, "sqlite")


def id_column(name: str = "id") -> Column[int]:
    """A key that we make (`store.ids`)."""
    return Column(name, KEY, primary_key=True, autoincrement=False)


def serial() -> Column[int]:
    """A key that the database counts."""
    return Column("id", KEY, primary_key=True)


def ref(name: str) -> Column[int]:
    """The id of a row elsewhere."""
    return Column(name, BigInteger, nullable=False)


def text_column(name: str) -> Column[str]:
    """Words; empty unless given."""
    return Column(name, Text, nullable=False, server_default="")


def sealed_column(name: str, owner: str = "") -> Column[str]:
    """Words that are encrypted at rest; empty unless given.

    `owner` names the value that an inserted row has of whose they are (`store.vault`); without it
    they are under the bridge's own key.
    """
    return Column(name, Sealed(name, owner), nullable=False, server_default="")


def time(name: str) -> Column[float]:
    """Unix seconds."""
    return Column(name, Double, nullable=False)


def maybe_time(name: str) -> Column[float]:
    """Unix seconds, or not yet."""
    return Column(name, Double, nullable=True)


# A run of one process. Leases name it, so that a new start can tell its dead forebears' claims.
incarnation = Table(
    "incarnation",
    metadata,
    serial(),
    text_column("slot"),  # which process of which data directory
    time("started_at"),
    time("seen_at"),
)

# Which process owns a carrier's bind, and with it both of its lanes.
carrier_lease = Table(
    "carrier_lease",
    metadata,
    Column("carrier", Text, primary_key=True),
    ref("incarnation"),
    time("until"),
    Column("up", Boolean, nullable=False, server_default=text("false")),
)

tenant = Table(
    "tenant",
    metadata,
    serial(),
    Column("name", Text, nullable=False, unique=True),
    text_column("settings"),  # JSON
    text_column("source"),  # "file" | "command"
    time("created_at"),
    maybe_time("closed_at"),
)

sender_rule = Table(
    "sender_rule",
    metadata,
    serial(),
    ref("tenant_id"),
    Column("position", Integer, nullable=False),
    text_column("address"),
    text_column("proofs"),  # JSON list
    text_column("class"),
    text_column("source"),
    # Seconds within which the same alert is folded into one; 0: not at all.
    Column("fold", Double, nullable=False, server_default=text("0")),
)

login = Table(
    "login",
    metadata,
    Column("username", Text, primary_key=True),
    ref("tenant_id"),
    text_column("password_hash"),
    text_column("source"),
)

sender_token = Table(
    "sender_token",
    metadata,
    Column("hash", Text, primary_key=True),
    ref("tenant_id"),
    time("created_at"),
)

# The person behind a number, as one tenant knows them.
subject = Table(
    "subject",
    metadata,
    id_column(),
    ref("tenant_id"),
    sealed_column("phone", "id"),  # E.164
    text_column(
        "phone_index"
    ),  # HMAC under the tenant's key: equality search, and the suppression token
    text_column("all_index"),  # HMAC under the operator's key: suppression in scope "all"
    text_column("country"),
    time("created_at"),
    Index("subject_phone", "phone_index", unique=True),
    Index("subject_all", "all_index"),
)

# A person's key, wrapped by the master key. Who deletes the row has destroyed what it sealed.
subject_key = Table(
    "subject_key",
    metadata,
    id_column("subject_id"),
    text_column("wrapped"),  # base64
    text_column("kek"),  # which master key wrapped it
)

# An origin and a destination over one originator.
conversation = Table(
    "conversation",
    metadata,
    id_column(),
    ref("tenant_id"),
    ref("subject_id"),
    text_column("originator"),
    text_column("origin_kind"),  # "mail" | "slack" | "telegram" | "cli"
    text_column("origin_address"),
    time("created_at"),
    Index(
        "conversation_key",
        "subject_id",
        "originator",
        "origin_kind",
        "origin_address",
        unique=True,
    ),
)

# The traffic record of an MT. Its words stand in `body`.
message = Table(
    "message",
    metadata,
    id_column(),
    ref("tenant_id"),
    ref("subject_id"),
    ref("conversation_id"),
    text_column("class"),
    Column("urgent", Boolean, nullable=False),
    # The one answer to a STOP, START or HELP: suppression does not hold it back.
    Column("exempt", Boolean, nullable=False, server_default=text("false")),
    # Empty, or HMAC of (tenant, programme, number): the suppression token in scope "programme".
    text_column("programme_index"),
    text_column("originator"),
    text_column("encoding"),
    text_column("lang"),
    Column("parts", SmallInteger, nullable=False),
    text_column("rules"),  # what shaped the text, names only
    text_column("state"),
    text_column("reason"),
    text_column("lane"),  # "<carrier>.urgent" | "<carrier>.bulk"
    # The place of its lane's carrier in its route as configured; who said no, its attempts tell.
    Column("hop", SmallInteger, nullable=False, server_default=text("0")),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("resent", Integer, nullable=False, server_default=text("0")),
    time("due_at"),
    time("expires_at"),
    time("created_at"),
    maybe_time("sent_at"),
    maybe_time("final_at"),
    Column("lease", BigInteger, nullable=True),
    Index(
        "message_due",
        "lane",
        "due_at",
        "id",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
    Index(
        "message_open",
        "state",
        "lease",
        sqlite_where=text(OPEN),
        postgresql_where=text(OPEN),
    ),
    Index(
        "message_expiry",
        "expires_at",
        sqlite_where=text(WAITING),
        postgresql_where=text(WAITING),
    ),
    Index("message_subject", "subject_id", "id"),
)

# What was written: the SMS text, and what is needed to answer where it was written.
body = Table(
    "body",
    metadata,
    id_column("message_id"),
    sealed_column("text", "subject_id"),
    sealed_column("origin", "subject_id"),  # JSON: a mail's Message-ID, References, Subject
)

# The same mail within an hour is one SMS: keyed hashes of (tenant, sender, recipient, id, content).
seen = Table(
    "seen",
    metadata,
    Column("key", Text, primary_key=True),
    ref("message_id"),
    time("at"),
    Index("seen_at", "at"),
    sqlite_with_rowid=False,
)

# One try of one part with one carrier; written before anything leaves.
attempt = Table(
    "attempt",
    metadata,
    id_column(),
    ref("message_id"),
    Column("part", SmallInteger, nullable=False),
    Column("total", SmallInteger, nullable=False),  # 1 where the carrier takes a long text whole
    text_column("carrier"),
    # claimed accepted not-sent throttled rejected failed unknown delivered expired
    text_column("state"),
    text_column("carrier_id"),
    text_column("reason"),
    ref("incarnation"),
    time("at"),
    maybe_time("answered_at"),
    maybe_time("final_at"),
    Index("attempt_message", "message_id"),
    Index(
        "attempt_carrier_id",
        "carrier_id",
        "carrier",
        sqlite_where=text("carrier_id <> ''"),
        postgresql_where=text("carrier_id <> ''"),
    ),
    Index(
        "attempt_claimed",
        "incarnation",
        sqlite_where=text("state = 'claimed'"),
        postgresql_where=text("state = 'claimed'"),
    ),
)

# What happened, in the order it became known. Append-only; the state is derived from it.
event = Table(
    "event",
    metadata,
    serial(),
    ref("message_id"),
    Column("part", SmallInteger, nullable=False, server_default=text("0")),  # 0: all of it
    text_column("kind"),
    text_column("detail"),  # carrier's code or our reason; never personal data
    time("at"),
    Index("event_message", "message_id"),
)

# What a carrier told us and could not be matched yet: early receipts, parts of a long MO.
callback = Table(
    "callback",
    metadata,
    serial(),
    text_column("carrier"),
    text_column("kind"),  # "receipt" | "part"
    text_column(
        "key"
    ),  # receipt: the carrier's id; part: HMAC of (carrier, source, destination, ref)
    Column("number", SmallInteger, nullable=False, server_default=text("1")),
    Column("total", SmallInteger, nullable=False, server_default=text("1")),
    sealed_column("payload"),  # JSON; empty once matched
    time("at"),
    Index("callback_key", "kind", "key"),
    Index("callback_at", "at"),
)

# An MO that came again (its acknowledgement was lost) is one reply: keyed hashes.
heard = Table(
    "heard",
    metadata,
    Column("key", Text, primary_key=True),
    time("at"),
    Index("heard_at", "at"),
    sqlite_with_rowid=False,
)

# An MO. Its words stand in `reply_body`.
reply = Table(
    "reply",
    metadata,
    id_column(),
    ref("tenant_id"),
    ref("subject_id"),
    Column("conversation_id", BigInteger, nullable=True),
    Column("message_id", BigInteger, nullable=True),  # the MT it most likely answers
    text_column("carrier"),
    text_column("originator"),  # our number that was written to
    text_column("verdict"),  # stop start help intent none
    # What was done about it: "any" or "marketing" stopped, "lifted", or nothing; and the scope.
    text_column("done"),
    text_column("done_scope"),
    Column("cancelled", Integer, nullable=False, server_default=text("0")),
    Column("partial", Boolean, nullable=False, server_default=text("false")),
    time("at"),
    Index("reply_subject", "subject_id"),
)

reply_body = Table(
    "reply_body", metadata, id_column("reply_id"), sealed_column("text", "subject_id")
)

# What a carrier that can erase calls the parts of an MO.
reply_part = Table(
    "reply_part",
    metadata,
    Column("reply_id", BigInteger, primary_key=True, autoincrement=False),
    Column("carrier_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)

# One line owed to an origin or to a tenant's inbox; holds references only.
notice = Table(
    "notice",
    metadata,
    serial(),
    ref("tenant_id"),
    text_column("edge"),  # "mail" | "slack" | "telegram"
    text_column("kind"),  # failed delivered unknown answer inbox held explained
    text_column("place"),  # of an inbox: the address, or the chat
    Column("conversation_id", BigInteger, nullable=True),
    Column("message_id", BigInteger, nullable=True),
    Column("reply_id", BigInteger, nullable=True),
    # Whom it is about, where news of one person must be told in their order.
    Column("subject_id", BigInteger, nullable=True),
    text_column("state"),  # due sending sent failed
    text_column("reason"),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    time("due_at"),
    time("created_at"),
    maybe_time("done_at"),
    Column("lease", BigInteger, nullable=True),
    Column("mailbox", Boolean, nullable=False, server_default=text("false")),
    Index(
        "notice_due",
        "edge",
        "due_at",
        sqlite_where=text("state = 'due'"),
        postgresql_where=text("state = 'due'"),
    ),
    Index(
        "notice_mailbox",
        "done_at",
        sqlite_where=text("mailbox"),
        postgresql_where=text("mailbox"),
    ),
    # The same news is owed once.
    Index(
        "notice_message",
        "message_id",
        "kind",
        "edge",
        "place",
        unique=True,
        sqlite_where=text("message_id IS NOT NULL"),
        postgresql_where=text("message_id IS NOT NULL"),
    ),
    Index(
        "notice_reply",
        "reply_id",
        "kind",
        "edge",
        "place",
        unique=True,
        sqlite_where=text("reply_id IS NOT NULL"),
        postgresql_where=text("reply_id IS NOT NULL"),
    ),
    Index(
        "notice_subject",
        "subject_id",
        "edge",
        "place",
        sqlite_where=text(OWED),
        postgresql_where=text(OWED),
    ),
    # What goes with no message and no reply: retention looks for it by itself.
    Index("notice_loose", "id", sqlite_where=text(LOOSE), postgresql_where=text(LOOSE)),
)

# What an `explain.` mail is told; nothing else of that mail is kept.
notice_body = Table("notice_body", metadata, id_column("notice_id"), sealed_column("payload"))

# Our list not to text. A token, never a number; it outlives erasure.
suppression = Table(
    "suppression",
    metadata,
    serial(),
    text_column("scope"),  # "tenant" | "programme" | "all"
    ref("tenant_id"),  # 0 in scope "all"
    Column("programme_id", BigInteger, nullable=False, server_default=text("0")),
    text_column("token"),
    Column("pepper_version", Integer, nullable=False, server_default=text("1")),
    # "any" | "marketing": which messages it stops.
    Column("purpose", Text, nullable=False, server_default="any"),
    text_column("source"),
    time("created_at"),
    maybe_time("lifted_at"),
    text_column("lift_source"),
    Index("suppression_lifted", "lifted_at"),
    Index(
        "suppression_token",
        "token",
        "purpose",
        unique=True,
        sqlite_where=text("lifted_at IS NULL"),
        postgresql_where=text("lifted_at IS NULL"),
    ),
)

# The sandbox carrier: which parts its phones received, and how a phone behaves.
sandbox_part = Table(
    "sandbox_part",
    metadata,
    serial(),
    ref("message_id"),
    Column("part", SmallInteger, nullable=False),
    Column("total", SmallInteger, nullable=False),
    text_column("originator"),
    time("at"),
    Index("sandbox_part_message", "message_id"),
)

sandbox_phone = Table(
    "sandbox_phone",
    metadata,
    Column("all_index", Text, primary_key=True),
    text_column("mode"),  # normal slow unreachable
)

# Small facts about this store: which pepper its hashes were made with.
fact = Table("fact", metadata, Column("name", Text, primary_key=True), text_column("value"))
