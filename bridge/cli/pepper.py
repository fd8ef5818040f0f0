"""`bridge pepper`: the secret under which people stand on the lists; kept safe and changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.common import Config, Item, Json, faults, group, print_json, settings_of, turn

if TYPE_CHECKING:
    from bridge.settings import Settings

app = group("The secret under which opted-out people stand on the lists.")


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, for its owner alone.")],
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Copy it to a file, to be kept apart from the database."""
    from bridge.dispatch import peppers

    with faults(as_json=as_json), _files():
        count = peppers.back_up(_path(settings_of(config)), file)
        _tell(
            {"peppers": count, "file": str(file)},
            f"peppers {count}: copied to {file}",
            as_json=as_json,
        )


@app.command()
def rotate(as_json: Json = False, config: Config = None) -> None:
    """Make a new one and bring the database under it. No bridge may run meanwhile."""
    from bridge import loop, opening
    from bridge.cli.logs import to_stderr
    from bridge.dispatch import peppers

    async def main() -> int:
        async with opening.opened(settings):  # what an earlier rotation left is done first
            pass
        version = peppers.add(_path(settings))
        async with opening.opened(settings) as bridge:
            dropped = await peppers.idle(bridge.store, bridge.keys)
        if dropped:
            peppers.drop(_path(settings), dropped)
        words = f"pepper {version} is in use" + "".join(f"; {v} is dropped" for v in dropped)
        item = {"version": version, "dropped": list(dropped)}
        _tell(item, f"{words}; make a backup of it: bridge pepper backup FILE", as_json=as_json)
        return 0

    with faults(as_json=as_json), _files():
        settings = settings_of(config)
        _nobody_runs(settings)
        with turn(settings) as is_ours:
            if not is_ours:
                _nobody_runs(settings)
            to_stderr("warning")
            loop.run(main)


@app.command()
def status(as_json: Json = False, config: Config = None) -> None:
    """Show which peppers there are, and how many entries of the lists stand under each."""
    from bridge.cli.common import perform

    def tell(item: Item) -> None:
        words = f"pepper {item['version']}: {item['entries']} entries"
        _tell(item, words + (", the newest" if item["newest"] else ""), as_json=as_json)

    with faults(as_json=as_json):
        perform(config, "pepper status", tell)


@contextmanager
def _files() -> Iterator[None]:
    """Files that cannot be read or written, as a sentence."""
    from bridge.errors import Refused

    try:
        yield
    except OSError as error:
        raise Refused(
            f"the file cannot be read or written ({error.strerror})", "check its owner and mode"
        ) from error


def _path(settings: Settings) -> Path:
    from bridge.keyring import pepper_path

    return pepper_path(settings.privacy.pepper_file, settings.data_dir)


def _nobody_runs(settings: Settings) -> None:
    from bridge import control
    from bridge.errors import Refused

    if control.answers(settings.data_dir):
        raise Refused(
            "a bridge runs here, with the pepper as it is",
            "stop every process of the bridge first, and start them afterwards",
        )


def _tell(item: Item, words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(item)
    else:
        typer.echo(words)
