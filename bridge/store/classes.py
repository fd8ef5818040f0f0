"""Every column of every table: how long it is kept, in which role, and what an export says of it.

A column that stands in no list, and a list that names a column that there is not, fail a test
(PRIVACY P12): who adds a column decides this with it. The classes are those of
`privacy/rules/retention.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """For whom the data is processed (GDPR Art. 4(7), (8))."""

    PROCESSOR = "processor"  # a tenant decides about it
    CONTROLLER = "controller"  # the operator does


class Export(StrEnum):
    """What a person's export says of a column."""

    EXPORTED = "exported"  # as it is
    MASKED = "masked"  # it names somebody else, or may: with that masked
    REFERENCE = "reference"  # it ties rows together
    SECRET = "secret"  # noqa: S105 - a key, a hash or a proof: it never leaves
    NOT_PERSONAL = "not-personal"


@dataclass(frozen=True, slots=True)
class Column:
    """What holds for one column."""

    klass: str
    role: Role
    export: Export


@dataclass(frozen=True, slots=True)
class Kept:
    """A table: its class and role, and its columns by what an export says of them."""

    klass: str
    role: Role
    exported: str = ""
    masked: str = ""
    reference: str = ""
    hidden: str = ""  # secret
    plain: str = ""  # not personal

    def columns(self) -> Iterator[tuple[str, Column]]:
        """Each column with what holds for it."""
        lists = (
            (Export.EXPORTED, self.exported),
            (Export.MASKED, self.masked),
            (Export.REFERENCE, self.reference),
            (Export.SECRET, self.hidden),
            (Export.NOT_PERSONAL, self.plain),
        )
        for export, names in lists:
            for name in names.split():
                yield name, Column(self.klass, self.role, export)


_P, _C = Role.PROCESSOR, Role.CONTROLLER

TABLES: Final[Mapping[str, Kept]] = {
    # People and what they are sent
    "subject": Kept(
        *("person", _P),
        exported="phone country created_at",
        reference="id tenant_id",
        hidden="phone_index all_index",
    ),
    "subject_key": Kept("person", _P, reference="subject_id", hidden="wrapped", plain="kek"),
    "conversation": Kept(
        *("traffic", _P),
        exported="originator origin_kind created_at",
        masked="origin_address",
        reference="id tenant_id subject_id",
    ),
    "message": Kept(
        *("traffic", _P),
        exported="class urgent originator encoding lang parts state reason created_at sent_at"
        " final_at due_at expires_at",
        reference="id tenant_id subject_id conversation_id",
        hidden="programme_index",
        plain="exempt rules lane hop tries resent lease",
    ),
    "body": Kept("text", _P, exported="text", masked="origin", reference="message_id"),
    "attachment": Kept(
        *("attachment", _P),
        exported="name kind size refused served served_at created_at expires_at",
        reference="id tenant_id subject_id message_id file_id",
        hidden="link file_key",
        plain="position",
    ),
    "attachment_chunk": Kept("attachment", _P, reference="file_id", hidden="data", plain="number"),
    "attempt": Kept(
        *("traffic", _P),
        exported="part total carrier state reason at answered_at final_at",
        reference="id message_id carrier_id",
        plain="incarnation",
    ),
    "event": Kept("traffic", _P, exported="part kind detail at", reference="id message_id"),
    "reply": Kept(
        *("traffic", _P),
        exported="originator verdict partial at done done_scope cancelled",
        reference="id tenant_id subject_id conversation_id message_id",
        plain="carrier",
    ),
    "reply_body": Kept("text", _P, exported="text", reference="reply_id"),
    "reply_part": Kept("traffic", _P, reference="reply_id carrier_id"),
    "notice": Kept(
        *("traffic", _P),
        masked="place",
        reference="id tenant_id conversation_id message_id reply_id subject_id",
        plain="edge kind state reason tries due_at created_at done_at lease mailbox",
    ),
    "notice_body": Kept("text", _P, masked="payload", reference="notice_id"),
    "permit": Kept(
        *("traffic", _P),
        exported="programme bases purposes vouched",
        reference="message_id subject_id",
    ),
    "wish": Kept(
        *("traffic", _P),
        exported="at decided_at decision",
        masked="actor",
        reference="reply_id tenant_id subject_id",
        plain="due_at reminded",
    ),
    "sandbox_part": Kept(
        *("traffic", _P), exported="part total originator at", reference="id message_id"
    ),
    "sandbox_phone": Kept("person", _P, hidden="all_index", plain="mode"),
    "ledger": Kept(
        *("ledger", _C), reference="message_id tenant_id", plain="country carrier parts sent_at"
    ),
    # Names, and where people are shown
    "contact": Kept(
        *("contact", _P), exported="name created_at", reference="id tenant_id subject_id"
    ),
    "contact_group": Kept("contact", _P, exported="name created_at", reference="id tenant_id"),
    "group_member": Kept("contact", _P, reference="group_id contact_id subject_id"),
    "template": Kept("contact", _P, reference="tenant_id", plain="name text created_at"),
    "card": Kept(
        *("traffic", _P),
        masked="place",
        reference="id tenant_id staff_id thread answers post",
        plain="edge wanted shown doubtful tries lease due_at created_at",
    ),
    "card_message": Kept("traffic", _P, reference="message_id card_id"),
    "thread": Kept(
        *("traffic", _P),
        exported="originator created_at",
        masked="place",
        reference="id tenant_id subject_id root staff_id",
        plain="edge claimed_at",
    ),
    "chat_post": Kept(
        *("traffic", _P), masked="place", reference="post thread_id", plain="edge created_at"
    ),
    # For minutes or days
    "seen": Kept("working", _P, hidden="key", reference="message_id", plain="at"),
    "heard": Kept("working", _P, hidden="key", plain="at"),
    "callback": Kept(
        *("working", _P), masked="payload", hidden="key", plain="id carrier kind number total at"
    ),
    "chat_update": Kept(
        *("working", _P),
        masked="payload answer",
        reference="id key",
        plain="edge at tries lease done_at",
    ),
    "draft": Kept(
        *("working", _P),
        masked="place payload",
        reference="id tenant_id staff_id thread",
        plain="edge state created_at expires_at",
    ),
    "glimpse": Kept(
        *("working", _P), reference="tenant_id reply_id", hidden="hash", plain="expires_at used_at"
    ),
    "enrol_try": Kept("working", _C, masked="team person", reference="id", plain="edge at"),
    "brake_count": Kept("working", _C, hidden="key", plain="slot count told until"),
    "brake_number": Kept("working", _C, hidden="key token sender", plain="at until"),
    "fold": Kept("working", _P, reference="message_id", hidden="key", plain="count ends_at"),
    "portal_code": Kept("working", _C, hidden="all_index hash", plain="tries expires_at"),
    "portal_ask": Kept("working", _C, reference="id", hidden="key", plain="at"),
    "portal_session": Kept("working", _C, hidden="hash all_index", plain="expires_at"),
    # Whom not to text
    "suppression": Kept(
        *("suppression", _C),
        exported="scope purpose source created_at lifted_at lift_source",
        reference="id tenant_id programme_id",
        hidden="token",
        plain="pepper_version",
    ),
    "blocked": Kept(
        *("suppression", _C),
        exported="scope kind created_at lifted_at",
        masked="reason actor",
        reference="id tenant_id",
        hidden="value",
        plain="pepper_version",
    ),
    "optout_link": Kept(
        *("suppression", _P),
        exported="created_at used_at",
        reference="tenant_id",
        hidden="hash token",
        plain="pepper_version",
    ),
    "carrier_list": Kept(
        "system", _C, reference="run", plain="carrier until next_at tries read_at problem"
    ),
    # What an export says of it is the suppression that came of it.
    "carrier_listed": Kept(
        *("suppression", _C),
        reference="carrier tenant_id run",
        hidden="token",
        plain="pepper_version first_at",
    ),
    "programme": Kept("account", _P, reference="id tenant_id", plain="name keyword created_at"),
    # Consents and requests
    "consent": Kept(
        *("consent", _P),
        exported="programme purpose basis channel text_version evidence of_age given_at expires_at"
        " withdrawn_at withdrawn_via void_reason",
        reference="id tenant_id subject_id",
    ),
    "consent_text": Kept(
        *("consent", _P), exported="version text created_at", reference="tenant_id"
    ),
    "reassignment": Kept(
        *("suppression", _C),
        exported="at",
        masked="actor evidence",
        reference="id",
        hidden="token",
    ),
    "dsr": Kept(
        *("request", _C),
        exported="role type channel lang identity_kind identity answer_to details received_at"
        " due_at extended_to extension_reason state held_from reason identity_level told_at"
        " escalated_at reminded_at release_at closed_at undetermined",
        masked="opened_by approved_by ran_by outcome",
        reference="id tenant_id subject_id instruction_id hold_id",
        hidden="token confirm",
        plain="tries lease retry_at",
    ),
    "dsr_event": Kept(
        *("request", _C),
        exported="what before after at",
        masked="actor detail",
        reference="id dsr_id",
    ),
    "identity_check": Kept(
        *("request", _C),
        exported="method at expires_at passed_at",
        reference="id dsr_id message_id",
        hidden="otp_hmac evidence",
        plain="tries",
    ),
    "instruction": Kept(
        *("request", _C),
        exported="channel decision reason at declined_at declined_reason",
        masked="actor declined_by",
        reference="id dsr_id tenant_id",
        plain="text_hash",
    ),
    "restriction": Kept(
        *("request", _C),
        exported="ground on_at off_at",
        masked="on_by off_by",
        reference="id tenant_id dsr_id",
        hidden="token",
    ),
    "erasure": Kept(
        *("request", _C),
        exported="kind counts state begun_at done_at",
        masked="value actor wishes",
        reference="id request_id tenant_id subject_id ref",
        hidden="token",
        plain="carriers audit_seq audit_hash",
    ),
    "receipt": Kept(
        *("request", _C),
        exported="document issued_at is_last",
        reference="request_id",
    ),
    "chat_erasure": Kept(
        *("request", _C),
        exported="what outcome done_at",
        masked="place",
        reference="id erasure_id post",
        plain="edge tries lease due_at",
    ),
    "carrier_erasure": Kept(
        *("request", _C),
        exported="carrier inbound outcome reason done_at",
        reference="id erasure_id carrier_id",
        plain="tries lease due_at",
    ),
    "export_file": Kept(
        *("export", _C),
        exported="made_at",
        reference="name request_id tenant_id",
        hidden="token",
    ),
    # Accounts, and who acts for them
    "tenant": Kept(
        *("account", _C),
        masked="settings",
        reference="id",
        plain="name source created_at closed_at",
    ),
    "sender_rule": Kept(
        *("access", _C),
        exported="address",
        reference="id tenant_id",
        plain="position proofs class source fold",
    ),
    "login": Kept(
        *("access", _C),
        exported="username",
        reference="tenant_id",
        hidden="password_hash",
        plain="source",
    ),
    "sender_token": Kept("access", _C, reference="tenant_id", hidden="hash", plain="created_at"),
    "staff": Kept(
        *("staff", _C),
        exported="edge team person name role created_at revoked_at review_due",
        reference="id tenant_id",
    ),
    "invitation": Kept(
        *("invitation", _C),
        exported="role name created_at expires_at used_at",
        reference="tenant_id",
        hidden="hash",
    ),
    "access_review": Kept(
        *("audit", _C), exported="outcome at", masked="actor", reference="id staff_id"
    ),
    "policy_acceptance": Kept(
        *("account", _C), masked="actor", reference="policy_id tenant_id", plain="at"
    ),
    # What was done, and what was decided
    "audit": Kept(
        *("audit", _C),
        exported="at action",
        masked="actor reason",
        reference="seq tenant_id subject_ref",
        hidden="prev hash",
    ),
    "audit_tail": Kept("system", _C, hidden="hash", plain="id seq"),
    "audit_head": Kept("audit", _C, plain="day seq hash count signed_by signature"),
    "audit_checkpoint": Kept("audit", _C, plain="seq hash at signed_by signature"),
    "activity": Kept(
        *("activity", _C),
        exported="at action",
        masked="actor reason",
        reference="id tenant_id subject_ref",
    ),
    "retention_rule": Kept(
        *("decision", _C),
        masked="reason set_by approved_by",
        reference="id tenant_id",
        plain="class trigger days months minimum maximum basis set_at approved_at",
    ),
    "hold": Kept(
        *("decision", _C),
        exported="until created_at released_at",
        masked="basis set_by approved_by released_by",
        reference="id tenant_id subject_id message_id",
    ),
    "deletion_claim": Kept(
        *("decision", _C),
        masked="actor instruction",
        reference="id tenant_id",
        plain="kind claimed_at ended_at contacts_gone_at messages_gone_at",
    ),
    "retention_run": Kept(
        *("decision", _C), plain="id class stage after started_at turned_at done_at counts"
    ),
    # The operator's registers
    "subprocessor": Kept(
        *("register", _C),
        masked="contact",
        reference="id",
        plain="kind name source company address purpose country mechanism valid_until created_at"
        " notified_at effective_at ended_at",
    ),
    "objection": Kept(
        *("register", _C),
        masked="actor reason",
        reference="id tenant_id subprocessor_id",
        plain="outcome at ended_at",
    ),
    "tenant_notice": Kept(
        *("register", _C), reference="id tenant_id about_id", plain="about places at"
    ),
    "breach": Kept(
        *("register", _C),
        masked="nature categories consequences measures outcome",
        reference="id",
        plain="source people records aware_at created_at closed_at reminded",
    ),
    "breach_tenant": Kept("register", _C, reference="breach_id tenant_id", plain="told_at"),
    "demand": Kept(
        *("register", _C),
        masked="opened_by reason",
        reference="id tenant_id subject_id",
        plain="kind authority reference basis fields since until state created_at done_at",
    ),
    "demand_approval": Kept(*("register", _C), masked="actor", reference="demand_id", plain="at"),
    "policy_version": Kept(
        *("register", _C), plain="id version url hash announced_at effective_at"
    ),
    "abuse_case": Kept(
        *("register", _C),
        exported="kind opened_at reviewed_at outcome",
        masked="note source reviewer",
        reference="id tenant_id subject_id",
        plain="review_due reminded",
    ),
    "brake": Kept(
        *("register", _C),
        masked="reason actor ended_by",
        reference="id tenant_id case_id",
        hidden="key",
        plain="kind about created_at confirmed_at ended_at",
    ),
    "drill": Kept("register", _C, masked="actor", reference="id", plain="outcome at"),
    # What things cost
    "price": Kept(
        *("system", _C), plain="id kind name prefix currency amount valid_from imported_at"
    ),
    "account": Kept(*("ledger", _C), reference="tenant_id", plain="kind currency balance warned"),
    "transfer": Kept(
        *("ledger", _C), masked="note actor", reference="id tenant_id", plain="kind key at"
    ),
    "account_entry": Kept(
        *("ledger", _C), reference="transfer_id tenant_id", plain="kind currency amount"
    ),
    "charge": Kept(
        *("ledger", _C),
        reference="message_id tenant_id transfer_id",
        plain="country currency price parts reserved amount charge_on state until closed_at",
    ),
    "payment": Kept(
        *("invoice", _C),
        masked="reference matched_by",
        reference="id tenant_id",
        hidden="key",
        plain="received_on amount currency symbol imported_at matched_at",
    ),
    "invoice": Kept(
        *("invoice", _C),
        masked="document",
        reference="id tenant_id",
        plain="number month currency total issued_at due_at kept_from",
    ),
    # The machine
    "incarnation": Kept("system", _C, plain="id slot started_at seen_at"),
    "carrier_lease": Kept("system", _C, plain="carrier incarnation until up"),
    "carrier_tally": Kept(
        *("system", _C),
        plain="carrier slot incarnation answered accepted errors throttled late reported",
    ),
    "carrier_health": Kept("system", _C, plain="carrier weight usual reason changed_at"),
    "fact": Kept("system", _C, plain="name value"),
}
