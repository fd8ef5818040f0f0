"""SMPP 3.4: an account at an SMSC as a carrier.

`pdu` is the codec, `coding` builds submits, `receipts` and `inbound` read deliveries, `ids` and
`status` translate; `link` is one connection with its `window` and `deliveries`, `session` keeps
one bound, `carrier` is what the house sees.
"""

from bridge.carriers.smpp.carrier import SmppCarrier, probe
from bridge.carriers.smpp.config import SmppConfig

__all__ = ["SmppCarrier", "SmppConfig", "probe"]
