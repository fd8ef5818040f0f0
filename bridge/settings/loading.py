"""bridge.toml and the environment come in, once; `Settings` goes out, whole and checked, or a
`SettingsError` that names every problem at once.
"""

import copy
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bridge.settings import environment, toml
from bridge.settings.problems import sentences
from bridge.settings.sections import SANDBOX, Route, Settings

DEFAULT_FILE = Path("bridge.toml")


class SettingsError(Exception):
    """Settings that cannot be used; `problems` holds a sentence for each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


LOOPBACK_ONLY = {
    "name": "default",
    "senders": [
        {"address": "*", "proof": "network:127.0.0.0/8"},
        {"address": "*", "proof": "network:::1/128"},
    ],
}


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Settings from path, else from BRIDGE_CONFIG, else from ./bridge.toml where there is one.

    Raises SettingsError with every problem found.
    """
    data, problems = _file(path, environ)
    if problems:
        raise SettingsError(problems)
    problems = environment.overlay_whole(data, Settings, environ)
    _add_what_always_exists(data)
    problems += environment.overlay(data, Settings, environ)
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        raise SettingsError([*problems, *sentences(error, Settings, data)]) from None
    problems += _contradictions(settings)
    if problems:
        raise SettingsError(problems)
    return _completed(settings)


def _file(path: Path | None, environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    named = path or (Path(environ["BRIDGE_CONFIG"]) if environ.get("BRIDGE_CONFIG") else None)
    if named is None and not DEFAULT_FILE.exists():
        return {}, []
    return toml.read(named or DEFAULT_FILE)


def _add_what_always_exists(data: dict[str, Any]) -> None:
    """The default tenant and the sandbox, before the environment may change them."""
    if not data.get("tenants"):
        data["tenants"] = [copy.deepcopy(LOOPBACK_ONLY)]
    carriers = data.setdefault("carriers", [])
    if not isinstance(carriers, list):
        return
    found = [
        entry for entry in carriers if isinstance(entry, dict) and entry.get("name") == SANDBOX
    ]
    if not found:
        carriers.append({"name": SANDBOX, "kind": SANDBOX})
    for entry in found:
        entry.setdefault("kind", SANDBOX)
        # Fictional (555-01xx), and one that its phones can answer.
        entry.setdefault("originator", "+12025550100")


def _completed(settings: Settings) -> Settings:
    """Tenants take the bridge's region; the last route is the sandbox."""
    tenants = [
        tenant if tenant.region else tenant.model_copy(update={"region": settings.region})
        for tenant in settings.tenants
    ]
    routes = [*settings.routes, Route(match="+", carriers=[SANDBOX])]
    return settings.model_copy(update={"tenants": tenants, "routes": routes})


def _contradictions(settings: Settings) -> Iterator[str]:
    """What each key alone does not show."""
    yield from _twice("tenants", (tenant.name for tenant in settings.tenants))
    yield from _twice("carriers", (carrier.name for carrier in settings.carriers))
    known = [carrier.name for carrier in settings.carriers]
    for route in settings.routes:
        for name in route.carriers:
            if name not in known:
                yield (
                    f'[[routes]] "{route.match}" carriers: no carrier is named "{name}"; '
                    f"named: {', '.join(known)}"
                )
        for name in route.weights.keys() - set(route.carriers):
            yield (
                f'[[routes]] "{route.match}" weights: "{name}" is no carrier of this route; '
                f"those are {', '.join(route.carriers)}"
            )
    users = Counter(login.user for tenant in settings.tenants for login in tenant.logins)
    for user in (user for user, count in users.items() if count > 1):
        yield f'[[tenants]] logins: user "{user}" stands twice; a user belongs to one tenant'
    yield from _shared_originators(settings)
    yield from _shared_symbols(settings)


def _twice(section: str, names: Iterable[str]) -> Iterator[str]:
    for name, count in Counter(environment.plain(name) for name in names).items():
        if count > 1:
            yield f'[[{section}]] "{name}": the name stands {count} times; give each its own'


def _shared_symbols(settings: Settings) -> Iterator[str]:
    """A payment finds its account by the variable symbol."""
    owners = Counter(t.variable_symbol for t in settings.tenants if t.variable_symbol)
    for symbol, count in owners.items():
        if count > 1:
            yield (
                f'[[tenants]] variable_symbol "{symbol}" stands {count} times; '
                "a payment must find one account by it"
            )


def _shared_originators(settings: Settings) -> Iterator[str]:
    """An answer finds its tenant by the number it was sent to, so that has one tenant."""
    owners = Counter(
        number for tenant in settings.tenants for number in {tenant.originator, *tenant.originators}
    )
    for originator, count in owners.items():
        if count > 1 and originator.lstrip("+").isdigit():
            yield (
                f'[[tenants]] originator "{originator}" stands {count} times; '
                "one that takes replies belongs to one tenant"
            )
