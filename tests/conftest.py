"""What every test can ask for; an absent service or program skips a test, and fails it under CI."""

import contextlib
import ipaddress
import os
import secrets
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests import ports
from tests.proxies import Proxy

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
RABBITMQ = os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/%2F")


# How wide a table is must not hang on the terminal that the tests are run in.
os.environ.pop("COLUMNS", None)


def absent(reason: str) -> NoReturn:
    """End the test: something outside the project is missing, which only CI may not lack."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _loopback_only(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse whatever would leave this machine."""
    if event not in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        return
    address = arguments[1]
    if not isinstance(address, tuple):
        return
    host = str(address[0])
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host not in {"localhost", ""} and not host.endswith(".localhost"):
        raise AssertionError(f"a test reached for {host}; only loopback is allowed")


sys.addaudithook(_loopback_only)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own settings stay out of the tests."""
    for name in [name for name in os.environ if name.startswith("BRIDGE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A function that names a TCP port of 127.0.0.1 that nobody listens on."""
    return ports.free


@pytest.fixture(scope="session")
def program() -> Callable[[str], Path]:
    """A function from a program's name to its path; skips the test where it is not installed."""

    def find(name: str) -> Path:
        found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        return Path(found) if found else absent(f"the program {name} is not installed")

    return find


@pytest.fixture(scope="session")
def node_modules() -> Callable[[str], Path]:
    """A function from an npm package's name to its folder, in NODE_PATH or where CI puts it."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folders = os.environ.get("NODE_PATH", "").split(os.pathsep)
    folders.append(str(Path(cache) / "sms-bridge-tests" / "node_modules"))

    def find(name: str) -> Path:
        for folder in filter(None, folders):
            if (Path(folder) / name).is_dir():
                return Path(folder) / name
        return absent(f"the npm package {name} is not in NODE_PATH; .ci/run installs it")

    return find


def _listens(url: str, name: str) -> str:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5).close()
    except OSError as error:
        absent(f"no {name} at {parts.hostname}:{parts.port}: {error.strerror}")
    return url


@pytest.fixture
def redis_url() -> str:
    """A Redis or Valkey; take a namespace of your own, others use it too."""
    return _listens(REDIS, "Redis")


@pytest.fixture
def rabbitmq_url() -> str:
    """A RabbitMQ; take queue names of your own, others use it too."""
    return _listens(RABBITMQ, "RabbitMQ")


@pytest.fixture
async def postgres_url() -> AsyncIterator[str]:
    """A PostgreSQL database of this test's own, migrated and empty."""
    from tests.seeds import kept_postgres

    pytest.importorskip("asyncpg")
    async with kept_postgres(_listens(POSTGRES, "PostgreSQL")) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    """Each database in turn, migrated and empty."""
    return "sqlite" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def bare_postgres_url() -> AsyncIterator[str]:
    """A new PostgreSQL database without a table, dropped when the test ends."""
    asyncpg = pytest.importorskip("asyncpg")
    admin = await asyncpg.connect(_listens(POSTGRES, "PostgreSQL"))
    name = f"bridge_test_{secrets.token_hex(6)}"
    await admin.execute(f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{name}"))
    finally:
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


@pytest.fixture
async def proxy(free_port: Callable[[], int]) -> AsyncIterator[Callable[[str], tuple[Proxy, str]]]:
    """A function from a URL to a proxy before its server and the URL that leads through it."""
    made: list[Proxy] = []

    def before(url: str) -> tuple[Proxy, str]:
        parts = urlsplit(url)
        assert parts.port is not None
        proxy = Proxy(free_port(), parts.hostname or "", parts.port)
        made.append(proxy)
        return proxy, url.replace(f":{parts.port}", f":{proxy.port}")

    yield before
    for each in made:
        await each.shut()
