"""A carrier's kind and the keys of its entry come in; what is wrong with them goes out, in words.

Kinds share keys: an account is an account at every provider. Each says here which it has.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """Keys that an entry of this kind must have, each with what to write there, and may have."""

    needs: Mapping[str, str] = field(default_factory=dict)
    may: Collection[str] = ()

    @property
    def keys(self) -> frozenset[str]:
        """All keys of this kind's own."""
        return frozenset({*self.needs, *self.may})


#: Keys of every kind.
COMMON: Final = frozenset(
    {
        *("name", "kind", "tps", "window", "country", "originator", "originators", "senders"),
        *("retry_first", "retry_longest", "failover"),
    }
)
#: Further keys of every carrier over HTTP.
_HTTP: Final = ("api_url", "response_timeout", "receipts", "tls_ca")

#: Of a kind with more keys not all are told.
_FEW: Final = 16

KINDS: Final[dict[str, Kind]] = {
    "sandbox": Kind(),
    "smpp": Kind(
        {"host": "the address of the SMSC"},
        {
            *("port", "system_id", "password", "system_type", "bind", "receipts"),
            *("tls", "tls_ca", "tls_cert", "tls_key", "long", "id_format", "gsm7_coding", "shift"),
            *("source_ton", "source_npi", "dest_ton", "dest_npi", "enquire_seconds"),
            *("response_timeout", "optout_errors"),
        },
    ),
    "bulkgate": Kind(
        {"account": "the application_id of its API", "secret": "its application_token"},
        {*_HTTP, "service"},
    ),
    "gosms": Kind(
        {
            "account": "the client_id",
            "secret": "the client_secret",
            "service": "the number of a channel",
        },
        _HTTP,
    ),
    "kannel": Kind(
        {
            "api_url": "the address of smsbox, http://HOST:13013",
            "account": "the username of a sendsms-user",
            "secret": "its password",
        },
        {*_HTTP, "service"},
    ),
    "smsgate": Kind(
        {"account": "the username that the app shows", "secret": "the password beside it"},
        {*_HTTP, "signing_secret", "service"},
    ),
    "twilio": Kind(
        {
            "account": "the account's SID, AC…",
            "secret": "its auth token, or the secret of the API key in `key`",
        },
        {*_HTTP, "key", "signing_secret", "service", "erase_records"},
    ),
    "vonage": Kind(
        {"key": "the account's API key", "secret": "its API secret"},
        {*_HTTP, "signing_secret", "signing_method", "erase_records"},
    ),
    "gatewayapi": Kind({"key": "an API token"}, {*_HTTP, "signing_secret"}),
    "http": Kind(
        {
            "request": "what a request looks like, in a table [carriers.request]",
            "answer": "what its answer says, in a table [carriers.answer]",
        },
        {
            *(*_HTTP, "account", "key", "secret"),
            *("receipt", "inbound", "signature", "optouts", "erasing"),
        },
    ),
    "infobip": Kind(
        {"api_url": "the account's own base URL, https://….api.infobip.com", "key": "an API key"},
        {*_HTTP, "optout_list"},
    ),
    "linkmobility": Kind(
        {
            "api_url": "the base URL that LINK Mobility gave you",
            "account": "the user name",
            "secret": "the password",
            "platform": "the platform id, platformId",
            "partner": "the partner id, platformPartnerId",
        },
        {*_HTTP, "gate"},
    ),
    "sinch": Kind(
        {"account": "the service plan's id", "key": "the service plan's API token"},
        {*_HTTP, "signing_secret"},
    ),
}


def misfit(kind: str, named: Collection[str], given: Collection[str]) -> str:
    """What is wrong with an entry of these keys, `given` with a value; "" where nothing is."""
    known = KINDS.get(kind)
    if known is None:
        return _unknown(kind)
    for key in sorted(set(named) - COMMON - known.keys):
        return _foreign(kind, key, known)
    for key, what in known.needs.items():
        if key not in given:
            return f"{key} is missing; add {what}"
    return ""


def _unknown(kind: str) -> str:
    near = difflib.get_close_matches(kind, KINDS, n=1, cutoff=0.6)
    if near:
        return f'there is no kind "{kind}"; did you mean "{near[0]}"?'
    return f'there is no kind "{kind}"; use one of {", ".join(sorted(KINDS))}'


def _foreign(kind: str, key: str, known: Kind) -> str:
    if key == "erase_records":
        return f'kind "{kind}" has no key {key}: it cannot be asked to erase; take it out'
    near = difflib.get_close_matches(key, known.keys, n=1, cutoff=0.6)
    if near:
        return f'kind "{kind}" has no key {key}; did you mean {near[0]}?'
    if not 0 < len(known.keys) <= _FEW:
        return f'kind "{kind}" has no key {key}; take it out'
    return f'kind "{kind}" has no key {key}; its own are {", ".join(sorted(known.keys))}'
