"""What a message's parts are, and where it goes when they have been told of."""

from __future__ import annotations

import itertools

from bridge.dispatch import jobs
from bridge.store.claims import Claimed
from bridge.store.ids import Ids


def claimed(text: str, *, parts: int, encoding: str, lang: str = "") -> Claimed:
    return Claimed(
        id=1 << 40,
        subject_id=1,
        phone="+420601123456",
        text=text,
        encoding=encoding,
        lang=lang,
        originator="",
        parts=parts,
        due=tuple(range(1, parts + 1)),
        attempts={1: 7},
        klass="transactional",
        urgent=False,
        tries=1,
        resent=0,
        hop=0,
        expires_at=0.0,
        tenant_id=1,
        exempt=False,
        due_at=0.0,
    )


def test_a_text_is_cut_as_it_was_when_it_was_stored() -> None:
    """Turkish would be one part in its own table; it was stored as two of UCS-2."""
    text = "Şifreniz değişti, lütfen giriş yapın. " * 3
    job = jobs.begin(claimed(text, parts=2, encoding="ucs2"), whole=False)
    assert len(job.texts) == 2
    assert "".join(job.texts) == text
    assert list(job.waiting) == [2]


def test_a_carrier_may_take_it_whole() -> None:
    job = jobs.begin(claimed("x" * 400, parts=3, encoding="gsm7"), whole=True)
    assert job.texts == ("x" * 400,)
    assert job.total == 1


def test_references_differ_between_neighbours() -> None:
    ids = Ids(3)
    found = [jobs.reference(ids.next()) for _ in range(300)]
    assert all(a != b for a, b in itertools.pairwise(found))
    assert len(set(found)) > 100
