"""Octets in, SMPP 3.4 PDUs out, and back.

Source: SMPP Protocol Specification v3.4, issue 1.2; the section of each part stands beside it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

# Section 5.1.2: command_id. A response is its request with the top bit set.
RESPONSE: Final = 0x80000000
GENERIC_NACK: Final = 0x80000000
BIND_RECEIVER: Final = 0x00000001
BIND_TRANSMITTER: Final = 0x00000002
SUBMIT_SM: Final = 0x00000004
SUBMIT_SM_RESP: Final = SUBMIT_SM | RESPONSE
DELIVER_SM: Final = 0x00000005
UNBIND: Final = 0x00000006
UNBIND_RESP: Final = UNBIND | RESPONSE
BIND_TRANSCEIVER: Final = 0x00000009
OUTBIND: Final = 0x0000000B
ENQUIRE_LINK: Final = 0x00000015
ENQUIRE_LINK_RESP: Final = ENQUIRE_LINK | RESPONSE
ALERT_NOTIFICATION: Final = 0x00000102
DATA_SM: Final = 0x00000103

# Section 5.3.2: tags of optional parameters.
TAG_RECEIPTED_MESSAGE_ID: Final = 0x001E
TAG_SAR_MSG_REF_NUM: Final = 0x020C
TAG_SAR_TOTAL_SEGMENTS: Final = 0x020E
TAG_SAR_SEGMENT_SEQNUM: Final = 0x020F
TAG_NETWORK_ERROR_CODE: Final = 0x0423
TAG_MESSAGE_PAYLOAD: Final = 0x0424
TAG_MESSAGE_STATE: Final = 0x0427

HEADER: Final = struct.Struct(">IIII")
TLV: Final = struct.Struct(">HH")
LONGEST: Final = 70_000
"""Octets of the longest PDU we read: a message_payload of 64 KiB with its fields around it."""

# Section 5.2.12: esm_class, bits 5 to 2 tell the type of a delivered message, bit 6 a header.
UDHI: Final = 0x40
MESSAGE_TYPE: Final = 0x3C


class BadPdu(ValueError):
    """A PDU whose fields do not fit its length, or a stream that is not SMPP."""


def frame(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """One PDU as it goes over the wire (section 3.2)."""
    return HEADER.pack(16 + len(body), command, status, sequence) + body


def tlv(tag: int, value: bytes) -> bytes:
    """One optional parameter (section 3.2.4.1)."""
    return TLV.pack(tag, len(value)) + value


def c_string(text: str) -> bytes:
    """A C-octet string; raises ValueError where `text` is not plain ASCII without NUL."""
    octets = text.encode("ascii")
    if 0 in octets:
        raise ValueError("a NUL cannot stand in an SMPP string")
    return octets + b"\0"


def first_string(body: bytes) -> str:
    """The C-octet string at the start of a body; an answer cut short reads as far as it goes."""
    return body.split(b"\0", 1)[0].decode("latin-1")


def bind_body(system_id: str, password: str, system_type: str) -> bytes:
    """The body of a bind request (section 4.1): version 3.4, no address range.

    Raises ValueError where one of them is not plain ASCII.
    """
    fields = b"".join(map(c_string, (system_id, password, system_type)))
    return fields + b"\x34\0\0\0"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A deliver_sm or data_sm: a receipt or an MO part."""

    source: str
    destination: str
    esm_class: int
    data_coding: int
    data: bytes
    """short_message, or message_payload where that is present; the header still in it."""
    tlvs: dict[int, bytes] = field(default_factory=dict)


class _Reader:
    """Takes fields off the front of a body; raises BadPdu at its end."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0

    def octet(self) -> int:
        return self.octets(1)[0]

    def octets(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.body):
            raise BadPdu("a field reaches beyond the PDU")
        taken = self.body[self.at : end]
        self.at = end
        return taken

    def string(self) -> str:
        end = self.body.find(0, self.at)
        if end < 0:
            raise BadPdu("a string without its end")
        taken = self.body[self.at : end]
        self.at = end + 1
        return taken.decode("latin-1")

    def tlvs(self) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        # Some SMSCs pad the end of a PDU: fewer than four octets are no parameter.
        while len(self.body) - self.at >= TLV.size:
            tag, size = TLV.unpack(self.octets(TLV.size))
            found[tag] = self.octets(size)
        return found


def read_deliver(body: bytes) -> Delivery:
    """The body of a deliver_sm (section 4.6.1). Raises BadPdu."""
    take = _Reader(body)
    take.string()  # service_type
    take.octets(2)  # source TON, NPI
    source = take.string()
    take.octets(2)  # destination TON, NPI
    destination = take.string()
    esm_class = take.octet()
    take.octets(2)  # protocol_id, priority_flag
    take.string()  # schedule_delivery_time
    take.string()  # validity_period
    take.octets(2)  # registered_delivery, replace_if_present
    data_coding = take.octet()
    take.octet()  # sm_default_msg_id
    data = take.octets(take.octet())
    tlvs = take.tlvs()
    data = tlvs.get(TAG_MESSAGE_PAYLOAD, data)
    return Delivery(source, destination, esm_class, data_coding, data, tlvs)


def read_data(body: bytes) -> Delivery:
    """The body of a data_sm (section 4.7.1). Raises BadPdu."""
    take = _Reader(body)
    take.string()  # service_type
    take.octets(2)
    source = take.string()
    take.octets(2)
    destination = take.string()
    esm_class = take.octet()
    take.octet()  # registered_delivery
    data_coding = take.octet()
    tlvs = take.tlvs()
    data = tlvs.get(TAG_MESSAGE_PAYLOAD, b"")
    return Delivery(source, destination, esm_class, data_coding, data, tlvs)
