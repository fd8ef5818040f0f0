"""A destination in, the carriers to try out, in order."""

from __future__ import annotations

from collections.abc import Sequence

from bridge import settings


class Routes:
    """The configured routes: the first whose prefix matches decides."""

    def __init__(self, routes: Sequence[settings.Route]) -> None:
        self._routes = [(route.match, tuple(route.carriers)) for route in routes]

    def carriers(self, destination: str) -> tuple[str, ...]:
        """Names of the carriers to try, best first; never empty (the sandbox takes the rest)."""
        for prefix, carriers in self._routes:
            if destination.startswith(prefix):
                return carriers
        return (settings.SANDBOX,)
