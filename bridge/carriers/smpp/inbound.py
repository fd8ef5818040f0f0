"""A delivered PDU that is no receipt in, an MO part without its header out.

Source: SMPP 3.4, section 5.2.19 (data_coding); TS 23.038, section 4 (the codings that SMPP leaves
to the network); TS 23.040, section 9.2.3.24 (the header).
"""

from __future__ import annotations

import codecs
from typing import Final, NamedTuple

from bridge.carriers.smpp.pdu import (
    TAG_SAR_MSG_REF_NUM,
    TAG_SAR_SEGMENT_SEQNUM,
    TAG_SAR_TOTAL_SEGMENTS,
    UDHI,
    Delivery,
)
from bridge.model import Inbound
from bridge.segments import read_udh

#: SMPP's own codings. 2 and 4 are octets of no said meaning.
_CODINGS: Final = {1: "ascii", 2: "latin1", 3: "latin1", 4: "latin1", 8: "ucs2"}
#: Codings that the house does not know and Python does: they go on as UTF-8.
_CODECS: Final = {
    5: "shift_jis",
    6: "iso8859-5",
    7: "iso8859-8",
    10: "iso2022_jp",
    13: "euc_jp",
    14: "euc_kr",
}


class _Place(NamedTuple):
    """Where a part stands in its message; by default it is the whole."""

    ref: int = 0
    total: int = 1
    number: int = 1


def read_inbound(delivery: Delivery, default: str) -> Inbound:
    """The MO part in `delivery`; `default` is what data_coding 0 means at this SMSC."""
    data, lang, place = delivery.data, "", _by_tlv(delivery.tlvs)
    if delivery.esm_class & UDHI:
        try:
            header = read_udh(data)
        except ValueError:
            pass  # A header longer than the message is none: all of it is text.
        else:
            data, lang = data[header.size :], header.lang
            place = _checked(header.ref, header.total, header.number) or place
    coding, data = _coded(data, delivery.data_coding, default)
    return Inbound(
        source=delivery.source,
        destination=delivery.destination,
        data=data,
        coding=coding,
        lang=lang if coding == "gsm7" else "",
        ref=place.ref,
        total=place.total,
        number=place.number,
    )


def _by_tlv(tlvs: dict[int, bytes]) -> _Place:
    tags = (TAG_SAR_MSG_REF_NUM, TAG_SAR_TOTAL_SEGMENTS, TAG_SAR_SEGMENT_SEQNUM)
    ref, total, number = (int.from_bytes(tlvs.get(tag, b""), "big") for tag in tags)
    return _checked(ref, total, number) or _Place()


def _checked(ref: int, total: int, number: int) -> _Place | None:
    # TS 23.040, 9.2.3.24.1: a part 0, a total of 0 or a part beyond the total is ignored.
    return _Place(ref, total, number) if total > 1 and 1 <= number <= total else None


def _coded(data: bytes, data_coding: int, default: str) -> tuple[str, bytes]:
    if data_coding in _CODECS:
        return "utf-8", codecs.decode(data, _CODECS[data_coding], "replace").encode()
    coding = _CODINGS.get(data_coding) or _by_network(data_coding, default)
    if coding == "ucs2":
        return coding, _utf16(data)
    if coding in {"gsm7", "ascii"} and not max(data, default=0) < 0x80:
        # Seven bits have no eighth: this SMSC sends another alphabet than it says.
        return ("utf-8" if _is_utf8(data) else "latin1"), data
    return coding, data


def _by_network(data_coding: int, default: str) -> str:
    """TS 23.038, section 4: the alphabet of a coding that is none of SMPP's own."""
    group = data_coding >> 4
    if group == 0xF:
        return "latin1" if data_coding & 0x04 else "gsm7"
    if group == 0xE:
        return "ucs2"
    if 0x0 < group < 0x8:
        return {0x04: "latin1", 0x08: "ucs2"}.get(data_coding & 0x0C, "gsm7")
    return default if data_coding == 0 else "gsm7"


def _utf16(data: bytes) -> bytes:
    """UTF-16BE without byte order mark; an odd last octet is half a character and goes."""
    data = data[: len(data) & ~1]
    if data.startswith(codecs.BOM_UTF16_LE):
        return data[2:].decode("utf-16-le", "replace").encode("utf-16-be", "surrogatepass")
    return data.removeprefix(codecs.BOM_UTF16_BE)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
