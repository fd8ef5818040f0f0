"""The local part of a recipient's address in, whom it names and with which options out.

A number in any common writing or an alias comes first, options follow after dots:
`601123456.urgent`, `ops.from-ACME.at-202611232000`, `explain.+420601123456`.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from difflib import get_close_matches
from typing import Final, NamedTuple

from bridge.errors import BadAddress

NUMBER: Final = "number"
ALIAS: Final = "alias"
REPLY: Final = "reply"

_PLAIN_NUMBER = re.compile(r"\+?[0-9]{6,17}").fullmatch
_NUMBER = re.compile(r"\(?\+?[\s(]*\d[\d\s()/_–-]*").fullmatch
_NUMBER_GROUP = re.compile(r"[\d\s()/_–-]*\d[\d\s()/_–-]*").fullmatch
_REPLY = re.compile(r"(?:r-|reply[+-])(.+)", re.IGNORECASE | re.DOTALL).fullmatch
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 _&-]{1,11}|\+?[0-9]{3,15}").fullmatch
_TOKEN = re.compile(r"[A-Za-z0-9_-]+").fullmatch
_TIME = re.compile(r"[0-9]{12}").fullmatch
_WORDS = ("urgent", "marketing", "transactional", "explain")
_VALUES = ("from-", "at-", "t-", "p-")
_OPTIONS = (
    "the options are .urgent .marketing .transactional .from-NAME .at-YYYYMMDDHHMM .t-TOKEN"
    " .p-PROGRAMME"
)


class Address(NamedTuple):
    """Whom a local part names, and how the message is to go."""

    kind: str
    """NUMBER, ALIAS (a contact or group, or a mailbox such as `privacy`) or REPLY."""
    target: str
    """The number as digits, with its plus where there is one; the alias; the reply token."""
    explain: bool = False
    """Nothing is sent; the answer says what would be, and why."""
    urgent: bool = False
    klass: str | None = None
    """ "marketing" or "transactional", where the address says so."""
    originator: str | None = None
    at: datetime | None = None
    """When to send, in the tenant's local time (no zone)."""
    token: str | None = None
    programme: str | None = None
    """Of which of the tenant's programmes the message is."""


def parse(local: str) -> Address:
    """What the local part `local` asks for.

    Options and their order are free and their case does not matter; names and tokens keep
    theirs.  Raises BadAddress, whose sentence names the option at fault and its right form.
    """
    if _PLAIN_NUMBER(local):
        return Address(NUMBER, local)
    if reply := _REPLY(local):
        return Address(REPLY, reply[1])
    labels = _unquoted(local).split(".")
    explain = labels[0].strip().lower() == "explain"
    if explain:
        labels = labels[1:]
    if not labels or not labels[0].strip():
        raise BadAddress("The address names nobody", "write the number first: +420601123456")
    kind, target, options = _target(labels)
    found = _options(options)
    return Address(
        kind,
        target,
        explain or "explain" in found,
        "urgent" in found,
        next((word for word in ("marketing", "transactional") if word in found), None),
        found.get("from-"),
        datetime.strptime(found["at-"], "%Y%m%d%H%M") if "at-" in found else None,  # noqa: DTZ007
        found.get("t-"),
        found.get("p-"),
    )


def _unquoted(local: str) -> str:
    """`local` without the quotes and backslashes of RFC 5321's Quoted-string."""
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    return local if local.isascii() else unicodedata.normalize("NFKC", local)


def _target(labels: list[str]) -> tuple[str, str, list[str]]:
    """The kind and name at the start of `labels`, and the labels that are left.

    Groups of digits go on with the number (`601.123.456`); an alias goes on to the first option
    (`jan.novak.urgent`).
    """
    goes_on = _NUMBER_GROUP if _NUMBER(labels[0]) else _is_no_option
    size = 1
    while size < len(labels) and goes_on(labels[size]):
        size += 1
    if goes_on is _is_no_option:
        return ALIAS, ".".join(labels[:size]).strip(), labels[size:]
    digits = "".join(re.findall(r"\d", "".join(labels[:size])))
    plus = "+" if labels[0].lstrip("( ").startswith("+") else ""
    return NUMBER, plus + digits, labels[size:]


def _is_no_option(label: str) -> bool:
    word = label.strip().lower()
    return bool(word) and word not in _WORDS and not word.startswith(_VALUES)


def _options(labels: list[str]) -> dict[str, str]:
    """The options of `labels`: each word, and each prefix with its checked value."""
    found: dict[str, str] = {}
    for label in labels:
        key, value = _option(label.strip())
        if key in found:
            raise BadAddress(f"The option .{key} stands twice", "write it once")
        found[key] = value
    if "marketing" in found and "transactional" in found:
        raise BadAddress("A message is .marketing or .transactional", "leave one of them out")
    return found


def _option(label: str) -> tuple[str, str]:
    word = label.lower()
    if word in _WORDS:
        return word, ""
    key = next((prefix for prefix in _VALUES if word.startswith(prefix)), "")
    value = label[len(key) :]
    if key == "from-" and not _NAME(value):
        raise BadAddress(
            "The option .from-NAME takes a sender of at most 11 letters and digits, or a number",
            "such as .from-ACME",
        )
    if key == "at-" and not _is_time(value):
        raise BadAddress(
            "The option .at-YYYYMMDDHHMM takes a date and a time", "such as .at-202611232000"
        )
    if key == "t-" and not _TOKEN(value):
        raise BadAddress("The option .t-TOKEN is without its token", "such as .t-Xk29fQ7a")
    if key == "p-" and not _TOKEN(value):
        raise BadAddress(
            "The option .p-PROGRAMME is without its programme", "such as .p-newsletter"
        )
    if not key:
        raise _unknown(word)
    return key, value


def _is_time(value: str) -> bool:
    try:
        return bool(_TIME(value)) and bool(datetime.strptime(value, "%Y%m%d%H%M"))  # noqa: DTZ007
    except ValueError:
        return False


def _unknown(word: str) -> BadAddress:
    if not word:
        return BadAddress("There is a dot without an option", "remove it")
    if near := get_close_matches(word, (*_WORDS, "from-name", "at-", "t-", "p-"), 1):
        return BadAddress("The address has an unknown option", f"did you mean .{near[0]}?")
    return BadAddress("The address has an unknown option", _OPTIONS)
