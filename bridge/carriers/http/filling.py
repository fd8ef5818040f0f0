"""A described request and what it is filled with in; a request out. Each value is written as its
place wants it, so that nothing in a text or a number can become part of the request's form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit
from xml.sax.saxutils import escape

from bridge.carriers.http.provider import FORM, JSON, Call
from bridge.settings.described import Request
from bridge.settings.describing import Template

Values = Mapping[str, str]

#: What XML 1.0 (2.2) cannot hold, however it is written.
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def filled(request: Request, values: Values, base: str) -> Call:
    """The request with its placeholders filled; an address that is a path stands behind `base`."""
    url = _address(request.url, values, base)
    if query := _fields(request.query, values):
        url += ("&" if "?" in url else "?") + urlencode(query)
    headers = {name: _written(each, values, str) for name, each in request.headers.items()}
    if request.json_:
        body = json.dumps(_tree(request.json_, values), ensure_ascii=False).encode()
        return Call(request.method, url, {"Content-Type": JSON, **headers}, body)
    if request.form:
        body = urlencode(_fields(request.form, values)).encode()
        return Call(request.method, url, {"Content-Type": FORM, **headers}, body)
    if request.body:
        how = _xml if request.escape == "xml" else _in_json
        body = _written(request.body, values, how).encode()
        return Call(request.method, url, {"Content-Type": request.content_type, **headers}, body)
    return Call(request.method, url, headers)


def asked(request: Request, account: Values, base: str) -> Call:
    """A harmless request with the account's own headers: the described check, or the host's root.

    A header that is filled with what only a message has is left out.
    """
    if request.check is None:
        fixed = request.url.pieces[0][0]
        root = urlsplit(base if fixed.startswith("/") else fixed)
        return Call("GET", f"{root.scheme}://{root.netloc}/")
    return paged(request, request.check, account, base)


def paged(
    request: Request, address: Template, values: Values, base: str, method: str = "GET"
) -> Call:
    """An address without a body, with those of the headers that the values suffice for."""
    url = _address(address, values, base)
    headers = {
        n: _written(t, values, str) for n, t in request.headers.items() if t.names <= {*values}
    }
    return Call(method, url, headers)


def _address(template: Template, values: Values, base: str) -> str:
    url = _written(template, values, lambda value: quote(value, safe=""))
    return base + url if url.startswith("/") else url


def _written(template: Template, values: Values, how: Callable[[str], str]) -> str:
    return "".join(
        words + (how(values[name]) if name else "") for words, name, _ in template.pieces
    )


def _fields(table: Mapping[str, Template], values: Values) -> dict[str, str]:
    """The fields that say something: one with a placeholder that has no value is left out."""
    return {
        name: _written(each, values, str)
        for name, each in table.items()
        if not _silent(each, values)
    }


def _tree(tree: Any, values: Values) -> Any:
    if isinstance(tree, dict):
        return {n: _tree(each, values) for n, each in tree.items() if not _silent(each, values)}
    if isinstance(tree, list):
        return [_tree(each, values) for each in tree if not _silent(each, values)]
    if not isinstance(tree, Template):
        return tree
    text = _written(tree, values, str)
    return int(text) if tree.number and text.isascii() and text.isdigit() else text


def _silent(tree: Any, values: Values) -> bool:
    return isinstance(tree, Template) and not all(values[name] for name in tree.names)


def _xml(value: str) -> str:
    return escape(_NO_XML.sub("", value), {'"': "&quot;", "'": "&apos;", "\r": "&#13;"})


def _in_json(value: str) -> str:
    """What stands between the quotes of a JSON text."""
    return json.dumps(value, ensure_ascii=False)[1:-1]
