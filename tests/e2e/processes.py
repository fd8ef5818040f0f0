"""Real `bridge` processes on free ports: started, waited for, killed, and always ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import bridge
from tests.seeds import seed

CHECKOUT = Path(bridge.__file__).parents[1]
READY = re.compile(r"^ready smtp=127\.0\.0\.1:(\d+) http=http://127\.0\.0\.1:(\d+)$", re.MULTILINE)
#: What ends a child with the tests, also when those are killed themselves; it becomes the child.
TIED = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
#: Seconds that anything may take before the test is wrong; a busy machine needs far less.
PATIENCE = 60.0


async def until(check: Callable[[], Any], what: str = "it", seconds: float = PATIENCE) -> Any:
    """Ask again until the answer is true; the answer. `check` may be a coroutine function."""
    end = time.monotonic() + seconds
    while True:
        found = check()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {seconds:.0f} s")
        await asyncio.sleep(0.02)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child: the checkout on the path, no settings from outside."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("BRIDGE_")}
    return {**kept, "PYTHONPATH": str(CHECKOUT), "PYTHONFAULTHANDLER": "1", **(extra or {})}


def family(pid: int) -> list[int]:
    """A process and all that descend from it, itself first."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def alive(pid: int) -> bool:
    """True while a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def resident(pid: int) -> int:
    """Resident memory in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024  # type: ignore[index]


class Process:
    """One process, its output in files."""

    def __init__(
        self,
        folder: Path,
        command: list[str],
        *,
        env: Mapping[str, str] | None = None,
        name: str = "bridge",
        cwd: Path | None = None,
    ) -> None:
        number = len(list(folder.glob(f"{name}.*.out")))
        self.out_file = folder / f"{name}.{number}.out"
        self.err_file = folder / f"{name}.{number}.err"
        self.born = time.monotonic()
        with self.out_file.open("wb") as out, self.err_file.open("wb") as err:
            self.popen = subprocess.Popen(
                [*TIED, *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=cwd or folder,
                env=environment(env),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def out(self) -> str:
        return self.out_file.read_text(errors="replace")

    @property
    def err(self) -> str:
        return self.err_file.read_text(errors="replace")

    def signal(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to this process alone."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)

    def kill(self) -> None:
        """SIGKILL for this process alone."""
        self.signal()
        self.popen.wait()

    def kill_tree(self) -> None:
        """SIGKILL for this process and its descendants, all at once."""
        for pid in family(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.popen.wait()

    async def ended(self, seconds: float = PATIENCE) -> int:
        """Wait for its end; the exit code."""
        await until(lambda: self.popen.poll() is not None, "the end of a process", seconds)
        return self.popen.returncode

    def stop(self) -> None:
        """End it whatever it does."""
        if self.popen.poll() is None:
            self.kill_tree()


class BridgeProcess(Process):
    """`bridge up`, `serve`, `work` or `tick`."""

    def __init__(self, folder: Path, config: Path | None, part: str, **options: Any) -> None:
        where = [] if config is None else ["--config", str(config)]
        command = [sys.executable, "-m", "bridge", part, *where]
        super().__init__(folder, command, name=part, **options)
        self.part = part
        self.smtp = self.http = 0

    async def ready(self, seconds: float = PATIENCE) -> BridgeProcess:
        """Wait for the ready line."""

        def look() -> bool:
            if self.popen.poll() is not None:
                raise AssertionError(f"{self.part} ended: {self.popen.returncode}\n{self.err}")
            return "ready " in self.out and self.out.endswith("\n")

        try:
            await until(look, f"{self.part}'s ready line", seconds)
        except AssertionError:
            self.signal(signal.SIGABRT)  # its stacks go to standard error
            raise
        if self.part in {"up", "serve"}:
            found = READY.search(self.out)
            assert found, self.out
            self.smtp, self.http = int(found[1]), int(found[2])
        return self

    @property
    def valkey(self) -> int | None:
        """The embedded queue's process."""
        for pid in family(self.pid)[1:]:
            with contextlib.suppress(OSError):
                if b"valkey-server" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]:
                    return pid
        return None


class House:
    """All processes of one test; the end of the test is their end."""

    def __init__(self, folder: Path, config: Path | None) -> None:
        self.folder = folder
        self.config = config
        self.processes: list[Process] = []

    def launch(self, part: str = "up", **options: Any) -> BridgeProcess:
        """Start a bridge's process, without waiting."""
        process = BridgeProcess(self.folder, self.config, part, **options)
        self.processes.append(process)
        return process

    async def start(self, part: str = "up", **options: Any) -> BridgeProcess:
        """Start a bridge's process and wait for its ready line."""
        return await self.launch(part, **options).ready()

    def run(self, *command: str | Path, name: str, **options: Any) -> Process:
        """Start another program."""
        process = Process(self.folder, [str(word) for word in command], name=name, **options)
        self.processes.append(process)
        return process

    async def call(
        self, *words: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> tuple[int, str, str]:
        """Run a command of the bridge; exit code, standard output, standard error."""
        where = [] if self.config is None else ["--config", str(self.config)]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bridge", *words, *where),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=cwd or self.folder,
            env=environment(env),
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, out.decode(), err.decode()

    async def log(self, *options: str) -> list[dict[str, Any]]:
        """`bridge log --json`."""
        code, out, err = await self.call("log", "--json", *options)
        assert code == 0, out + err
        return [json.loads(line) for line in out.splitlines()]

    def said(self) -> str:
        """Everything that the bridge's processes printed so far."""
        return "".join(p.out + p.err for p in self.processes if isinstance(p, BridgeProcess))

    def stop(self) -> None:
        """End whatever still runs."""
        for process in reversed(self.processes):
            process.stop()


@asynccontextmanager
async def a_house(folder: Path, config: Path | None, *, bare: bool = False) -> AsyncIterator[House]:
    """A house whose processes end with the block; what they said is shown when a test fails.

    Its SQLite is migrated already, which a first start spends half a second on, unless `bare`.
    """
    if config is not None and not bare:
        _seed(config)
    house = House(folder, config)
    try:
        yield house
    except BaseException:
        for process in house.processes:
            sys.stderr.write(f"--- {process.err_file.name}\n{process.err[-4000:]}\n")
        raise
    finally:
        house.stop()


def _seed(config: Path) -> None:
    found = tomllib.loads(config.read_text())
    if "url" not in found.get("database", {}):
        seed(config.parent / found.get("data_dir", "var"))


async def get(port: int, path: str) -> Any:
    """GET a path of the web edge; what its JSON says, or None while it cannot be reached."""

    def ask() -> Any:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return json.load(answer)
        except OSError:
            return None

    return await asyncio.to_thread(ask)


async def post(port: int, path: str, item: Mapping[str, str]) -> Any:
    """POST a JSON object; the answer's JSON."""

    def ask() -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}",
            data=json.dumps(item).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    return await asyncio.to_thread(ask)


async def phones(port: int, count: int) -> list[dict[str, Any]]:
    """What the sandbox's phones received, once it is `count` messages at least."""

    async def look() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] | None = await get(port, "/sandbox/api/messages")
        return found if found is not None and len(found) >= count else None

    found: list[dict[str, Any]] = await until(look, f"{count} messages on the phones")
    return found


async def mailbox(port: int, count: int) -> list[dict[str, Any]]:
    """The sandbox's mails, once they are `count` at least."""

    async def look() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] | None = await get(port, "/sandbox/api/mails")
        return found if found is not None and len(found) >= count else None

    found: list[dict[str, Any]] = await until(look, f"{count} mails in the mailbox")
    return found
