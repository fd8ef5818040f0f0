"""An advertisement, its recipient and their consents come in; whether it may leave goes out.

Pure. The law stands in `rules/countries.toml`; what is judged, in this order: is there a basis
(PRIVACY P48), does the text say what it is, from whom, and how to end it (P46, P47), was there too
much lately, and is it an hour at which people may be written to (P49).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bridge.privacy.countries import Cap, Rule
from bridge.privacy.folding import fold
from bridge.privacy.hours import window
from bridge.privacy.leaving import has_way_out, takes_no_answer
from bridge.store.permits import Permit, Record, basis, is_too_often

#: A label stands at the beginning: among so many words.
_FIRST_WORDS: Final = 3
#: What the phone shows may be a shorter form of the name, but not shorter than this.
_NAME_LENGTH: Final = 3


@dataclass(frozen=True, slots=True)
class Advert:
    """What a tenant wants to send."""

    text: str
    originator: str  # what the phone shows; "" is the carrier's own number
    sender: str  # the name by which people know the tenant
    programme: str = ""
    label: str = ""  # put in front where the country asks for what it says
    footer: str = ""  # put behind where the way out is missing
    vouched: bool = False  # the tenant says that it has consent where nothing is recorded
    cap: Cap | None = None
    adds_link: bool = False  # a link to opt out is added where nobody can answer
    not_before: float | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Whom it is for: the rule and the zones of the number, and when they got advertisements."""

    rule: Rule
    zones: tuple[str, ...]
    recent: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may leave at once, up to `until`; `text` is what leaves."""

    text: str
    basis: str
    until: float
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deferred:
    """It may leave from `at` on, up to `until`."""

    text: str
    basis: str
    at: float
    until: float
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forbidden:
    """It may not leave: why, what to do, and which rule says so."""

    reason: str
    hint: str
    rule: str


Verdict = Allowed | Deferred | Forbidden


def verdict(advert: Advert, person: Person, consents: Iterable[Record], now: float) -> Verdict:
    """What becomes of an advertisement."""
    rule = person.rule
    found = basis(consents, need(advert, rule), now)
    if not found:
        return _no_basis(rule)
    text, shaped = dressed(advert, rule)
    wrong = _wrong(advert, text, rule)
    if wrong is not None:
        return wrong
    wanted = max(now, advert.not_before or now)
    opens = window(rule.hours, person.zones, wanted)
    if opens is None:
        return Forbidden(
            "the number may be in zones that share no hour for advertising",
            f"the hours of {rule.name} stand in docs/privacy.md",
            f"hours:{rule.name}",
        )
    at = max(wanted, opens.opens)
    if is_too_often(person.recent, at, _pairs(_caps(advert, rule))):
        return _too_often(advert, rule)
    rules = (f"marketing:{rule.name}", f"basis:{found}", *shaped)
    if at > wanted:
        return Deferred(text, found, at, opens.closes, (*rules, f"quiet-hours:{rule.name}"))
    return Allowed(text, found, opens.closes, rules)


def need(advert: Advert, rule: Rule) -> Permit:
    """What must still hold when it is stored, and when it leaves."""
    return Permit(
        programme=advert.programme,
        bases=tuple(sorted(rule.bases)),
        purposes=tuple(sorted(rule.purposes)),
        vouched=advert.vouched,
        caps=_pairs(_caps(advert, rule)),
    )


def _caps(advert: Advert, rule: Rule) -> tuple[Cap, ...]:
    return (*rule.caps, advert.cap) if advert.cap else rule.caps


def _pairs(caps: Sequence[Cap]) -> tuple[tuple[int, float], ...]:
    return tuple((cap.count, cap.seconds) for cap in caps)


def _no_basis(rule: Rule) -> Forbidden:
    customers = ", nor that they are a customer" if "customer" in rule.bases else ""
    return Forbidden(
        f"no consent to advertising is recorded for this person{customers}",
        "record it with `bridge consent add` or /sms consent, or send it as transactional if it"
        " does not advertise",
        f"basis:{rule.name}",
    )


def _too_often(advert: Advert, rule: Rule) -> Forbidden:
    caps = " and ".join(map(str, _caps(advert, rule)))
    return Forbidden(
        f"this person gets no more advertisements than {caps}",
        "send it later; marketing_cap of the tenant and the rules of the country say how often",
        f"cap:{rule.name}",
    )


# The text


def dressed(advert: Advert, rule: Rule) -> tuple[str, tuple[str, ...]]:
    """The text with the tenant's label and footer where something is missing; what was done."""
    text, done = advert.text, []
    unmarked = bool(rule.labels) and not is_labelled(text, rule.labels)
    unnamed = rule.sender and not is_named(text, advert)
    if advert.label and (unmarked or unnamed):
        text = f"{advert.label} {text}"
        done.append("marketing-label")
    if advert.footer and rule.opt_out and not _has_way_out(text, advert):
        text = f"{text.rstrip()} {advert.footer}"
        done.append("marketing-footer")
    return text, tuple(done)


def _wrong(advert: Advert, text: str, rule: Rule) -> Forbidden | None:
    if rule.labels and not is_labelled(text, rule.labels):
        shown = " or ".join(f'"{word}"' for word in rule.labels)
        return Forbidden(
            f"an advertisement to {rule.name} begins with {shown}",
            f'write "{rule.labels[0]}: …", or set marketing_label of the tenant',
            f"label:{rule.name}",
        )
    if rule.sender and not is_named(text, advert):
        return Forbidden(
            f'an advertisement to {rule.name} names its sender, "{advert.sender}"',
            "write the name, or set marketing_sender and marketing_label of the tenant",
            f"sender:{rule.name}",
        )
    if rule.opt_out and not _has_way_out(text, advert):
        return _no_way_out(advert, rule)
    return None


def _no_way_out(advert: Advert, rule: Rule) -> Forbidden:
    if takes_no_answer(advert.originator):
        return Forbidden(
            "the sender shown takes no answer, so the text must say where to opt out: a link or a"
            " number",
            'write "Opt out: https://…" or "STOP: +420…", or send from a number',
            f"opt-out:{rule.name}",
        )
    return Forbidden(
        f"an advertisement to {rule.name} says how to end it",
        'write "Odhlaseni: STOP" or "Reply STOP to end", STOP in capitals, or set marketing_footer'
        " of the tenant",
        f"opt-out:{rule.name}",
    )


def is_labelled(text: str, labels: Iterable[str]) -> bool:
    """Whether the text begins with one of these words; one of several words may stand anywhere."""
    tokens = fold(text).split()
    for label in labels:
        wanted = fold(label).split()
        ahead = tokens if len(wanted) > 1 else tokens[:_FIRST_WORDS]
        if _stands(wanted, ahead):
            return True
    return False


def is_named(text: str, advert: Advert) -> bool:
    """Whether the text, or what the phone shows, names the sender."""
    name = fold(advert.sender).replace(" ", "")
    shown = fold(advert.originator).replace(" ", "")
    if takes_no_answer(advert.originator) and min(len(shown), len(name)) >= _NAME_LENGTH:
        return shown in name or name in shown or name in fold(text).replace(" ", "")
    return bool(name) and name in fold(text).replace(" ", "")


def _stands(wanted: Sequence[str], tokens: Sequence[str]) -> bool:
    size = len(wanted)
    return any(list(tokens[at : at + size]) == list(wanted) for at in range(len(tokens) - size + 1))


def _has_way_out(text: str, advert: Advert) -> bool:
    """Whether the text says how to end it, or is about to."""
    adds = advert.adds_link and takes_no_answer(advert.originator)
    return adds or has_way_out(text, advert.originator)
