"""What encryption at rest costs: a key, a sealed value, an opened one, in microseconds of CPU.

python bench/vault.py
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bridge.master import Master
from bridge.store.vault import Key, Vault

TIMES = 50_000
TEXT = "Boiler 3 is cold. " * 8


def cost(work: Callable[[], object]) -> float:
    """Microseconds of CPU that it takes."""
    began = time.process_time()
    for _ in range(TIMES):
        work()
    return 1e6 * (time.process_time() - began) / TIMES


def main() -> None:
    """Measure, and print a line each."""
    vault = Vault(Master([b"m" * 32]))
    key = Key(b"k" * 32)
    sealed = key.seal(5, b"text", TEXT).partition(".")[2]
    _, row = vault.made(5)
    lines = {
        "a new person's key, wrapped": lambda: vault.made(5),
        "a key from its row": lambda: vault.unwrap(5, row["wrapped"], row["kek"]),
        "a number sealed": lambda: key.seal(5, b"phone", "+420601123456"),
        "a text of 144 characters sealed": lambda: key.seal(5, b"text", TEXT),
        "the same opened": lambda: key.open(b"text", sealed),
    }
    for name, work in lines.items():
        print(f"{name:<34} {cost(work):6.1f} µs")


if __name__ == "__main__":
    main()
