"""Carriers by kind: a [[carriers]] entry in, something that sends out.

A kind's module is imported when a carrier of that kind is configured.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.errors import Misconfigured
from bridge.keyring import Keyring
from bridge.ports import Carrier
from bridge.settings import Carrier as Config
from bridge.store.store import Store


def _sandbox(config: Config, store: Store, keys: Keyring) -> Carrier:
    from bridge.carriers.sandbox import SandboxCarrier

    return SandboxCarrier(config, store, keys)


def _smpp(config: Config, _store: Store, _keys: Keyring) -> Carrier:
    from bridge.carriers.smpp import SmppCarrier

    return SmppCarrier(config)


KINDS: dict[str, Callable[[Config, Store, Keyring], Carrier]] = {
    "sandbox": _sandbox,
    "smpp": _smpp,
}


def make(config: Config, store: Store, keys: Keyring) -> Carrier:
    """The carrier of an entry. Raises Misconfigured for a kind that there is not."""
    kind = KINDS.get(config.kind)
    if kind is None:
        raise Misconfigured(
            f'[[carriers]] "{config.name}" kind: there is no "{config.kind}"',
            f"known kinds: {', '.join(sorted(KINDS))}",
        )
    return kind(config, store, keys)
