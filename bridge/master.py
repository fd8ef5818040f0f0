"""The master key: it wraps each person's key, and stands outside the database and its backups.

64 hexadecimal digits in `[privacy] master_key_file`; else in `master_key`, beside the pepper, which
is made at the first start. A file may hold several keys, one a line, the newest first: new keys are
wrapped by the first, older ones are opened by whichever made them. Lost, no number and no text can
be read again.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge import lock
from bridge.errors import Misconfigured

SIZE = 32
_NONCE = 12


class Master:
    """Wraps and unwraps the keys of people; `keys` are of 32 octets or more, the newest first."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        wrapping = [_derived(key, "wrap") for key in keys]
        names = [sha256(key).hexdigest()[:16] for key in wrapping]
        self._ciphers = {n: AESGCM(key) for n, key in zip(names, wrapping, strict=True)}
        #: Which keys there are, by names that tell nothing of them; the newest first.
        self.names = tuple(names)
        #: For what is nobody's, in the same order: the first one seals.
        self.own = tuple(_derived(key, "own") for key in keys)

    def wrap(self, context: bytes, key: bytes) -> tuple[bytes, str]:
        """A key, wrapped for this context alone (AES-256-GCM), and the name of what wrapped it."""
        nonce = os.urandom(_NONCE)
        name = self.names[0]
        return nonce + self._ciphers[name].encrypt(nonce, key, context), name

    def unwrap(self, context: bytes, wrapped: bytes, name: str) -> bytes | None:
        """The key; None where it was wrapped by another master key, or for another context."""
        cipher = self._ciphers.get(name)
        if cipher is None:
            return None
        try:
            return cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], context)
        except InvalidTag:
            return None


def _derived(key: bytes, purpose: str) -> bytes:
    info = f"sms-bridge master {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=SIZE, salt=None, info=info).derive(key)


def master_path(master_key_file: Path | None, pepper_file: Path | None, data_dir: Path) -> Path:
    """Where the master key is."""
    return master_key_file or lock.keyfile("master_key", pepper_file, data_dir)


def master(path: Path, *, named: bool) -> tuple[Master, bool]:
    """The master key, and whether it was made just now: never where a setting named its file.

    Raises Misconfigured.
    """
    try:
        made = False
        if not named and not path.exists():
            _, made = lock.once(path, secrets.token_hex(SIZE))
        written = path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise Misconfigured(
            f"[privacy] master_key_file: {path} does not exist",
            "restore it from its backup, or make a new one: openssl rand -hex 32",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(
            f"the master key {path} cannot be read ({type(error).__name__})",
            "check its owner and mode",
        ) from error
    return Master(_parsed(path, written)), made


def _parsed(path: Path, written: str) -> list[bytes]:
    try:
        keys = [bytes.fromhex(line) for line in written.split()]
    except ValueError:
        keys = []
    if not keys or min(map(len, keys)) < SIZE:
        raise Misconfigured(
            f"the master key {path} is damaged: a line must be {2 * SIZE} hexadecimal digits",
            "restore it from its backup; without it no number and no text can be read",
        )
    return keys
