"""Providers' published API descriptions in tests/data/published, and Prism, which judges by one.

`python -m tests.published FILE 'post /path' ...` writes the cut of a whole description that we keep.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import aiohttp
from aiohttp import web
from yarl import URL

from tests.http_cases import Case, Seen

FOLDER: Final = Path(__file__).parent / "data" / "published"
METHODS: Final = {"get", "put", "post", "delete", "patch"}

Description = dict[str, Any]


def kinds() -> list[str]:
    """The kinds of carriers whose provider's description we keep.

    A file with one more word, as `vonage.redact.json`, is another API of the same provider.
    """
    return sorted(path.stem for path in FOLDER.glob("*.json") if "." not in path.stem)


def description(kind: str) -> Description:
    found: Description = json.loads((FOLDER / f"{kind}.json").read_text())
    return found


def operations(told: Description) -> list[tuple[str, str]]:
    """("post", "/path"): what a description describes."""
    return [(method, path) for path, item in told["paths"].items() for method in METHODS & {*item}]


def cut(whole: Description, wanted: Collection[tuple[str, str]]) -> Description:
    """A description with the wanted operations alone, and what they refer to; all as it was."""
    paths = {}
    for path, item in whole["paths"].items():
        kept = {k: v for k, v in item.items() if k not in METHODS or (k, path) in wanted}
        if METHODS & {*kept}:
            paths[path] = kept
    parts = whole["components"]
    needed: set[str] = set()
    fresh = set(
        _references(
            {name: part for name, part in whole.items() if name != "components"} | {"paths": paths}
        )
    )
    while fresh:
        needed |= fresh
        fresh = {r for each in fresh for r in _references(_at(whole, each))} - needed
    components = {
        group: {
            name: part
            for name, part in named.items()
            if group == "securitySchemes" or f"#/components/{group}/{name}" in needed
        }
        for group, named in parts.items()
    }
    return whole | {"paths": paths, "components": {k: v for k, v in components.items() if v}}


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _references(each)


def _at(whole: Description, reference: str) -> Any:
    found: Any = whole
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def request_body(told: Description) -> dict[str, Any]:
    """The schema of the one request that has a body."""
    (path,) = (path for method, path in operations(told) if method == "post")
    (body,) = told["paths"][path]["post"]["requestBody"]["content"].values()
    found: dict[str, Any] = body["schema"]
    return _at(told, found["$ref"]) if "$ref" in found else found


def schema(told: Description, name: str) -> dict[str, Any]:
    """A schema of a description as JSON Schema, which says otherwise that something may be null."""
    return {"components": _plain(told["components"]), "$ref": f"#/components/schemas/{name}"}


def _plain(part: Any) -> Any:
    if isinstance(part, list):
        return [_plain(each) for each in part]
    if not isinstance(part, dict):
        return part
    said = {name: _plain(each) for name, each in part.items()}
    if said.pop("nullable", False) is True:
        return {"anyOf": [said, {"type": "null"}]}
    return said


# -- Prism ---------------------------------------------------------------------------------------


@asynccontextmanager
async def prism(node: Path, package: Path, file: Path) -> AsyncIterator[str]:
    """Prism, serving a description; its URL.

    It refuses a request that deviates from the description. Not with `--errors`, by which it also
    refuses what it answers itself: Vonage's answer fits two schemas of which the description wants
    one.
    """
    process = await asyncio.create_subprocess_exec(
        node,
        package / "dist" / "index.js",
        *("mock", "--host", "127.0.0.1", "--port", "0"),
        file,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"NODE_ENV": "test", "NO_COLOR": "1"},
    )
    assert process.stdout is not None
    told = process.stdout
    reading: asyncio.Task[bytes] | None = None
    try:
        async with asyncio.timeout(30):
            ready = None
            while ready is None:
                line = (await told.readline()).decode()
                assert line, "Prism ended before it listened"
                ready = re.search(r"is listening on (http://\S+)", line)
        reading = asyncio.create_task(told.read())  # else its log would fill the pipe
        yield ready[1]
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        if reading is not None:
            await reading
        await process.wait()


@dataclass
class Judged:
    """A request, and what Prism found."""

    seen: Seen
    status: int
    violations: list[dict[str, Any]]
    """Where the request deviates from the description."""
    answer: Any


class Gate:
    """The provider's address: what its description has goes to Prism, the rest to the case.

    `spoil` changes a request on its way; `prefer` is what Prism is asked for (RFC 7240).
    """

    def __init__(self, case: Case, told: Description, prism_url: str) -> None:
        self.case = case
        self.told = told
        self.judged: list[Judged] = []
        self.undescribed: list[str] = []
        self.spoil: Callable[[Seen], Seen] = lambda seen: seen
        self.prefer = ""
        self.url = ""
        self._prism = prism_url
        self._base = urlsplit(told["servers"][0]["url"]).path.rstrip("/")

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._session = aiohttp.ClientSession(auto_decompress=False)

    async def stop(self) -> None:
        await self._session.close()
        await self._runner.cleanup()

    def sent(self) -> list[Judged]:
        """What sends an SMS."""
        return [each for each in self.judged if self.case.is_send(each.seen)]

    def described(self, seen: Seen) -> bool:
        """Whether the description has this operation, its server's address included."""
        if not seen.path.startswith(self._base):
            return False
        path = seen.path.removeprefix(self._base)
        return any(
            method == seen.method.lower() and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path)
            for method, known in operations(self.told)
        )

    async def _answer(self, request: web.Request) -> web.Response:
        path, _, query = request.raw_path.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen = Seen(request.method, path, query, headers, await request.read())
        if not self.described(seen):
            self.undescribed.append(f"{seen.method} {seen.path}")
            said = self.case.other(seen)
            return web.Response(status=said.status, text=said.body, content_type=said.content_type)
        spoilt = self.spoil(seen)
        passed = {k: v for k, v in spoilt.headers.items() if k not in ("host", "content-length")}
        if self.prefer and self.case.is_send(seen):
            passed["prefer"] = self.prefer
        where = self._prism + spoilt.path.removeprefix(self._base)
        url = URL(f"{where}?{spoilt.query}" if spoilt.query else where, encoded=True)
        body = spoilt.body or None
        async with self._session.request(spoilt.method, url, headers=passed, data=body) as answer:
            content = await answer.read()
            told = json.loads(content) if content else None
            noted = json.loads(answer.headers.get("sl-violations", "[]"))
            violations = [each for each in noted if each["location"][0] != "response"]
            if answer.content_type == "application/problem+json":
                violations += told.get("validation", []) or [told]
            self.judged.append(Judged(seen, answer.status, violations, told))
            return web.Response(
                status=answer.status, body=content, content_type=answer.content_type
            )


@asynccontextmanager
async def a_gate(case: Case, told: Description, prism_url: str) -> AsyncIterator[Gate]:
    gate = Gate(case, told, prism_url)
    await gate.start()
    try:
        yield gate
    finally:
        await gate.stop()


def with_fields(seen: Seen, **fields: str | None) -> Seen:
    """A request whose form has these fields, or lacks those that are None."""
    said = {**seen.form(), **fields}
    form = {name: value for name, value in said.items() if value is not None}
    return replace(seen, body=urlencode(form).encode())


if __name__ == "__main__":
    file, *named = sys.argv[1:]
    found = cut(json.loads(Path(file).read_text()), [(n.split()[0], n.split()[1]) for n in named])
    sys.stdout.write(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
