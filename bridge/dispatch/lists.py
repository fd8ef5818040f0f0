"""The lists as this process knows them: a number comes in, why it may not be written to goes out.

The opt-outs are a hint here, for a friendly refusal before the text is taken; what decides is the
transaction that stores, and the one that claims. The blacklist is decided on here.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from bridge.errors import Refused
from bridge.keyring import Keyring
from bridge.model import Class
from bridge.store.blocklist import BLOCK_CHANGES, BLOCKED, MoveBlocks, move_blocks
from bridge.store.listed import ANY, OBJECTED
from bridge.store.sql import Values
from bridge.store.store import Store
from bridge.store.suppressions import ACTIVE, CHANGES

#: Another process's clock may be behind, and its commit may be late: seconds.
_SLACK: Final = 60.0

_OPTED_OUT: Final = "this person has opted out of messages"
_NO_MARKETING: Final = "this person wants no marketing"
_ONLY_START: Final = "only START from their phone lifts it"


class Lists:
    """Opt-outs by token, and what is blocked."""

    def __init__(self) -> None:
        #: Tokens known to be suppressed, by what that stops.
        self.stopped: dict[str, set[str]] = defaultdict(set)
        #: (tenant, kind, value); tenant 0 is the whole bridge.
        self.blocked: set[tuple[int, str, str]] = set()
        self._prefixes: tuple[int, ...] = ()
        self._heard_of = (0, 0.0)
        self._blocks_heard_of = (0, 0.0)
        #: Numbers that were found under an older pepper: the next refresh moves them (P64).
        self._moves: dict[str, str] = {}
        self._version = 1

    async def refresh(self, store: Store, now: float) -> None:
        """Hear of what has changed. Raises StoreUnavailable."""
        await self._suppressions(store, now)
        await self._blocks(store, now)

    async def _suppressions(self, store: Store, now: float) -> None:
        """A lift may be told twice, but is never missed."""
        after, since = self._heard_of
        rows = await store.read(CHANGES, after=after, since=since)
        for _, token, lifted_at, purpose in rows:
            if lifted_at is None:
                self.stopped[purpose].add(token)
        lifted = {row[1] for row in rows if row[2] is not None}
        if lifted:
            # Lifted once does not say that it was not suppressed again since.
            still = await store.read(ACTIVE, keys=Values(lifted))
            for purpose, tokens in self.stopped.items():
                tokens.difference_update(lifted - {r[3] for r in still if r[4] == purpose})
        self._heard_of = max((after, *(row[0] for row in rows))), now - _SLACK

    async def _blocks(self, store: Store, now: float) -> None:
        """The whole list anew, where anything of it has changed: it is short."""
        if self._moves:
            moves, self._moves = self._moves, {}
            await store.write(move_blocks, MoveBlocks(moves, self._version))
        after, since = self._blocks_heard_of
        changed = await store.read(BLOCK_CHANGES, after=after, since=since)
        if changed:
            rows = await store.read(BLOCKED)
            self.blocked = {(row[0], row[1], row[2]) for row in rows}
            sizes = {len(value) for _, kind, value in self.blocked if kind == "prefix"}
            self._prefixes = tuple(sorted(sizes))
        self._blocks_heard_of = max((after, *(row[0] for row in changed))), now - _SLACK

    def refuse(self, keys: Keyring, tenant: int, e164: str, country: str, klass: str) -> None:
        """Raises Refused for whom this tenant may not write to."""
        self.refuse_blocked(keys, tenant, e164, country)
        if not self.stopped:
            return
        tokens = keys.tokens(tenant, e164)
        if any(not self.stopped[kind].isdisjoint(tokens) for kind in (ANY, OBJECTED)):
            raise Refused(_OPTED_OUT, _ONLY_START)
        if klass == Class.MARKETING and any(
            not found.isdisjoint(tokens) for found in self.stopped.values()
        ):
            raise Refused(_NO_MARKETING, _ONLY_START)

    def refuse_blocked(self, keys: Keyring, tenant: int, e164: str, country: str) -> None:
        """Raises Refused for what is on the blacklist."""
        if kind := self.block_of(keys, tenant, e164, country):
            raise Refused(
                f"this {kind} is on the blacklist", "ask the operator whether that is right"
            )

    def block_of(self, keys: Keyring, tenant: int, e164: str, country: str) -> str:
        """What blocks a number: "number", "prefix" or "country"; "" where nothing does."""
        if not self.blocked:
            return ""
        if not self.blocked.isdisjoint({(0, "country", country), (tenant, "country", country)}):
            return "country"
        if self.by_prefix(tenant, e164):
            return "prefix"
        for ring in (keys, *keys.older):
            own, all_ = ring.person(tenant, e164), ring.everyone(e164)
            if (tenant, "number", own) in self.blocked or (0, "number", all_) in self.blocked:
                self._moves.update(keys.moved(tenant, e164) if ring is not keys else {})
                self._version = keys.version
                return "number"
        return ""

    def by_prefix(self, tenant: int, digits: str) -> bool:
        """Whether what `digits` (with their plus) begin with is blocked."""
        return any(
            (owner, "prefix", digits[:size]) in self.blocked
            for owner in (0, tenant)
            for size in self._prefixes
        )
