"""Keys outside the database: a pepper in, keyed hashes out, so that a stolen database names nobody.

One pepper, kept in a file of its own (`[privacy] pepper_file`, else `data_dir/pepper`), from which
a key is derived for each purpose (HKDF-SHA-256, RFC 5869). Losing it means that suppressions no
longer match: docs/privacy.md says what to do.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge.errors import Misconfigured

SIZE = 32


class Keyring:
    """Derives keys, and makes the keyed hashes that the store looks people up by."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper
        self._all = self.key("subject:all")
        self._repeat = self.key("repeat")
        self._tenants: dict[int, bytes] = {}

    def key(self, purpose: str) -> bytes:
        """A key of 32 octets for one purpose."""
        hkdf = HKDF(algorithm=SHA256(), length=SIZE, salt=None, info=f"sms-bridge {purpose}".encode())
        return hkdf.derive(self._pepper)

    def person(self, tenant_id: int, e164: str) -> str:
        """How one tenant's records know a number: 22 characters of base64."""
        key = self._tenants.get(tenant_id)
        if key is None:
            key = self._tenants[tenant_id] = self.key(f"subject:{tenant_id}")
        return _token(key, e164.encode())

    def everyone(self, e164: str) -> str:
        """How the operator's own list knows a number."""
        return _token(self._all, e164.encode())

    def repeat(self, *facts: bytes) -> str:
        """A keyed hash of facts that together make a repeat; lengths keep them apart."""
        joined = b"".join(len(fact).to_bytes(4, "big") + fact for fact in facts)
        return _token(self._repeat, joined)


def _token(key: bytes, data: bytes) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, data, "sha256")[:16])[:22].decode()


def keyring(pepper_file: Path | None, data_dir: Path) -> tuple[Keyring, bool]:
    """The keyring, and whether its pepper was made just now. Raises Misconfigured."""
    path = pepper_file or data_dir / "pepper"
    try:
        return _read(path), False
    except FileNotFoundError:
        if pepper_file is not None:
            raise Misconfigured(
                f"[privacy] pepper_file: {path} does not exist",
                "restore it from its backup, or make a new one: openssl rand -hex 32",
            ) from None
    except OSError as error:
        raise Misconfigured(
            f"the pepper {path} cannot be read ({error.strerror})", "check its owner and mode"
        ) from error
    return _make(path), True


@lru_cache(maxsize=8)
def _parsed(text: bytes) -> bytes:
    try:
        pepper = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        pepper = b""
    return pepper if len(pepper) >= SIZE else b""


def _read(path: Path) -> Keyring:
    pepper = _parsed(path.read_bytes())
    if not pepper:
        raise Misconfigured(
            f"the pepper {path} is damaged: it must be at least {2 * SIZE} hexadecimal digits",
            "restore it from its backup; with another pepper, suppressions no longer match",
        )
    return Keyring(pepper)


def _make(path: Path) -> Keyring:
    """Write a new pepper, whole or not at all."""
    pepper = secrets.token_bytes(SIZE)
    scratch = path.with_name(path.name + ".new")
    try:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(pepper.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        raise Misconfigured(
            f"the pepper {path} cannot be written ({error.strerror})",
            "check the owner and mode of data_dir",
        ) from error
    return Keyring(pepper)
