"""The records of processing as a page: facts come in, HTML goes out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def page(ropa: Mapping[str, Any]) -> str:
    """One page that stands alone."""
    folder = Path(__file__).with_name("templates")
    pages = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template("ropa.html").render(ropa=ropa)
