"""`bridge master`: the key that wraps people's keys."""

from __future__ import annotations

import typer

from bridge.cli.common import Config, Item, Json, fail, faults, group, perform, print_json

app = group("The master key, which wraps each person's key.")


@app.callback()
def _group() -> None:
    """A group of commands, though there is one."""


@app.command()
def rewrap(as_json: Json = False, config: Config = None) -> None:
    """Wrap all keys by the first master key of its file, so that the others may be thrown away.

    Start every process with the new file before.
    """

    def tell(item: Item) -> None:
        if item["lost"]:
            sentence = f"{item['lost']} keys were wrapped by a master key that is not in the file"
            fail(sentence, "put the older key back, below the new one", as_json=as_json)
        if as_json:
            print_json(item)
        else:
            typer.echo(f"{item['rewrapped']} keys wrapped anew; older master keys may go")

    with faults(as_json=as_json):
        perform(config, "master rewrap", tell)
