"""A number as someone typed it in, a checked E.164 number with country and type out.

Source: ITU-T E.164 and Google's libphonenumber metadata, through `phonenumbers`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import phonenumbers
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)

from bridge.errors import BadNumber

UNKNOWN: Final = "UNKNOWN"
_WRITING: Final = "write it with the country code, such as +420601123456"
_PLAIN = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch
_TYPES: Final = {
    value: name
    for name, value in vars(PhoneNumberType).items()
    if name.isupper() and isinstance(value, int)
}
# libphonenumber's order: the first type whose pattern fits names the number.
_ORDER: Final = (
    "premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan",
    "voicemail",
)  # fmt: skip

_Fits = Callable[[str], re.Match[str] | None]


@dataclass(frozen=True, slots=True)
class Phone:
    """A valid number."""

    e164: str
    country: str
    """ISO 3166-1 alpha-2, or "001" for a number of no country."""
    type: str
    """libphonenumber's name: MOBILE, FIXED_LINE, FIXED_LINE_OR_MOBILE, TOLL_FREE …"""


def parse(raw: str, region: str | None = None) -> Phone:
    """The number that `raw` means for someone in `region` ("" or "ZZ": nowhere in particular).

    Raises BadNumber, whose sentence says what is wrong and never repeats the number.
    """
    if _PLAIN(raw) and (known := _international(raw[1:])):
        return known
    number = _read(raw, region)
    if (number is None or not phonenumbers.is_valid_number(number)) and raw.startswith("00"):
        # Most of the world dials 00 before a country code, and people write it everywhere.
        number = _read("+" + raw[2:], None) or number
    if number is None:
        if not _region(region) and re.fullmatch(r"[\d\s().\-/]{3,}", raw):
            raise BadNumber("The number has no country code", _WRITING)
        if re.match(r"\s*\+\s*\d", raw):
            raise BadNumber("No country has this calling code", _WRITING)
        raise BadNumber("This is not a phone number", _WRITING)
    if not phonenumbers.is_valid_number(number):
        raise BadNumber(_complaint(number), _WRITING)
    if number.extension:
        raise BadNumber("An extension cannot take an SMS", "leave the extension out")
    return _phone(number)


def explain_number(id: object, raw: str, region: str | None) -> dict[str, object]:  # noqa: A002
    """What libphonenumber says of `raw`: `id`, `valid`, `e164` (None where not valid), `type`."""
    number = _read(raw or "", region)
    if number is None or not phonenumbers.is_valid_number(number):
        return {"id": id, "valid": False, "e164": None, "type": UNKNOWN}
    phone = _phone(number)
    return {"id": id, "valid": True, "e164": phone.e164, "type": phone.type}


def mask(e164: str) -> str:
    """`e164` with all but its calling code and last three digits hidden: +420 ••• ••• 456."""
    code = _calling_code(e164[1:])
    national = e164[1 + len(code) :]
    shown = 3 if len(national) > 5 else 2 if len(national) > 3 else 0
    hidden = len(national) - shown
    groups = ["•" * (hidden % 3), *["•••"] * (hidden // 3), national[hidden:]]
    return " ".join([f"+{code}", *filter(None, groups)])


def national(e164: str) -> str:
    """The digits of `e164` behind its calling code."""
    return e164[1 + len(_calling_code(e164[1:])) :]


def masked(text: str, region: str, own: str = "") -> str:
    """A text with every number in it masked, but for those of `own` (E.164)."""
    from phonenumbers import PhoneNumberMatcher  # many patterns, needed for exports alone

    shown, end = [], 0
    for found in PhoneNumberMatcher(text, _region(region)):
        e164 = phonenumbers.format_number(found.number, PhoneNumberFormat.E164)
        if e164 != own:
            shown += [text[end : found.start], mask(e164)]
            end = found.end
    return "".join([*shown, text[end:]])


def country(e164: str) -> str:
    """The country of a valid E.164 number, as in `Phone.country`; "" where it has none."""
    known = _international(e164[1:])
    if known:
        return known.country
    number = _read(e164, None)
    return (phonenumbers.region_code_for_number(number) if number else None) or ""


def kind(e164: str) -> str:
    """The type of a valid E.164 number, as in `Phone.type`."""
    known = _international(e164[1:])
    if known:
        return known.type
    number = _read(e164, None)
    return _TYPES.get(phonenumbers.number_type(number), UNKNOWN) if number else UNKNOWN


def zones(e164: str) -> tuple[str, ...]:
    """The time zones (tz database names) in which `e164` may be; empty where not known."""
    from phonenumbers import timezone  # a table of its own, needed for quiet hours alone

    number = _read(e164, None)
    names = timezone.time_zones_for_number(number) if number else ()
    return tuple(name for name in names if name != timezone.UNKNOWN_TIMEZONE)


#: Where most people live, for countries of several zones (tz database, zone.tab): libphonenumber
#: lists them by the alphabet, and a mobile number may be anywhere.
_PRINCIPAL: Final = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "FR": "Europe/Paris",
    "ID": "Asia/Jakarta",
    "KZ": "Asia/Almaty",
    "MX": "America/Mexico_City",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
}


def zone(e164: str) -> str:
    """The one zone to take for `e164`: the only one, else its country's principal one; or UTC."""
    found = zones(e164)
    if len(found) == 1:
        return found[0]
    return _PRINCIPAL.get(country(e164)) or (found[0] if found else "UTC")


def _region(region: str | None) -> str | None:
    return None if not region or region.upper() == "ZZ" else region.upper()


def _read(raw: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(raw, _region(region))
    except NumberParseException:
        return None


def _phone(number: PhoneNumber) -> Phone:
    return Phone(
        phonenumbers.format_number(number, PhoneNumberFormat.E164),
        phonenumbers.region_code_for_number(number) or "",
        _TYPES.get(phonenumbers.number_type(number), UNKNOWN),
    )


def _complaint(number: PhoneNumber) -> str:
    where = phonenumbers.region_code_for_country_code(number.country_code or 0)
    place = f" for +{number.country_code} ({where})" if where not in ("ZZ", "001") else ""
    match phonenumbers.is_possible_number_with_reason(number):
        case ValidationResult.TOO_SHORT | ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            return f"The number is too short{place}"
        case ValidationResult.TOO_LONG:
            return f"The number is too long{place}"
        case ValidationResult.INVALID_COUNTRY_CODE:
            return "No country has this calling code"
        case _:
            return f"No such number exists{place}"


# The short way for +<digits>, which is what mail addresses hold.  It answers only where
# libphonenumber would give the very same answer; tests compare the two over every country.


@dataclass(frozen=True, slots=True)
class _Plan:
    """One region's numbering plan: which national numbers are of which type."""

    region: str
    leading: _Fits | None
    prefix: _Fits | None
    general: tuple[frozenset[int], _Fits]
    types: tuple[tuple[str, frozenset[int], _Fits], ...]

    def type_of(self, national: str) -> str:
        size = len(national)
        lengths, fits = self.general
        if (lengths and size not in lengths) or not fits(national):
            return UNKNOWN
        found = ""
        for name, lengths, fits in self.types:
            if (not lengths or size in lengths) and fits(national):
                if name == "MOBILE":
                    return "FIXED_LINE_OR_MOBILE" if found else "MOBILE"
                if name != "FIXED_LINE":
                    return name
                found = name
        return found or UNKNOWN


def _fits(description: Any) -> tuple[frozenset[int], _Fits] | None:
    if description is None or not description.national_number_pattern:
        return None
    pattern = re.compile(description.national_number_pattern)
    return frozenset(description.possible_length), pattern.fullmatch


def _plan(code: int, region: str) -> _Plan:
    data: Any = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    named = ((name, _fits(getattr(data, name))) for name in (*_ORDER, "fixed_line", "mobile"))
    types = tuple((name.upper(), *found) for name, found in named if found)
    return _Plan(
        region,
        re.compile(data.leading_digits).match if data.leading_digits else None,
        re.compile(data.national_prefix_for_parsing).match
        if data.national_prefix_for_parsing
        else None,
        _fits(data.general_desc) or (frozenset(), re.compile("").fullmatch),
        types,
    )


@cache
def _plans(code: str) -> tuple[_Plan, ...]:
    return tuple(_plan(int(code), region) for region in COUNTRY_CODE_TO_REGION_CODE[int(code)])


def _calling_code(digits: str) -> str:
    """The calling code that `digits` start with; "" where there is none."""
    for size in (1, 2, 3):
        code = digits[:size]
        if code.isascii() and code.isdigit() and int(code) in COUNTRY_CODE_TO_REGION_CODE:
            return code
    return ""


def _international(digits: str) -> Phone | None:
    """The valid number of these digits, or None where the long way must decide."""
    code = _calling_code(digits)
    national = digits[len(code) :]
    if not code or not national or national[0] == "0":
        return None
    plans = _plans(code)
    if plans[0].prefix and plans[0].prefix(national):
        return None
    for plan in plans:
        if plan.leading and len(plans) > 1:
            if not plan.leading(national):
                continue
            kind = plan.type_of(national)
        elif (kind := plan.type_of(national)) == UNKNOWN:
            continue
        return Phone("+" + digits, plan.region, kind) if kind != UNKNOWN else None
    return None
