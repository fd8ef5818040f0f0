"""Who a client is, and whether there is room for it."""

import pytest

from bridge.smtp.service import network_of, peer_of


@pytest.mark.parametrize(
    ("peername", "peer", "network"),
    [
        (("192.0.2.7", 40000), "192.0.2.7", "192.0.2.7"),
        (("127.0.0.9", 40000), "127.0.0.9", "127.0.0.1"),
        (("::1", 40000, 0, 0), "::1", "127.0.0.1"),
        (("::ffff:192.0.2.7", 40000, 0, 0), "192.0.2.7", "192.0.2.7"),
        (("::ffff:127.0.0.1", 40000, 0, 0), "127.0.0.1", "127.0.0.1"),
        (("2001:db8:1:2:3::4", 40000, 0, 0), "2001:db8:1:2:3::4", "2001:db8:1:2::"),
        (("fe80::1%eth0", 40000, 0, 2), "fe80::1", "fe80::"),
        ("", "127.0.0.1", "127.0.0.1"),
        (b"", "127.0.0.1", "127.0.0.1"),
        (None, "127.0.0.1", "127.0.0.1"),
    ],
)
def test_peers_and_their_networks(peername: object, peer: str, network: str) -> None:
    assert peer_of(peername) == peer
    assert network_of(peer) == network
