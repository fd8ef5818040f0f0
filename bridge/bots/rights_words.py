"""The words about people's rights: consents, opt-outs, requests, blacklists, holds, periods.

What stands behind the verb comes in, a command goes out. Raises WrongWord.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from bridge.bots import options, recipients
from bridge.bots.model import (
    Blacklist,
    Command,
    Consent,
    DsarAct,
    DsarList,
    DsarOpen,
    HoldAdd,
    HoldRelease,
    Holds,
    Restrict,
    RetentionSet,
    RetentionShow,
    Stop,
    Unstop,
)
from bridge.bots.words import Line, Word, read_id
from bridge.errors import Refused
from bridge.privacy.consents import FORM as TERMS_FORM
from bridge.privacy.consents import pairs
from bridge.store import ids

CONSENT_FORM: Final = f"consent <number or @name> [add {TERMS_FORM} | withdraw [programme=<name>]]"
STOP_FORM: Final = 'stop <number or @name> [scope=tenant|programme:<name>|all] [reason="…"]'
UNSTOP_FORM: Final = "unstop <number or @name> evidence=<url>"
DSAR_FORM: Final = (
    "dsar open <kind> <number or @name> [via=<way>] [lang=<xx>] | list [due=<days>]"
    " | show|verify|forward|preview|receipt|withdraw <id>"
    ' | instruct <id> fulfil|refuse reason="…" | run <id> confirm=<code>'
    ' | extend <id> months=1|2 reason="…" | refuse <id> reason="…"'
)
EXPORT_FORM: Final = "export <number or @name>"
ERASE_FORM: Final = "erase <number or @name> [mode=only]"
RESTRICT_FORM: Final = "restrict <number or @name> on|off case=<id>"
BLACKLIST_FORM: Final = (
    'blacklist add <number, prefix or country> [reason="…"] | remove <…> | check <…> | list'
)
HOLD_FORM: Final = (
    'hold add <number, @name or id> basis="…" until=<YYYY-MM-DD> | release <id> | list'
)
RETENTION_FORM: Final = 'retention show | set <class> <days> reason="…"'


def consent(line: Line, region: str) -> Command:
    """`/sms consent`."""
    first = line.take("the number or @name")
    found, _ = recipients.one(line, first, region, ended=False)
    if not line:
        return Consent(found, "show", {})
    action = line.take("what to do")
    word = action.text.casefold()
    if word not in ("show", "add", "withdraw"):
        raise line.wrong("it can be add, withdraw or show", action)
    given = _terms(line, line.ahead[0]) if line else {}
    if word == "withdraw" and not set(given) <= {"programme", "channel"}:
        raise line.wrong("a withdrawal has a programme and a channel", action)
    return Consent(found, word, given)


def _terms(line: Line, first: Word) -> dict[str, str]:
    try:
        return pairs(line.rest("its terms"))
    except Refused as no:
        raise line.wrong(no.sentence, first) from None


def stop(line: Line, region: str) -> Command:
    """`/sms stop`."""
    found, _ = recipients.one(line, line.take("the number"), region, ended=False)
    places = {word.text.partition("=")[0].casefold(): word for word in line.ahead}
    given = options.take(line, "scope", "reason")
    scope, _, programme = given.get("scope", "tenant").partition(":")
    known = ("tenant", "programme", "all")
    if scope.casefold() not in known or (scope.casefold() == "programme") != bool(programme):
        raise line.wrong("the scope is tenant, programme:<name> or all", places["scope"])
    return Stop(found, scope.casefold(), programme, given.get("reason", ""))


def unstop(line: Line, region: str) -> Command:
    """`/sms unstop`."""
    found, _ = recipients.one(line, line.take("the number"), region, ended=False)
    word = line.ahead[0] if line else None
    evidence = options.take(line, "evidence").get("evidence", "")
    if not evidence.startswith(("https://", "http://")):
        raise line.wrong("evidence=<url> is missing: where it is written that they want it", word)
    return Unstop(found, evidence)


_KINDS: Final = ("access", "portability", "rectify", "erase", "restrict", "object", "withdraw")
#: What may be done to a request, and what it needs to be told.
_DSAR: Final = {
    "show": (),
    "verify": (),
    "forward": (),
    "receipt": (),
    "withdraw": (),
    "preview": (),
    "instruct": ("reason",),
    "run": ("confirm",),
    "extend": ("months", "reason"),
    "refuse": ("reason",),
}


def dsar(line: Line, region: str) -> Command:
    """`/sms dsar`."""
    word = line.take("what to do")
    action = word.text.casefold()
    if action == "open":
        kind = line.take("what they ask for")
        if kind.text.casefold() not in _KINDS:
            raise line.wrong(f"it can be {', '.join(_KINDS)}", kind)
        return _asked(line, region, kind.text.casefold())
    if action == "list":
        due = options.take(line, "due").get("due", "")
        if due and not (due.isdecimal() and len(due) <= 3):
            raise line.wrong("due is a count of days: due=7", word)
        return DsarList(int(due) if due else None)
    if action not in _DSAR:
        raise line.wrong(f"it can be open, list, {', '.join(_DSAR)}", word)
    number = line.id("request")
    given = {}
    if action == "instruct":
        decision = line.take("fulfil or refuse")
        if decision.text.casefold() not in ("fulfil", "refuse"):
            raise line.wrong("a decision is fulfil or refuse", decision)
        given["decision"] = decision.text.casefold()
    given |= options.take(line, *_DSAR[action]) if line else {}
    for name in _DSAR[action]:
        if name not in given and action != "run":
            raise line.wrong(f"{name}=… is missing")
    return DsarAct(action, number, given)


def _asked(line: Line, region: str, kind: str) -> Command:
    found, _ = recipients.one(line, line.take("the number"), region, ended=False)
    known = ("via", "lang", "mode", "ground", "number")
    return DsarOpen(kind, found, options.take(line, *known) if line else {})


def export(line: Line, region: str) -> Command:
    """`/sms export`."""
    return _asked(line, region, "access")


def erase(line: Line, region: str) -> Command:
    """`/sms erase`."""
    return _asked(line, region, "erase")


def restrict(line: Line, region: str) -> Command:
    """`/sms restrict`."""
    found, _ = recipients.one(line, line.take("the number"), region, ended=False)
    word = line.take("on or off")
    if word.text.casefold() not in ("on", "off"):
        raise line.wrong("it is on or off", word)
    case = options.take(line, "case").get("case", "") if line else ""
    try:
        number = ids.read(case)
    except ValueError:
        raise line.wrong("case=<id> is missing: for which request", word) from None
    return Restrict(found, word.text.casefold() == "on", number)


def blacklist(line: Line, _region: str) -> Command:
    """`/sms blacklist`."""
    action = line.choice("add", "remove", "list", "check", without="list")
    if action == "list":
        line.end()
        return Blacklist(action, "", "")
    words = [line.take("a number, a prefix or a country").text]
    while line and "=" not in line.ahead[0].text:
        words.append(line.take("the number").text)
    given = options.take(line, *(("reason",) if action == "add" else ()))
    return Blacklist(action, " ".join(words), given.get("reason", ""))


def hold(line: Line, region: str) -> Command:
    """`/sms hold`."""
    action = line.take("add, release or list")
    match action.text.casefold():
        case "list":
            line.end()
            return Holds()
        case "release":
            number = line.id("hold")
            line.end()
            return HoldRelease(number)
        case "add":
            word = line.take("a number, an @name or a message's id")
            of = read_id(word.text) or recipients.one(line, word, region, ended=False)[0]
            places = {each.text.partition("=")[0].casefold(): each for each in line.ahead}
            given = options.take(line, "basis", "until")
            for name in ("basis", "until"):
                if not given.get(name):
                    raise line.wrong(f"its {name} is missing: {name}=…")
            return HoldAdd(of, given["basis"], _date(line, places["until"], given["until"]))
    raise line.wrong("it can be add, release or list", action)


def _date(line: Line, word: Word, written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise line.wrong("this is no day; write it as 2027-06-30", word) from None


def retention(line: Line, _region: str) -> Command:
    """`/sms retention`."""
    action = line.take("show or set") if line else None
    if action is None or action.text.casefold() == "show":
        line.end()
        return RetentionShow()
    if action.text.casefold() != "set":
        raise line.wrong("it can be show or set", action)
    klass = line.take("the class").text.casefold()
    period = line.take("the days").text.casefold()
    reason = options.take(line, "reason").get("reason", "")
    if not reason:
        raise line.wrong("the reason is missing: reason=…")
    return RetentionSet(klass, f"{period}d" if period.isdecimal() else period, reason)
