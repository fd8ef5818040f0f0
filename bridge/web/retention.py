"""How long data is kept, for the operator: periods, what is due and what last went, on one page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.keeping import Class, Keeper, classes, plan
from bridge.store.retention import HELD

#: Seconds for which counts are shown again: a page fetches itself at every change of the store.
FRESH: Final = 30.0

Render = Callable[..., Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Row:
    """One class as the page shows it."""

    name: str
    holds: str
    period: str
    trigger: str
    basis: str
    clause: str
    source: str
    verified_on: str
    bounds: str
    due: str
    last_run: float | None
    deleted: str
    tenants: tuple[str, ...]  # those with a period of their own


class RetentionPage:
    """`/retention`: read only, for whoever may see the sandbox."""

    def __init__(self, bridge: Bridge, render: Render) -> None:
        self._bridge = bridge
        self._render = render
        self._keeper = Keeper(bridge)
        self._rows: list[Row] = []
        self._until = float("-inf")

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """What is answered where."""
        yield web.get("/retention", self.shown)

    async def shown(self, _request: web.Request) -> web.Response:
        """The table."""
        now = self._bridge.clock()
        if now >= self._until:
            self._rows = await self._counted()
            self._until = now + FRESH
        return await self._render("retention.html", rows=self._rows, tab="retention")

    async def _counted(self) -> list[Row]:
        decided = (await plan(self._bridge)).decided.keys()
        wished = [t for t in self._bridge.register.tenants.values() if t.keep_texts is not None]
        own: dict[str, list[str]] = {"text": [tenant.name for tenant in wished]}
        for klass, number in decided:
            tenant = self._bridge.register.tenants.get(number)
            if tenant is not None:
                own.setdefault(klass, []).append(tenant.name)
        return [
            await self._row(each, own.get(each.rule.name, ()))
            for each in await classes(self._bridge)
        ]

    async def _row(self, each: Class, tenants: Iterable[str]) -> Row:
        rule = each.rule
        due = ""
        if each.purged:
            found = await self._keeper.due(rule.name)
            kept = found.counts.get(HELD, 0)
            count = sum(found.counts.values()) - kept
            due = f"{count} and more" if found.more else str(count)
            due += f", {kept} held" if kept else ""
        fixed = rule.minimum == rule.maximum
        return Row(
            name=rule.name,
            holds=rule.holds,
            period=str(each.period),
            trigger=rule.trigger,
            basis=rule.basis,
            clause=rule.clause,
            source=rule.source_url,
            verified_on=rule.verified_on.isoformat(),
            bounds="fixed" if fixed else f"{rule.minimum.written} to {rule.maximum.written}",
            due=due,
            last_run=each.last_run,
            deleted=_listed(each.deleted or {}),
            tenants=tuple(sorted(set(tenants))),
        )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(counts.items()))
