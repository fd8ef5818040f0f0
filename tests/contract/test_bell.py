"""A ring is heard, through every broker, and again after whatever has broken."""

import asyncio
import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import redis
import structlog

from bridge.dispatch import bell as bells
from bridge.dispatch import broker_amqp, broker_redis, ringer, valkey
from bridge.dispatch.actors import job
from bridge.dispatch.bell import Bell
from bridge.dispatch.broker import connect
from bridge.dispatch.link import Link
from bridge.errors import Misconfigured
from tests.conftest import absent

PATIENCE_S = 20.0
URGENT, BULK, MAIL = "deliver.smsc-1.urgent", "deliver.smsc-1.bulk", "answer.mail"
QUEUES = (URGENT, BULK, MAIL)
BROKERS = ("embedded", "redis", "valkey", "rabbitmq")

Open = Callable[..., Awaitable[Bell]]


class Ear:
    """Remembers what was heard, and lets a test wait for it."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, list[int]]] = []
        self._news = asyncio.Event()

    def __call__(self, queue: str, ids: Sequence[int]) -> None:
        self.heard.append((queue, list(ids)))
        self._news.set()

    def ids(self, queue: str) -> list[int]:
        return [number for name, ids in self.heard if name == queue for number in ids]

    async def until(self, what: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not what():
                self._news.clear()
                await self._news.wait()

    async def hears(self, queue: str, *ids: int) -> None:
        await self.until(lambda: set(ids) <= set(self.ids(queue)))


async def eventually(what: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not what():  # noqa: ASYNC110 - nobody tells when it is
            await asyncio.sleep(0.01)


async def deep(bell: Bell, jobs: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await bell.depth() != jobs:  # noqa: ASYNC110 - nobody tells when it is
            await asyncio.sleep(0.01)


@pytest.fixture
def namespace() -> str:
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def swept(namespace: str) -> Iterator[list[str]]:
    """URLs of servers on which the test's queues are deleted when it ends."""
    urls: list[str] = []
    yield urls
    for url in urls:
        if urlsplit(url).scheme == "amqp":
            _delete_queues(url, namespace)
        else:
            with redis.Redis(connection_pool=broker_redis.pool(url)) as client:
                for key in client.scan_iter(f"{namespace}*"):
                    client.delete(key)
                client.connection_pool.disconnect()


def _delete_queues(url: str, namespace: str) -> None:
    pika = pytest.importorskip("pika")
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    for queue in QUEUES:
        channel.queue_delete(f"{namespace}.{queue}")
    connection.close()


@pytest.fixture(params=BROKERS)
def url(request: pytest.FixtureRequest, swept: list[str]) -> str:
    if request.param == "embedded":
        return "embedded"
    name = "rabbitmq_url" if request.param == "rabbitmq" else "redis_url"
    found: str = request.getfixturevalue(name)
    if request.param == "valkey":
        found = found.replace("redis:", "valkey:", 1)
    swept.append(found)
    return found


@pytest.fixture
async def open_bell(tmp_path: Path, namespace: str, swept: list[str]) -> AsyncIterator[Open]:
    """A function that starts a bell, which is stopped when the test ends."""
    del swept  # swept after the bells have stopped
    opened: list[Bell] = []

    async def start(
        url: str, heard: Any = None, queues: Sequence[str] = QUEUES, **options: Any
    ) -> Bell:
        bell = Bell(url, options.get("data_dir", tmp_path), options.get("namespace", namespace))
        opened.append(bell)
        await bell.start(queues, heard)
        return bell

    yield start
    for bell in opened:
        await bell.stop()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dead workers and lost rings are noticed within a second."""
    monkeypatch.setattr(broker_redis, "HEARTBEAT_MS", 500)
    monkeypatch.setattr(broker_redis, "POLL_S", 0.2)
    monkeypatch.setattr(broker_redis, "TIDY_S", 0.2)


class Server:
    """A private Valkey on a TCP port, to be killed."""

    def __init__(self, home: Path, port: int, *options: str) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        self._command = [str(valkey.binary()), "--port", str(port), "--bind", "127.0.0.1"]
        self._command += ["--dir", str(home), "--appendonly", "yes", "--save", "", *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.send_signal(signal.SIGCONT)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)


@pytest.fixture
def server(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Server]:
    home = tmp_path / "server"
    home.mkdir()
    try:
        server = Server(home, free_port())
    except Misconfigured as no:
        absent(no.sentence)
    yield server
    server.end()


async def test_a_ring_is_heard_with_its_ids(url: str, open_bell: Open) -> None:
    ear = Ear()
    bell = await open_bell(url, ear)
    bell.ring(URGENT, [1, 2])
    await ear.hears(URGENT, 1, 2)
    assert ear.heard == [(URGENT, [1, 2])]
    assert bell.up


async def test_each_queue_is_heard_under_its_name(url: str, open_bell: Open) -> None:
    ear = Ear()
    bell = await open_bell(url, ear)
    for number, queue in enumerate(QUEUES):
        bell.ring(queue, [number])
    for number, queue in enumerate(QUEUES):
        await ear.hears(queue, number)
    assert len(ear.heard) == len(QUEUES)


async def test_a_bell_that_only_rings_is_heard_elsewhere(url: str, open_bell: Open) -> None:
    ear = Ear()
    edge = await open_bell(url)
    edge.ring(MAIL, [7])
    await deep(edge, 1)
    worker = await open_bell(url, ear)
    await ear.hears(MAIL, 7)
    edge.ring(MAIL, [8])
    await ear.hears(MAIL, 8)
    await deep(worker, 0)


RINGER = """
import asyncio, sys
from pathlib import Path
from bridge.dispatch.bell import Bell
async def main(url, namespace, queue):
    bell = Bell(url, Path(), namespace)
    await bell.start((queue,), None)
    bell.ring(queue, [1, 2, 3])
    while await bell.depth() < 0:
        await asyncio.sleep(0.01)
    await bell.stop()
asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("url", ["redis", "rabbitmq"], indirect=True)
async def test_another_process_rings(url: str, namespace: str, open_bell: Open) -> None:
    ear = Ear()
    await open_bell(url, ear)
    arguments = (sys.executable, "-W", "error", "-c", RINGER, url, namespace, BULK)
    other = await asyncio.create_subprocess_exec(*arguments)
    await ear.hears(BULK, 1, 2, 3)
    assert await other.wait() == 0


async def test_many_rings_are_few_jobs_and_the_last_one_is_heard(url: str, open_bell: Open) -> None:
    ear = Ear()
    bell = await open_bell(url, ear)
    for number in range(2_000):
        bell.ring(BULK, [number])
    bell.ring(URGENT)
    await ear.until(lambda: BULK in dict(ear.heard) and URGENT in dict(ear.heard))
    assert len(ear.heard) < 20
    assert all(len(ids) <= 2 * ringer.MOST_IDS for _, ids in ear.heard)


def _more_than(ear: Ear, hearings: int) -> bool:
    return len(ear.heard) > hearings


async def test_after_every_ring_there_is_a_hearing(url: str, open_bell: Open) -> None:
    ear = Ear()
    bell = await open_bell(url, ear)
    for number in range(200):
        before = len(ear.heard)
        bell.ring(BULK, [number])
        if number % 3 == 0:
            await asyncio.sleep(0)
        if number % 10 == 0:
            await ear.until(partial(_more_than, ear, before))
    before = len(ear.heard)
    bell.ring(BULK)
    await ear.until(partial(_more_than, ear, before))


async def test_rings_that_nobody_hears_do_not_pile_up(url: str, open_bell: Open) -> None:
    edge = await open_bell(url)
    for number in range(150):
        edge.ring(BULK, [number])
        assert await edge.depth() <= ringer.ENOUGH + 1
    ear = Ear()
    await open_bell(url, ear)
    await ear.until(lambda: ear.heard)
    await deep(edge, 0)
    edge.ring(BULK, [999])
    await ear.hears(BULK, 999)


@pytest.mark.parametrize("url", ["redis", "rabbitmq"], indirect=True)
async def test_namespaces_do_not_hear_each_other(url: str, namespace: str, open_bell: Open) -> None:
    ours, theirs = Ear(), Ear()
    other = f"{namespace}-other"
    bell = await open_bell(url, ours)
    stranger = await open_bell(url, theirs, namespace=other)
    try:
        stranger.ring(URGENT, [1])
        await theirs.hears(URGENT, 1)
        bell.ring(URGENT, [2])
        await ours.hears(URGENT, 2)
        assert (ours.ids(URGENT), theirs.ids(URGENT)) == ([2], [1])
    finally:
        if url.startswith("amqp"):
            await stranger.stop()
            _delete_queues(url, other)


async def test_one_bell_after_another_leaves_no_thread(
    url: str, tmp_path: Path, namespace: str
) -> None:
    before = {thread for thread in threading.enumerate() if not thread.name.startswith("asyncio")}
    for number in range(3):
        ear = Ear()
        bell = Bell(url, tmp_path, namespace)
        await bell.start(QUEUES, ear)
        bell.ring(MAIL, [number])
        await ear.hears(MAIL, number)
        await bell.stop()
    after = {thread for thread in threading.enumerate() if not thread.name.startswith("asyncio")}
    assert after <= before


async def test_the_end_waits_for_no_look(
    url: str, tmp_path: Path, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for look in ("LOOK_S", "POLL_S"):
        monkeypatch.setattr(broker_redis, look, 3600.0)
    monkeypatch.setattr(bells, "LOOK_MS", 3_600_000)
    before = set(threading.enumerate())
    ear = Ear()
    bell = Bell(url, tmp_path, namespace)
    await bell.start(QUEUES, ear)
    bell.ring(MAIL, [1])
    await ear.hears(MAIL, 1)
    await bell.stop()
    after = {thread for thread in threading.enumerate() if not thread.name.startswith("asyncio")}
    assert after <= before


async def test_what_was_rung_just_before_the_stop_is_sent(url: str, open_bell: Open) -> None:
    ear = Ear()
    edge = await open_bell(url)
    await eventually(lambda: edge.up)
    keeps_the_server = await open_bell(url)
    edge.ring(MAIL, [5])
    if url != "embedded":
        await edge.stop()
    await deep(keeps_the_server, 1)
    await open_bell(url, ear)
    await ear.hears(MAIL, 5)


async def test_after_the_stop_nothing_is_heard(url: str, open_bell: Open) -> None:
    ear = Ear()
    bell = await open_bell(url, ear)
    bell.ring(MAIL, [1])
    await bell.stop()
    heard = list(ear.heard)
    bell.ring(MAIL, [2])
    await asyncio.sleep(0)
    assert ear.heard == heard


async def test_a_bell_that_never_started_is_quiet(tmp_path: Path) -> None:
    bell = Bell("redis://127.0.0.1:1/0", tmp_path)
    bell.ring(MAIL, [1])
    assert await bell.depth() == -1
    assert not bell.up
    await bell.stop()


@pytest.mark.parametrize("scheme", ["redis://127.0.0.1", "amqp://guest:guest@127.0.0.1"])
async def test_an_absent_broker_delays_and_never_refuses(
    scheme: str, open_bell: Open, free_port: Callable[[], int]
) -> None:
    bell = await open_bell(f"{scheme}:{free_port()}", Ear())
    for number in range(1_000):
        bell.ring(BULK, [number])
    assert not bell.up
    assert await bell.depth() == -1
    assert bell._ringer is not None
    assert sum(map(len, bell._ringer._due.values())) <= ringer.MOST_IDS


async def test_a_broker_that_starts_later_gets_what_was_rung(
    server: Server, open_bell: Open
) -> None:
    ear = Ear()
    bell = await open_bell(server.url, ear)
    bell.ring(URGENT, [1])
    server.start()
    await ear.hears(URGENT, 1)
    await eventually(lambda: bell.up)


async def test_a_killed_broker_is_heard_through_again(server: Server, open_bell: Open) -> None:
    ear = Ear()
    server.start()
    edge, worker = await open_bell(server.url), await open_bell(server.url, ear)
    edge.ring(URGENT, [1])
    await ear.hears(URGENT, 1)
    server.end(signal.SIGKILL)
    await eventually(lambda: not worker.up)
    edge.ring(URGENT, [2])
    server.start()
    await ear.hears(URGENT, 2)
    # What was rung and lost meanwhile: every queue is looked into once.
    await ear.until(
        lambda: {(queue, ()) for queue in QUEUES} <= {(q, tuple(i)) for q, i in ear.heard}
    )
    await eventually(lambda: edge.up and worker.up)


async def test_a_broker_that_lost_everything_is_heard_through_again(
    server: Server, open_bell: Open
) -> None:
    ear = Ear()
    server.start()
    bell = await open_bell(server.url, ear)
    bell.ring(URGENT, [1])
    await ear.hears(URGENT, 1)
    client = redis.Redis(connection_pool=broker_redis.pool(server.url))
    client.flushall()
    client.script_flush()
    bell.ring(URGENT, [2])
    await ear.hears(URGENT, 2)
    client.connection_pool.disconnect()


async def test_a_killed_embedded_server_is_heard_through_again(open_bell: Open) -> None:
    ear = Ear()
    bell = await open_bell("embedded", ear)
    embedded = bell._valkey
    assert embedded is not None
    for number in range(3):
        server = redis.Redis(connection_pool=broker_redis.pool(embedded.url))
        pid = server.info("server")["process_id"]
        server.connection_pool.disconnect()
        os.kill(pid, signal.SIGKILL)
        bell.ring(MAIL, [number])
        await ear.hears(MAIL, number)
        await eventually(lambda: bell.up)


async def test_a_frozen_broker_does_not_hold_up_the_loop(server: Server, open_bell: Open) -> None:
    ear = Ear()
    server.start()
    bell = await open_bell(server.url, ear)
    bell.ring(URGENT, [1])
    await ear.hears(URGENT, 1)
    server.freeze()
    for number in range(1_000):
        bell.ring(URGENT, [number])
        bell.ring(f"deliver.lane-{number % 10}.bulk")
    assert await bell.depth() == -1
    await bell.stop()


async def test_a_broker_that_refuses_to_write_is_not_up(server: Server, open_bell: Open) -> None:
    ear = Ear()
    server.start()
    bell = await open_bell(server.url, ear)
    bell.ring(URGENT, [1])
    await ear.hears(URGENT, 1)
    client = redis.Redis(connection_pool=broker_redis.pool(server.url))
    # As a full disk does: everything is answered, nothing is taken.
    client.config_set("min-replicas-to-write", "1")
    bell.ring(URGENT, [2])
    await eventually(lambda: not bell.up)
    client.config_set("min-replicas-to-write", "0")
    await ear.hears(URGENT, 2)
    await eventually(lambda: bell.up)
    client.connection_pool.disconnect()


def _is_up(bell: Bell, *, up: bool = True) -> bool:
    return bell.up is up


async def test_broken_connections_are_replaced(
    redis_url: str, rabbitmq_url: str, swept: list[str], open_bell: Open, proxy: Any
) -> None:
    for target in (redis_url, rabbitmq_url):
        swept.append(target)
        through, url = proxy(target)
        await through.open()
        ear = Ear()
        bell = await open_bell(url, ear)
        bell.ring(URGENT, [1])
        await ear.hears(URGENT, 1)
        for number in (2, 3):
            through.cut()
            bell.ring(URGENT, [number])
            await ear.hears(URGENT, number)
        await through.shut()
        await eventually(partial(_is_up, bell, up=False))
        bell.ring(BULK, [4])
        await through.open()
        await ear.hears(BULK, 4)
        await eventually(partial(_is_up, bell))


async def test_a_server_that_accepts_and_says_nothing_is_told_of_and_left(
    rabbitmq_url: str, swept: list[str], open_bell: Open, proxy: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(broker_amqp, "ANSWER_S", 0.3)
    swept.append(rabbitmq_url)
    through, url = proxy(rabbitmq_url)
    await through.open()
    through.mute = True
    with pytest.raises(Misconfigured, match="cannot be used"):
        await Bell.probe(url, Path())
    ear = Ear()
    with structlog.testing.capture_logs() as logs:
        bell = await open_bell(url, ear)
        bell.ring(URGENT, [1])
        await eventually(lambda: logs)
    assert logs[0]["event"].startswith("queue does not answer")
    assert "says nothing" in logs[0]["hint"]
    through.mute = False
    through.cut()
    await ear.hears(URGENT, 1)
    await eventually(lambda: bell.up)
    through.mute = True
    async with asyncio.timeout(4 * bells.STOP_S):  # a farewell would be waited for twice as long
        await bell.stop()


FETCHER = """
import sys, time
from bridge.dispatch.broker import connect
from bridge.dispatch.link import Link
broker = connect(sys.argv[1], sys.argv[2], Link(""), print)
broker.declare_queue(sys.argv[3])
consumer = broker.consume(sys.argv[3], prefetch=10)
while next(consumer) is None:
    pass
print("fetched", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("url", ["redis", "rabbitmq"], indirect=True)
@pytest.mark.usefixtures("impatient")
async def test_what_a_killed_worker_had_taken_is_heard_elsewhere(
    url: str, namespace: str, open_bell: Open
) -> None:
    edge = await open_bell(url)
    edge.ring(URGENT, [1])
    await deep(edge, 1)
    command = [sys.executable, "-c", FETCHER, url, namespace, URGENT]
    worker = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert await worker.stdout.readline() == b"fetched\n"
    worker.kill()
    await worker.wait()
    ear = Ear()
    await open_bell(url, ear)
    await ear.hears(URGENT, 1)


@pytest.mark.usefixtures("impatient")
async def test_jobs_whose_answer_was_lost_are_not_stranded(
    server: Server, open_bell: Open, proxy: Any
) -> None:
    server.start()
    through, url = proxy(server.url)
    await through.open()
    ear = Ear()
    edge, worker = await open_bell(server.url), await open_bell(url, ear)
    edge.ring(URGENT, [1])
    await ear.hears(URGENT, 1)
    through.mute = True
    edge.ring(URGENT, [2])
    await deep(edge, 0)  # taken by the worker, who has not heard so
    through.mute = False
    through.cut()
    await ear.hears(URGENT, 2)
    await eventually(lambda: worker.up)


@pytest.mark.usefixtures("impatient")
async def test_a_lost_doorbell_is_made_up_for_by_the_poll(
    redis_url: str, namespace: str, open_bell: Open, swept: list[str]
) -> None:
    swept.append(redis_url)
    ear = Ear()
    await open_bell(redis_url, ear)
    mute = connect(redis_url, namespace, Link(""), print)
    mute.scripts["dispatch"]._channel = "elsewhere"  # type: ignore[attr-defined]
    mute.enqueue(job(MAIL, [3]))
    mute.close()
    await ear.hears(MAIL, 3)


async def test_a_job_is_a_queue_and_ids(
    redis_url: str, namespace: str, open_bell: Open, swept: list[str]
) -> None:
    swept.append(redis_url)
    edge = await open_bell(redis_url)
    edge.ring(MAIL, [11, 12])
    await deep(edge, 1)
    client = redis.Redis(connection_pool=broker_redis.pool(redis_url))
    (job,) = [json.loads(data) for data in client.hvals(f"{namespace}:{MAIL}.msgs")]
    assert job["args"] == [MAIL, [11, 12]]
    assert not job["kwargs"]
    client.connection_pool.disconnect()


async def test_what_is_no_job_is_dropped(
    redis_url: str, namespace: str, open_bell: Open, swept: list[str]
) -> None:
    swept.append(redis_url)
    client = redis.Redis(connection_pool=broker_redis.pool(redis_url))
    for number, junk in enumerate((b"junk", b'{"args": 3}', b"")):
        client.hset(f"{namespace}:{MAIL}.msgs", str(number), junk)
        client.rpush(f"{namespace}:{MAIL}", str(number))
    client.rpush(f"{namespace}:{MAIL}", "no message at all")
    ear = Ear()
    bell = await open_bell(redis_url, ear)
    bell.ring(MAIL, [4])
    await ear.hears(MAIL, 4)
    client.connection_pool.disconnect()


async def test_password_and_database_of_a_url_are_honoured(
    tmp_path: Path, free_port: Callable[[], int], namespace: str, open_bell: Open
) -> None:
    home = tmp_path / "server"
    home.mkdir()
    server = Server(home, free_port(), "--requirepass", "p@ss/w:rd")
    server.start()
    try:
        url = server.url.replace("//", "//:p%40ss%2Fw%3Ard@").replace("/0", "/5")
        ear = Ear()
        bell = await open_bell(url, ear)
        bell.ring(MAIL, [1])
        await ear.hears(MAIL, 1)
        client = redis.Redis(connection_pool=broker_redis.pool(url))
        assert client.zcard(f"{namespace}:__heartbeats__")
        assert set(client.info("keyspace")) == {"db5"}
        client.connection_pool.disconnect()
        with pytest.raises(Misconfigured, match=r"127\.0\.0\.1"):
            await Bell.probe(server.url, tmp_path)
    finally:
        server.end()


@pytest.mark.parametrize(
    ("setting", "said"),
    [("--maxmemory 1", "maxmemory"), ("--replicaof 127.0.0.1 1", "read only replica")],
)
async def test_the_probe_tells_of_a_server_that_takes_no_job(
    setting: str, said: str, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    server = Server(tmp_path, free_port(), *setting.split(), "--replica-serve-stale-data", "yes")
    server.start()
    client = redis.Redis(connection_pool=broker_redis.pool(server.url))
    try:
        await eventually(partial(_answers, client))
        with pytest.raises(Misconfigured, match=said):
            await Bell.probe(server.url, tmp_path)
    finally:
        client.connection_pool.disconnect()
        server.end()


def _answers(client: Any) -> bool:
    with contextlib.suppress(redis.ConnectionError):
        return bool(client.ping())
    return False


async def test_rediss_is_encrypted(
    tmp_path: Path, free_port: Callable[[], int], program: Callable[[str], Path], open_bell: Open
) -> None:
    key, cert, port = tmp_path / "key.pem", tmp_path / "cert.pem", free_port()
    _self_signed(key, cert)
    command = [str(program("redis-server")), "--port", "0", "--tls-port", str(port), "--save", ""]
    command += [
        "--tls-cert-file",
        str(cert),
        "--tls-key-file",
        str(key),
        "--tls-auth-clients",
        "no",
    ]
    command += ["--dir", str(tmp_path)]
    server = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
    try:
        ear = Ear()
        bell = await open_bell(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={cert}", ear)
        bell.ring(MAIL, [1])
        await ear.hears(MAIL, 1)
        # Without the authority that signed it the server is not trusted.
        with pytest.raises(Misconfigured):
            await Bell.probe(f"rediss://127.0.0.1:{port}/0", tmp_path)
        await bell.stop()
    finally:
        server.kill()
        await server.wait()


def _self_signed(key: Path, cert: Path) -> None:
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "queue.test")])
    now = dt.datetime.now(dt.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, private.public_key(), 1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(private, hashes.SHA256())
    )
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key.write_bytes(private.private_bytes(encoding, form, serialization.NoEncryption()))
    cert.write_bytes(signed.public_bytes(encoding))
    assert ssl.PEM_cert_to_DER_cert(cert.read_text())


async def test_the_probe_names_the_server(url: str, tmp_path: Path) -> None:
    sentence = await Bell.probe(url, tmp_path)
    assert any(name in sentence for name in ("Valkey", "Redis", "RabbitMQ"))
    assert "guest" not in sentence


@pytest.mark.parametrize("scheme", ["redis://user:hush@", "valkeys://", "amqp://user:hush@"])
async def test_the_probe_says_what_to_do(
    scheme: str, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    with pytest.raises(Misconfigured) as no:
        await Bell.probe(f"{scheme}127.0.0.1:{free_port()}", tmp_path)
    assert "127.0.0.1" in no.value.sentence
    assert "hush" not in no.value.sentence
    assert "[queue] url" in no.value.hint


@pytest.mark.parametrize("url", ["kafka://host", "", "redis", "http://127.0.0.1"])
def test_an_unknown_queue_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as no:
        Bell(url, tmp_path)
    assert "embedded" in no.value.hint


def test_pika_is_loaded_only_for_rabbitmq() -> None:
    code = "import sys, bridge.dispatch.bell; sys.exit('pika' in sys.modules or 'valkey' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_constants_fit_together() -> None:
    """A living worker is never taken for dead, and a dead one is noticed in time."""
    assert broker_redis.POLL_S * 2 < broker_redis.HEARTBEAT_MS / 1000
    assert broker_redis.HEARTBEAT_MS / 1000 + broker_redis.TIDY_S + broker_redis.POLL_S <= 20


async def test_a_queue_that_is_left_while_its_job_is_in_hand(url: str, open_bell: Open) -> None:
    """The worker's one thread must not end by it: the other queues are still heard."""
    ear = Ear()
    bell = await open_bell(url, ear)
    in_hand, go_on = threading.Event(), threading.Event()
    tell = bell._tell

    def slowly(queue: str, ids: Sequence[int]) -> None:
        if queue == BULK:
            in_hand.set()
            go_on.wait(PATIENCE_S)
        tell(queue, ids)

    bell._tell = slowly  # type: ignore[method-assign]
    bell.ring(BULK, [1])
    assert await asyncio.to_thread(in_hand.wait, PATIENCE_S)
    bell.leave([BULK])
    go_on.set()
    bell.ring(URGENT, [2])
    await ear.hears(URGENT, 2)
