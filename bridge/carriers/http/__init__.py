"""Carriers over HTTP: a [[carriers]] entry comes in; what is known of its provider goes out."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from bridge.carriers.http.bulkgate import BulkGate
from bridge.carriers.http.described import Described
from bridge.carriers.http.gatewayapi import GatewayApi
from bridge.carriers.http.gosms import GoSms
from bridge.carriers.http.infobip import Infobip
from bridge.carriers.http.kannel import Kannel
from bridge.carriers.http.linkmobility import LinkMobility
from bridge.carriers.http.provider import Doors, Provider
from bridge.carriers.http.sinch import Sinch
from bridge.carriers.http.smsgate import SmsGate
from bridge.carriers.http.twilio import Twilio
from bridge.carriers.http.vonage import Vonage
from bridge.keyring import Keyring
from bridge.settings import Carrier as Config

#: The providers by kind. A new one is a file and a line here, and its keys in `settings/kinds.py`.
PROVIDERS: Final[dict[str, type[Provider]]] = {
    "bulkgate": BulkGate,
    "gatewayapi": GatewayApi,
    "gosms": GoSms,
    "http": Described,
    "infobip": Infobip,
    "kannel": Kannel,
    "linkmobility": LinkMobility,
    "sinch": Sinch,
    "smsgate": SmsGate,
    "twilio": Twilio,
    "vonage": Vonage,
}


def provider(config: Config, keys: Keyring, public_url: str) -> Provider:
    """The provider of an entry whose kind is one of `PROVIDERS`."""
    # Who is on this machine itself, as a Kannel may be, can call there all the same.
    reaches = not _is_local(public_url) or _is_local(config.api_url)
    url = public_url if reaches else ""
    return PROVIDERS[config.kind](config, Doors(config.name, secret(keys, config.name), url))


def secret(keys: Keyring, name: str) -> str:
    """What stands in the path of callbacks that nobody signs: 22 characters of base64."""
    return keys.repeat(b"carrier callback", name.encode())


def secrets(keys: Keyring, name: str) -> Iterator[str]:
    """All that may stand there: a provider knows the one of an older pepper until it is told."""
    return (secret(each, name) for each in (keys, *keys.older))


def _is_local(url: str) -> bool:
    """Whether nobody outside this machine can call there."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
