"""The tables of what people ask for about their own data: the register, its proofs and orders.

What names a person is sealed: `identity` under their own key where a tenant has texted them, so
that erasure takes it along; the address to answer to under the bridge's, and it goes at the end.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, text

from bridge.store.tables import (
    id_column,
    maybe_time,
    metadata,
    ref,
    sealed_column,
    serial,
    text_column,
    time,
)

# Requests that nobody has closed yet. Word for word as in `store.request_rows`.
OPEN = "closed_at IS NULL"

# A request of a data subject (GDPR Art. 12 to 22).
dsr = Table(
    "dsr",
    metadata,
    id_column(),
    ref("tenant_id"),  # 0: nobody's data but the operator's own
    ref("subject_id"),  # 0: nobody whom a tenant has texted
    text_column("role"),  # processor | controller
    text_column("type"),  # access portability rectify erase restrict object withdraw
    text_column("channel"),  # mail sms portal slack telegram cli phone letter
    text_column("lang"),
    text_column("identity_kind"),  # number | mail | slack | telegram
    sealed_column("identity", "subject_id"),
    text_column("token"),  # keyed hash of the identity; of a number, as `subject.all_index`
    sealed_column("answer_to"),  # JSON: a mail's address, id, references, subject
    sealed_column("details"),  # JSON: the right number, the ground, the way to erase
    text_column("opened_by"),
    time("received_at"),
    time("due_at"),
    maybe_time("extended_to"),
    sealed_column("extension_reason"),
    text_column("state"),
    text_column("held_from"),  # the state that a hold interrupted
    sealed_column("reason"),  # why it was refused, held or withdrawn
    text_column("identity_level"),  # "" | address | number | second-fact | vouched
    Column("instruction_id", BigInteger, nullable=True),
    Column("hold_id", BigInteger, nullable=True),
    Column("undetermined", Boolean, nullable=False, server_default=text("false")),
    maybe_time("told_at"),  # the tenant has been told
    maybe_time("escalated_at"),
    maybe_time("reminded_at"),
    maybe_time("release_at"),  # an export is not handed out before (P73)
    text_column("approved_by"),
    text_column("ran_by"),
    text_column("confirm"),  # hash of what the preview showed
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("lease", BigInteger, nullable=True),  # the process that carries it out
    maybe_time("retry_at"),
    sealed_column("outcome"),  # JSON: files, counts, the receipt's name; nobody's data
    maybe_time("closed_at"),
    Index("dsr_due", "due_at", sqlite_where=text(OPEN), postgresql_where=text(OPEN)),
    Index("dsr_token", "token"),
    Index("dsr_subject", "subject_id"),
    Index("dsr_tenant", "tenant_id", "received_at"),
    Index(
        "dsr_executing",
        "id",
        sqlite_where=text("state = 'executing'"),
        postgresql_where=text("state = 'executing'"),
    ),
)

# What happened to a request, in its order. Append-only; no personal data.
dsr_event = Table(
    "dsr_event",
    metadata,
    serial(),
    ref("dsr_id"),
    text_column("what"),
    text_column("before"),
    text_column("after"),
    text_column("actor"),
    text_column("detail"),
    time("at"),
    Index("dsr_event_dsr", "dsr_id"),
)

# A way in which a person was to prove who they are. Of a code only its keyed hash (P23).
identity_check = Table(
    "identity_check",
    metadata,
    serial(),
    ref("dsr_id"),
    text_column("method"),  # sms-code | mail-code | handset | second-fact | vouched
    text_column("otp_hmac"),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("message_id", BigInteger, nullable=True),  # the SMS that carries the code
    text_column("evidence"),  # of a voucher: hash of what was said; of a handset: the reply's id
    time("at"),
    time("expires_at"),
    maybe_time("passed_at"),
    Index("identity_check_dsr", "dsr_id"),
    Index(
        "identity_check_message",
        "message_id",
        sqlite_where=text("message_id IS NOT NULL"),
        postgresql_where=text("message_id IS NOT NULL"),
    ),
)

# What a tenant decided about its own data (Art. 28(3)(a)).
instruction = Table(
    "instruction",
    metadata,
    id_column(),
    ref("dsr_id"),
    ref("tenant_id"),
    text_column("actor"),
    text_column("channel"),
    text_column("decision"),  # fulfil | refuse
    text_column("text_hash"),  # SHA-256 of the reason as it was given
    sealed_column("reason"),
    time("at"),
    maybe_time("declined_at"),  # the operator would not follow it: unlawful (P17)
    text_column("declined_by"),
    sealed_column("declined_reason"),
    Index("instruction_dsr", "dsr_id"),
)

# A person's data that may be kept and not used (Art. 18). What enforces it is a suppression.
restriction = Table(
    "restriction",
    metadata,
    serial(),
    ref("tenant_id"),
    ref("dsr_id"),
    text_column("token"),
    text_column("ground"),  # accuracy unlawful claims objection hold
    text_column("on_by"),
    time("on_at"),
    text_column("off_by"),
    maybe_time("off_at"),
    Index(
        "restriction_token",
        "token",
        "dsr_id",
        unique=True,
        sqlite_where=text("off_at IS NULL"),
        postgresql_where=text("off_at IS NULL"),
    ),
)


# A number has another owner now (PRIVACY P51): what is older is not theirs to see (P52).
reassignment = Table(
    "reassignment",
    metadata,
    serial(),
    text_column("token"),  # as `subject.all_index`
    text_column("actor"),
    text_column("evidence"),  # hash of what was said
    time("at"),
    Index("reassignment_token", "token", "at"),
)
