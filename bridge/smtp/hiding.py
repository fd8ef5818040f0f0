"""An HTML element's attributes or a style sheet come in; whether a reader sees it goes out.

Newsletters hide the words that mailboxes show beside the subject; nobody who reads the mail sees
them, by a style of their own, by one for their class or id, or by letters of no size.
"""

import re

_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?:^|[;\s])opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)"
    r"|max-height\s*:\s*0(?:px)?\s*(?:;|!|$)"
    r"|(?:^|[;\s])height\s*:\s*0(?:px)?\s*[;!].{0,400}?overflow\s*:\s*hidden"
    r"|overflow\s*:\s*hidden.{0,400}?[;\s]height\s*:\s*0(?:px)?\s*(?:;|!|$)",
    re.IGNORECASE,
)
_TINY = re.compile(r"(?:font-size|line-height)\s*:\s*[01](?:px|pt)?\s*(?:;|!|$)", re.IGNORECASE)
_BRACE = re.compile(r"([{}])")
_SELECTED = re.compile(r"([.#][\w-]{1,60})\s*(?:,|$)")


def is_hidden(attributes: dict[str, str], hidden: set[str]) -> bool:
    """Whether an element shows nothing. In: its attributes, what hidden_marks found."""
    if not attributes:
        return False
    style = attributes.get("style", "")
    if style and (_HIDDEN.search(style) or len(_TINY.findall(style)) > 1):
        return True
    if "hidden" in attributes or not hidden:
        return "hidden" in attributes
    marks = {f".{name}" for name in attributes.get("class", "").split()}
    return not hidden.isdisjoint(marks | {"#" + attributes.get("id", "")})


def hidden_marks(sheet: str) -> set[str]:
    """Classes and ids a style sheet hides on every screen; what only some screens hide is not."""
    found = set[str]()
    heads: list[str] = []
    pieces = _BRACE.split(sheet[:50_000])
    for text, brace in zip(pieces[::2], pieces[1::2], strict=False):
        if brace == "{":
            heads.append(text)
        elif heads:
            head = heads.pop()
            if not heads and _HIDDEN.search(text):
                found.update(_SELECTED.findall(head))
    return found
