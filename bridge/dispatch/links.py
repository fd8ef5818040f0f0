"""A page of the bridge comes in; its address goes out, at the tenant's own domain if it has one."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def link(public_url: str, link_domain: str, path: str) -> str:
    """The address of `path` (with its slash), with the scheme and the port of `public_url`."""
    parts = urlsplit(public_url)
    if link_domain:
        port = f":{parts.port}" if parts.port else ""
        parts = parts._replace(netloc=link_domain + port)
    return f"{urlunsplit(parts).rstrip('/')}{path}"
