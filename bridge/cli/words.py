"""How a command tells what came of it: an object as JSON, or in a sentence."""

from __future__ import annotations

from collections.abc import Callable

import typer

from bridge.cli.common import Item, Sink, print_json


def teller(as_json: bool, words: str | Callable[[Item], str]) -> Sink:
    """Prints each object; `words` is a format of its keys, or makes the sentence."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(words.format(**item) if isinstance(words, str) else words(item))

    return tell
