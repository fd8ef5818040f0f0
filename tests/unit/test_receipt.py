"""Receipts of erasures: good as they were signed, and bad however they are altered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.keyring import Signer
from bridge.privacy.receipt import FORMAT, checked, written

SIGNER = Signer(b"s" * 32)
DOCUMENT: dict[str, Any] = {
    "format": FORMAT,
    "request": "38g6weq9y0500",
    "erased": [{"person": "2bd5692e3a75817946fc5a7e", "categories": {"texts": 2}}],
    "audit": [{"entry": 5, "hash": "ab"}],
}


def test_p68_a_receipt_is_good_as_it_was_signed() -> None:
    found = checked(written(DOCUMENT, SIGNER), {SIGNER.public})
    assert found.is_good
    assert found.document == DOCUMENT
    assert found.public_key == SIGNER.public


def test_p68_it_is_good_however_its_json_is_laid_out() -> None:
    text = json.dumps(json.loads(written(DOCUMENT, SIGNER)), sort_keys=True)
    assert checked(text, {SIGNER.public}).is_good


def changed(path: tuple[Any, ...], value: object) -> str:
    whole = json.loads(written(DOCUMENT, SIGNER))
    at = whole
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return json.dumps(whole)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("receipt", "request"), "38g6weq9y0501"),
        (("receipt", "erased", 0, "categories", "texts"), 3),
        (("receipt", "audit", 0, "entry"), 6),
        (("receipt", "more"), 1),
        (("signature",), "00" * 64),
        (("signature",), "no"),
        (("public_key",), Signer(b"t" * 32).public),
        (("public_key",), None),
    ],
)
def test_p68_an_altered_receipt_is_found_out(path: tuple[Any, ...], value: object) -> None:
    assert "altered" in checked(changed(path, value), {SIGNER.public}).why


def test_p68_a_receipt_of_another_key_is_not_ours() -> None:
    text = written(DOCUMENT, Signer(b"t" * 32))
    assert "another key" in checked(text, {SIGNER.public}).why


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"receipt": 1, "public_key": "", "signature": ""}', "\x00", "1"],
)
def test_what_is_no_receipt_is_none(text: str) -> None:
    assert "no receipt" in checked(text, {SIGNER.public}).why


def test_a_signed_document_of_another_kind_is_no_receipt() -> None:
    text = written({**DOCUMENT, "format": "sms-bridge-head-1"}, SIGNER)
    assert "no receipt" in checked(text, {SIGNER.public}).why
