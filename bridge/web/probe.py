"""A tenant's link domain comes in; whether the links in texts lead to the bridge goes out."""

from __future__ import annotations

from http import HTTPStatus

import aiohttp

from bridge.dispatch.attaching import PATH
from bridge.dispatch.links import link
from bridge.errors import TryLater


async def probe(public_url: str, domain: str, *, runs: bool) -> str:
    """What there is to say of a domain; `runs`: the bridge should answer now.

    What stands behind no code is answered 410. Raises TryLater.
    """
    url = link(public_url, domain, PATH)
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{url}-") as answer:
            status, robots = answer.status, answer.headers.get("X-Robots-Tag")
    except (aiohttp.ClientConnectorDNSError, UnicodeError):
        raise TryLater(
            f"there is no {domain} in DNS", "have it lead to the same place as public_url"
        ) from None
    except (aiohttp.ClientError, OSError) as error:
        if not runs:
            return "stands in DNS; what answers there is seen once the bridge runs"
        raise TryLater(
            f"nothing answers at {url} ({type(error).__name__})",
            "have it lead to the bridge, with a certificate of its own where that is https",
        ) from None
    if status == HTTPStatus.GONE and robots:
        return f"{url} is answered by the bridge"
    if status == HTTPStatus.FORBIDDEN:
        raise TryLater(
            f"what answers at {url} does not know this domain",
            "start the bridge again with this configuration; a proxy must pass the Host on",
        )
    raise TryLater(
        f"something else than the bridge answers at {url} (HTTP {status})",
        "have it lead to the bridge, as public_url does",
    )
