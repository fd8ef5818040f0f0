"""A mail comes in; out: does a DKIM signature (RFC 6376) speak for the domain in question?

A signature counts if its domain is aligned, it signs From, is at least RSA 1024 with SHA-256
(RFC 8301), has no `l=` (with it anybody may add text), and verifies. dkimpy does the verifying;
here stand the choice of what it may see, and bounds on the work a stranger can cause.
"""

from __future__ import annotations

import binascii
import logging
import re

import dkim
import dkim.util

from bridge.smtp.dns import LookupFailed, Resolver
from bridge.smtp.domains import aligned, canonical

# Bounds on what a stranger can make us compute (RFC 6376 6.1 lets a verifier set such limits).
# dkimpy's parser is quadratic in folded headers, its patterns in runs of white space.
_HEADER_LIMIT = 65_536
_SIGNATURE_LIMIT = 8_192
_SIGNED_NAMES = 128
_SIGNATURES = 4

_BLANK = re.compile(rb"(?:\A|\n)\r?\n")
_WIDE = re.compile(rb"\s{64}")

# dkimpy reports faults with names and keys in them; nothing of a mail goes to the log.
_SILENT = logging.getLogger("bridge.dkim")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


def header(content: bytes) -> bytes:
    """The header section of a mail, as dkimpy sees it."""
    blank = _BLANK.search(content)
    return content[: blank.start()] if blank else content


def verify(content: bytes, domain: str, strict: bool, resolver: Resolver, deadline: float) -> str:
    """The best that an aligned signature gave: "pass", "temperror", "broken", or "none"."""
    if len(header(content)) > _HEADER_LIMIT:
        return "none"
    try:
        mail = dkim.DKIM(content, logger=_SILENT)
    except (dkim.DKIMException, IndexError):
        return "none"  # a header that RFC 5322 does not know
    fields = [value for name, value in mail.headers if name.lower() == b"dkim-signature"]
    seen = [i for i, field in enumerate(fields) if _may_count(field, domain, strict)]
    results = {_verify(mail, i, fields[i], resolver, deadline) for i in seen[:_SIGNATURES]}
    return next((each for each in ("pass", "temperror", "broken") if each in results), "none")


def _may_count(field: bytes, domain: str, strict: bool) -> bool:
    """Whether a signature, if it verifies, speaks for the domain."""
    if len(field) > _SIGNATURE_LIMIT or _WIDE.search(field):
        return False
    try:
        tags = dkim.util.parse_tag_value(field)
        signer = canonical(tags[b"d"].decode("ascii"))  # what dkimpy asks DNS for
    except (dkim.util.InvalidTagValueList, KeyError, ValueError):
        return False
    names = tags.get(b"h", b"").lower().split(b":")
    signs_from = b"from" in (name.strip() for name in names) and len(names) <= _SIGNED_NAMES
    sound = tags.get(b"a") in (b"rsa-sha256", b"ed25519-sha256") and b"l" not in tags
    return signs_from and sound and aligned(domain, signer, strict)


def _verify(mail: dkim.DKIM, index: int, field: bytes, resolver: Resolver, deadline: float) -> str:
    def key(name: bytes, timeout: float = 0) -> bytes | None:
        del timeout
        texts = resolver.txt(name.decode("utf-8", "replace"), deadline)
        return next((text for text in texts if b"p=" in text), None)

    as_sent = mail.body
    try:
        if dkim.util.parse_tag_value(field).get(b"c", b"").endswith(b"/relaxed"):
            mail.body = _relaxed(as_sent)
        return "pass" if mail.verify(index, dnsfunc=key) else "broken"
    except LookupFailed:
        return "temperror"
    except (dkim.DKIMException, binascii.Error, ValueError, IndexError, KeyError, TypeError):
        return "broken"  # dkimpy lets faults of keys and tags through as they come
    finally:
        mail.body = as_sent


def _relaxed(body: bytes) -> bytes:
    """RFC 6376 3.4.4's white space, in linear time; dkimpy's pattern then finds nothing to do."""
    return re.sub(rb"[\t ]+", b" ", body).replace(b" \r\n", b"\r\n")
