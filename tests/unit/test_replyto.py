"""Signed reply addresses: what is made is read back, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.smtp import replyto

KEY = replyto.derive(b"a secret of the operator")
OTHER = replyto.derive(b"another one")
NOW = 1_800_000_000.0
DAY = 86_400

conversations = st.integers(min_value=0, max_value=2**63 - 1)


@given(conversations, st.booleans())
def test_what_is_made_is_read_back_in_any_case(conversation: int, upper: bool) -> None:
    local = replyto.make(conversation, KEY)
    assert local == local.lower()
    assert len(local) <= 64
    assert "." not in local
    assert replyto.read(local.upper() if upper else local, KEY, NOW) == conversation


@given(
    conversations, st.integers(min_value=0, max_value=41), st.sampled_from("abcxyz234567=.-\xe9")
)
def test_no_changed_character_is_accepted(conversation: int, at: int, new: str) -> None:
    local = replyto.make(conversation, KEY)
    forged = local[:at] + new + local[at + 1 :]
    assert replyto.read(forged, KEY, NOW) == (conversation if forged == local else None)


@given(conversations)
def test_another_key_reads_nothing(conversation: int) -> None:
    assert replyto.read(replyto.make(conversation, KEY), OTHER, NOW) is None


@given(st.text(max_size=60))
def test_any_text_is_answered_without_a_crash(local: str) -> None:
    assert replyto.read(local, KEY, NOW) is None
    assert replyto.read("r-" + local, KEY, NOW) is None
    assert replyto.read(("r-" + local).ljust(42, "a"), KEY, NOW) is None


def test_an_address_is_good_until_its_day_is_over() -> None:
    local = replyto.make(7, KEY, expires=NOW)
    midnight = (NOW // DAY + 1) * DAY
    assert replyto.read(local, KEY, NOW) == 7
    assert replyto.read(local, KEY, midnight - 1) == 7
    assert replyto.read(local, KEY, midnight) is None


def test_the_same_conversation_always_has_the_same_address() -> None:
    assert replyto.make(7, KEY) == replyto.make(7, KEY)
    assert replyto.make(7, KEY) != replyto.make(8, KEY)


@pytest.mark.parametrize(
    ("conversation", "expires"), [(-1, None), (2**63, None), (1, -1.0), (1, 0.0), (1, 65_536 * DAY)]
)
def test_what_does_not_fit_is_refused(conversation: int, expires: float | None) -> None:
    with pytest.raises(ValueError, match="no reply address"):
        replyto.make(conversation, KEY, expires)
