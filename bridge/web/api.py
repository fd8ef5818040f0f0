"""The sandbox for programs: JSON in and out, errors too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from aiohttp import web

from bridge.errors import Refused
from bridge.store.ids import show
from bridge.store.sandbox import Received
from bridge.web.phones import Phones
from bridge.web.views import iso

_CHUNK = 500


class Api:
    """`/sandbox/api`."""

    def __init__(
        self, phones: Phones, mails: Callable[[], Awaitable[Sequence[Mapping[str, Any]]]]
    ) -> None:
        self._phones = phones
        self._mails = mails

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """What is answered where."""
        yield web.get("/sandbox/api/messages", self.messages)
        yield web.post("/sandbox/api/messages", self.answer)
        yield web.get("/sandbox/api/mails", self.mails)
        yield web.get("/sandbox/api/phones", self.phones)
        yield web.post("/sandbox/api/phones", self.switch)

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """What the phones received, oldest first; with `to`, one phone."""
        found = await self._phones.received(request.query.get("to", ""))
        return await _array(request, [_shown(each) for each in found])

    async def answer(self, request: web.Request) -> web.Response:
        """An SMS typed on a phone; answered once it is stored."""
        said = await _object(request, ("from", "text"), ("to",))
        made = await self._phones.answer(said["from"], said.get("to", ""), said["text"])
        return web.json_response({"id": made}, status=201)

    async def mails(self, request: web.Request) -> web.StreamResponse:
        """Mails that had no smarthost to leave by, oldest first."""
        return await _array(request, [dict(mail) for mail in await self._mails()])

    async def phones(self, request: web.Request) -> web.StreamResponse:
        """How the phones behave."""
        modes = await self._phones.modes()
        return await _array(request, [{"number": number, "mode": mode} for number, mode in modes])

    async def switch(self, request: web.Request) -> web.Response:
        """Make a phone normal, slow or unreachable."""
        said = await _object(request, ("number", "mode"))
        await self._phones.set_mode(self._phones.key(said["number"]), said["mode"])
        return web.json_response({"number": said["number"], "mode": said["mode"]})


def _shown(each: Received) -> dict[str, Any]:
    return {
        "id": show(each.message),
        "from": each.originator,
        "to": each.phone,
        "text": each.text,
        "parts": each.parts,
        "at": iso(each.at),
    }


async def _array(request: web.Request, rows: Sequence[Mapping[str, Any]]) -> web.StreamResponse:
    """A JSON array, encoded piece by piece so that a long one does not stop the whole process."""
    if len(rows) <= _CHUNK:
        return web.json_response(list(rows))
    response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
    await response.prepare(request)
    for start in range(0, len(rows), _CHUNK):
        piece = json.dumps(rows[start : start + _CHUNK])[1:-1]
        await response.write((("," if start else "[") + piece).encode())
        await asyncio.sleep(0)
    await response.write(b"]")
    return response


async def _object(
    request: web.Request, required: Sequence[str], optional: Sequence[str] = ()
) -> dict[str, str]:
    """The request's JSON object of strings. Raises Refused; HTTP 415 for a browser's other type.

    Another site's form cannot send this type without asking first (CORS), and is refused then.
    """
    if _is_browser(request) and request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(
            text=json.dumps(
                {"error": "the body is not JSON", "hint": "send Content-Type: application/json"}
            ),
            content_type="application/json",
        )
    try:
        said = json.loads(await request.read())
    except (ValueError, RecursionError) as error:
        raise Refused("the body is not valid JSON", _example(required)) from error
    if not isinstance(said, dict):
        raise Refused("the body is not a JSON object", _example(required))
    known = {*required, *optional}
    unknown = sorted(str(name)[:40] for name in said if name not in known)
    if unknown:
        raise Refused(f"unknown: {', '.join(unknown)}", f"known: {', '.join(sorted(known))}")
    missing = [name for name in required if name not in said]
    if missing:
        raise Refused(f"missing: {', '.join(missing)}", _example(required))
    wrong = sorted(name for name, value in said.items() if not isinstance(value, str))
    if wrong:
        raise Refused(f"not a string: {', '.join(wrong)}", _example(required))
    return said


def _is_browser(request: web.Request) -> bool:
    return any(name in request.headers for name in ("Origin", "Referer", "Sec-Fetch-Site"))


_EXAMPLES = {"from": "+420601123456", "number": "+420601123456", "mode": "slow", "text": "Yes"}


def _example(required: Sequence[str]) -> str:
    return "send an object such as " + json.dumps({name: _EXAMPLES[name] for name in required})
