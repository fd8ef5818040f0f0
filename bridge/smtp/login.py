"""Passwords and argon2 hashes in, yes or no out, off the event loop; and a brake on guessing."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bridge.errors import TryLater

#: The address that all clients on this machine share.
LOOPBACK = "127.0.0.1"

#: Of a password nobody knows, with argon2-cffi's usual cost: an unknown user takes as long.
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$+z3lWbrxQzSTTraBL"
    "JMQAw$d9tAK9Es1Z4nbdnbHPumHb872AczEUJu+EflwCn9nNk"
)


class Verifier:
    """Checks passwords against argon2 hashes, a few at a time, in threads.

    A hash costs 64 MiB and tens of milliseconds, hence the bound; a client that logs in anew for
    each mail must not pay it each time, so a right password is remembered for `remember` seconds,
    as a keyed digest that dies with the process.
    """

    def __init__(self, *, threads: int = 2, waiting: int = 100, remember: float = 300) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._hasher = PasswordHasher()
        self._waiting = waiting
        self._under_way = 0
        self._remember = remember
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, float] = OrderedDict()

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """True when the password fits the hash; None stands for a user who does not exist.

        Raises TryLater when too many checks wait already.
        """
        digest = self._digest(password_hash, password)
        if self._remembered(digest):
            return True
        if self._under_way >= self._waiting:
            raise TryLater("Too many logins at once", "Try again in a few seconds")
        self._under_way += 1
        try:
            right = await asyncio.get_running_loop().run_in_executor(
                self._pool,
                self._fits,
                password_hash or _NOBODY,
                password,
            )
        finally:
            self._under_way -= 1
        if right and password_hash is not None:
            self._note(digest)
            return True
        return False

    def close(self) -> None:
        """Let the threads end; checks under way finish."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False

    def _digest(self, password_hash: str | None, password: str) -> bytes:
        secret = f"{password_hash}\0{password}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(secret, key=self._key, digest_size=32).digest()

    def _remembered(self, digest: bytes) -> bool:
        return self._right.get(digest, 0.0) > time.monotonic()

    def _note(self, digest: bytes) -> None:
        self._right[digest] = time.monotonic() + self._remember
        self._right.move_to_end(digest)
        while len(self._right) > 1000:
            self._right.popitem(last=False)


@dataclass(slots=True)
class _Tally:
    failures: int = 0
    free_at: float = 0.0  # when the next attempt may be checked
    forget_at: float = 0.0


class Throttle:
    """A growing delay between wrong passwords, for an address and for a user; at last a refusal.

    The first `free` failures cost nothing; each further one doubles the delay, from one second to
    `slowest`. An address with `most` failures is refused until `window` seconds have passed without
    one. A user is only ever delayed, and where that user has logged in before the delay is counted
    apart, so that a stranger elsewhere cannot lock anybody out.
    """

    def __init__(
        self,
        *,
        free: int = 3,
        most: int = 20,
        slowest: float = 8.0,
        patience: float = 30.0,
        window: float = 900.0,
        entries: int = 10_000,
    ) -> None:
        self._free, self._most, self._slowest = free, most, slowest
        self._patience, self._window, self._entries = patience, window, entries
        self._tallies: OrderedDict[tuple[str, str], _Tally] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def wait(self, address: str, user: str, now: float) -> float | None:
        """Seconds until this attempt may be checked; None: refuse it, and close.

        An attempt that waits takes its turn: guesses over many connections wait for each other.
        """
        tallies = self._tallies_of(address, user, now)
        if address != LOOPBACK and tallies[-1].failures >= self._most:
            return None
        turn = max([now, *(tally.free_at for tally in tallies)])
        if turn - now > self._patience:
            return None
        for tally in tallies:
            tally.free_at = turn + self._delay(tally.failures)
        return turn - now

    def failed(self, address: str, user: str, now: float) -> None:
        """Note a wrong password."""
        for tally in self._tallies_of(address, user, now):
            tally.failures += 1
            tally.free_at = max(tally.free_at, now + self._delay(tally.failures))
            tally.forget_at = now + self._window

    def passed(self, address: str, user: str) -> None:
        """Note a right one: the user is at home at this address."""
        self._tallies.pop(("address", address), None)
        self._tallies.pop(("home", f"{address} {user}"), None)
        self._known[address, user] = None
        self._known.move_to_end((address, user))
        if len(self._known) > self._entries:
            self._known.popitem(last=False)

    def _tallies_of(self, address: str, user: str, now: float) -> list[_Tally]:
        """The user's tally first, the address's last; this machine is everybody's address."""
        at_home = (address, user) in self._known
        by_user = ("home", f"{address} {user}") if at_home else ("user", user)
        tallies = [self._tally(by_user, now)]
        if address != LOOPBACK:
            tallies.append(self._tally(("address", address), now))
        return tallies

    def _delay(self, failures: int) -> float:
        beyond = failures - self._free
        return min(2.0 ** min(beyond - 1, 30), self._slowest) if beyond > 0 else 0.0

    def _tally(self, key: tuple[str, str], now: float) -> _Tally:
        tally = self._tallies.get(key)
        if tally is None or (tally.failures and tally.forget_at <= now):
            tally = self._tallies[key] = _Tally()
        self._tallies.move_to_end(key)
        if len(self._tallies) > self._entries:
            self._tallies.popitem(last=False)
        return tally
