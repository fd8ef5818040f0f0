"""SMSGate's cloud and private servers: as the phone itself, but for paths, a choice of phones and
what they know of them (docs.sms-gate.app, sending-messages and multi-device).
"""

from __future__ import annotations

import dataclasses
import time
from email.utils import formatdate

from bridge.model import Verdict
from tests.http_cases import Reply, Seen, Sent, says
from tests.http_cases import smsgate as phone

BASE = "/3rdparty/v1"


def judge(request: Seen) -> Sent:
    assert request.path.startswith(BASE)
    assert request.fields() == {"deviceActiveWithin": "1"}
    return phone.judge(dataclasses.replace(request, path="/message", query=""))


def other(request: Seen) -> Reply:
    assert (request.method, request.path) == ("GET", f"{BASE}/devices")
    phone.logged_in(request)
    return devices(time.time())


def devices(seen: float) -> Reply:
    """The one phone of the account, as last seen at this Unix time."""
    at = time.strftime("%Y-%m-%dT%H:%M:%S.123Z", time.gmtime(seen))
    device = {"id": "PyDmBQZZXYmyxMwED8Fzy", "name": "A/B", "lastSeen": at, "createdAt": at}
    return says([device], Date=formatdate(usegmt=True))


CASE = dataclasses.replace(
    phone.CASE,
    base=BASE,
    judge=judge,
    is_send=lambda request: request.path == f"{BASE}/messages",
    other=other,
    refusals=[
        *phone.CASE.refusals,
        (phone.error("failed to select device: record not found", 400), Verdict.NOT_SENT),
        (phone.error("queue limits exceeded: too many pending messages", 503), Verdict.NOT_SENT),
        (phone.error("Forbidden", 403), Verdict.NOT_SENT),
    ],
)
