"""Providers as their documentation has them, one module each: what `test_http_carriers.py` runs over.

A module has a `CASE`. Everything in it is written from the provider's pages, not from our code.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from bridge.model import State, Verdict

PUBLIC = "https://sms.example"
OURS = "+420601000000"
ANNA = "+420601123456"


@dataclass
class Seen:
    """A request as the provider got it; names of headers in small letters."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        """The form's fields, each of which stands once."""
        kind = self.headers.get("content-type", "").partition(";")[0]
        assert kind == "application/x-www-form-urlencoded", kind
        return _once(self.body.decode())

    def fields(self) -> dict[str, str]:
        """The query's fields, each of which stands once."""
        return _once(self.query)

    def json(self) -> Any:
        kind = self.headers.get("content-type", "").partition(";")[0]
        assert kind == "application/json", kind
        return json.loads(self.body)


def _once(written: str) -> dict[str, str]:
    pairs = parse_qsl(written, keep_blank_values=True, strict_parsing=True, errors="strict")
    assert len({name for name, _ in pairs}) == len(pairs), "a field stands twice"
    return dict(pairs)


@dataclass
class Sent:
    """An SMS as the provider understood it."""

    to: str
    text: str
    sender: str = ""
    key: str = ""
    """By which it knows a repeat, where it does."""
    receipts_to: str = ""
    """Where it was asked to tell of receipts, where a request says so."""
    ucs2: bool | None = None
    """Whether the request says that the text is Unicode; None where it says nothing."""
    id: str = ""
    """By which receipts will name it, where the request says that."""


@dataclass
class Reply:
    """An answer of the provider."""

    status: int = 200
    body: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def says(content: object, status: int = 200, **headers: str) -> Reply:
    """An answer in JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(content), headers=named)


@dataclass
class Told:
    """A callback of the provider, without its signature."""

    body: bytes = b""
    content_type: str = ""
    query: str = ""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)


def told_form(fields: Mapping[str, str], method: str = "POST") -> Told:
    """Fields as a form, or in the query of a GET."""
    written = urlencode(fields)
    if method == "GET":
        return Told(query=written, method="GET")
    return Told(written.encode(), "application/x-www-form-urlencoded")


def told_json(content: object) -> Told:
    return Told(json.dumps(content).encode(), "application/json")


@dataclass
class Case:
    """One provider."""

    kind: str
    keys: Mapping[str, Any]
    """What stands in bridge.toml beside name, kind, api_url and originator."""
    judge: Callable[[Seen], Sent]
    """Reads a request to send; AssertionError says what the documentation does not allow."""
    accept: Callable[[Sent, str], Reply]
    """The answer that takes an SMS under an id."""
    is_send: Callable[[Seen], bool]
    """Whether a request sends; the others look at the account, or log in."""
    other: Callable[[Seen], Reply]
    """The answer to those others."""
    refuses_us: Reply
    """How wrong credentials are answered, whatever is asked."""
    to: str
    """How ANNA is written to it."""
    sender: str
    """How OURS is written to it."""
    refusals: Sequence[tuple[Reply, Verdict]]
    """Answers and what they mean, one for each class of error."""
    busy: Reply
    """Its answer to too many requests, with `Retry-After: 7` where it has that."""
    doubts: Sequence[Reply]
    """Answers after which nobody can say whether it took the SMS."""
    receipt: Callable[[str, str], Told]
    """(id, the provider's word for a state)."""
    states: Mapping[str, State]
    """Each of its words for a state, and ours."""
    inbound: Callable[[str, str], Told] | None
    """(text, id): an MO from ANNA to OURS; None where it has no MO."""
    opt_outs: Sequence[tuple[str, Told]] = ()
    """("receipt" or "inbound", callback) by which it says that ANNA has opted out with it."""
    sign: Callable[[Told, str], Told] | None = None
    """Signs a callback to this URL as the provider does; None where it signs nothing."""
    number: Callable[[int], str] = lambda n: f"id-{n}"
    """The id that it gives to its n-th SMS."""
    idempotent: bool = False
    repeat: Reply | None = None
    """Its answer to a key that it has taken, where that is another than the first."""
    base: str = ""
    """What api_url has behind the host."""
    unicode: str = "Příliš žluťoučký kůň 🐎"
    """A text beyond GSM-7."""


class Records:
    """What a provider keeps of single SMS, and what became of those that it was asked to erase.

    `answers` are given first, once each; None answers as usual.
    """

    def __init__(self) -> None:
        self.kept: set[tuple[str, str]] = set()
        """(id, "outbound" or "inbound")."""
        self.asked: list[tuple[str, str]] = []
        self.erased: list[tuple[str, str]] = []
        self.answers: list[Reply | None] = []

    def ask(self, record: tuple[str, str], gone: Reply) -> Reply:
        """The answer to who asks to erase a record; `gone`: there is none."""
        self.asked.append(record)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            return answer
        if record not in self.kept:
            return gone
        self.kept.remove(record)
        self.erased.append(record)
        return Reply(204)


def cases() -> list[Case]:
    """Every provider's case."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f"{__name__}.{name}").CASE for name in names]
