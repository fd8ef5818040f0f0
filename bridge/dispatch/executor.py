"""A request that is carried out comes in; the person's files, or the signed receipt, go out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.dispatch.bridge import Bridge
from bridge.dispatch.exporting import Wanted, export
from bridge.dispatch.receipting import issue
from bridge.dispatch.requests import Someone
from bridge.errors import Refused
from bridge.privacy.requests import Kind
from bridge.store.request_rows import Request


class Fulfilment:
    """`clerk.Executor` over this process's data directory."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def export(self, request: Request, since: float) -> Mapping[str, Any]:
        tenant = self._bridge.register.tenants.get(request.tenant_id)
        if tenant is None:
            raise Refused("the tenant is closed", "its data is answered for by hand")
        made = await export(
            self._bridge,
            Wanted(
                request.id,
                tenant,
                Someone(request.identity_kind, request.identity),
                since,
                Kind(request.type) is Kind.PORTABILITY,
                request.lang,
            ),
        )
        return {"files": [str(made.path)], "password": made.password}

    async def receipt(self, request: Request) -> Mapping[str, Any]:
        return {"files": [str(await issue(self._bridge, request.id))]}
