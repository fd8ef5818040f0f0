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

metadata = MetaData()

# The conditions of partial indexes. SQLite uses such an index only where a statement repeats the
# condition word for word: see `claims.is_open`.
OPEN = "state IN ('sending', 'scheduled', 'held', 'unknown')"
WAITING = "state IN ('queued', 'scheduled', 'held')"


def _id(name: str = "id") -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def _serial() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def _ref(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _time(name: str) -> Column[float]:
    return Column(name, Double, nullable=False)


def _maybe_time(name: str) -> Column[float]:
    return Column(name, Double, nullable=True)


# A run of one process. Leases name it, so that a new start can tell its dead forebears' claims.
incarnation = Table(
    "incarnation",
    metadata,
    _serial(),
    _text("slot"),  # which process of which data directory
    _time("started_at"),
    _time("seen_at"),
)

# Which process owns a carrier's bind, and with it both of its lanes.
carrier_lease = Table(
    "carrier_lease",
    metadata,
    Column("carrier", Text, primary_key=True),
    _ref("incarnation"),
    _time("until"),
    Column("up", Boolean, nullable=False, server_default=text("false")),
)

tenant = Table(
    "tenant",
    metadata,
    _serial(),
    Column("name", Text, nullable=False, unique=True),
    _text("settings"),  # JSON
    _text("source"),  # "file" | "command"
    _time("created_at"),
    _maybe_time("closed_at"),
)

sender_rule = Table(
    "sender_rule",
    metadata,
    _serial(),
    _ref("tenant_id"),
    Column("position", Integer, nullable=False),
    _text("address"),
    _text("proofs"),  # JSON list
    _text("class"),
    _text("source"),
)

login = Table(
    "login",
    metadata,
    Column("username", Text, primary_key=True),
    _ref("tenant_id"),
    _text("password_hash"),
    _text("source"),
)

sender_token = Table(
    "sender_token",
    metadata,
    Column("hash", Text, primary_key=True),
    _ref("tenant_id"),
    _time("created_at"),
)

# The person behind a number, as one tenant knows them.
subject = Table(
    "subject",
    metadata,
    _id(),
    _ref("tenant_id"),
    _text("phone"),  # E.164
    _text("phone_index"),  # HMAC under the tenant's key: equality search, and the suppression token
    _text("all_index"),  # HMAC under the operator's key: suppression in scope "all"
    _text("country"),
    _time("created_at"),
    Index("subject_phone", "phone_index", unique=True),
    Index("subject_all", "all_index"),
)

# An origin and a destination over one originator.
conversation = Table(
    "conversation",
    metadata,
    _id(),
    _ref("tenant_id"),
    _ref("subject_id"),
    _text("originator"),
    _text("origin_kind"),  # "mail" | "slack" | "telegram" | "cli"
    _text("origin_address"),
    _time("created_at"),
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
    _id(),
    _ref("tenant_id"),
    _ref("subject_id"),
    _ref("conversation_id"),
    _text("class"),
    Column("urgent", Boolean, nullable=False),
    # The one answer to a STOP, START or HELP: suppression does not hold it back.
    Column("exempt", Boolean, nullable=False, server_default=text("false")),
    _text("originator"),
    _text("encoding"),
    _text("lang"),
    Column("parts", SmallInteger, nullable=False),
    _text("rules"),  # what shaped the text, names only
    _text("state"),
    _text("reason"),
    _text("lane"),  # "<carrier>.urgent" | "<carrier>.bulk"
    Column("hop", SmallInteger, nullable=False, server_default=text("0")),  # place in the route
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("resent", Integer, nullable=False, server_default=text("0")),
    _time("due_at"),
    _time("expires_at"),
    _time("created_at"),
    _maybe_time("sent_at"),
    _maybe_time("final_at"),
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
    _id("message_id"),
    _text("text"),
    _text("origin"),  # JSON: a mail's Message-ID, References, Subject
)

# The same mail within an hour is one SMS: keyed hashes of (tenant, sender, recipient, id, content).
seen = Table(
    "seen",
    metadata,
    Column("key", Text, primary_key=True),
    _ref("message_id"),
    _time("at"),
    Index("seen_at", "at"),
    sqlite_with_rowid=False,
)

# One try of one part with one carrier; written before anything leaves.
attempt = Table(
    "attempt",
    metadata,
    _id(),
    _ref("message_id"),
    Column("part", SmallInteger, nullable=False),
    Column("total", SmallInteger, nullable=False),  # 1 where the carrier takes a long text whole
    _text("carrier"),
    _text("state"),  # claimed accepted not-sent rejected failed unknown delivered expired
    _text("carrier_id"),
    _text("reason"),
    _ref("incarnation"),
    _time("at"),
    _maybe_time("answered_at"),
    _maybe_time("final_at"),
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
    _serial(),
    _ref("message_id"),
    _text("kind"),
    _text("detail"),  # carrier's code or our reason; never personal data
    _time("at"),
    Index("event_message", "message_id"),
)

# What a carrier told us and could not be matched yet: early receipts, parts of a long MO.
callback = Table(
    "callback",
    metadata,
    _serial(),
    _text("carrier"),
    _text("kind"),  # "receipt" | "part"
    _text("key"),  # receipt: the carrier's id; part: HMAC of (carrier, source, destination, ref)
    Column("number", SmallInteger, nullable=False, server_default=text("1")),
    Column("total", SmallInteger, nullable=False, server_default=text("1")),
    _text("payload"),  # JSON; empty once matched
    _time("at"),
    Index("callback_key", "kind", "key"),
    Index("callback_at", "at"),
)

# An MO that came again (its acknowledgement was lost) is one reply: keyed hashes.
heard = Table(
    "heard",
    metadata,
    Column("key", Text, primary_key=True),
    _time("at"),
    Index("heard_at", "at"),
    sqlite_with_rowid=False,
)

# An MO. Its words stand in `reply_body`.
reply = Table(
    "reply",
    metadata,
    _id(),
    _ref("tenant_id"),
    _ref("subject_id"),
    Column("conversation_id", BigInteger, nullable=True),
    Column("message_id", BigInteger, nullable=True),  # the MT it most likely answers
    _text("carrier"),
    _text("originator"),  # our number that was written to
    _text("verdict"),  # stop start help intent none
    Column("partial", Boolean, nullable=False, server_default=text("false")),
    _time("at"),
    Index("reply_subject", "subject_id"),
)

reply_body = Table("reply_body", metadata, _id("reply_id"), _text("text"))

# One line owed to an origin or to a tenant's inbox; holds references only.
notice = Table(
    "notice",
    metadata,
    _serial(),
    _ref("tenant_id"),
    _text("edge"),  # "mail"
    _text("kind"),  # failed delivered unknown answer inbox explained
    Column("conversation_id", BigInteger, nullable=True),
    Column("message_id", BigInteger, nullable=True),
    Column("reply_id", BigInteger, nullable=True),
    _text("state"),  # due sending sent failed
    _text("reason"),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    _time("due_at"),
    _time("created_at"),
    _maybe_time("done_at"),
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
        unique=True,
        sqlite_where=text("message_id IS NOT NULL"),
        postgresql_where=text("message_id IS NOT NULL"),
    ),
    Index(
        "notice_reply",
        "reply_id",
        "kind",
        unique=True,
        sqlite_where=text("reply_id IS NOT NULL"),
        postgresql_where=text("reply_id IS NOT NULL"),
    ),
)

# What an `explain.` mail is told; nothing else of that mail is kept.
notice_body = Table("notice_body", metadata, _id("notice_id"), _text("payload"))

# Our list not to text. A token, never a number; it outlives erasure.
suppression = Table(
    "suppression",
    metadata,
    _serial(),
    _text("scope"),  # "tenant" | "all"
    _ref("tenant_id"),  # 0 in scope "all"
    _text("token"),
    _text("source"),
    _time("created_at"),
    _maybe_time("lifted_at"),
    _text("lift_source"),
    Index("suppression_lifted", "lifted_at"),
    Index(
        "suppression_token",
        "token",
        unique=True,
        sqlite_where=text("lifted_at IS NULL"),
        postgresql_where=text("lifted_at IS NULL"),
    ),
)

# Reading a text or a number by hand leaves a line.
audit = Table(
    "audit",
    metadata,
    _serial(),
    _text("actor"),
    _text("action"),
    _text("reason"),
    _time("at"),
)

# The sandbox carrier: which parts its phones received, and how a phone behaves.
sandbox_part = Table(
    "sandbox_part",
    metadata,
    _serial(),
    _ref("message_id"),
    Column("part", SmallInteger, nullable=False),
    Column("total", SmallInteger, nullable=False),
    _text("originator"),
    _time("at"),
    Index("sandbox_part_message", "message_id"),
)

sandbox_phone = Table(
    "sandbox_phone",
    metadata,
    Column("all_index", Text, primary_key=True),
    _text("mode"),  # normal slow unreachable
)

# Small facts about this store: which pepper its hashes were made with.
fact = Table("fact", metadata, Column("name", Text, primary_key=True), _text("value"))
