"""Keyed hashes: right by the library's own HMAC, apart for each tenant, gone without the pepper."""

from __future__ import annotations

import base64
import hmac
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import Misconfigured
from bridge.keyring import Keyring, Signer, _Mac, keyring, signer, verify

PEPPER = bytes(range(32))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=3000))
def test_a_token_is_an_hmac(key: bytes, data: bytes) -> None:
    whole = hmac.digest(key, data, "sha256")
    assert _Mac(key).token(data) == base64.urlsafe_b64encode(whole[:16])[:22].decode()


def test_tenants_and_the_operator_know_a_number_by_different_tokens() -> None:
    keys = Keyring(PEPPER)
    tokens = {keys.person(1, "+420601123456"), keys.person(2, "+420601123456")}
    tokens.add(keys.everyone("+420601123456"))
    assert len(tokens) == 3
    assert Keyring(bytes(32)).person(1, "+420601123456") not in tokens


def test_facts_are_kept_apart() -> None:
    keys = Keyring(PEPPER)
    assert keys.repeat(b"ab", b"c") != keys.repeat(b"a", b"bc")


def test_a_pepper_is_made_once_and_read_again(tmp_path: Path) -> None:
    first, made = keyring(None, tmp_path)
    second, again = keyring(None, tmp_path)
    assert (made, again) == (True, False)
    assert first.everyone("x") == second.everyone("x")
    assert (tmp_path / "pepper").stat().st_mode & 0o077 == 0


def test_a_named_pepper_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="does not exist"):
        keyring(tmp_path / "none", tmp_path)


@pytest.mark.parametrize("text", ["", "zz" * 32, "ab" * 16])
def test_a_damaged_pepper_is_no_pepper(tmp_path: Path, text: str) -> None:
    (tmp_path / "pepper").write_text(text)
    with pytest.raises(Misconfigured, match="damaged"):
        keyring(None, tmp_path)


def test_of_many_starts_at_once_one_makes_the_pepper(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: keyring(None, tmp_path), range(64)))
    assert len({keys.everyone("x") for keys, _ in found}) == 1
    assert sum(made for _, made in found) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["pepper"]


def test_what_was_signed_is_known_by_its_public_key(tmp_path: Path) -> None:
    first, made = signer(None, tmp_path)
    again, made_again = signer(None, tmp_path)
    assert (made, made_again, again.public) == (True, False, first.public)
    assert (tmp_path / "signing_key").stat().st_mode & 0o077 == 0
    signature = first.sign(b"a head")
    assert verify(first.public, b"a head", signature)
    assert not verify(first.public, b"another head", signature)
    assert not verify(first.public, b"a head", signature[:-2] + "zz")
    assert not verify(Signer(bytes(32)).public, b"a head", signature)
    assert not verify("not a key", b"a head", signature)


def test_a_named_signing_key_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="does not exist"):
        signer(tmp_path / "none", tmp_path)


@pytest.mark.parametrize("text", ["", "zz" * 32, "ab" * 16, "é"])
def test_a_damaged_signing_key_is_no_key(tmp_path: Path, text: str) -> None:
    (tmp_path / "signing_key").write_text(text)
    with pytest.raises(Misconfigured, match="damaged"):
        signer(None, tmp_path)


def test_of_many_starts_at_once_one_makes_the_signing_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: signer(None, tmp_path), range(64)))
    assert len({keys.public for keys, _ in found}) == 1
    assert sum(made for _, made in found) == 1
