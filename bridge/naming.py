"""A name as someone typed it in, the name by which contacts, groups and templates are known out."""

from __future__ import annotations

import unicodedata
from typing import Final

from bridge.errors import Refused

MOST_NAME: Final = 40
_REPLIES: Final = ("r-", "reply-")
#: What stands after a dot of an address (docs of `bridge.smtp.address`) and is no part of a name.
_OPTIONS: Final = ("urgent", "marketing", "transactional", "explain")
_VALUES: Final = ("from-", "at-", "t-")


def name_of(typed: str) -> str:
    """A name as it is compared: NFKC, casefolded. Raises ValueError where it is none."""
    # Once more: casefolding takes some letters apart.
    name = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", typed).casefold())
    letters = name.replace("-", "a").replace("_", "a").replace(".", "a")
    if not letters.isalnum() or len(name) > MOST_NAME or not any(map(str.isalpha, name)):
        raise ValueError("letters, digits, - _ and ., with a letter among them")
    return name


def alias_of(typed: str) -> str:
    """The name of a contact or a group, which mail must be able to reach too: `name@…`.

    Raises Refused where it is no name, or an address made of it would mean something else.
    """
    try:
        name = name_of(typed)
    except ValueError as no:
        raise Refused(
            f"a name has {no}", f"write it with {MOST_NAME} of them at most, such as on-call"
        ) from None
    if name.startswith(_REPLIES):
        raise Refused("a name cannot begin with r- or reply-", "those addresses answer an SMS")
    first, *more = name.split(".")
    if not all((first, *more)):
        raise Refused("a name has its dots between letters or digits", "write jan.novak")
    if not any(map(str.isalpha, first)):
        raise Refused("a name cannot begin like a number", "put a letter before its first dot")
    if first == "explain" or any(map(_is_option, more)):
        raise Refused(
            "a part of this name is an option of addresses",
            "write - in place of the dot; 'explain' alone is no name",
        )
    return name


def _is_option(label: str) -> bool:
    return label in _OPTIONS or label.startswith(_VALUES)
