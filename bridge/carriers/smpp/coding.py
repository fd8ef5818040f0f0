"""A part in, the body of its submit_sm out, as this SMSC wants addresses, alphabets, long texts.

Source: SMPP 3.4, sections 4.4.1 (submit_sm), 5.2.5 and 5.2.6 (TON, NPI), 7.1.1 (times).
"""

from __future__ import annotations

from typing import Final

from bridge.carriers.smpp.config import SmppConfig
from bridge.carriers.smpp.pdu import (
    TAG_MESSAGE_PAYLOAD,
    TAG_SAR_MSG_REF_NUM,
    TAG_SAR_SEGMENT_SEQNUM,
    TAG_SAR_TOTAL_SEGMENTS,
    UDHI,
    c_string,
    tlv,
)
from bridge.model import Outcome, Part, Verdict
from bridge.segments import encode_part, udh

_TON_INTERNATIONAL: Final = 1
_TON_SHORT: Final = 3  # network specific
_TON_ALPHANUMERIC: Final = 5
_NPI_E164: Final = 1

_LONGEST_ADDRESS: Final = 20
_LONGEST_NAME: Final = 11  # TS 23.040, 9.1.2.5: ten octets of packed septets
_LONGEST_SHORT_CODE: Final = 8
_SHORT_MESSAGE: Final = 254  # octets of short_message
_PAYLOAD: Final = 0xFFFF
_UCS2_SINGLE: Final = 70
_ONE_SMS: Final = {"gsm7": 160, "ucs2": 140}

_MINUTE: Final = 60
_MONTH: Final = 30 * 86_400
_ADDRESSES: Final = 512


class Unsendable(Exception):
    """This carrier cannot take this part; `outcome` says why."""

    def __init__(self, verdict: Verdict, reason: str) -> None:
        super().__init__(reason)
        self.outcome = Outcome(verdict, reason=reason)


class Coder:
    """Builds the bodies of one account's submits."""

    def __init__(self, config: SmppConfig) -> None:
        self._config = config
        self._sources: dict[str, bytes] = {}
        self._registered = bytes((1 if config.receipts else 0, 0))
        self._dest = bytes((config.dest_ton, config.dest_npi))

    def body(self, part: Part, now: float) -> bytes:
        """The body of a submit_sm at Unix time `now`. Raises Unsendable."""
        try:
            esm_class, data_coding, data, extra = self._text(part)
        except (ValueError, KeyError):
            raise Unsendable(Verdict.FAILED, "the text does not fit its alphabet") from None
        return b"".join(
            (
                b"\0",  # service_type
                self._source(part.originator),
                self._dest,
                self._destination(part.destination),
                bytes((esm_class, 0, 1 if part.urgent else 0)),
                b"\0",  # schedule_delivery_time
                _validity(part.expires_at, now),
                self._registered,
                bytes((data_coding, 0, len(data))),
                data,
                extra,
            )
        )

    def _destination(self, number: str) -> bytes:
        digits = number.removeprefix("+")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_ADDRESS):
            raise Unsendable(Verdict.FAILED, "SMPP cannot carry this number")
        return digits.encode() + b"\0"

    def _source(self, originator: str) -> bytes:
        address = originator or self._config.originator
        built = self._sources.get(address)
        if built is None:
            if len(self._sources) >= _ADDRESSES:
                self._sources.clear()
            built = self._sources[address] = self._address(address)
        return built

    def _address(self, originator: str) -> bytes:
        text, ton, npi = derive(originator)
        config = self._config
        if text:
            ton = ton if config.source_ton is None else config.source_ton
            npi = npi if config.source_npi is None else config.source_npi
        longest = _LONGEST_NAME if ton == _TON_ALPHANUMERIC else _LONGEST_ADDRESS
        if len(text) > longest:
            raise Unsendable(
                Verdict.REJECTED, f"this originator is too long: at most {longest} characters"
            )
        try:
            return bytes((ton, npi)) + c_string(text)
        except ValueError:
            raise Unsendable(
                Verdict.REJECTED, "this originator has characters that SMPP cannot carry"
            ) from None

    def _text(self, part: Part) -> tuple[int, int, bytes, bytes]:
        """esm_class, data_coding, short_message, optional parameters."""
        data, data_coding = self._encoded(part)
        long = self._config.long
        extra = b""
        if part.total > 1 and long == "sar":
            header = udh(part.ref, 1, 1, part.lang)
            extra = (
                tlv(TAG_SAR_MSG_REF_NUM, part.ref.to_bytes(2, "big"))
                + tlv(TAG_SAR_TOTAL_SEGMENTS, bytes((part.total,)))
                + tlv(TAG_SAR_SEGMENT_SEQNUM, bytes((part.number,)))
            )
        elif part.total > 1 or part.lang:
            header = udh(part.ref, part.total, part.number, part.lang)
        else:
            header = b""
        data = header + data
        whole = long == "payload" and part.total == 1 and len(data) > _ONE_SMS[part.encoding]
        if whole or len(data) > _SHORT_MESSAGE:
            if len(data) > _PAYLOAD:
                raise Unsendable(Verdict.FAILED, "the text is longer than 64 KiB")
            extra = tlv(TAG_MESSAGE_PAYLOAD, data) + extra
            data = b""
        return (UDHI if header else 0), data_coding, data, extra

    def _encoded(self, part: Part) -> tuple[bytes, int]:
        if part.encoding == "ucs2":
            return encode_part(part.text, "ucs2", ""), 8
        alphabet = self._config.gsm7_coding
        if alphabet == "gsm7" or part.lang:
            return encode_part(part.text, "gsm7", part.lang), 0
        try:
            return part.text.encode(alphabet), 0
        except UnicodeEncodeError:
            # The SMSC's default alphabet lacks a letter that GSM-7 has, such as Greek or €.
            if part.total == 1 and len(part.text) <= _UCS2_SINGLE:
                return encode_part(part.text, "ucs2", ""), 8
        raise Unsendable(Verdict.REJECTED, f"this carrier takes {alphabet} only, the text has more")


def derive(originator: str) -> tuple[str, int, int]:
    """An originator as SMPP writes it, with TON and NPI by its look."""
    text = originator.removeprefix("+")
    if not text:
        return "", 0, 0
    if not (text.isascii() and text.isdigit()):
        return originator, _TON_ALPHANUMERIC, 0
    if originator.startswith("+"):
        return text, _TON_INTERNATIONAL, _NPI_E164
    if len(text) <= _LONGEST_SHORT_CODE:
        return text, _TON_SHORT, 0
    return text, 0, _NPI_E164


def _validity(expires_at: float | None, now: float) -> bytes:
    """A relative time (section 7.1.1.2), from a minute to 30 days; none: the SMSC's own."""
    if expires_at is None:
        return b"\0"
    left = int(min(max(expires_at - now, _MINUTE), _MONTH))
    days, rest = divmod(left, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    return b"0000%02d%02d%02d%02d000R\0" % (days, hours, minutes, seconds)
