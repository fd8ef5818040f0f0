"""Keys outside the database: a pepper in, keyed hashes out, so that a stolen database names nobody.

One pepper, kept in a file of its own (`[privacy] pepper_file`, else `data_dir/pepper`), from which
a key is derived for each purpose (HKDF-SHA-256, RFC 5869). Losing it means that suppressions no
longer match: docs/privacy.md says what to do.
"""

from __future__ import annotations

import secrets
from binascii import b2a_base64
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge import lock
from bridge.errors import Misconfigured

SIZE = 32


class Keyring:
    """Derives keys, and makes the keyed hashes that the store looks people up by."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper
        self._all = _Mac(self.key("subject:all"))
        self._repeat = _Mac(self.key("repeat"))
        self._tenants: dict[int, _Mac] = {}

    def key(self, purpose: str) -> bytes:
        """A key of 32 octets for one purpose."""
        hkdf = HKDF(
            algorithm=SHA256(), length=SIZE, salt=None, info=f"sms-bridge {purpose}".encode()
        )
        return hkdf.derive(self._pepper)

    def person(self, tenant_id: int, e164: str) -> str:
        """How one tenant's records know a number: 22 characters of base64."""
        mac = self._tenants.get(tenant_id)
        if mac is None:
            mac = self._tenants[tenant_id] = _Mac(self.key(f"subject:{tenant_id}"))
        return mac.token(e164.encode())

    def everyone(self, e164: str) -> str:
        """How the operator's own list knows a number."""
        return self._all.token(e164.encode())

    def repeat(self, *facts: bytes) -> str:
        """A keyed hash of facts that together make a repeat; lengths keep them apart."""
        joined = b"".join(len(fact).to_bytes(4, "big") + fact for fact in facts)
        return self._repeat.token(joined)


class _Mac:
    """HMAC-SHA-256 under one key (RFC 2104), with both pads hashed beforehand.

    The library's one-shot function gives the interpreter away at each call, to a thread that may
    keep it for a while: three times a message, that was a tenth of what a message cost.
    """

    def __init__(self, key: bytes) -> None:
        block = key.ljust(64, b"\0")
        self._inner = sha256(bytes(octet ^ 0x36 for octet in block))
        self._outer = sha256(bytes(octet ^ 0x5C for octet in block))

    def token(self, data: bytes) -> str:
        """The first 16 octets, as 22 characters of base64."""
        inner = self._inner.copy()
        inner.update(data)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return b2a_base64(outer.digest()[:16], newline=False)[:22].translate(_URL_SAFE).decode()


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


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
    return _make(path)


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


def _make(path: Path) -> tuple[Keyring, bool]:
    """A new pepper, unless another process that starts at the same time was faster."""
    try:
        written, new = lock.once(path, secrets.token_hex(SIZE))
    except OSError as error:
        raise Misconfigured(
            f"the pepper {path} cannot be written ({error.strerror})",
            "check the owner and mode of data_dir",
        ) from error
    return Keyring(bytes.fromhex(written)), new
