"""A configuration in; out a bridge between a mail generator and an SMSC, each its own process."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

import procs

HERE = Path(__file__).resolve().parent
PATIENCE = 60.0  # seconds without progress after which a measurement is given up
CONFIG = """\
data_dir = "{folder}/var"
region = "CZ"
[database]
url = "{database}"
[queue]
url = "{queue}"
[smtp]
listen = "127.0.0.1:{port}"
domains = ["sms.example"]
[http]
listen = "127.0.0.1:0"
[[tenants]]
name = "bench"
countries = ["CZ"]
senders = [ {{ address = "*", proof = "network:127.0.0.0/8" }} ]
[[carriers]]
name = "smsc"
kind = "smpp"
host = "127.0.0.1"
port = {smsc}
system_id = "bench"
password = "bench"
window = {window}
failover = "1h"
[[routes]]
match = "+"
carriers = ["smsc"]
"""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(check: Callable[[], Any], what: str, pause: float = 0.02) -> None:
    """Ask until the answer is true; SystemExit when the wait is too long."""
    end = time.monotonic() + PATIENCE
    while not check():
        if time.monotonic() > end:
            sys.exit(f"{what} did not come within {PATIENCE:.0f} s")
        time.sleep(pause)


class Helper:
    """bench/smsc.py or bench/slack.py as a process."""

    def __init__(self, script: str, port: int, **options: float | bool) -> None:
        words = [str(HERE / script), "--port", str(port), *options_of(options)]
        self.popen = subprocess.Popen(
            [sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.popen.kill()
        self.popen.wait()

    def ask(self, line: str = "stats") -> dict[str, Any]:
        """Its counts; `reset` and `dump FILE` are questions too."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(f"{line}\n")
        self.popen.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.popen.stdout is not None
        found: dict[str, Any] = json.loads(self.popen.stdout.readline())
        return found

    def wait(self, count: int, key: str = "unique") -> dict[str, Any]:
        """Until so many have come, or no more do; its counts then."""
        most, moved = -1, time.monotonic()
        while (stats := self.ask())[key] < count and time.monotonic() - moved < PATIENCE:
            if stats[key] != most:
                most, moved = stats[key], time.monotonic()
            time.sleep(0.1)
        return stats

    def rows(self, folder: Path) -> list[tuple[str, int, int]]:
        """Id, time and bind of everything that came since the last reset."""
        self.ask(f"dump {folder / 'smsc.tsv'}")
        return _table(folder / "smsc.tsv")


class Stage:
    """All that one measurement needs, in an empty folder; leaving it ends every process."""

    def __init__(
        self,
        folder: Path,
        *,
        window: int = 100,
        database: str = "sqlite",
        queue: str = "embedded",
        parts: Sequence[str] = ("up",),
    ) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder = folder
        self.parts = parts
        self.port, self.smsc_port = free_port(), free_port()
        self.config = folder / "bridge.toml"
        self.config.write_text(
            CONFIG.format(
                folder=folder,
                database=database,
                queue=queue,
                port=self.port,
                smsc=self.smsc_port,
                window=window,
            )
        )
        self.processes: list[subprocess.Popen[bytes]] = []
        self.others: list[int] = []  # process ids of the services it stands on
        self.smsc: Helper

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        if hasattr(self, "smsc"):
            self.smsc.__exit__()

    def centre(self, **options: float | bool) -> Helper:
        """Start the SMSC."""
        self.smsc = Helper("smsc.py", self.smsc_port, **options)
        return self.smsc

    def start(self) -> None:
        """Start the bridge; returns when all its parts are ready."""
        for part in self.parts:
            with (self.folder / f"{part}.out").open("wb") as out:
                self.processes.append(self._run(part, stdout=out))
        for part, process in zip(self.parts, self.processes, strict=True):
            until(lambda: self._ready(part, process), f"{part}'s ready line")  # noqa: B023

    def _ready(self, part: str, process: subprocess.Popen[bytes]) -> bool:
        said = (self.folder / f"{part}.out").read_text()
        if process.poll() is not None:
            sys.exit(f"bridge {part} ended with {process.returncode}:\n{said}")
        return re.search(r"^ready ", said, re.MULTILINE) is not None

    def _run(self, *words: str, stdout: int | IO[bytes]) -> subprocess.Popen[bytes]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("BRIDGE_")}
        return subprocess.Popen(
            [sys.executable, "-m", "bridge", *words, "--config", str(self.config)],
            stdout=stdout,
            stderr=subprocess.STDOUT if "log" not in words else None,
            cwd=self.folder,
            env={**kept, "PYTHONPATH": str(HERE.parent)},
        )

    def kill(self) -> None:
        """Kill -9 of the bridge's whole tree."""
        for pid in procs.family(self.pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.processes:
            process.wait()
        self.processes.clear()

    @property
    def pids(self) -> list[int]:
        """The bridge's own root processes."""
        return [process.pid for process in self.processes]

    def usage(self) -> procs.Usage:
        """Of the bridge and the services it stands on."""
        return procs.usage([*self.pids, *self.others])

    def load(self, run: str, count: int, **options: float | str | bool) -> subprocess.Popen[str]:
        """Start sending; `sent` waits for the end."""
        words = options_of({"port": self.port, "run": run, "count": count, **options})
        out = ["--out", str(self.folder / f"{run}.tsv")]
        return subprocess.Popen(
            [sys.executable, str(HERE / "smtp.py"), *words, *out],
            stdout=subprocess.PIPE,
            text=True,
        )

    def send(self, run: str, count: int, **options: float | str | bool) -> dict[str, Any]:
        """Send, and what the generator says of it."""
        return sent(self.load(run, count, **options))

    def accepted(self, run: str) -> dict[str, tuple[int, int]]:
        """Id: when it was due and when its 250 came."""
        return {name: (due, at) for name, due, at in _table(self.folder / f"{run}.tsv")}

    def log(self) -> list[dict[str, Any]]:
        """`bridge log`, with texts."""
        out, _ = self._run("log", "--json", "--reveal", stdout=subprocess.PIPE).communicate()
        return [json.loads(line) for line in out.splitlines()]


def sent(load: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for a generator; its figures."""
    out, _ = load.communicate()
    if load.returncode:
        sys.exit("the mail generator failed")
    found: dict[str, Any] = json.loads(out)
    return found


def options_of(options: Mapping[str, Any]) -> list[str]:
    """Options of a command line."""
    chosen = [(name, value) for name, value in options.items() if value is not False]
    return [f"--{name}" if value is True else f"--{name}={value}" for name, value in chosen]


def _table(path: Path) -> list[tuple[str, int, int]]:
    rows = (line.split("\t") for line in path.read_text().splitlines())
    return [(name, int(one), int(two)) for name, one, two in rows]
