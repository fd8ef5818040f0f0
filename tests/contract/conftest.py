"""What the tests over both databases ask for: each in turn, migrated, with a tenant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.stores import Database, Worker, a_database


@pytest.fixture
def tenant_settings() -> dict[str, Any]:
    """The settings of the tenant acme."""
    return {}


@pytest.fixture
async def database(
    url: str, tmp_path: Path, tenant_settings: dict[str, Any]
) -> AsyncIterator[Database]:
    """A migrated database with the tenant acme."""
    async with a_database(url, tmp_path, tenant_settings) as made:
        yield made


@pytest.fixture
async def work(database: Database) -> Worker:
    """A process over it."""
    return await database.worker("work-1")
