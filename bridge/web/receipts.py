"""A signed receipt comes in, what its person reads of it goes out: in their language, in words."""

from __future__ import annotations

import json
from typing import Any, Final

from bridge.dates import spoken_day, unix
from bridge.privacy.export_words import period, words
from bridge.web.language import Words

#: What may stay; the words for each are `stays_…`.
STAYS: Final = (
    *("traffic", "suppression", "audit", "request"),
    *("mentions", "configuration", "carrier", "chat"),
)


def readable(text: str, say: Words) -> dict[str, Any]:
    """The receipt as its page shows it; what it says in full stands in the signed file."""
    told = json.loads(text)["receipt"]
    return {
        "id": told["request"],
        "date": _day(told["erased_at"], say),
        "tenants": ", ".join(sorted({one["of"] for one in told["erased"] if one["of"]})),
        "backups": _day(told["backups"]["until"], say),
        "elsewhere": [each["name"] for each in told["elsewhere"]],
        "stays": [_stays(each, say) for each in told["stays"] if each["what"] in STAYS],
    }


def _stays(each: dict[str, Any], say: Words) -> str:
    named = f" ({each['name']})" if each.get("name") else ""
    until = _until(each["until"], say)
    return f"{say('stays_' + each['what'])}{named}{f': {until}' if until else ''}"


def _until(written: str, say: Words) -> str:
    """A period, a day, or whose it is; "" where the words above say it."""
    if written == "theirs":
        return say("stays_theirs")
    if written[:4].isdigit() and "T" in written:
        return say("stays_until", date=_day(written, say))
    said = period(written, words(say.code))
    return "" if said == written else said


def _day(written: str, say: Words) -> str:
    return spoken_day(unix(written), say.code)
