"""One process a slot of a data directory: a second start is refused with a clear error."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from pathlib import Path
from typing import IO
from uuid import uuid4

from bridge.errors import Misconfigured

MOST_SLOTS = 64


def prepare(data_dir: Path) -> None:
    """Make the data directory, readable for its owner alone. Raises Misconfigured."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = data_dir / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Misconfigured(
            f"data_dir {data_dir} cannot be written ({error.strerror})",
            "set data_dir to a directory of the user that runs the bridge",
        ) from error


class Slot:
    """A locked place; the lock ends with the process, whatever ended that."""

    def __init__(self, file: IO[str], name: str) -> None:
        self._file = file
        self.name = name

    def release(self) -> None:
        """Give the place back."""
        self._file.close()


def instance(data_dir: Path) -> str:
    """Which data directory this is, on which machine: containers all call it by the same path.

    What an earlier run here held is released at the start, so no other may share this name.
    """
    try:
        name, _ = once(data_dir / "instance", uuid4().hex)
    except OSError as error:
        raise Misconfigured(
            f"data_dir {data_dir} cannot be written ({error.strerror})",
            "free some space, and check its owner and mode",
        ) from error
    return f"{socket.gethostname()}:{name}"


def once(path: Path, text: str) -> tuple[str, bool]:
    """The line in a file, and whether it was written just now; of several starts one writes it.

    It is there whole or not at all. Raises OSError.
    """
    scratch = path.with_name(f"{path.name}.{os.getpid()}.{uuid4().hex}")
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(scratch, path)
        except FileExistsError:
            return path.read_text(encoding="ascii").strip(), False
        return text, True
    finally:
        scratch.unlink(missing_ok=True)


def keyfile(name: str, pepper_file: Path | None, data_dir: Path) -> Path:
    """Where a key stands whose file no setting names, or is to be made.

    Beside a pepper that a setting names, so that processes which share the one share the other;
    in data_dir where there is none, or where nothing can be written beside it.
    """
    homes = [pepper_file.resolve().parent, data_dir] if pepper_file else [data_dir]
    there = [home / name for home in homes if (home / name).exists()]
    free = [home / name for home in homes if os.access(home, os.W_OK)]
    return (there or free or [data_dir / name])[0]


def only(data_dir: Path, role: str) -> Slot:
    """The one place for `role` in this data directory. Raises Misconfigured when it is taken."""
    slot = _try(data_dir, role)
    if slot is None:
        raise Misconfigured(
            f"a bridge already runs on data_dir {data_dir} (process {_owner(data_dir, role)})",
            "stop that one first, or give this one a data_dir of its own",
        )
    return slot


def any_of(data_dir: Path, role: str) -> Slot:
    """The first free place for `role`: several may run side by side. Raises Misconfigured."""
    for number in range(1, MOST_SLOTS + 1):
        slot = _try(data_dir, f"{role}-{number}")
        if slot is not None:
            return slot
    raise Misconfigured(f"{MOST_SLOTS} processes of this kind run already", "use another data_dir")


def _path(data_dir: Path, role: str) -> Path:
    return data_dir / f"{role}.lock"


def _try(data_dir: Path, role: str) -> Slot | None:
    file = _path(data_dir, role).open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    with contextlib.suppress(OSError):  # a full disk: the lock holds without a name in it
        file.truncate(0)
        os.write(file.fileno(), f"{os.getpid()}\n".encode())
    return Slot(file, role)


def _owner(data_dir: Path, role: str) -> str:
    return _path(data_dir, role).read_text().strip() or "unknown"
