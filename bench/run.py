"""Names of measurements in; a line each, a JSON line each in the results file, and tables out.

make bench                                        all of it: twelve minutes on a quiet machine
make bench ARGS="--quick"                         all of it with small counts, in one or two
make bench ARGS="latency window"                  some of it
make bench ARGS="table --peers FOLDER"            the tables of what was measured so far
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
import time
from dataclasses import replace
from pathlib import Path

import report
from chats import chats
from measures import MEASURES as OTHERS
from measures import QUICK, Bench, Size

MEASURES = {**OTHERS, "chats": chats}

FOLDER = Path(__file__).resolve().parents[1] / "build" / "bench"
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(MEASURES)}; or table")
    parser.add_argument("--quick", action="store_true", help="small counts: to see that it works")
    parser.add_argument("--mails", type=int, help="of each end-to-end run")
    parser.add_argument("--queued", type=int, help="bulk mails before the urgent ones")
    parser.add_argument("--repeat", type=int, help="runs of each end-to-end case; their median")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="data goes here: a real disk")
    parser.add_argument("--results", type=Path, default=FOLDER / "results.jsonl")
    parser.add_argument("--postgres", default=POSTGRES, help="may create databases (split)")
    parser.add_argument("--markdown", action="store_true", help="end with the tables")
    parser.add_argument("--peers", type=Path, help="a folder with other gateways' results")
    options = parser.parse_args()
    if unknown := set(options.names) - {*MEASURES, "table"}:
        parser.error(f"{', '.join(unknown)}: no such measurement; there are {', '.join(MEASURES)}")
    return options


def size_of(options: argparse.Namespace) -> Size:
    """How much of each is measured."""
    chosen = {key: getattr(options, key) for key in ("mails", "queued", "repeat")}
    given = {key: value for key, value in chosen.items() if value is not None}
    return replace(QUICK if options.quick else Size(), **given)


def machine(folder: Path) -> str:
    """What the figures depend on: cores, disk, Python, SQLite."""
    began, count = time.monotonic(), 0
    with (folder / "fsync").open("wb") as file:
        while time.monotonic() - began < 1:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            count += 1
    (folder / "fsync").unlink()
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return f"{os.cpu_count()} cores, {count:,} fsync/s, {versions}"


def main() -> None:
    """Measure what was asked for, in turn."""
    options = arguments()
    names = [name for name in options.names or MEASURES if name != "table"]
    bench = Bench(options.folder.resolve(), size_of(options), options.postgres)
    given = {"date": time.strftime("%Y-%m-%d"), "command": " ".join(sys.argv[1:])}
    if names:
        options.folder.mkdir(parents=True, exist_ok=True)
        options.results.parent.mkdir(parents=True, exist_ok=True)
        given["machine"] = machine(options.folder)
        print(given["machine"], flush=True)
    for name in names:
        for case, figures in MEASURES[name](bench):
            record = {"measure": name, "case": case, **given, **figures}
            print(report.line(record), flush=True)
            with options.results.open("a") as results:
                results.write(json.dumps(record) + "\n")
    if options.markdown or not names:
        if not options.results.exists():
            sys.exit(f"{options.results} does not exist: name a measurement, to make it")
        lines = options.results.read_text().splitlines()
        print("\n" + report.tables(map(json.loads, lines), options.peers))


if __name__ == "__main__":
    main()
