"""Brokers of our own for one test, so that they may be killed: Redis and RabbitMQ."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from tests.e2e.processes import House, Process, until


def listens(port: int) -> bool:
    """Whether somebody takes connections at a port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Redis:
    """redis-server on a port of its own; what it holds is lost with it."""

    def __init__(
        self, house: House, program: Callable[[str], Path], free_port: Callable[[], int]
    ) -> None:
        self.house = house
        self.binary = program("redis-server")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: Process

    async def start(self) -> None:
        self.process = self.house.run(
            *(self.binary, "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "no", "--dir", self.house.folder),
            name="redis",
        )
        await until(lambda: listens(self.port), "Redis")

    def kill(self) -> None:
        self.process.kill_tree()


class RabbitMQ:
    """A RabbitMQ node with a name, ports and files of its own."""

    def __init__(
        self, house: House, program: Callable[[str], Path], free_port: Callable[[], int]
    ) -> None:
        self.house = house
        port, self.epmd_port = free_port(), free_port()
        self.epmd = program("epmd")
        # The wrapper on the path changes the user; the script behind it does not.
        found = sorted(Path("/usr/lib/rabbitmq/lib").glob("*/sbin/rabbitmq-server"))
        self.binary = found[-1] if found else program("rabbitmq-server")
        self.port = port
        self.url = f"amqp://guest:guest@127.0.0.1:{port}/%2F"
        home = house.folder / "rabbitmq"
        home.mkdir()
        (home / "plugins").write_text("[].\n")
        self.env = {
            "HOME": str(home),
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"test{os.getpid()}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(home),
            "RABBITMQ_LOG_BASE": str(home),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(home / "none"),
            "RABBITMQ_CONF_ENV_FILE": str(home / "none"),
            "RABBITMQ_SERVER_START_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        self.process: Process

    async def start(self) -> None:
        if not listens(self.epmd_port):  # else the node starts one that outlives it
            port = str(self.epmd_port)
            self.house.run(self.epmd, "-address", "127.0.0.1", "-port", port, name="epmd")
            await until(lambda: listens(self.epmd_port), "epmd")
        self.process = self.house.run(self.binary, name="rabbitmq", env=self.env)
        await until(lambda: listens(self.port), "RabbitMQ")

    def kill(self) -> None:
        self.process.kill_tree()
