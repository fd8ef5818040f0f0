"""A mail, a text, a number or a reply in; what the bridge makes of it, and why, out as plain data.

Nothing is sent or stored. Each function imports what it alone needs: a command must start fast.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bridge.errors import Refused

if TYPE_CHECKING:
    from bridge.smtp.enclosed import Enclosed

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rules:
    """The wishes of a tenant that shape a text; the defaults are those of a new tenant."""

    name: str = "default"
    subject: str = "if-empty"
    prefix: str = ""
    end_markers: tuple[str, ...] = ()
    encoding: str = "auto"
    max_parts: int = 6
    over_limit: str = "refuse"
    own_domains: tuple[str, ...] = ()
    advert: Advertising | None = None
    attachments: str = "off"
    attachment_refused: str = "note"
    attachment_size: int = 5_000_000
    attachment_mail_size: int = 10_000_000
    attachment_count: int = 10
    public_url: str = "http://127.0.0.1:8080"
    link_domain: str = ""
    country: str = ""  # of whom it is for, where that is known


@dataclass(frozen=True, slots=True)
class Advertising:
    """What an advertisement is judged by: whom it is for, when, and the tenant's own words."""

    to: str  # E.164
    country: str
    now: float  # Unix seconds
    originator: str = ""
    sender: str = ""
    label: str = ""
    footer: str = ""
    adds_link: bool = True


class BadInput(ValueError):
    """An input that cannot be explained; its text says why."""


def mail(raw: bytes, file: str, rules: Rules = Rules()) -> Answer:
    """What would be sent of a mail. `text` is as written; `sent`, where it differs, as it leaves.

    Encoding, parts and units are those of what would leave.
    """
    from bridge.smtp.enclosed import files
    from bridge.smtp.extract import Policy, extract

    policy = Policy(rules.subject, rules.prefix, rules.end_markers, rules.own_domains)
    found = extract(raw, policy)
    enclosed = files(raw, rules)
    tail, how, no_file = _with_files(found.text, enclosed, rules)
    leaving, law, refusal = _judged(found.text, rules.advert)
    fitted, unfit = _fitted(leaving, rules, tail)
    refusal = refusal or no_file or unfit
    if found.automatic:
        refusal = f"this mail is automatic ({found.automatic}): no SMS is made of it"
    answer: Answer = {
        "file": file,
        "text": found.text,
        "subject": found.subject,
        "refused": bool(refusal),
        "reason": refusal,
        "encoding": fitted.encoding if fitted else None,
        "parts": len(fitted.parts) if fitted else 0,
        "units": list(fitted.units) if fitted else [],
        "rules": [*found.rules, *how],
    }
    if enclosed:
        answer["files"] = [_file(each, rules.attachments) for each in enclosed]
    if fitted and fitted.transliterated:
        answer["rules"].append("transliterated")
    if fitted and fitted.text != found.text:
        answer["sent"] = fitted.text
    if law is not None:
        answer["rules"] += law.pop("rules")
        answer["marketing"] = law
    return answer


def _with_files(
    text: str, enclosed: Sequence[Enclosed], rules: Rules
) -> tuple[str, tuple[str, ...], str]:
    """What a text with these files ends with, the rules of it, and why they end it; "" for not.

    The link is as long as a real one, and leads nowhere.
    """
    wanted = [each for each in enclosed if not each.ornament]
    if rules.attachments == "off" or not wanted:
        return "", (), ""
    from bridge.dispatch import attaching

    refused = [(each.name, each.refused) for each in wanted if each.refused]
    goes = len(refused) < len(wanted)
    code = "0" * attaching.CODE
    link = attaching.address(rules.public_url, rules.link_domain, code) if goes else ""
    ends = refused and (rules.attachment_refused == "refuse" or not (text or goes))
    tail = attaching.tail(link, [name for name, _ in refused], rules.country)
    how = attaching.rules([each.refused for each in wanted])
    return tail, how, attaching.sentence(refused) if ends else ""


def _file(file: Enclosed, attachments: str) -> Answer:
    from bridge.smtp.enclosed import fate

    return {"name": file.name, "size": file.size, "fate": fate(file, attachments)}


def _judged(text: str, advert: Advertising | None) -> tuple[str, Answer | None, str]:
    """An advertisement as it would leave, what the law says of it, and why not; "" for sent.

    Whether there is a consent only the running bridge knows: here one is taken for granted.
    """
    if advert is None:
        return text, None, ""
    from bridge.privacy import countries, marketing
    from bridge.store.permits import Record

    rule = countries.rule_for(advert.country, advert.to)
    wanted = marketing.Advert(
        text=text,
        originator=advert.originator,
        sender=advert.sender,
        label=advert.label,
        footer=advert.footer,
        adds_link=advert.adds_link,
    )
    granted = Record("", "sms", "consent", None, 0.0)
    person = marketing.Person(rule, _zones(advert.to))
    found = marketing.verdict(wanted, person, [granted], advert.now)
    law: Answer = {
        "rule": rule.name,
        "why": rule.why,
        "source_url": rule.source_url,
        "verified_on": rule.verified_on.isoformat(),
        "bases": sorted(rule.bases),
        "consent": "not looked up",
        "verdict": "refused",
        "at": None,
        "until": None,
        "rules": [],
    }
    if isinstance(found, marketing.Forbidden):
        law["rules"] = [found.rule]
        return text, law, f"{found.reason} (rule {found.rule}); {found.hint}"
    law["rules"] = [name for name in found.rules if not name.startswith("basis:")]
    law["verdict"], at = "allowed", advert.now
    if isinstance(found, marketing.Deferred):
        law["verdict"], at = "deferred", found.at
    law["at"], law["until"] = _iso(at), _iso(found.until)
    return found.text, law, ""


def _zones(e164: str) -> tuple[str, ...]:
    from bridge import phone

    return phone.zones(e164) or (phone.zone(e164),)


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def _fitted(text: str, rules: Rules, tail: str = "") -> tuple[Any, str]:
    """The text in parts (None for an empty one), and why it would be refused; "" for sent."""
    from bridge import segments
    from bridge.dispatch.fit import fit

    try:
        return fit(rules, text, tail=tail, whole=rules.advert is not None), ""
    except Refused as no:
        sentence = f"{no.sentence}; {no.hint}" if no.hint else no.sentence
        whole = text + tail
        return (segments.prepare(whole, rules.encoding) if whole.strip() else None), sentence


def text(item: Mapping[str, Any]) -> Answer:
    """Encoding and parts of `text` as written: nothing is transliterated."""
    from bridge import segments

    found = segments.segment(_word(item, "text"))
    return {
        "id": item.get("id"),
        "encoding": found.encoding,
        "parts": len(found.parts),
        "units": list(found.units),
    }


def number(item: Mapping[str, Any]) -> Answer:
    """What libphonenumber says of `raw` in `region`; none, "" or ZZ is nowhere in particular."""
    from bridge import phone

    return phone.explain_number(item.get("id"), _word(item, "raw"), _word(item, "region", ""))


def reply(item: Mapping[str, Any]) -> Answer:
    """What the writer of `text`, with a number of `country`, asks for."""
    from bridge.privacy import keywords

    found = keywords.verdict(_word(item, "text"), _word(item, "country", "") or None)
    return {"id": item.get("id"), "verdict": found.verdict, "keyword": found.keyword}


def lines(
    source: Iterable[bytes], explain: Callable[[Mapping[str, Any]], Answer], place: str = ""
) -> Iterator[Answer]:
    """One answer a line of JSON, in order; one with `error` for a line that has none.

    Blank lines are skipped. `place` stands before a line's number in an error.
    """
    for number_of_line, line in enumerate(source, 1):
        if not line.strip():
            continue
        item: Mapping[str, Any] = {}
        try:
            item = parsed(line)
            yield explain(item)
        except BadInput as wrong:
            yield {"id": item.get("id"), "error": f"{place}line {number_of_line}: {wrong}"}


def parsed(line: bytes) -> Mapping[str, Any]:
    """The JSON object of a line. Raises BadInput."""
    try:
        item = json.loads(line.decode("utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError as wrong:
        raise BadInput(f"octet {wrong.start + 1} is not UTF-8; send JSON in UTF-8") from None
    except RecursionError:
        raise BadInput("the JSON is nested too deeply; send a flat object") from None
    except ValueError as wrong:
        said = getattr(wrong, "msg", "a number that JSON does not know")
        raise BadInput(f"this is not JSON ({said}); send one object a line") from None
    if not isinstance(item, dict):
        raise BadInput("this is no JSON object; send one object a line")
    if not isinstance(item.get("id"), str | int | float | None) or item.get("id") in _INFINITE:
        raise BadInput("the id is neither text nor a number")
    return item


_INFINITE = (float("inf"), float("-inf"))  # 1e999 is valid JSON that cannot be written again


def _no_number(name: str) -> None:
    raise ValueError(name)


def _word(item: Mapping[str, Any], key: str, default: str | None = None) -> str:
    found = item.get(key, default)
    if found is None and default is not None:
        return default
    if not isinstance(found, str):
        raise BadInput(f'"{key}" must be text' if key in item else f'"{key}" is missing')
    return found
