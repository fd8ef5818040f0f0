"""Two carriers and a stream of mails in; what became of them while one carrier fell ill, out.

The first carrier of the route turns slow, refuses, accepts and never reports, and heals; all the
while its weight is read. Times are shortened sixty times: what is a minute in bridge.toml's
defaults is a second here. Writes a drawing of the weight.

python bench/drill.py                             20,000 mails, two minutes
python bench/drill.py --mails 3000 --rate 150     a short one
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import threading
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smtp import percentile
from stage import Helper, Stage, free_port, sent

FOLDER = Path(__file__).resolve().parents[1] / "build" / "drill"
IMAGE = Path(__file__).resolve().parents[1] / "docs" / "images" / "carrier-weight.svg"
NAMED = re.compile(r"^id=([A-Za-z0-9-]+);")
CONFIG = """\
data_dir = "{folder}/var"
region = "CZ"
[smtp]
listen = "127.0.0.1:{port}"
domains = ["sms.example"]
[http]
listen = "127.0.0.1:0"
[health]
slow = "4s"
slow_answer = "1s"
window = "4s"
step = "1s"
[[tenants]]
name = "bench"
countries = ["CZ"]
senders = [ {{ address = "*", proof = "network:127.0.0.0/8" }} ]
[[carriers]]
name = "first"
kind = "smpp"
host = "127.0.0.1"
port = {first}
system_id = "bench"
password = "bench"
window = 100
failover = "2s"
[[carriers]]
name = "second"
kind = "smpp"
host = "127.0.0.1"
port = {second}
system_id = "bench"
password = "bench"
window = 100
failover = "2s"
[[routes]]
carriers = ["first", "second"]
"""


@dataclass(frozen=True)
class Phase:
    """A part of the first carrier's life: `share` of the whole time, and what is set."""

    name: str
    share: float
    settings: tuple[tuple[str, float], ...]


WELL = (("latency", 0), ("receipt_after", 0.05), ("status", 0), ("receipts", 1))
LIFE = (
    Phase("well", 0.12, WELL),
    Phase("slow", 0.14, (("latency", 2), ("receipt_after", 6))),
    Phase("well", 0.17, WELL),
    Phase("refuses", 0.10, (("status", 0x45),)),
    Phase("well", 0.15, WELL),
    Phase("never reports", 0.14, (("receipts", 0),)),
    Phase("well", 0.18, WELL),
)


class Watch(threading.Thread):
    """Reads a bridge's weights until told to end."""

    def __init__(self, url: str, began: float) -> None:
        super().__init__(daemon=True)
        self.url, self.began = url, began
        self.points: list[tuple[float, float]] = []
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.2):
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                weight = json.load(answer)["weights"]["first"]
            self.points.append((time.monotonic() - self.began, weight))


def drill(options: argparse.Namespace) -> dict[str, Any]:
    """Send, make ill, heal; the figures."""
    with Stage(options.folder) as stage:
        ports = {"first": free_port(), "second": free_port()}
        stage.config.write_text(CONFIG.format(folder=options.folder, port=stage.port, **ports))
        with (
            Helper("smsc.py", ports["first"], receipts=True) as first,
            Helper("smsc.py", ports["second"], receipts=True) as second,
        ):
            stage.start()
            return run(options, stage, first, second)


def run(options: argparse.Namespace, stage: Stage, first: Helper, second: Helper) -> dict[str, Any]:
    """The drill on a running stage."""
    said = re.search(r"http=(\S+)", (options.folder / "up.out").read_text())
    assert said is not None
    span, began = options.mails / options.rate, time.monotonic()
    watch = Watch(said[1], began)
    watch.start()
    load = stage.load("run", options.mails, rate=options.rate, connections=32)
    at, marks = 0.0, []
    for phase in LIFE:
        marks.append((at, phase.name))
        for name, value in phase.settings:
            first.ask(f"set {name} {value}")
        at += phase.share * span
        time.sleep(max(0.0, began + at - time.monotonic()))
    figures = sent(load)
    whole = figures["accepted"]
    until = time.monotonic() + 60
    while first.ask()["unique"] + second.ask()["unique"] < whole and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(options.after)
    watch.over.set()
    watch.join()
    draw(options.image, watch.points, marks, at)
    return {**judged(options, stage, first, second), "weights": steps(watch.points)}


def judged(
    options: argparse.Namespace, stage: Stage, first: Helper, second: Helper
) -> dict[str, Any]:
    """What arrived, and when."""
    due = stage.accepted("run")
    rows = [*first.rows(stage.folder), *second.rows(stage.folder)]
    times = Counter(name for name, _, _ in rows)
    arrived: dict[str, int] = {}
    for name, at, _ in sorted(rows, key=lambda row: row[1]):
        arrived.setdefault(name, at)
    waits = [(arrived[name] - when) / 1e9 for name, (when, _) in due.items() if name in arrived]
    marked = _marked(stage)
    doubled = {name for name, count in times.items() if count > 1}
    in_time = sum(wait <= options.on_time for wait in waits)
    return {
        "mails": len(due),
        "lost": len(due.keys() - times.keys()),
        "doubled": len(doubled),
        "unmarked": len(doubled - marked),
        "on_time": in_time / len(due),
        "arrival_s_p50": percentile(waits, 0.5),
        "arrival_s_p99": percentile(waits, 0.99),
        "arrival_s_most": max(waits),
        "by_first": first.ask()["unique"],
        "by_second": second.ask()["unique"],
        "refused_by_first": first.ask()["refused"],
    }


def _marked(stage: Stage) -> set[str]:
    """Ids that the log says may have been sent twice."""
    names = ((NAMED.match(row["text"] or ""), row["resent"]) for row in stage.log())
    return {found[1] for found, resent in names if found and resent}


def steps(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Each change of the weight: when, and to what."""
    found: list[tuple[float, float]] = []
    for at, weight in points:
        if not found or found[-1][1] != weight:
            found.append((round(at, 1), weight))
    return found


def draw(
    path: Path, points: list[tuple[float, float]], marks: list[tuple[float, str]], end: float
) -> None:
    """The weight over time, with what the carrier did below it, as SVG."""
    wide, high, left, top = 760, 200, 44, 16
    last = max(points[-1][0], end)

    def x(at: float) -> float:
        return round(left + at / last * wide, 1)

    def y(weight: float) -> float:
        return round(top + (1 - weight) * high, 1)

    lines = [f"{x(at)},{y(weight)}" for at, weight in _staircase(points)]
    ends = [at for at, _ in marks[1:]] + [last]
    shades = {
        "well": "#eef7ee",
        "slow": "#fdf3d8",
        "refuses": "#fbe0dc",
        "never reports": "#e6e3f5",
    }
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + wide + 16} {high + 64}" '
        'font-family="sans-serif" font-size="12" fill="#333">',
        "<title>The weight of a carrier that turns slow, refuses, never reports, and heals</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for (at, name), until in zip(marks, ends, strict=True):
        width = round(x(until) - x(at), 1)
        out.append(
            f'<rect x="{x(at)}" y="{top}" width="{width}" height="{high}" fill="{shades[name]}"/>'
            f'<text x="{x(at) + 4}" y="{top + high + 16}">{name}</text>'
        )
    for weight in (0.0, 0.25, 0.5, 0.75, 1.0):
        out.append(
            f'<path d="M{left} {y(weight)}h{wide}" stroke="#ccc"/>'
            f'<text x="{left - 8}" y="{y(weight) + 4}" text-anchor="end">{weight:.0%}</text>'
        )
    for at in range(0, int(last) + 1, 20):
        out.append(f'<text x="{x(at)}" y="{top + high + 36}" text-anchor="middle">{at} s</text>')
    out += [
        f'<polyline points="{" ".join(lines)}" fill="none" stroke="#1f5fa8" stroke-width="2"/>',
        "</svg>",
    ]
    path.write_text("\n".join(out) + "\n")


def _staircase(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The corners of the curve: a weight stays until it changes."""
    found = [points[0]]
    for at, weight in points[1:]:
        if weight != found[-1][1]:
            found += [(at, found[-1][1]), (at, weight)]
    return [*found, (points[-1][0], found[-1][1])]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mails", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=170.0, help="mails a second")
    parser.add_argument("--on-time", type=float, default=10.0, help="seconds from due to arrival")
    parser.add_argument("--after", type=float, default=3.0, help="seconds to watch at the end")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--image", type=Path, default=IMAGE)
    return parser.parse_args()


def main() -> None:
    """Run it; exit with 1 where something was lost, doubled unmarked, or too much was late."""
    options = arguments()
    options.folder = options.folder.resolve()
    found = drill(options)
    print(json.dumps(found))
    if found["lost"] or found["unmarked"] or found["on_time"] < 0.99:
        sys.exit("the drill failed")


if __name__ == "__main__":
    main()
