"""The name of a template and its values come in, a page goes out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


class Pages:
    """The templates of a folder; they are read, and the library with them, at the first page.

    What is put in is escaped. A template that names a value which is not there raises
    `jinja2.UndefinedError`.
    """

    def __init__(self, folder: Path, **shared: Any) -> None:
        self._folder = folder
        self._shared = shared
        self.filters: Mapping[str, Any] = {}

    def render(self, name: str, **values: Any) -> str:
        """The page of a template."""
        return self._environment.get_template(name).render(**values)

    @cached_property
    def _environment(self) -> Environment:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        made = Environment(
            loader=FileSystemLoader(self._folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        made.globals |= self._shared
        made.filters |= self.filters
        return made
