"""The small language of carriers that are described in bridge.toml: words with placeholders, and
places where a value stands, come in; what the carrier works with goes out, or a sentence that tells
how to write it.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from bridge.settings.patterns import bounded

#: What may stand between braces; docs/carriers.md says what each is.
PLACEHOLDERS: Final = (
    *("to", "to_digits", "from", "from_digits", "text", "id", "encoding", "parts"),
    *("validity_seconds", "validity_minutes", "expires", "receipt_url"),
    *("account", "key", "secret"),
)
#: The account's own, which are known before there is a message.
OF_ACCOUNTS: Final = ("account", "key", "secret", "basic")
#: What the address of a list's page may be filled with.
OF_PAGES: Final = ("page", "account", "key", "secret")
#: What the address of a record may be filled with; its id is the provider's own.
OF_RECORDS: Final = ("id", "account", "key", "secret")
#: What a header may be filled with: nothing that a person or a tenant wrote.
IN_HEADERS: Final = (
    *(p for p in PLACEHOLDERS if p not in ("text", "from", "from_digits")),
    "basic",
)
#: What an address may be filled with, behind its host.
IN_ADDRESSES: Final = tuple(p for p in PLACEHOLDERS if p != "text")
NUMBER: Final = "number"
"""`{to_digits:number}` in JSON is a number, not a text."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_PATH: Final = re.compile(r"/(?![/\\])")
_HOST_ENDS: Final = re.compile(r"https?://[^/?#]+[/?]")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,60}")
#: Headers that the connection itself writes.
_TAKEN: Final = ("host", "content-length", "transfer-encoding", "connection", "content-type")


@dataclass(frozen=True, slots=True)
class Template:
    """Words with placeholders: each piece is words, the placeholder behind them, "" for none, and
    whether that is to be a number.
    """

    pieces: tuple[tuple[str, str, bool], ...]

    @property
    def names(self) -> set[str]:
        """The placeholders in it."""
        return {name for _, name, _ in self.pieces if name}

    @property
    def alone(self) -> str:
        """The placeholder that is all of it; "" where there is more, or less."""
        if len(self.pieces) == 1 and not self.pieces[0][0]:
            return self.pieces[0][1]
        return ""

    @property
    def number(self) -> bool:
        """Whether it is one placeholder that is to be a number."""
        return bool(self.alone) and self.pieces[0][2]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: `kind` is json, header, query, form or pattern."""

    kind: str
    steps: tuple[str, ...] = ()  # of a JSON pointer
    name: str = ""
    pattern: re.Pattern[str] | None = None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError('must be text between quotes, as in "value"')
    return value


def template(value: object, allowed: Collection[str] = PLACEHOLDERS) -> Template:
    """Words with placeholders, read. Raises ValueError."""
    if isinstance(value, Template):
        return value
    text = _text(value)
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError:
        raise ValueError(
            "has a brace too many or too few; a placeholder is written {text}, a brace {{ or }}"
        ) from None
    return Template(tuple(_piece(*each, allowed) for each in parsed))


def _piece(
    words: str, name: str | None, form: str | None, conversion: str | None, allowed: Collection[str]
) -> tuple[str, str, bool]:
    if name is None:
        return words, "", False
    if name not in allowed:
        shown = ", ".join(f"{{{each}}}" for each in allowed)
        raise ValueError(f'"{{{name}}}" cannot stand here; known here: {shown}')
    if conversion or form not in ("", NUMBER):
        raise ValueError(f'write "{{{name}}}", or "{{{name}:{NUMBER}}}" for a number in JSON')
    return words, name, form == NUMBER


def _plain_template(value: object) -> Template:
    """No numbers: outside JSON everything is text."""
    found = template(value)
    if any(number for _, _, number in found.pieces):
        raise ValueError(f"only JSON has numbers; leave out :{NUMBER}")
    return found


def _body(value: object) -> Template | None:
    return None if value in ("", None) else _plain_template(value)


def _address(value: object, allowed: Collection[str] = IN_ADDRESSES) -> Template:
    """An address whose host is fixed: what is filled in stands behind it, percent-encoded."""
    found = template(value, allowed)
    fixed = found.pieces[0][0] if found.pieces else ""
    if _CONTROL.search("".join(words for words, _, _ in found.pieces)):
        raise ValueError("has a control character; take it out")
    if not _PATH.match(fixed) and not _has_host(fixed, whole=not found.names):
        raise ValueError(
            'must be a web address with a fixed host, such as "https://api.example/sms/{id}",'
            ' or a path behind api_url, such as "/sms/{id}"'
        )
    return found


def _has_host(fixed: str, *, whole: bool) -> bool:
    """Whether an address names its host before the first placeholder."""
    try:
        parts = urlsplit(fixed)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return False
    return bool(good) and "@" not in parts.netloc and (whole or bool(_HOST_ENDS.match(fixed)))


def _check(value: object) -> Template | None:
    """As an address, filled with the account's own at most; "" for none."""
    found = None if value in ("", None) else _address(value)
    if found is not None and not found.names <= {*OF_ACCOUNTS}:
        raise ValueError("can have {account}, {key} and {secret} only: there is no message yet")
    return found


def _page_address(value: object) -> Template:
    """As an address, filled with the account's own and the number of a page."""
    return _address(value, OF_PAGES)


def _record_address(value: object) -> Template | None:
    """As an address, filled with the account's own and the id of a record; "" is none."""
    if value == "":
        return None
    found = _address(value, OF_RECORDS)
    if "id" not in found.names:
        raise ValueError("{id} stands nowhere; put the provider's id in")
    return found


def _header_template(value: object) -> Template:
    found = template(value, IN_HEADERS)
    if any(_CONTROL.search(words) or not words.isascii() for words, _, _ in found.pieces):
        raise ValueError("a header has plain characters only, and no line breaks")
    return found


def _headers(value: object) -> object:
    for name in value if isinstance(value, dict) else ():
        if not _HEADER.fullmatch(str(name)):
            raise ValueError(f'"{name}" is no name of a header')
        if name.lower() in _TAKEN:
            raise ValueError(f'"{name}" is written by the connection itself; take it out')
    return value


def _tree(value: object) -> Any:
    """JSON whose texts are templates. Raises ValueError with the place of what is wrong."""
    return _branch(value, "")


def _branch(value: object, at: str) -> Any:
    if isinstance(value, dict):
        return {name: _branch(each, f"{at}/{name}") for name, each in value.items()}
    if isinstance(value, list):
        return [_branch(each, f"{at}/{number}") for number, each in enumerate(value)]
    if isinstance(value, bool | int | float):
        return value
    try:
        found = template(value)
    except ValueError as error:
        raise ValueError(f"{at or 'all of it'}: {error}") from None
    if any(number for _, _, number in found.pieces) and not found.number:
        raise ValueError(f"{at}: a number stands alone between its quotes")
    return found


def templates(tree: Any) -> Iterator[Template]:
    """All templates of a JSON tree."""
    if isinstance(tree, Template):
        yield tree
    elif isinstance(tree, dict | list):
        for each in tree.values() if isinstance(tree, dict) else tree:
            yield from templates(each)


def _pattern(value: object) -> re.Pattern[str]:
    return value if isinstance(value, re.Pattern) else bounded(_text(value))


def _pattern_or_none(value: object) -> re.Pattern[str] | None:
    return None if value in ("", None) else _pattern(value)


def _place(value: object) -> Place:
    """`/id`, `header:X-Id`, `query:id`, `form:id` or `re:id=([0-9]+)`."""
    if isinstance(value, Place):
        return value
    text = _text(value)
    if text.startswith("/"):
        steps = text[1:].split("/")
        return Place("json", tuple(s.replace("~1", "/").replace("~0", "~") for s in steps))
    kind, colon, rest = text.partition(":")
    if kind == "re" and rest:
        found = _pattern(rest)
        if found.groups != 1:
            raise ValueError("the regular expression needs one group: what is looked for")
        return Place("pattern", pattern=found)
    if kind in ("header", "query", "form") and colon and rest:
        return Place(kind, name=rest.lower() if kind == "header" else rest)
    raise ValueError(
        'must be a JSON pointer such as "/id", or "header:NAME", "query:NAME", "form:NAME", '
        f'or "re:" with a regular expression, not "{text}"'
    )


def _place_or_none(value: object) -> Place | None:
    return None if value in ("", None) else _place(value)


def _list_place(value: object) -> Place | None:
    return _pointer(value, 'must be the JSON pointer of a list, such as "/results"')


def _entry_place(value: object) -> Place | None:
    return _pointer(value, 'must be a JSON pointer, such as "/number"')


def _pointer(value: object, said: str) -> Place | None:
    found = _place_or_none(value)
    if found is not None and found.kind != "json":
        raise ValueError(said)
    return found


Words = Annotated[Template, BeforeValidator(_plain_template)]
Body = Annotated[Template | None, BeforeValidator(_body)]
Address = Annotated[Template, BeforeValidator(_address)]
OptionalAddress = Annotated[Template | None, BeforeValidator(_check)]
PageAddress = Annotated[Template, BeforeValidator(_page_address)]
RecordAddress = Annotated[Template | None, BeforeValidator(_record_address)]
Headers = Annotated[
    dict[str, Annotated[Template, BeforeValidator(_header_template)]], BeforeValidator(_headers)
]
Tree = Annotated[Any, BeforeValidator(_tree)]
Somewhere = Annotated[Place, BeforeValidator(_place)]
Perhaps = Annotated[Place | None, BeforeValidator(_place_or_none)]
ListPlace = Annotated[Place | None, BeforeValidator(_list_place)]
EntryPlace = Annotated[Place | None, BeforeValidator(_entry_place)]
OptionalPattern = Annotated[re.Pattern[str] | None, BeforeValidator(_pattern_or_none)]
