"""Codes as people type them, and what each role may do."""

import re

import pytest

from bridge.bots.enrolment import code_hash, new_code
from bridge.bots.roles import ROLES, Act, may
from bridge.keyring import Keyring

KEYS = Keyring(b"p" * 32)


def test_a_code_has_60_bits_in_three_groups() -> None:
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    for code in codes:
        assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}", code)


@pytest.mark.parametrize(
    "typed",
    [
        "7K30-1XQT-1B4D",
        "7k30-1xqt-1b4d",
        "7K301XQT1B4D",
        " 7k3o-ixqt-Lb4d ",
        "7K3O–lXQT—IB4D",
    ],
)
def test_a_code_is_read_as_hands_write_it(typed: str) -> None:
    assert code_hash(KEYS, typed) == code_hash(KEYS, "7K30-1XQT-1B4D")


@pytest.mark.parametrize("typed", ["", "7K30-1XQT-1B4E", "\ud83d", "7" * 5000])
def test_what_is_another_code_is_another_hash(typed: str) -> None:
    assert code_hash(KEYS, typed) != code_hash(KEYS, "7K30-1XQT-1B4D")


def test_the_hash_needs_the_pepper() -> None:
    other = Keyring(b"q" * 32)
    assert code_hash(other, "7K30-1XQT-1B4D") != code_hash(KEYS, "7K30-1XQT-1B4D")


ACTS: dict[Act, set[str]] = {
    "send": {"agent", "privacy", "tenant-owner", "admin"},
    "reply": {"agent", "privacy", "tenant-owner", "admin"},
    "look": {"agent", "privacy", "tenant-owner", "admin", "auditor"},
    "contacts": {"agent", "privacy", "tenant-owner", "admin"},
    "approve": {"privacy", "tenant-owner", "admin"},
    "release": {"agent", "privacy", "tenant-owner", "admin"},
}


@pytest.mark.parametrize("act", ACTS)
def test_who_may(act: Act) -> None:
    assert {role for role in ROLES if may(role, act)} == ACTS[act]
    assert not may("", act)
    assert not may("owner", act)
