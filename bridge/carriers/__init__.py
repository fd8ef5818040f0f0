"""Carriers by kind: a [[carriers]] entry in, something that sends out.

A kind's connections are imported when a carrier of that kind is configured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.carriers.http import PROVIDERS, provider
from bridge.carriers.http.erasing import ErasingProvider
from bridge.carriers.http.listing import ListingProvider
from bridge.keyring import Keyring
from bridge.ports import Carrier, Eraser, OptOutList
from bridge.settings import Carrier as Config
from bridge.store.store import Store


@dataclass(frozen=True, slots=True)
class House:
    """What a carrier may need of the house it works in."""

    store: Store
    keys: Keyring
    public_url: str
    #: Whether what this process has claimed may still leave: it may have stood frozen.
    may_leave: Callable[[], bool] = lambda: True


def _sandbox(config: Config, house: House) -> Carrier:
    from bridge.carriers.sandbox import SandboxCarrier

    return SandboxCarrier(config, house.store, house.keys)


def _smpp(config: Config, _house: House) -> Carrier:
    from bridge.carriers.smpp import SmppCarrier

    return SmppCarrier(config)


def _http(config: Config, house: House) -> Carrier:
    from bridge.carriers.http.carrier import HttpCarrier

    known = provider(config, house.keys, house.public_url)
    return HttpCarrier(config, known, may_leave=house.may_leave)


KINDS: dict[str, Callable[[Config, House], Carrier]] = {
    "sandbox": _sandbox,
    "smpp": _smpp,
    **dict.fromkeys(PROVIDERS, _http),
}


def make(config: Config, house: House) -> Carrier:
    """The carrier of an entry; the settings have refused a kind that there is not."""
    return KINDS[config.kind](config, house)


def optout_list(config: Config, keys: Keyring, public_url: str) -> OptOutList | None:
    """The list of opt-outs that this carrier keeps itself; None where it shows none.

    Raises Misconfigured for an entry that cannot work.
    """
    if config.kind not in PROVIDERS:
        return None
    from bridge.carriers.http.optouts import HttpOptOutList

    known = provider(config, keys, public_url)
    if not isinstance(known, ListingProvider) or not known.lists:
        return None
    return HttpOptOutList(config, known)


def erases(config: Config) -> bool:
    """Whether this carrier is to be asked to erase its records of somebody who is erased."""
    known = PROVIDERS.get(config.kind)
    return known is not None and issubclass(known, ErasingProvider) and known.erases(config)


def eraser(config: Config, keys: Keyring, public_url: str) -> Eraser | None:
    """What asks this carrier to erase its records; None where it is not to be asked.

    Raises Misconfigured for an entry that cannot work.
    """
    if not erases(config):
        return None
    from bridge.carriers.http.eraser import HttpEraser

    known = provider(config, keys, public_url)
    assert isinstance(known, ErasingProvider)  # noqa: S101 - what `erases` says
    return HttpEraser(config, known)
