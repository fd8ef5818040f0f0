"""Names and addresses as written in; canonical names and organisational domains out.

Two spellings of one domain compare equal only after `canonical`; two domains belong to one owner
when `organisational` says so.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib import resources

import idna

# Underscores are no host names, but they stand in real MAIL FROM domains.
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")


@lru_cache(maxsize=4096)
def canonical(domain: str) -> str:
    """A domain in lower-case A-labels without the final dot (RFC 5890, UTS 46).

    Raises ValueError where the text is no domain name; an address literal is none.
    """
    name = domain.removesuffix(".")
    if not name.isascii():
        name = idna.encode(name, uts46=True).decode("ascii")
    name = name.lower()
    if not _NAME.fullmatch(name):
        raise ValueError("not a domain name")
    return name


def split(address: str) -> tuple[str, str]:
    """An address as (local part, domain), both ready to be compared.

    The local part is compared without regard to case: stricter is allowed by RFC 5321 2.4, but no
    mail system in use tells `Boss` from `boss`. Raises ValueError where it is no address.
    """
    local, at, domain = address.rpartition("@")
    if not (local and at):
        raise ValueError("not a mail address")
    return unicodedata.normalize("NFC", local).lower(), canonical(domain)


@cache
def _suffixes() -> frozenset[str]:
    """The rules of the public suffix list that comes with authheaders, as A-labels."""
    # Only the list is taken: its reader (publicsuffix2) takes a whole unlisted TLD for one owner.
    import authheaders

    listed = resources.files(authheaders).joinpath("public_suffix_list.txt").read_text("utf-8")
    rules = (line.split()[0] for line in listed.splitlines() if line and line[:2] != "//")
    return frozenset(map(_as_labels, rules))


def _as_labels(rule: str) -> str:
    mark = "!" if rule[0] == "!" else "*." if rule[0] == "*" else ""
    return mark + canonical(rule[len(mark) :])


@lru_cache(maxsize=4096)
def organisational(domain: str) -> str:
    """The organisational domain of a canonical one (RFC 7489 3.2, publicsuffix.org/list).

    A name that is itself a public suffix is its own; a TLD that is not listed is a suffix.
    """
    rules, labels = _suffixes(), domain.split(".")
    for i in range(len(labels)):
        suffix, parent = ".".join(labels[i:]), ".".join(labels[i + 1 :])
        if f"!{suffix}" in rules:
            return suffix
        if suffix in rules or f"*.{parent}" in rules:
            return ".".join(labels[max(0, i - 1) :])
    return ".".join(labels[-2:])


def aligned(domain: str, other: str, strict: bool) -> bool:
    """RFC 7489 3.1: the same domain or, when relaxed, the same organisation's."""
    return domain == other or (not strict and organisational(domain) == organisational(other))
