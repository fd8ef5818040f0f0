"""What the binds of one account share: its configuration, its ids, its counts, its two ways out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.carriers.smpp.coding import Coder
from bridge.carriers.smpp.config import SmppConfig
from bridge.carriers.smpp.ids import Ids
from bridge.carriers.smpp.status import Judge
from bridge.ports import Inbox


@dataclass(slots=True)
class Account:
    """One account at one SMSC, for as long as its carrier is open."""

    config: SmppConfig
    inbox: Inbox
    on_room: Callable[[], None]
    coder: Coder
    ids: Ids
    judge: Judge = field(default_factory=Judge)
    #: Submits that may be open at once, where that is fewer than the window: a connection broke
    #: and left some in doubt, and the next may break like it.
    trusted: int | None = None
    counts: Counter[str] = field(default_factory=Counter)
    """What happened how often: submitted, accepted, refused, timed-out, late, lost, receipts,
    inbound, unreadable, strange, refused-for-now, binds."""

    @property
    def outstanding(self) -> int:
        """Submits on all binds whose outcome is open."""
        told = ("accepted", "refused", "timed-out", "lost")
        return self.counts["submitted"] - sum(self.counts[outcome] for outcome in told)


def account(config: SmppConfig, inbox: Inbox, on_room: Callable[[], None]) -> Account:
    """A fresh account."""
    judge = Judge(optouts=frozenset(config.optout_errors))
    return Account(config, inbox, on_room, Coder(config), Ids(config.id_format), judge)
