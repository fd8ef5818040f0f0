"""Files of messages: pieces come in before their message, links with it; both go out, and away.

A piece is AES-256-GCM under its file's key, with its file and place bound to it. Pieces whose
message never came (a kill, a refusal) are orphans, which retention takes away after an hour.
"""

from __future__ import annotations

import os
from binascii import a2b_base64, b2a_base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import bindparam, delete, func, select, update

from bridge.store.attachment_tables import attachment, attachment_chunk
from bridge.store.health import id_at
from bridge.store.retention import HELD, Job, Walked
from bridge.store.sql import Do, Many, Rows, Script, Statement, Values, among, constant, insert
from bridge.store.tables import message

#: Octets of a file in one piece.
CHUNK: Final = 192 * 1024
#: Seconds after which pieces without a message are taken for orphans: far longer than one mail
#: may take to be read and stored.
ORPHAN_SECONDS: Final = 3600.0
#: Rows of an export in memory at once, as in `store.exports`.
PAGE: Final = 500
_NONCE: Final = 12


@dataclass(frozen=True, slots=True)
class Piece:
    """A sealed part of a file."""

    file_id: int
    number: int
    data: str


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a message to one person; `refused` says why it does not go."""

    id: int
    name: str
    kind: str
    size: int
    created_at: float
    expires_at: float
    link: str = ""  # the keyed hash of its code
    file_id: int = 0
    file_key: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """A file has been handed over."""

    id: int
    now: float


_CHUNK_ADD = insert(attachment_chunk)
_ADD = insert(attachment)
#: What a link leads to, in the mail's order: the codes' hashes under each pepper.
BY_LINK = Statement(
    select(
        attachment.c.id,
        attachment.c.tenant_id,
        attachment.c.name,
        attachment.c.kind,
        attachment.c.size,
        attachment.c.file_id,
        attachment.c.file_key,
        attachment.c.expires_at,
    )
    .where(
        among(attachment.c.link, "links"),
        attachment.c.link != constant(""),
        attachment.c.expires_at > bindparam("now"),
    )
    .order_by(attachment.c.position)
)
#: (data) of one piece.
PIECE = Statement(
    select(attachment_chunk.c.data).where(
        attachment_chunk.c.file_id == bindparam("file"),
        attachment_chunk.c.number == bindparam("number"),
    )
)
#: (message, name, size, refused, served, expires_at) of messages, in their order.
OF_MESSAGES = Statement(
    select(
        attachment.c.message_id,
        attachment.c.name,
        attachment.c.size,
        attachment.c.refused,
        attachment.c.served,
        attachment.c.expires_at,
    )
    .where(among(attachment.c.message_id, "ids"))
    .order_by(attachment.c.message_id, attachment.c.position)
)
#: Files that went with messages to a person since a moment, oldest first; the first column orders.
FILES_TO = Statement(
    select(
        attachment.c.id,
        attachment.c.created_at,
        attachment.c.name,
        attachment.c.kind,
        attachment.c.size,
        attachment.c.expires_at,
        attachment.c.served,
        attachment.c.refused,
    )
    .join(message, message.c.id == attachment.c.message_id)
    .where(
        message.c.subject_id == bindparam("person"),
        attachment.c.id > bindparam("after"),
        attachment.c.created_at >= bindparam("since"),
    )
    .order_by(attachment.c.id)
    .limit(PAGE)
)
_SERVED = Statement(
    update(attachment)
    .where(attachment.c.id == bindparam("a_id"))
    .values(served=attachment.c.served + 1, served_at=bindparam("a_now"))
)
_FILES_OF = Statement(
    select(attachment.c.file_id)
    .distinct()
    .where(among(attachment.c.message_id, "ids"), attachment.c.file_id != 0)
)
_FILES = Statement(
    select(attachment.c.file_id)
    .distinct()
    .where(among(attachment.c.id, "ids"), attachment.c.file_id != 0)
)
_GONE_BY_MESSAGE = Statement(delete(attachment).where(among(attachment.c.message_id, "ids")))
_GONE = Statement(delete(attachment).where(among(attachment.c.id, "ids")))
_NOBODYS = (
    ~select(attachment.c.id)
    .where(attachment.c.file_id == attachment_chunk.c.file_id)
    .correlate(attachment_chunk)
    .exists()
)
_PIECES_GONE = Statement(
    delete(attachment_chunk).where(
        among(attachment_chunk.c.file_id, "files"),
        attachment_chunk.c.file_id < bindparam("before"),
        _NOBODYS,
    )
)
_AGED = Statement(
    select(
        attachment.c.id,
        attachment.c.tenant_id,
        attachment.c.subject_id,
        attachment.c.created_at,
        attachment.c.expires_at,
    )
    .where(attachment.c.id > bindparam("after"))
    .order_by(attachment.c.id)
    .limit(bindparam("most"))
)
_ORPHANS = Statement(
    select(attachment_chunk.c.file_id, func.count())
    .where(
        attachment_chunk.c.file_id > bindparam("after"),
        attachment_chunk.c.file_id < bindparam("before"),
        _NOBODYS,
    )
    .group_by(attachment_chunk.c.file_id)
    .order_by(attachment_chunk.c.file_id)
    .limit(bindparam("most"))
)


# In


def new_key() -> bytes:
    """A file's key."""
    return os.urandom(32)


def sealed(key: bytes, file_id: int, number: int, plain: bytes) -> Piece:
    """A part of a file as it is stored."""
    nonce = os.urandom(_NONCE)
    octets = nonce + AESGCM(key).encrypt(nonce, plain, _place(file_id, number))
    return Piece(file_id, number, b2a_base64(octets, newline=False).decode())


def opened(key: bytes, piece: Piece) -> bytes:
    """What `sealed` was given. Raises ValueError where it is not what was stored there."""
    octets = a2b_base64(piece.data)
    try:
        return AESGCM(key).decrypt(
            octets[:_NONCE], octets[_NONCE:], _place(piece.file_id, piece.number)
        )
    except InvalidTag:
        raise ValueError("this piece is not of this file, or not of this place") from None


def _place(file_id: int, number: int) -> bytes:
    return b"%d.%d" % (file_id, number)


def add_pieces(items: Sequence[Piece]) -> Script:
    """Keep parts of files; nothing an item."""
    yield Many(
        _CHUNK_ADD, [{"file_id": i.file_id, "number": i.number, "data": i.data} for i in items]
    )
    return [None] * len(items)


def attach(rows: Sequence[dict[str, Any]]) -> Script:
    """Keep the files of messages, in the transaction that stores these."""
    yield Many(_ADD, rows)


def attachment_rows(
    files: Sequence[Attached], tenant: int, person: int, message: int
) -> list[dict[str, Any]]:
    """The rows of one message's files."""
    return [
        {
            "id": each.id,
            "tenant_id": tenant,
            "subject_id": person,
            "message_id": message,
            "position": position,
            "file_id": each.file_id,
            "link": each.link,
            "name": each.name,
            "file_key": each.file_key,
            "kind": each.kind,
            "size": each.size,
            "refused": each.refused,
            "served": 0,
            "served_at": None,
            "created_at": each.created_at,
            "expires_at": each.expires_at,
        }
        for position, each in enumerate(files)
    ]


# Out


def count_served(items: Sequence[Served]) -> Script:
    """Count files that have been handed over; nothing an item."""
    for item in items:
        yield Do(_SERVED, {"a_id": item.id, "a_now": item.now})
    return [None] * len(items)


# Away


def delete_attachments(messages: Sequence[int], now: float | None = None) -> Script:
    """The files of messages, with all that nobody else was sent; table → rows that went.

    Where these may be fresh (`now` is given), other people of the same mail may be on their way
    into the database: pieces of a file that is younger than an hour are left to `orphans`.
    Nobody has their key any more.
    """
    ids = {"ids": Values(messages)}
    files = [row[0] for row in (yield Rows(_FILES_OF, ids))]
    gone = Counter({attachment.name: (yield Do(_GONE_BY_MESSAGE, ids))})
    before = _NEWEST if now is None else id_at(now - ORPHAN_SECONDS)
    return +(gone + (yield from _pieces_gone(files, before)))


#: Above every id.
_NEWEST: Final = 2**63 - 1


def _pieces_gone(files: Sequence[int], before: int = _NEWEST) -> Script:
    gone = Counter[str]()
    if files:
        values = {"files": Values(files), "before": before}
        gone[attachment_chunk.name] += yield Do(_PIECES_GONE, values)
    return gone


def attachments(job: Job, after: int) -> Script:
    """Files whose link has ended, or that are too old (PRIVACY P4); a `Walked`."""
    rows = yield Rows(_AGED, {"after": after, "most": job.most})
    due = [row for row in rows if row[4] <= job.now or job.is_due(row[1], row[3])]
    ids = [row[0] for row in due if row[2] not in job.held.people]
    gone = Counter[str]()
    if ids and job.dry:
        gone[attachment.name] += len(ids)
    elif ids:
        files = [row[0] for row in (yield Rows(_FILES, {"ids": Values(ids)}))]
        gone[attachment.name] += yield Do(_GONE, {"ids": Values(ids)})
        gone += yield from _pieces_gone(files)
    gone[HELD] += len(due) - len(ids)
    return Walked(rows[-1][0] if len(rows) == job.most else None, +gone)


def orphans(job: Job, after: int) -> Script:
    """Pieces of files that no message has; a `Walked`."""
    before = id_at(job.now - ORPHAN_SECONDS)
    rows = yield Rows(_ORPHANS, {"after": after, "before": before, "most": job.most})
    gone = Counter[str]()
    if job.dry:
        gone[attachment_chunk.name] += sum(row[1] for row in rows)
    else:
        gone += yield from _pieces_gone([row[0] for row in rows])
    return Walked(rows[-1][0] if len(rows) == job.most else None, +gone)
