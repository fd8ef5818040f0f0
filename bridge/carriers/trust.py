"""Whom a carrier's TLS trusts: the file of a private authority comes in, a context goes out."""

from __future__ import annotations

import ssl


def context(authority: str) -> ssl.SSLContext:
    """For a client that trusts the authority of this PEM file, or for "" those of the system.

    Raises OSError (ssl.SSLError is one) where the file cannot be used.
    """
    made = ssl.create_default_context(cafile=authority or None)
    if authority:
        # Python 3.13 asks more of certificates (RFC 5280) than private authorities often give: a
        # carrier must not fall silent because Python was upgraded.
        made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return made
