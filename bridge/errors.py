"""One tree of errors; each says in its sentence what is wrong and what to do next.

BridgeError
├── Refused          the sender must change something: a permanent no (SMTP 5xx)
│   ├── BadNumber    not a number that can take an SMS
│   └── BadAddress   the local part of an address cannot be understood
├── TryLater         nothing is wrong with the request: a temporary no (SMTP 4xx)
│   ├── Doubtful     no answer came: it may have been done all the same
│   └── StoreUnavailable   the database did not take it: full, locked, read-only, gone
├── Misconfigured    the configuration cannot work; said at start and by `bridge check`
└── Unsure           it may have happened or not; never guessed, recorded as `unknown`
"""

from __future__ import annotations


class BridgeError(Exception):
    """The root. `sentence` is for people; `hint` says what to do next."""

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint


class Refused(BridgeError):
    """A permanent no. `code` is the RFC 3463 status that SMTP shows beside a 550."""

    def __init__(self, sentence: str, hint: str = "", *, status: str = "5.7.1") -> None:
        super().__init__(sentence, hint)
        self.status = status


class BadNumber(Refused):
    """Not a number that can take an SMS (RFC 3463: 5.1.3, bad destination address syntax)."""

    def __init__(self, sentence: str, hint: str = "", *, status: str = "5.1.3") -> None:
        super().__init__(sentence, hint, status=status)


class BadAddress(Refused):
    """An address whose local part cannot be understood (RFC 3463: 5.1.3)."""

    def __init__(self, sentence: str, hint: str = "", *, status: str = "5.1.3") -> None:
        super().__init__(sentence, hint, status=status)


class TryLater(BridgeError):
    """A temporary no. `status` is the RFC 3463 status that SMTP shows beside a 451."""

    def __init__(self, sentence: str, hint: str = "", *, status: str = "4.3.0") -> None:
        super().__init__(sentence, hint)
        self.status = status


class Doubtful(TryLater):
    """No answer came: trying again may do it twice, and then says so."""


class StoreUnavailable(TryLater):
    """The database did not take it: full disk, lock, read-only, connection gone."""


class Misconfigured(BridgeError):
    """The configuration cannot work as it stands."""
