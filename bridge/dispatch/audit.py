"""Once a day the audit is read anew and its head signed; a copy leaves the bridge by mail."""

from __future__ import annotations

from email.utils import parseaddr

import structlog

from bridge.dates import day
from bridge.dispatch.bridge import Bridge
from bridge.privacy.chain import verify
from bridge.settings import Settings
from bridge.store.audit_heads import NEWEST_HEAD, Head, SignHead, sign_heads

log = structlog.get_logger("bridge.audit")


class Notary:
    """Signs a head a day, in whichever process comes first."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self._day = ""

    async def once(self, now: float) -> None:
        """Sign the day's head, unless that was done. Raises StoreUnavailable."""
        today = day(now)
        if today == self._day:
            return
        if await self._is_whole():
            await self._sign(now)
        self._day = today

    async def _is_whole(self) -> bool:
        """Whether all that has come since the last head is as it was written."""
        bridge = self.bridge
        rows = await bridge.store.read(NEWEST_HEAD)
        since = Head(*rows[0]).day if rows else ""
        found = await verify(bridge.store, {bridge.signer.public}, since=since)
        if found.foreign:
            log.warning("heads of the audit are signed by another key", keys=sorted(found.foreign))
        if found.problems:
            first = found.problems[0]
            log.error(
                "the audit does not verify, no head is signed",
                seq=first.seq,
                problem=first.problem,
                hint="bridge audit verify",
            )
        return not found.problems

    async def _sign(self, now: float) -> None:
        bridge = self.bridge
        item = SignHead(bridge.signer, now, _places(bridge.settings))
        head: Head | None = await bridge.store.write(sign_heads, item)
        if head is not None:
            log.info(
                "the audit's head is signed",
                day=head.day,
                seq=head.seq,
                hash=head.hash or "none, it is empty",
            )
            bridge.ring_edge("mail")


def _places(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Where the head goes: to the data protection officer, if mail can reach one."""
    address = parseaddr(settings.privacy.dpo)[1]
    reaches = "@" in address and settings.mail.smarthost.get_secret_value()
    return (("mail", address),) if reaches else ()
