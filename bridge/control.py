"""The command line's way into a running bridge: operations come in over a unix socket, objects go
back, a line of JSON each.

    → {"operation": "held release", "actor": "eva", "arguments": {"id": "0w4…"}}
    ← {"item": {…}}            any number of them
    ← {"end": true}            or {"error": "…", "hint": "…"}

Only the owner of the data directory may connect (mode 0600). The libraries of the running bridge
are imported by its side alone: the other starts fast.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import inspect
import json
import os
import socket
import stat
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from bridge.errors import BridgeError, Refused, TryLater

if TYPE_CHECKING:
    from bridge.dispatch.bridge import Bridge
    from bridge.dispatch.receive import Reception

Item = dict[str, Any]

#: Longest path of a unix socket anywhere (sun_path: 108 bytes on Linux, 104 on macOS).
LONGEST_SOCKET = 100
#: Octets of a line; the longest text that an SMS can carry has a tenth of that in JSON.
LONGEST_LINE = 1 << 20
#: Octets that may wait for a slow reader before the operation waits too.
PATIENCE = 1 << 16
_REQUEST_SECONDS = 10.0


class ControlServer:
    """Answers commands for one running bridge."""

    def __init__(self, bridge: Bridge, reception: Reception) -> None:
        self._bridge = bridge
        self._reception = reception
        self._server: asyncio.Server | None = None
        self._path: Path | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to listen in the data directory, which this process has locked.

        Raises OSError where the socket cannot be made.
        """
        path = self._path = socket_path(self._bridge.settings.data_dir)
        path.unlink(missing_ok=True)  # left by a process that was killed
        listener = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        self._server = await asyncio.start_unix_server(
            self._talk, sock=listener, limit=LONGEST_LINE
        )

    async def stop(self) -> None:
        """End: whoever still waits for an answer is told so."""
        if self._server is not None:
            self._server.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.ensure_future(self._answer(reader, writer))
        self._talks.add(talk)
        try:
            await talk
        except ConnectionError:
            pass  # nobody listens any more
        except asyncio.CancelledError:
            # Only `stop` cancels.
            writer.write(_line(_error(TryLater("the bridge is stopping", "try again"))))
        finally:
            self._talks.discard(talk)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=PATIENCE)
        try:
            async with contextlib.aclosing(await self._asked(reader)) as items:
                async for item in items:
                    writer.write(_line({"item": item}))
                    await writer.drain()
            said: Item = {"end": True}
        except BridgeError as error:
            said = _error(error)
        except ConnectionError:
            raise
        except Exception as fault:  # noqa: BLE001
            import structlog

            # The words of a fault may hold a number or a text: only its place is logged.
            kind = type(fault).__name__
            place = traceback.extract_tb(fault.__traceback__)[-1]
            where = f"{Path(place.filename).name}:{place.lineno}"
            structlog.get_logger("bridge.control").error(
                "an operation failed", error=kind, where=where
            )
            said = _error(TryLater(f"the bridge failed at this ({kind}, {where})", "see its log"))
        writer.write(_line(said))
        await writer.drain()

    async def _asked(self, reader: asyncio.StreamReader) -> Any:
        from bridge.operations import REGISTRY, Office

        try:
            line = await asyncio.wait_for(reader.readline(), _REQUEST_SECONDS)
            request = json.loads(line)
            operation = REGISTRY[request["operation"]]
            office = Office(self._bridge, self._reception.silence, str(request["actor"]))
            arguments = dict(request["arguments"])
            inspect.signature(operation).bind(office, **arguments)
        except (KeyError, TypeError, ValueError, TimeoutError):
            raise Refused(
                "the running bridge does not understand this command",
                "it may be of another version: start it again",
            ) from None
        return operation(office, **arguments)


def _error(error: BridgeError) -> Item:
    return {"error": error.sentence, "hint": error.hint, "later": isinstance(error, TryLater)}


def _line(item: Item) -> bytes:
    return json.dumps(item).encode("ascii") + b"\n"


def ask(
    data_dir: Path, operation: str, actor: str, arguments: Mapping[str, Any]
) -> Iterator[Item] | None:
    """What the bridge that runs on `data_dir` answers; None where none runs.

    The iterator raises Refused or TryLater as the operation did.
    """
    client = _connected(data_dir)
    if client is None:
        return None
    request = {"operation": operation, "actor": actor, "arguments": dict(arguments)}
    line = _line(request)
    if len(line) > LONGEST_LINE:
        client.close()
        raise Refused("the text is too long for an SMS", "shorten it")
    return _answers(client, line)


def answers(data_dir: Path) -> bool:
    """Whether a bridge runs on `data_dir`."""
    client = _connected(data_dir)
    if client is None:
        return False
    client.close()
    return True


def _connected(data_dir: Path) -> socket.socket | None:
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(str(socket_path(data_dir, make=False)))
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        client.close()
        return None
    except OSError as error:
        client.close()
        raise Refused(
            f"the running bridge cannot be asked ({error.strerror})",
            "run this as the user that runs the bridge",
        ) from error
    return client


def _answers(client: socket.socket, request: bytes) -> Iterator[Item]:
    with client, client.makefile("rb") as lines:
        client.sendall(request)
        for said in _said(lines):
            if "item" not in said:
                break
            yield said["item"]
    if "error" in said:
        kind = TryLater if said.get("later") else Refused
        raise kind(said["error"], said["hint"])


def _said(lines: BinaryIO) -> Iterator[Item]:
    """The lines as objects; an error at the end where the bridge ended before its answer did."""
    try:
        for line in lines:
            if line.endswith(b"\n"):
                yield json.loads(line)
    except ConnectionError:
        pass
    gone = TryLater("the bridge ended before it had answered", "look whether it was done")
    yield _error(gone)


def socket_path(data_dir: Path, *, make: bool = True) -> Path:
    """Where the socket is: in the data directory, or in a private folder with a short name."""
    home = data_dir.resolve()
    path = home / "control.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET:
        return path
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    folder = Path(base) / f"sms-bridge-{os.getuid()}-{digest}"
    if make:
        folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # Others may write to the folder above: what they have put there is not used.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(13, f"{folder} belongs to someone else", str(folder))
    return folder / "control.sock"
