"""What is kept for how long: the walks of each class of data (`privacy/rules/retention.toml`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import (
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    text,
)

from bridge.model import FINAL, State
from bridge.store.account_tables import charge, invoice, payment, transfer
from bridge.store.accounts import forget_movers
from bridge.store.attachments import attachments, orphans
from bridge.store.audit_heads import PurgeAudit, purge_activity, purge_audit
from bridge.store.audit_tables import activity, audit
from bridge.store.chat_tables import card, card_message, chat_post, staff, thread
from bridge.store.departures import (
    access,
    claimed_answers,
    claimed_messages,
    contacts,
    emptied,
    profiles,
)
from bridge.store.kept_registers import consented, consents, registers, requests
from bridge.store.purges import (
    delete_messages,
    delete_notices,
    delete_people,
    delete_replies,
    delete_threads,
    is_needed,
)
from bridge.store.retention import Job, Retention, Walk, Walked
from bridge.store.retention_tables import (
    deletion_claim,
    hold,
    ledger,
    retention_rule,
    retention_run,
)
from bridge.store.sql import Many, Rows, Script, Statement, Values, among, constant
from bridge.store.tables import (
    LOOSE,
    body,
    conversation,
    message,
    notice,
    reply,
    reply_body,
    subject,
)
from bridge.store.walks import NOBODY, Aged, Unused, by_key

# -- texts and traffic ---------------------------------------------------------------------------

_FINAL: Final = case(
    (message.c.state.in_([constant(state) for state in sorted(FINAL)]), message.c.final_at),
    # No receipt follows once its validity is over: the network has dropped it (GSM 03.40 9.2.3.12).
    (message.c.state == constant(State.SENT), message.c.expires_at),
)
_TOLD: Final = notice.c.state.in_([constant("sent"), constant("failed")])

texts: Final = Aged(
    key=body.c.message_id,
    source=body.join(message, message.c.id == body.c.message_id),
    tenant=message.c.tenant_id,
    person=message.c.subject_id,
    moment=_FINAL,
    gone=by_key(body.c.message_id),
    told=True,
)
answer_texts: Final = Aged(
    key=reply_body.c.reply_id,
    source=reply_body.join(reply, reply.c.id == reply_body.c.reply_id),
    tenant=reply.c.tenant_id,
    person=reply.c.subject_id,
    moment=reply.c.at,
    gone=by_key(reply_body.c.reply_id),
)
loose_notices: Final = Aged(
    key=notice.c.id,
    tenant=notice.c.tenant_id,
    moment=notice.c.done_at,
    condition=and_(text(LOOSE), _TOLD),
    gone=delete_notices,
    timed=False,
)
messages: Final = Aged(
    key=message.c.id,
    tenant=message.c.tenant_id,
    person=message.c.subject_id,
    moment=_FINAL,
    gone=delete_messages,
    disputed=True,
)
answers: Final = Aged(
    key=reply.c.id,
    tenant=reply.c.tenant_id,
    person=reply.c.subject_id,
    moment=reply.c.at,
    gone=delete_replies,
)

# -- what nothing needs any more -----------------------------------------------------------------

_HAS_MESSAGE: Final = (
    select(message.c.id).where(message.c.subject_id == thread.c.subject_id).correlate(thread)
)
_HAS_ANSWER: Final = (
    select(reply.c.id).where(reply.c.subject_id == thread.c.subject_id).correlate(thread)
)
threads: Final = Unused(
    key=thread.c.id,
    needed=or_(_HAS_MESSAGE.exists(), _HAS_ANSWER.exists()),
    person=thread.c.subject_id,
    gone=delete_threads,
)
conversations: Final = Unused(
    key=conversation.c.id,
    needed=or_(
        select(message.c.id)
        .where(
            message.c.subject_id == conversation.c.subject_id,
            message.c.conversation_id == conversation.c.id,
        )
        .correlate(conversation)
        .exists(),
        select(reply.c.id)
        .where(
            reply.c.subject_id == conversation.c.subject_id,
            reply.c.conversation_id == conversation.c.id,
        )
        .correlate(conversation)
        .exists(),
    ),
    person=conversation.c.subject_id,
    gone=by_key(conversation.c.id),
)
cards: Final = Unused(
    key=card.c.id,
    needed=select(card_message.c.message_id)
    .where(card_message.c.card_id == card.c.id)
    .correlate(card)
    .exists(),
    person=NOBODY,
    gone=by_key(card.c.id),
)
people: Final = Unused(
    key=subject.c.id, needed=is_needed(), person=subject.c.id, gone=delete_people
)

_POSTS = Statement(
    select(chat_post.c.edge, chat_post.c.place, chat_post.c.post, thread.c.subject_id)
    .select_from(thread.join(chat_post, chat_post.c.thread_id == thread.c.id))
    .where(among(thread.c.id, "ids"), chat_post.c.created_at <= bindparam("before"))
    .order_by(thread.c.id)
    .limit(bindparam("most"))
)
_POST_GONE = Statement(
    delete(chat_post).where(
        chat_post.c.edge == bindparam("p_edge"),
        chat_post.c.place == bindparam("p_place"),
        chat_post.c.post == bindparam("p_post"),
    )
)
_THREADS = Statement(
    select(thread.c.id)
    .where(thread.c.id > bindparam("after"))
    .order_by(thread.c.id)
    .limit(bindparam("most"))
)


def posts(job: Job, after: int) -> Script:
    """Which posts of threads that go on were long ago; a `Walked`."""
    found = yield Rows(_THREADS, {"after": after, "most": job.most})
    ids = [row[0] for row in found]
    last = ids[-1] if len(ids) == job.most else None
    values = {"ids": Values(ids), "before": job.cutoffs[0], "most": job.most}
    old = (yield Rows(_POSTS, values)) if ids else []
    rows = [
        {"p_edge": edge, "p_place": place, "p_post": post}
        for edge, place, post, person in old
        if person not in job.held.people
    ]
    gone = Counter({chat_post.name: len(rows)}) if rows else Counter[str]()
    if rows and not job.dry:
        yield Many(_POST_GONE, rows)
        if len(old) == job.most:  # these threads have more
            return Walked(after, gone)
    return Walked(last, gone)


# -- what is about nobody's messages -------------------------------------------------------------


def activity_log(job: Job, _after: int) -> Script:
    """What people did in the bridge; a `Walked`."""
    if job.dry:
        found = yield Rows(_OLD_ACTIVITY, {"before": job.latest, "most": job.most})
        return Walked(None, _counted(activity.name, len(found)))
    gone = yield from purge_activity([job.latest])
    return Walked(None, _counted(activity.name, gone[0]))


def audit_log(job: Job, _after: int) -> Script:
    """The audit's oldest entries; its chain goes on from a signed checkpoint (P5). A `Walked`."""
    if job.dry:
        found = yield Rows(_OLD_AUDIT, {"before": job.latest, "most": job.most})
        return Walked(None, _counted(audit.name, len(found)))
    gone = yield from purge_audit([PurgeAudit(job.signer, job.latest, job.now)])
    return Walked(None, _counted(audit.name, gone[0]))


def _counted(name: str, count: int) -> Counter[str]:
    return +Counter({name: count})


_OLD_ACTIVITY = Statement(
    select(activity.c.id).where(activity.c.at < bindparam("before")).limit(bindparam("most"))
)
_OLD_AUDIT = Statement(
    select(audit.c.seq)
    .where(audit.c.at < bindparam("before"))
    .order_by(audit.c.seq)
    .limit(bindparam("most"))
)

staff_members: Final = Aged(
    key=staff.c.id,
    tenant=staff.c.tenant_id,
    moment=staff.c.revoked_at,
    gone=by_key(staff.c.id),
)
ledger_lines: Final = Aged(
    key=ledger.c.message_id,
    tenant=ledger.c.tenant_id,
    moment=ledger.c.sent_at,
    gone=by_key(ledger.c.message_id),
)
charges: Final = Aged(
    key=charge.c.message_id,
    tenant=charge.c.tenant_id,
    moment=charge.c.closed_at,
    gone=by_key(charge.c.message_id),
)
#: The sums stay: a balance is the sum of all its entries. Who moved them, and why, does not.
transfers: Final = Aged(
    key=transfer.c.id,
    tenant=transfer.c.tenant_id,
    moment=transfer.c.at,
    condition=transfer.c.actor != "",
    gone=forget_movers,
)
invoices: Final = Aged(
    key=invoice.c.id,
    tenant=invoice.c.tenant_id,
    moment=invoice.c.kept_from,
    gone=by_key(invoice.c.id),
)
payments: Final = Aged(
    key=payment.c.id,
    tenant=payment.c.tenant_id,
    moment=payment.c.imported_at,
    gone=by_key(payment.c.id),
)
_newer = retention_rule.alias("newer")
_FOLLOWED = (
    select(func.min(_newer.c.approved_at))
    .where(
        _newer.c["class"] == retention_rule.c["class"],
        _newer.c.tenant_id == retention_rule.c.tenant_id,
        _newer.c.approved_at > retention_rule.c.approved_at,
    )
    .correlate(retention_rule)
    .scalar_subquery()
)
decisions: Final[tuple[Walk, ...]] = (
    Aged(
        key=retention_rule.c.id,
        tenant=retention_rule.c.tenant_id,
        moment=case(
            (retention_rule.c.approved_at.is_(None), retention_rule.c.set_at), else_=_FOLLOWED
        ),
        gone=by_key(retention_rule.c.id),
    ),
    Aged(
        key=hold.c.id,
        tenant=hold.c.tenant_id,
        moment=case(
            (hold.c.released_at.is_not(None), hold.c.released_at),
            (hold.c.approved_by == "", hold.c.created_at),
            else_=hold.c.until,
        ),
        gone=by_key(hold.c.id),
    ),
    Aged(
        key=deletion_claim.c.id,
        tenant=deletion_claim.c.tenant_id,
        # That of a closed account goes with its profile.
        condition=or_(deletion_claim.c.kind == "claim", deletion_claim.c.ended_at.is_not(None)),
        moment=func.coalesce(deletion_claim.c.ended_at, deletion_claim.c.messages_gone_at),
        gone=by_key(deletion_claim.c.id),
        timed=False,
    ),
    Aged(
        key=retention_run.c.id,
        moment=retention_run.c.done_at,
        gone=by_key(retention_run.c.id),
        timed=False,
    ),
)

#: Class → its walks, in the order in which they are done.
WALKS: Final[Mapping[str, Sequence[Walk]]] = {
    "text": (texts, answer_texts, loose_notices),
    "attachment": (attachments, orphans),
    "contact": (contacts,),
    "claimed-message": (claimed_messages("claim"), claimed_answers("claim"), emptied("claim")),
    "closed-message": (
        claimed_messages("closure"),
        claimed_answers("closure"),
        emptied("closure"),
    ),
    "traffic": (messages, answers, posts),
    "access": (access,),
    "account": (profiles,),
    "consented": (consented,),
    "consent": (consents,),
    "request": (requests,),
    "register": registers,
    "person": (cards, threads, conversations, people),
    "staff": (staff_members,),
    "activity": (activity_log,),
    "audit": (audit_log,),
    "decision": decisions,
    "ledger": (ledger_lines, charges, transfers),
    "invoice": (invoices, payments),
}
RETENTION: Final = Retention(WALKS)
