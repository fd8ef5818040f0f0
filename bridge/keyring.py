"""Keys outside the database: a pepper in, keyed hashes out, so that a stolen database names nobody.

One pepper, kept in a file of its own (`[privacy] pepper_file`, else `data_dir/pepper`), from which
a key is derived for each purpose (HKDF-SHA-256, RFC 5869). Losing it means that suppressions no
longer match: docs/privacy.md says what to do. After a rotation the file has several lines, the
newest first: `<version>:<hexadecimal digits>`, where a line alone may be its digits only.

A second file (`[privacy] signing_key_file`, else `data_dir/signing_key`) has the key that signs.
"""

from __future__ import annotations

import secrets
from binascii import b2a_base64
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge import lock
from bridge.errors import Misconfigured

SIZE = 32


class Keyring:
    """Derives keys, and makes the keyed hashes that the store looks people up by.

    `older` are keyrings under the peppers before this one, the newest first.
    """

    def __init__(self, pepper: bytes, version: int = 1, older: Sequence[Keyring] = ()) -> None:
        self.version = version
        self.older = tuple(older)
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

    def programme(self, tenant_id: int, programme: int, e164: str) -> str:
        """How one programme of a tenant knows a number."""
        return self.person(tenant_id, f"{e164} {programme}")

    def tokens(self, tenant_id: int, e164: str) -> tuple[str, ...]:
        """All by which the lists may know a number: its tenant's and everybody's, every pepper."""
        return tuple(
            token
            for keys in (self, *self.older)
            for token in (keys.person(tenant_id, e164), keys.everyone(e164))
        )

    def moved(self, tenant_id: int, e164: str, programme: int = 0) -> dict[str, str]:
        """The tokens of a number under older peppers, each with the newest; {} with one pepper."""
        found = {}
        for keys in self.older:
            found[keys.person(tenant_id, e164)] = self.person(tenant_id, e164)
            found[keys.everyone(e164)] = self.everyone(e164)
            if programme:
                old = keys.programme(tenant_id, programme, e164)
                found[old] = self.programme(tenant_id, programme, e164)
        return found

    @property
    def fingerprint(self) -> str:
        """By which a database knows its pepper."""
        return self.repeat(b"which pepper")

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


def pepper_path(pepper_file: Path | None, data_dir: Path) -> Path:
    """Where the pepper is kept."""
    return pepper_file or data_dir / "pepper"


def keyring(pepper_file: Path | None, data_dir: Path) -> tuple[Keyring, bool]:
    """The keyring, and whether its pepper was made just now. Raises Misconfigured."""
    path = pepper_path(pepper_file, data_dir)
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
def _parsed(text: bytes) -> tuple[tuple[int, bytes], ...]:
    """(version, pepper) of each line; () for what is no pepper file."""
    try:
        lines = [line.strip() for line in text.decode("ascii").split("\n") if line.strip()]
        found = [_line(line) for line in lines]
    except ValueError:
        return ()
    versions = [version for version, _ in found]
    right = versions == sorted(set(versions), reverse=True) and min(versions, default=0) > 0
    return tuple(found) if right and all(len(pepper) >= SIZE for _, pepper in found) else ()


def _line(line: str) -> tuple[int, bytes]:
    version, colon, digits = line.rpartition(":")
    return int(version) if colon else 1, bytes.fromhex(digits)


def _read(path: Path) -> Keyring:
    (version, pepper), *older = peppers_in(path)
    return Keyring(pepper, version, [Keyring(old, number) for number, old in older])


def peppers_in(path: Path) -> tuple[tuple[int, bytes], ...]:
    """(version, pepper) of each line of a pepper file, the newest first.

    Raises Misconfigured, OSError.
    """
    found = _parsed(path.read_bytes())
    if not found:
        raise Misconfigured(
            f"the pepper {path} is damaged: it must be at least {2 * SIZE} hexadecimal digits"
            " a line",
            "restore it from its backup; with another pepper, suppressions no longer match",
        )
    return found


def peppers_written(peppers: Sequence[tuple[int, bytes]]) -> str:
    """A pepper file of these (version, pepper), the newest first."""
    return "".join(f"{version}:{pepper.hex()}\n" for version, pepper in peppers)


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


class Signer:
    """Signs what must be believed outside: heads of the audit, receipts (Ed25519, RFC 8032)."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        #: The public key: 64 hexadecimal digits.
        self.public = self._key.public_key().public_bytes_raw().hex()

    def sign(self, data: bytes) -> str:
        """The signature of these octets: 128 hexadecimal digits."""
        return self._key.sign(data).hex()


def verify(public: str, data: bytes, signature: str) -> bool:
    """Whether the holder of the key behind `public` signed these octets; never raises."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), data)
    except (ValueError, InvalidSignature):
        return False
    return True


def signer(signing_key_file: Path | None, data_dir: Path) -> tuple[Signer, bool]:
    """The signer, and whether its key was made just now. Raises Misconfigured."""
    path = signing_key_file or data_dir / "signing_key"
    try:
        if signing_key_file is not None or path.exists():
            seed, made = path.read_text(encoding="ascii"), False
        else:
            seed, made = lock.once(path, secrets.token_hex(SIZE))
        return Signer(bytes.fromhex(seed.strip())), made
    except FileNotFoundError:
        raise Misconfigured(
            f"the signing key {path} does not exist",
            "restore it from its backup, or make a new one: openssl rand -hex 32",
        ) from None
    except ValueError:
        raise Misconfigured(
            f"the signing key {path} is damaged: it must be {2 * SIZE} hexadecimal digits",
            "restore it from its backup",
        ) from None
    except OSError as error:
        raise Misconfigured(
            f"the signing key {path} cannot be read or made ({error.strerror})",
            "check its owner and mode, and those of data_dir",
        ) from error
