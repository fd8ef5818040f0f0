"""A style sheet or an icon of ours comes in by its name, a route that serves it goes out."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aiohttp import web

_FOLDER: Final = Path(__file__).parent / "static"
_KINDS: Final = {".css": "text/css", ".svg": "image/svg+xml"}


def still(path: str, name: str) -> web.RouteDef:
    """The file of this name in `static`, read now, at this path."""
    text = (_FOLDER / name).read_text(encoding="utf-8")
    kind = _KINDS[Path(name).suffix]

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=text, content_type=kind)

    return web.get(path, answer)
