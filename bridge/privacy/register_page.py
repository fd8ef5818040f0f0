"""The records of processing as a page: facts come in, HTML goes out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridge.pages import Pages


def page(ropa: Mapping[str, Any]) -> str:
    """One page that stands alone."""
    return Pages(Path(__file__).with_name("templates")).render("ropa.html", ropa=ropa)
