"""`bridge audit` as people run it: beside a running bridge, and on a database that was changed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.e2e.processes import House, a_house, until

ANNA = "+420601123456"
CONFIG = """
data_dir = "data"
[smtp]
listen = "127.0.0.1:0"
[http]
listen = "127.0.0.1:0"
"""


async def head(house: House) -> str:
    """The signed head, once the bridge has made it."""
    said = ""

    async def signed() -> bool:
        nonlocal said
        code, said, _ = await house.call("audit", "head", "--json")
        return code == 0

    await until(signed, "the head")
    return said


def rewrite(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute(statement)
        database.commit()


async def test_p62_audit_verify_fails_where_the_database_was_changed(tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text(CONFIG)
    async with a_house(tmp_path, config) as house:
        bridge = await house.start()
        await house.call("send", ANNA, "The pump runs")
        await house.log("--reveal", "--reason", "invoice 7 is disputed")
        await house.log("--reveal")
        kept = tmp_path / "head.json"
        kept.write_text("Subject: Audit head\n\n" + await head(house))
        code, out, err = await house.call("audit", "verify", "--head", str(kept))
        assert (code, out.split(",")[0]) == (0, "whole: 2 entries"), err
        code, out, _ = await house.call("audit", "list", "--tenant", "default")
        assert code == 0
        assert "invoice 7 is disputed" in out
        bridge.stop()
        file = tmp_path / "data" / "bridge.sqlite"
        rewrite(file, "UPDATE audit SET reason = 'nothing' WHERE seq = 1")
        code, out, _ = await house.call("audit", "verify", "--json")
        assert code == 1
        problem, refusal = map(json.loads, out.splitlines())
        assert problem == {"seq": 1, "problem": "entry 1 was altered"}
        assert refusal["error"].endswith("1 problem, the first at entry 1")
        code, _, err = await house.call("audit", "verify", "--from", "some day")
        assert (code, "is no day" in err) == (1, True)
        code, _, err = await house.call("audit", "verify", "--head", str(config))
        assert (code, "has no head" in err) == (1, True)
        code, _, err = await house.call("audit", "verify", "--head", str(tmp_path / "none"))
        assert (code, "cannot be read" in err) == (1, True)
