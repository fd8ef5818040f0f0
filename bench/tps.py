"""A rate and a number of workers in; how a carrier's TPS is kept at the sink, and used, out.

Mails wait, and the workers are ready, before anybody answers at the carrier's port. Counted are all
seconds that begin with an arrival, wherever they begin, and what of the rate is used between the
first arrival and the last.

python bench/tps.py                               50 and 200 parts a second, 1, 2 and 4 workers
python bench/tps.py --tps 100 --workers 4 --seconds 30
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import services
from stage import Helper, Stage, until

FOLDER = Path(__file__).resolve().parents[1] / "build" / "tps"
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


def most_in_a_second(times: list[int]) -> int:
    """The most arrivals in any second; times in nanoseconds, in order."""
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - 1_000_000_000:
            first += 1
        most = max(most, last - first + 1)
    return most


def measured(options: argparse.Namespace, tps: int, workers: int) -> dict[str, Any]:
    """One case."""
    with (
        services.database(options.postgres) as (url, _),
        services.queue() as (queue, _),
        Stage(options.folder, database=url, queue=queue, parts=("serve", "tick")) as stage,
    ):
        paced = f'name = "smsc"\ntps = {tps}\n'
        stage.config.write_text(stage.config.read_text().replace('name = "smsc"\n', paced))
        stage.start()
        count = tps * options.seconds
        said = stage.send("run", count, connections=32, pipelining=True)
        outs = [stage.folder / f"work{number}.out" for number in range(workers)]
        for each in outs:
            with each.open("wb") as out:
                stage.processes.append(stage._run("work", stdout=out))  # noqa: SLF001
        for each in outs:
            until(lambda: "ready work" in each.read_text(), "a worker")  # noqa: B023
        with Helper("smsc.py", stage.smsc_port) as smsc:
            until(lambda: smsc.ask()["unique"], "the first arrival")
            smsc.wait(said["accepted"])
            rows = smsc.rows(stage.folder)
    times = sorted(at for _, at, _ in rows)
    span = (times[-1] - times[0]) / 1e9
    return {
        "tps": tps,
        "workers": workers,
        "mails": len(rows),
        "lost": said["accepted"] - len({name for name, _, _ in rows}),
        "most_in_a_second": most_in_a_second(times),
        "used": (len(times) - 1) / span / tps,
    }


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tps", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--postgres", default=POSTGRES)
    return parser.parse_args()


def main() -> None:
    """Each case, a line of JSON; exit with 1 where the rate was not kept or not used."""
    options = arguments()
    options.folder = options.folder.resolve()
    good = True
    for tps in options.tps:
        for workers in options.workers:
            found = measured(options, tps, workers)
            print(json.dumps(found), flush=True)
            good &= found["most_in_a_second"] <= tps and found["used"] >= 0.95
    if not good:
        sys.exit("the rate was not kept, or not used")


if __name__ == "__main__":
    main()
