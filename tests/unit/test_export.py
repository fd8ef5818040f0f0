"""The file that a person gets: opened by others' programs, masked, and safe in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import pyzipper

from bridge.model import Class, State
from bridge.privacy import requests as law
from bridge.privacy.consents import BASES, PURPOSES
from bridge.privacy.export import LISTS, SCHEMA, masked, packed, page, password, table
from bridge.privacy.export_values import VALUES
from bridge.privacy.export_words import period, words
from bridge.store.listed import ANY, MARKETING, RESTRICTED
from bridge.store.suppressions import ENTERED

OWN = "+420601123456"
MESSAGE = {
    "at": "2026-11-23T05:33:17Z",
    "by": "mail",
    "from": "+420601000000",
    "class": "transactional",
    "state": "delivered",
    "sent_at": "2026-11-23T05:33:17Z",
    "final_at": None,
    "parts": 1,
    "text": "Kotel 3 je studený <b>",
}
DOCUMENT: dict[str, Any] = {
    "format": "sms-bridge-export-1",
    "kind": "access",
    "language": "en",
    "made_at": "2026-11-23T05:33:30Z",
    "request": "38g6wmjdm0300",
    "controller": "acme",
    "operator": "The operator",
    "since": None,
    "person": {"identity": OWN, "kind": "number", "country": "CZ"},
    "purposes": ["messages", "marketing", "writing", "suppression", "rights"],
    "sources": ["you", "tenant", "carrier"],
    "periods": [{"what": "text", "period": "60d"}, {"what": "suppression", "period": "never"}],
    "recipients": [
        {"name": "SMSC", "kind": "carrier", "purpose": "sms", "country": "CZ", "mechanism": "eea"}
    ],
    "contact": "privacy@sms.example",
    "authority": "ÚOOÚ",
    "messages": [MESSAGE],
    "files": [
        {
            "at": "2026-11-23T05:33:17Z",
            "name": "offer.pdf",
            "kind": "application/pdf",
            "size": 5000,
            "until": "2026-12-23T05:33:17Z",
            "served": 1,
            "refused": "",
        }
    ],
    "replies": [
        {"at": "2026-11-23T05:33:17Z", "to": "+420601000000", "understood": "none", "text": "=1+1"}
    ],
    "written": [{**MESSAGE, "to": "+420 ••• ••• 499"}],
    "names": [{"what": "name", "name": "anna", "since": "2026-11-23T05:33:17Z"}],
    "consents": [
        {
            "purpose": "marketing",
            "name": "",
            "basis": "consent",
            "channel": "portal",
            "version": "v1",
            "text": "I agree",
            "since": "2026-11-23T05:33:17Z",
            "until": None,
            "state": "active",
        }
    ],
    "suppressions": [
        {
            "scope": "tenant",
            "purpose": "any",
            "source": "handset",
            "since": "2026-11-23T05:33:17Z",
            "until": None,
        }
    ],
    "requests": [
        {
            "reference": "38g6wmjdm0300",
            "type": "access",
            "channel": "cli",
            "at": "2026-11-23T05:33:17Z",
            "state": "executing",
            "closed_at": None,
        }
    ],
    "enrolments": [
        {"name": "Eva", "role": "agent", "since": "2026-11-23T05:33:17Z", "until": None}
    ],
}
HEAD = (
    *("format", "kind", "language", "made_at", "request", "controller", "operator"),
    *("since", "person"),
)


def valid(document: object) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema, jsonschema.Draft202012Validator)


def test_p24_the_published_schema_describes_a_whole_document() -> None:
    valid(DOCUMENT)
    published = Path(__file__).parents[2] / "docs" / "export.schema.json"
    assert published.read_bytes() == SCHEMA.read_bytes()


@pytest.mark.parametrize("key", ["format", "person", "purposes", "authority", "periods"])
def test_p24_a_document_without_what_must_be_told_is_not_valid(key: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        valid({k: v for k, v in DOCUMENT.items() if k != key})


def test_p24_nothing_that_the_schema_does_not_know_is_handed_out() -> None:
    with pytest.raises(jsonschema.ValidationError):
        valid({**DOCUMENT, "staff": []})


def test_p24_the_file_is_encrypted_and_opens_with_its_password_alone(tmp_path: Path) -> None:
    path, key = tmp_path / "one.zip", password()
    packed(DOCUMENT, key, path)
    assert path.stat().st_mode & 0o077 == 0
    data = path.read_bytes()
    for word in (OWN, "Kotel", "anna"):
        assert word.encode() not in data
    with pyzipper.AESZipFile(path) as archive:
        assert {"data.json", "index.html", "messages.csv"} <= set(archive.namelist())
        for info in archive.infolist():
            assert info.wz_aes_strength == 3  # AES-256
        with pytest.raises(RuntimeError, match="password"):
            archive.read("data.json")
        archive.setpassword(b"not the password")
        with pytest.raises(RuntimeError, match="password"):
            archive.read("data.json")
        archive.setpassword(key.encode())
        assert json.loads(archive.read("data.json")) == DOCUMENT
    assert list(tmp_path.iterdir()) == [path]


def test_p24_7_zip_opens_it(tmp_path: Path, program: Callable[[str], Path]) -> None:
    path, key = tmp_path / "one.zip", password()
    packed(DOCUMENT, key, path)
    command = [program("7z"), "x", f"-p{key}", f"-o{tmp_path / 'out'}", path]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert json.loads((tmp_path / "out" / "data.json").read_text(encoding="utf-8")) == DOCUMENT
    wrong = [program("7z"), "t", "-pnot", path]
    assert subprocess.run(wrong, check=False, capture_output=True).returncode


def test_p13_a_file_that_could_not_be_finished_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "one.zip"
    with pytest.raises(KeyError):
        packed({**DOCUMENT, "language": "xx"}, password(), path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("language", ["en", "cs", "no"])
def test_p24_the_page_can_be_read_in_each_language(language: str) -> None:
    shown = page({**DOCUMENT, "language": language})
    said = words(language)
    assert f'<html lang="{language}">' in shown
    for name in LISTS:
        assert said["lists"][name] in shown
    assert "ÚOOÚ" in shown
    assert "studený &lt;b&gt;" in shown
    assert "<script" not in shown
    assert not re.search(r"https?://", shown.replace("https://uoou", ""))


@pytest.mark.parametrize("language", ["cs", "no"])
def test_p24_the_page_has_no_word_of_another_language_and_dates_as_they_are_written_there(
    language: str,
) -> None:
    shown = page({**DOCUMENT, "language": language})
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", shown)
    codes = {
        "transactional",
        "delivered",
        "mail",
        "tenant",
        "any",
        "handset",
        "access",
        "executing",
    }
    assert not codes & set(cells)
    assert not re.search(r"\d{4}-\d\d-\d\dT", shown)
    said = {"cs": "23. 11. 2026 06:33 CET", "no": "23.11.2026 kl. 06.33 CET"}
    assert said[language] in shown


@pytest.mark.parametrize("recipients", [[], DOCUMENT["recipients"]])
def test_p24_who_gets_the_data_is_said_though_nobody_does(recipients: object) -> None:
    shown = page({**DOCUMENT, "recipients": recipients, "language": "cs"})
    assert "Kdo vaše údaje dostává" in shown
    assert ("Nikdo kromě" in shown) is not bool(recipients)


@pytest.mark.parametrize("language", ["en", "cs", "no"])
def test_what_the_bridge_stores_has_words_in_each_language(language: str) -> None:
    """A state, a right or a purpose that is new is not handed out in English."""
    said = VALUES[language]
    assert {str(state) for state in State} <= said["state"].keys()
    assert {str(state) for state in law.State} <= said["state"].keys()
    assert {str(kind) for kind in law.Kind} <= said["type"].keys()
    assert {str(klass) for klass in Class} <= said["class"].keys()
    assert {"stop", "start", "help", "intent", "none"} <= said["understood"].keys()
    assert {*PURPOSES, ANY, MARKETING, RESTRICTED} <= said["purpose"].keys()
    assert set(BASES) <= said["basis"].keys()
    assert {"handset", "link", "carrier", "erasure", *ENTERED} <= said["source"].keys()
    for column, values in VALUES["en"].items():
        assert said[column].keys() == values.keys()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        *(("1y", "1 rok"), ("3y", "3 roky"), ("10y", "10 let"), ("4mo", "4 měsíce")),
        *(("60d", "60 dnů"), ("0d", "smaže se hned")),
    ],
)
def test_a_period_is_counted_as_czechs_count(written: str, said: str) -> None:
    assert period(written, words("cs")) == said


def test_p25_what_can_be_taken_along_has_a_page_too() -> None:
    told = {k: v for k, v in DOCUMENT.items() if k in (*HEAD, "replies", "consents")}
    told["kind"] = "portability"
    valid(told)
    assert "Messages from you" in page(told)


def test_the_languages_have_the_same_words() -> None:
    def shape(value: object) -> object:
        return {k: shape(v) for k, v in value.items()} if isinstance(value, dict) else ""

    assert shape(words("cs")) == shape(words("en")) == shape(words("no"))
    assert [period(w, words("en")) for w in ("60d", "6mo", "2y", "never")] == [
        "60 days",
        "6 months",
        "2 years",
        "no end",
    ]


def test_p24_other_peoples_numbers_and_addresses_are_masked() -> None:
    text = f"{OWN} or 601 123 499, 00420777123456; eva@acme.example, jan@firm.example."
    assert masked(text, "CZ", OWN) == (
        f"{OWN} or +420 ••• ••• 499, +420 ••• ••• 456; e…@acme.example, j…@firm.example."
    )
    assert "eva@acme.example" in masked(text, "CZ", "Eva@acme.example")


def test_a_table_runs_no_formula() -> None:
    rows = list(csv.reader(io.StringIO(table(DOCUMENT["replies"]))))
    assert table(DOCUMENT["replies"]).startswith("\N{ZERO WIDTH NO-BREAK SPACE}at,")
    assert rows[1][1] == "+420601000000"
    assert rows[1][3] == "'=1+1"


def test_a_password_can_be_read_out_and_is_long() -> None:
    found = {password() for _ in range(100)}
    assert len(found) == 100
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}", p) for p in found)
