"""A server's address in; a new database there, or a Valkey, and their processes out."""

from __future__ import annotations

import asyncio
import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import procs
from stage import free_port, until

from bridge.dispatch import valkey


class Absent(Exception):
    """PostgreSQL does not answer as it should."""


async def _perform(admin_url: str, statement: str) -> list[int]:
    """Perform a statement; the server's process, where it is of this machine."""
    connection = await asyncpg.connect(admin_url, timeout=5)
    try:
        await connection.execute(statement)
        with suppress(OSError):
            return [procs.parent(await connection.fetchval("SELECT pg_backend_pid()"))]
        return []
    finally:
        await connection.close()


@contextmanager
def database(admin_url: str) -> Iterator[tuple[str, list[int]]]:
    """A new database."""
    name = f"bridge_bench_{secrets.token_hex(4)}"
    try:
        postmaster = asyncio.run(_perform(admin_url, f'CREATE DATABASE "{name}"'))
    except (OSError, asyncpg.PostgresError) as error:
        raise Absent(str(error)) from error
    try:
        yield urlunsplit(urlsplit(admin_url)._replace(path=f"/{name}")), postmaster
    finally:
        asyncio.run(_perform(admin_url, f'DROP DATABASE "{name}" WITH (FORCE)'))


@contextmanager
def queue() -> Iterator[tuple[str, int]]:
    """A Valkey of its own."""
    port = free_port()
    command = [str(valkey.binary()), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            with socket.socket() as probe:
                until(lambda: probe.connect_ex(("127.0.0.1", port)) == 0, "Valkey")
            yield f"redis://127.0.0.1:{port}/0", server.pid
        finally:
            server.kill()
