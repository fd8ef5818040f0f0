"""How a command tells what came of it: an object as JSON, or in a sentence."""

from __future__ import annotations

import typer

from bridge.cli.common import Item, Sink, print_json


def teller(as_json: bool, words: str) -> Sink:
    """Prints each object; `words` is a format of its keys."""

    def tell(item: Item) -> None:
        if as_json:
            print_json(item)
        else:
            typer.echo(words.format(**item))

    return tell
