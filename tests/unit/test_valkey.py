"""The embedded server: it lives in its directory, as long as its process, and comes back."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from bridge.dispatch import leash, valkey
from bridge.dispatch.broker_redis import pool
from bridge.dispatch.valkey import Valkey
from bridge.errors import Misconfigured
from tests.conftest import absent

PATIENCE_S = 15.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "queue"


@pytest.fixture
def server(home: Path) -> Iterator[Valkey]:
    try:
        server = Valkey(home)
    except Misconfigured as no:
        absent(no.sentence)
    yield server
    server.stop()


def eventually(what: Callable[[], Any]) -> Any:
    """What `what` returns as soon as that is true."""
    until = time.monotonic() + PATIENCE_S
    while not (found := what()):
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.01)
    return found


def ask(server: Valkey, *command: str) -> Any:
    connections = pool(server.url)
    try:
        return redis.Redis(connection_pool=connections).execute_command(*command)
    except redis.ConnectionError:
        return None
    finally:
        connections.disconnect()


def up(server: Valkey) -> Valkey:
    server.start()
    assert server.wait(PATIENCE_S)
    return server


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # the latter: it ended while it was read
        return False
    return state != "Z"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_only_its_user_reaches_it(server: Valkey, home: Path) -> None:
    up(server)
    assert mode(home) == 0o700
    assert mode(home / "secret") == mode(home / "valkey.conf") == 0o600
    assert mode(home / "valkey.sock") == 0o700
    with redis.Redis(unix_socket_path=str(home / "valkey.sock")) as stranger:
        with pytest.raises(redis.AuthenticationError):
            stranger.ping()
        stranger.connection_pool.disconnect()
    assert ask(server, "CONFIG", "GET", "port") in ([b"port", b"0"], {b"port": b"0"})


def test_the_secret_is_not_on_its_command_line(server: Valkey, home: Path) -> None:
    up(server)
    secret = (home / "secret").read_bytes()
    assert secret not in eventually(lambda: Path(f"/proc/{server.pid}/cmdline").read_bytes())


def test_a_killed_server_comes_back_with_what_it_held(server: Valkey) -> None:
    up(server)
    first = eventually(lambda: server.pid)
    ask(server, "SET", "kept", "yes")
    os.kill(first, signal.SIGKILL)
    eventually(lambda: server.pid not in (None, first))
    assert eventually(lambda: ask(server, "GET", "kept")) == b"yes"


def test_a_stopped_server_is_gone_and_keeps_what_it_held(server: Valkey, home: Path) -> None:
    up(server)
    pid = eventually(lambda: server.pid)
    ask(server, "SET", "kept", "yes")
    server.stop()
    assert not alive(pid)
    again = Valkey(home)
    try:
        up(again)
        assert eventually(lambda: ask(again, "GET", "kept")) == b"yes"
    finally:
        again.stop()


KEEPER = """
import sys, time
from pathlib import Path
from bridge.dispatch.valkey import Valkey
server = Valkey(Path(sys.argv[1]))
server.start()
assert server.wait(15)
while server.pid is None:
    time.sleep(0.01)
print(server.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_its_process_whatever_ended_that(
    server: Valkey, home: Path, ending: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KEEPER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as keeper:
        assert keeper.stdout is not None
        pid = int(keeper.stdout.readline())
        keeper.send_signal(ending)
    eventually(lambda: not alive(pid))
    up(server)  # what it found listening may have been the last of the old one
    assert eventually(lambda: ask(server, "PING"))


def test_one_that_was_left_behind_is_ended(server: Valkey, home: Path) -> None:
    up(server)
    server.stop()
    orphan = subprocess.Popen(
        [str(valkey.binary()), str(home / "valkey.conf")], stdout=subprocess.DEVNULL
    )
    eventually(lambda: valkey._listener(home / "valkey.sock"))
    heir = Valkey(home)
    try:
        heir.start()
        assert orphan.wait(PATIENCE_S) == -signal.SIGKILL
        assert eventually(lambda: ask(heir, "PING"))
        assert heir.pid != orphan.pid
    finally:
        heir.stop()


def test_a_frozen_one_that_was_left_behind_is_ended_too(server: Valkey, home: Path) -> None:
    up(server)
    server.stop()
    orphan = subprocess.Popen(
        [str(valkey.binary()), str(home / "valkey.conf")], stdout=subprocess.DEVNULL
    )
    eventually(lambda: valkey._listener(home / "valkey.sock"))
    orphan.send_signal(signal.SIGSTOP)
    heir = Valkey(home)
    try:
        heir.start()
        assert orphan.wait(PATIENCE_S) == -signal.SIGKILL
        assert eventually(lambda: ask(heir, "PING"))
    finally:
        heir.stop()


def test_a_socket_that_nobody_listens_on_is_no_obstacle(server: Valkey, home: Path) -> None:
    home.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(home / "valkey.sock"))
    up(server)
    assert eventually(lambda: ask(server, "PING"))


def damaged(server: Valkey, home: Path, harm: Callable[[Path], None]) -> None:
    """Run a server for a while, stop it, and harm its files."""
    up(server)
    for number in range(20):
        ask(server, "SET", f"key{number}", "x" * 100)
    server.stop()
    harm(home / "appendonlydir")


def cut_short(files: Path) -> None:
    (log,) = files.glob("*.incr.aof")
    log.write_bytes(log.read_bytes()[:-30])


def spoil_the_log(files: Path) -> None:
    (log,) = files.glob("*.incr.aof")
    log.write_bytes(b"this is no command\r\n" * 50)


def spoil_the_manifest(files: Path) -> None:
    (files / "appendonly.aof.manifest").write_text("no manifest")


def lose_the_base(files: Path) -> None:
    (base,) = files.glob("*.base.rdb")
    base.unlink()


def test_a_log_cut_short_by_a_crash_is_read_as_far_as_it_goes(server: Valkey, home: Path) -> None:
    damaged(server, home, cut_short)
    again = Valkey(home)
    try:
        up(again)
        assert eventually(lambda: ask(again, "GET", "key18")) == b"x" * 100
        assert not (home / "appendonlydir.unreadable").exists()
    finally:
        again.stop()


@pytest.mark.parametrize("harm", [spoil_the_log, spoil_the_manifest, lose_the_base])
def test_an_unreadable_file_is_put_aside_and_the_queue_starts_empty(
    server: Valkey, home: Path, harm: Callable[[Path], None]
) -> None:
    damaged(server, home, harm)
    again = Valkey(home)
    try:
        again.start()
        assert eventually(lambda: ask(again, "SET", "new", "1"))
        assert (home / "appendonlydir.unreadable").exists()
        assert ask(again, "DBSIZE") == 1
    finally:
        again.stop()


def test_a_long_path_gets_a_short_private_folder(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The test's own folder may be too deep for a socket in it.
    runtime = tmp_path_factory.getbasetemp() / "r"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setattr(valkey, "LONGEST_SOCKET", len(str(runtime)) + 45)
    server = Valkey(tmp_path / ("d" * 100) / "queue")
    try:
        up(server)
        assert ask(server, "PING")
        (folder,) = runtime.iterdir()
        assert mode(folder) == 0o700
    finally:
        server.stop()


def test_a_folder_that_others_may_enter_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(valkey, "LONGEST_SOCKET", 1)
    folder = valkey._socket_path(tmp_path).parent
    folder.chmod(0o777)
    with pytest.raises(Misconfigured, match="belongs to someone else"):
        Valkey(tmp_path).start()


def test_a_place_that_is_no_directory_is_a_clear_error(server: Valkey, home: Path) -> None:
    home.write_text("")
    with pytest.raises(Misconfigured, match="cannot use") as no:
        server.start()
    assert "data_dir" in no.value.hint


def test_without_a_program_for_the_platform_the_setting_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(Misconfigured) as no:
        Valkey(home)
    assert "[queue] url" in no.value.hint


def test_a_second_process_shares_the_server_and_takes_over(server: Valkey, home: Path) -> None:
    up(server)
    eventually(lambda: server.pid)
    second = Valkey(home)
    try:
        up(second)
        assert ask(second, "PING")
        assert second.pid is None
        server.stop()
        assert eventually(lambda: second.pid)
        assert eventually(lambda: ask(second, "PING"))
    finally:
        second.stop()


def test_stopping_ends_its_thread(server: Valkey) -> None:
    up(server)
    server.stop()
    assert "valkey" not in [thread.name for thread in threading.enumerate()]


def test_stopping_what_never_started_does_nothing(server: Valkey) -> None:
    server.stop()


def held(*command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", leash.__file__, "-", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


SLEEPER = (sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)")


def test_a_leash_without_the_kernels_help_ends_the_command_with_its_input() -> None:
    with held(*SLEEPER) as leashed:
        assert leashed.stdout is not None
        assert leashed.stdin is not None
        pid = int(leashed.stdout.readline())
        leashed.stdin.close()
        eventually(lambda: not alive(pid))


def test_a_leash_passes_on_the_request_to_end() -> None:
    with held(*SLEEPER) as leashed:
        assert leashed.stdout is not None
        pid = int(leashed.stdout.readline())
        leashed.terminate()
        eventually(lambda: not alive(pid))


def test_a_leash_does_not_start_what_nobody_waits_for() -> None:
    late = [sys.executable, "-I", "-S", leash.__file__, "1", sys.executable, "-c", "print('ran')"]
    assert subprocess.run(late, capture_output=True, check=False).stdout == b""
