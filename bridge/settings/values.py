"""What the file says of one key comes in; the value the code works with goes out, or a sentence
that tells how to write it.
"""

import ipaddress
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from phonenumbers import SUPPORTED_REGIONS
from pydantic import BeforeValidator, Field, SecretStr

from bridge.money import currency, micro

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST = timedelta(days=3650)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError('must be text between quotes, as in "value"')
    return value


def _duration(value: object) -> timedelta:
    """`90s`, `24h`, `1h30m`, `30d` as a time span."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"([0-9]{1,6}[smhdw])+", value):
        raise ValueError('must be a time such as "90s", "15m", "24h" or "30d"')
    pairs = re.findall(r"([0-9]+)([smhdw])", value)
    span = sum((timedelta(**{UNITS[unit]: int(count)}) for count, unit in pairs), timedelta())
    if not timedelta(seconds=1) <= span <= LONGEST:
        raise ValueError(f'must be between "1s" and "{LONGEST.days}d", not "{value}"')
    return span


def _duration_or_none(value: object) -> timedelta | None:
    """As `_duration`; "" for none."""
    return None if value in ("", None) else _duration(value)


Duration = Annotated[timedelta, BeforeValidator(_duration)]
OptionalDuration = Annotated[timedelta | None, BeforeValidator(_duration_or_none)]


@dataclass(frozen=True)
class Listen:
    """Where an edge listens: host and port, or the path of a unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _listen(value: object) -> Listen:
    """`127.0.0.1:2525`, `[::1]:2525` or `localhost:0`, where port 0 takes any free one."""
    if isinstance(value, Listen):
        return value
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})", _text(value))
    if not found:
        raise ValueError(f'must be "address:port", such as "127.0.0.1:2525", not "{value}"')
    if int(found[3]) > 65535:
        raise ValueError(f"the highest port is 65535, not {found[3]}")
    return Listen(found[1] or found[2], int(found[3]))


def _listen_or_none(value: object) -> Listen | None:
    """As `_listen`; "" for none."""
    return None if value in ("", None) else _listen(value)


def _listen_lmtp(value: object) -> Listen | None:
    """As `_listen`; also `unix:/path`, and "" for none."""
    if value in ("", None):
        return None
    if isinstance(value, str) and value.startswith("unix:"):
        path = value.removeprefix("unix:")
        if not path.startswith("/"):
            raise ValueError('a unix socket needs a whole path, such as "unix:/run/bridge/lmtp"')
        return Listen(path=path)
    return _listen(value)


def _path(value: object) -> Path | None:
    if value in ("", None):
        return None
    if not isinstance(value, str | Path):
        raise ValueError('must be a path between quotes, "" for none')
    if "\0" in str(value):
        raise ValueError("must not hold a NUL character")
    return Path(value).expanduser()


def _directory(value: object) -> Path:
    path = _path(value)
    if path is None:
        raise ValueError('must be a directory, as in "var"')
    return path


def _region(value: object) -> str:
    """An ISO 3166 code that has a numbering plan."""
    code = _text(value).upper()
    if code not in SUPPORTED_REGIONS:
        raise ValueError(f'"{value}" is no country; use the two letters of ISO 3166, as in "CZ"')
    return code


def _region_or_none(value: object) -> str:
    return "" if value == "" else _region(value)


def _web_url(value: object) -> str:
    text = _text(value)
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ValueError(f'must be a web address such as "https://sms.example.com", not "{text}"')
    return text


def _optional_web_url(value: object) -> str:
    return "" if value == "" else _web_url(value)


def _public_url(value: object) -> str:
    """Without the slash at its end: paths are put behind it."""
    return _web_url(value).rstrip("/")


def _domain(value: object) -> str:
    name = _text(value).lower().rstrip(".")
    label = r"[^\W_]([^\W_]|-){0,62}"
    if not re.fullmatch(rf"{label}(\.{label})*", name):
        raise ValueError(f'"{value}" is no domain name; write it as in "sms.example.com"')
    return name


def _optional_domain(value: object) -> str:
    return "" if value == "" else _domain(value)


def _name(value: object) -> str:
    """Names stand in queue names and in environment variables."""
    if not isinstance(value, str) or not re.fullmatch(
        r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?", value
    ):
        raise ValueError(f'must be small letters, digits and dashes, as in "smsc-1", not "{value}"')
    return value


def _originator(value: object) -> str:
    """A number with plus, a short code, or up to 11 letters and digits (3GPP TS 23.040 9.1.2.5)."""
    text = _text(value)
    if text and not re.fullmatch(r"\+[0-9]{7,15}|[0-9]{3,8}|[A-Za-z0-9 ._&-]{1,11}", text):
        raise ValueError(
            "must be a number with plus, a short code, or at most 11 letters and digits, "
            f'not "{value}"'
        )
    return text


def _numbers(value: object) -> list[str]:
    """Originators that people can answer: numbers with plus, or short codes."""
    if not isinstance(value, list):
        raise ValueError('must be a list of numbers, as in ["+420601000000", "+420601000001"]')
    for each in value:
        if not re.fullmatch(r"\+[0-9]{7,15}|[0-9]{3,8}", _text(each)):
            raise ValueError(f'must be numbers with plus or short codes, not "{each}"')
    if len(set(value)) < len(value):
        raise ValueError("has a number twice; take one out")
    return value


def _countries(value: object) -> list[str]:
    """One country or a list of them; "" for any."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list):
        raise ValueError('must be a country such as "CZ", or a list of them')
    return [_region(each) for each in given if each]


def _prefix(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"\+[0-9]{0,15}", text):
        raise ValueError(f'must be a plus and the first digits, as in "+420" or "+", not "{text}"')
    return text


def _address_pattern(value: object) -> str:
    text = _text(value).lower()
    if text != "*" and not re.fullmatch(r"[^@\s]+@[^@\s]+", text):
        raise ValueError(f'must be an address, "*@example.com" or "*", not "{value}"')
    return text


def _local_part(value: object) -> str:
    text = _text(value).lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", text):
        raise ValueError(f'must be what stands before the @, as in "privacy", not "{value}"')
    return text


def _cap(value: object) -> str:
    """At most so many messages to a person in a time; "" for no limit."""
    text = _text(value)
    if text and not re.fullmatch(r"[1-9][0-9]{0,3}/[1-9][0-9]{0,2}[hdw]", text):
        raise ValueError(f'must be messages and a time, such as "3/7d", not "{text}"')
    return text


def _country(value: object) -> str:
    """As `_region`; "*" is any country."""
    return "*" if value == "*" else _region(value)


def _velocity(value: object) -> str:
    """At most so many different numbers of one range in a time; "" as it is without, or "off"."""
    text = _text(value)
    if text not in ("", "off") and not re.fullmatch(r"[1-9][0-9]{0,3}/[1-9][0-9]{0,2}[mhd]", text):
        raise ValueError(f'must be numbers and a time, such as "30/10m", or "off", not "{text}"')
    return text


# The default alphabet of 3GPP TS 23.038, 6.2.1, with its extension.
_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)


def _plain_words(value: object) -> str:
    """Words that go with every text: one letter beyond GSM-7 would make each SMS UCS-2."""
    text = _text(value)
    if beyond := sorted(set(text) - _GSM7):
        raise ValueError(
            f'has "{beyond[0]}", which makes every SMS twice as long; write it plainly, such as'
            ' "Odhlaseni: STOP"'
        )
    return text


def _programme_name(value: object) -> str:
    """As it stands behind `.p-` in an address."""
    text = _text(value)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", text):
        raise ValueError(f'must be letters, digits, - and _, as in "newsletter", not "{text}"')
    return text


_INBOX = re.compile(
    r"[^@\s:]+@[^@\s]+|slack:(?:[TE][A-Z0-9]+/)?[CGD][A-Z0-9]+|telegram:-?[0-9]+"
).fullmatch


def _inboxes(value: object) -> list[str]:
    """One inbox or a list of them: mail addresses, Slack channels, Telegram chats; "" for none."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list):
        raise ValueError('must be an address such as "team@example.com", or a list of inboxes')
    for each in given:
        if each and not _INBOX(_text(each)):
            raise ValueError(
                'must be an address such as "team@example.com", a Slack channel such as'
                f' "slack:C0123456789" or a Telegram chat such as "telegram:-1001234567890",'
                f' not "{each}"'
            )
    return [each for each in given if each]


def _mail_addresses(value: object) -> list[str]:
    """Mail addresses of people."""
    found = _inboxes(value)
    for each in found:
        if "@" not in each:
            raise ValueError(f'must be mail addresses, such as ["eva@example.com"], not "{each}"')
    return found


def _proofs(value: object) -> list[str]:
    """One proof or a list of them, all of which must hold."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not given:
        raise ValueError('must be a proof such as "auth", or a list of them')
    return [_proof(one) for one in given]


def _proof(value: object) -> str:
    text = _text(value)
    kind, _, network = text.partition(":")
    if kind == "network":
        try:
            return f"network:{ipaddress.ip_network(network.strip(), strict=False)}"
        except ValueError:
            raise ValueError(f'"{value}": write a network as in "network:10.0.0.0/8"') from None
    if text not in {"auth", "dmarc", "token"}:
        raise ValueError(f'"{text}" is no proof; use "network:…", "auth", "dmarc" or "token"')
    return text


def _amount(value: object) -> int:
    """Money as micro-units; a float is not exact and is refused."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError('must be an amount between quotes, as in "1200.50"')
    found = micro(str(value))
    if found < 0:
        raise ValueError("must not be below zero")
    return found


def _currency(value: object) -> str:
    return currency(_text(value))


def _percent(value: object) -> str:
    """A rate in percent, as written."""
    text = str(value) if isinstance(value, int) else _text(value)
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9])?", text):
        raise ValueError(f'must be a percentage, as in "21", not "{text}"')
    return text


def _variable_symbol(value: object) -> str:
    """What a payer writes so that a payment finds its account: ten digits at most."""
    text = _text(value)
    if text and not re.fullmatch("[1-9][0-9]{0,9}", text):
        raise ValueError(f'must be at most ten digits that do not begin with 0, not "{text}"')
    return text


def _hash(value: object) -> object:
    if not _text(value).startswith("$argon2id$"):
        raise ValueError("must begin with $argon2id$; docs/configuration.md tells how to make one")
    return value


def _url(*schemes: str, words: tuple[str, ...] = (), example: str) -> Any:
    """A validator of URLs that never repeats one: it may hold a password."""
    listed = ", ".join([*(f'"{word}"' for word in words if word), *(f"{s}://" for s in schemes)])

    def check(value: object) -> object:
        text = value.get_secret_value() if isinstance(value, SecretStr) else _text(value)
        try:
            parts = urlsplit(text)
            local = parts.scheme in {"unix", "postgresql"} and len(parts.path) > 1
            named = bool(parts.hostname or local) and parts.port != 0
            good = text in words or (parts.scheme in schemes and named)
        except ValueError:
            good = False
        if not good:
            raise ValueError(f'must be one of {listed}, as in "{example}"')
        return value

    return BeforeValidator(check)


Region = Annotated[str, BeforeValidator(_region)]
OptionalRegion = Annotated[str, BeforeValidator(_region_or_none)]
Name = Annotated[str, BeforeValidator(_name)]
Originator = Annotated[str, BeforeValidator(_originator)]
Numbers = Annotated[list[str], BeforeValidator(_numbers)]
Countries = Annotated[list[str], BeforeValidator(_countries)]
Prefix = Annotated[str, BeforeValidator(_prefix)]
AddressPattern = Annotated[str, BeforeValidator(_address_pattern)]
Proofs = Annotated[list[str], BeforeValidator(_proofs)]
PasswordHash = Annotated[SecretStr, BeforeValidator(_hash)]
Directory = Annotated[Path, BeforeValidator(_directory)]
OptionalPath = Annotated[Path | None, BeforeValidator(_path)]
Endpoint = Annotated[Listen, BeforeValidator(_listen)]
OptionalEndpoint = Annotated[Listen | None, BeforeValidator(_listen_or_none)]
LmtpEndpoint = Annotated[Listen | None, BeforeValidator(_listen_lmtp)]
PublicUrl = Annotated[str, BeforeValidator(_public_url)]
WebUrl = Annotated[str, BeforeValidator(_web_url)]
OptionalWebUrl = Annotated[str, BeforeValidator(_optional_web_url)]
Domain = Annotated[str, BeforeValidator(_domain)]
OptionalDomain = Annotated[str, BeforeValidator(_optional_domain)]
LocalPart = Annotated[str, BeforeValidator(_local_part)]
Cap = Annotated[str, BeforeValidator(_cap)]
Country = Annotated[str, BeforeValidator(_country)]
Velocity = Annotated[str, BeforeValidator(_velocity)]
PlainWords = Annotated[str, BeforeValidator(_plain_words)]
ProgrammeName = Annotated[str, BeforeValidator(_programme_name)]
Amount = Annotated[int, BeforeValidator(_amount)]
Currency = Annotated[str, BeforeValidator(_currency)]
Percent = Annotated[str, BeforeValidator(_percent)]
VariableSymbol = Annotated[str, BeforeValidator(_variable_symbol)]
Inboxes = Annotated[list[str], BeforeValidator(_inboxes)]
MailAddresses = Annotated[list[str], BeforeValidator(_mail_addresses)]
Port = Annotated[int, Field(ge=1, le=65535)]
Octet = Annotated[int, Field(ge=0, le=255)]
Count = Annotated[int, Field(ge=1)]
DatabaseUrl = Annotated[
    SecretStr,
    _url("postgresql", words=("sqlite",), example="postgresql://bridge@db.example/bridge"),
]
QueueUrl = Annotated[
    SecretStr,
    _url(
        *("redis", "rediss", "unix", "amqp", "amqps"),
        words=("embedded",),
        example="redis://queue.example:6379/0",
    ),
]
SmarthostUrl = Annotated[
    SecretStr,
    _url("smtp", "smtps", words=("",), example="smtp://user:password@mail.example:587"),
]
