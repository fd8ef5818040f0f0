"""One grammar for all chats: what stands after `/sms` comes in, a command goes out.

Pure: nothing is looked up, so a contact's or group's name comes out as a name. What cannot be
obeyed raises `WrongWord`, which points at the word and shows the right form. Further verbs join
by an entry in `VERBS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from difflib import get_close_matches
from typing import Final, NamedTuple

from bridge.bots import governing_words, options, recipients, when
from bridge.bots.model import (
    Approve,
    Balance,
    Blacklist,
    Cancel,
    Command,
    Consent,
    ContactAdd,
    DsarAct,
    DsarList,
    DsarOpen,
    Enrol,
    GroupAdd,
    GroupRemove,
    Help,
    HoldAdd,
    HoldRelease,
    Holds,
    List,
    Log,
    Number,
    Quota,
    Remove,
    Reply,
    Restrict,
    RetentionSet,
    RetentionShow,
    Send,
    SendTemplate,
    Status,
    Stop,
    TemplateAdd,
    Unstop,
)
from bridge.bots.words import Line, Word
from bridge.errors import Refused
from bridge.privacy.consents import FORM as CONSENT_FORM
from bridge.privacy.consents import pairs
from bridge.store import ids

MOST_LOG: Final = 100
_NUMERIC = re.compile(r"\+?[(]?\d[\d()/\-.]*").fullmatch
_PLACEHOLDER = re.compile(r"[^\W\d]\w*")


class Verb(NamedTuple):
    """A word that a command begins with."""

    read: Callable[[Line, str], Command]
    """The line behind the verb and the reader's region come in. Raises WrongWord."""
    form: str
    does: str


def parse(text: str, region: str = "") -> Command:
    """The command that `text` means; numbers without a country code are of `region`.

    Raises WrongWord.
    """
    line = Line(text, "<number or @name> <text>")
    first = line.peek()
    if not first:
        return Help()
    verb = VERBS.get(first)
    if verb is None:
        if first[0] == "@" or _NUMERIC(first.partition(",")[0]):
            return _send(line, region)
        near = get_close_matches(first, VERBS, 1, 0.75)
        word = line.ahead[0]
        if near:
            line.form = VERBS[near[0]].form
            raise line.wrong(f"there is no such command; did you mean {near[0]}?", word)
        raise line.wrong("a command, a number or an @name comes first", word)
    line.skip(1)
    line.form = verb.form
    return verb.read(line, region)


def _send(line: Line, region: str) -> Command:
    return Send(recipients.take(line, region), line.rest("the text"))


def _schedule(line: Line, region: str) -> Command:
    at = when.take(line)
    return Send(recipients.take(line, region), line.rest("the text"), at)


def _reply(line: Line, _region: str) -> Command:
    return Reply(line.rest("the text"))


def _status(line: Line, _region: str) -> Command:
    message = _message(line) if line else None
    line.end()
    return Status(message)


def _cancel(line: Line, _region: str) -> Command:
    message = _message(line)
    line.end()
    return Cancel(message)


def _message(line: Line) -> int:
    word = line.take("the message's id")
    try:
        number = ids.read(word.text)
    except ValueError:
        number = ids.LARGEST + 1
    if number > ids.LARGEST:
        raise line.wrong("this is not a message's id", word)
    return number


def _log(line: Line, region: str) -> Command:
    count, of = 10, None
    if line.peek().isdecimal() and len(line.peek()) <= 3:
        word = line.take("the count")
        count = int(word.text)
        if not 0 < count <= MOST_LOG:
            raise line.wrong(f"from 1 to {MOST_LOG}", word)
    if line:
        word = line.ahead[0]
        found = recipients.take(line, region)
        if len(found) > 1:
            raise line.wrong("one recipient only", word)
        of = found[0]
    line.end()
    return Log(count, of)


def _contact(line: Line, region: str) -> Command:
    match _action(line):
        case "add":
            name = recipients.name(line, line.take("the name"))
            word = line.take("the number")
            number, _ = recipients.one(line, word, region, ended=False)
            if not isinstance(number, Number):
                raise line.wrong("a number, not a name", word)
            line.end()
            return ContactAdd(name, number.e164)
        case "remove":
            return _remove(line, "contact")
        case _:
            line.end()
            return List("contact")


def _group(line: Line, region: str) -> Command:
    action = _action(line)
    if action == "list":
        line.end()
        return List("group")
    name = recipients.name(line, line.take("the group's name"))
    if action == "remove" and not line:
        return GroupRemove(name, ())
    members = recipients.take(line, region)
    line.end()
    return GroupAdd(name, members) if action == "add" else GroupRemove(name, members)


def _template(line: Line, region: str) -> Command:
    match _action(line, "send"):
        case "add":
            return TemplateAdd(recipients.name(line, line.take("the name")), line.rest("the text"))
        case "remove":
            return _remove(line, "template")
        case "send":
            name = recipients.name(line, line.take("the template's name"))
            return SendTemplate(name, recipients.take(line, region), _values(line))
        case _:
            line.end()
            return List("template")


def _values(line: Line) -> dict[str, str]:
    """`key=value` pairs; a value may have spaces and ends at the next pair."""
    values: dict[str, str] = {}
    key = ""
    while line:
        word = line.take("a value")
        name, equals, value = word.text.partition("=")
        if equals and _PLACEHOLDER.fullmatch(name):
            if name in values:
                raise line.wrong("this placeholder has a value already", word)
            key, values[name] = name, value
        elif key:
            values[key] += f" {word.text}"
        else:
            raise line.wrong("values are written as name=value", word)
    return values


def _action(line: Line, *more: str) -> str:
    known = ("add", "remove", "list", *more)
    if not line:
        return "list"
    word = line.take("what to do")
    if word.text.casefold() not in known:
        raise line.wrong(f"it can be {', '.join(known[:-1])} or {known[-1]}", word)
    return word.text.casefold()


def _remove(line: Line, kind: str) -> Command:
    name = recipients.name(line, line.take("the name"))
    line.end()
    return Remove(kind, name)


def _consent(line: Line, region: str) -> Command:
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


def _stop(line: Line, region: str) -> Command:
    found, _ = recipients.one(line, line.take("the number"), region, ended=False)
    places = {word.text.partition("=")[0].casefold(): word for word in line.ahead}
    given = options.take(line, "scope", "reason")
    scope, _, programme = given.get("scope", "tenant").partition(":")
    known = ("tenant", "programme", "all")
    if scope.casefold() not in known or (scope.casefold() == "programme") != bool(programme):
        raise line.wrong("the scope is tenant, programme:<name> or all", places["scope"])
    return Stop(found, scope.casefold(), programme, given.get("reason", ""))


def _unstop(line: Line, region: str) -> Command:
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


def _dsar(line: Line, region: str) -> Command:
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
    number = _message(line)
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


def _export(line: Line, region: str) -> Command:
    return _asked(line, region, "access")


def _erase(line: Line, region: str) -> Command:
    return _asked(line, region, "erase")


def _restrict(line: Line, region: str) -> Command:
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


def _blacklist(line: Line, _region: str) -> Command:
    action = _action(line, "check")
    if action == "list":
        line.end()
        return Blacklist(action, "", "")
    words = [line.take("a number, a prefix or a country").text]
    while line and "=" not in line.ahead[0].text:
        words.append(line.take("the number").text)
    given = options.take(line, *(("reason",) if action == "add" else ()))
    return Blacklist(action, " ".join(words), given.get("reason", ""))


def _hold(line: Line, region: str) -> Command:
    action = line.take("add, release or list")
    match action.text.casefold():
        case "list":
            line.end()
            return Holds()
        case "release":
            number = _message(line)
            line.end()
            return HoldRelease(number)
        case "add":
            word = line.take("a number, an @name or a message's id")
            of = _id(word.text) or recipients.one(line, word, region, ended=False)[0]
            places = {each.text.partition("=")[0].casefold(): each for each in line.ahead}
            given = options.take(line, "basis", "until")
            for name in ("basis", "until"):
                if not given.get(name):
                    raise line.wrong(f"its {name} is missing: {name}=…")
            return HoldAdd(of, given["basis"], _date(line, places["until"], given["until"]))
    raise line.wrong("it can be add, release or list", action)


def _id(text: str) -> int:
    """The id that is written; 0 for none."""
    try:
        number = ids.read(text)
    except ValueError:
        return 0
    return number if number <= ids.LARGEST else 0


def _date(line: Line, word: Word, written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise line.wrong("this is no day; write it as 2027-06-30", word) from None


def _retention(line: Line, _region: str) -> Command:
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


def _balance(line: Line, _region: str) -> Command:
    line.end()
    return Balance()


def _quota(line: Line, _region: str) -> Command:
    line.end()
    return Quota()


def _approve(line: Line, _region: str) -> Command:
    draft = _message(line)
    line.end()
    return Approve(draft)


def _enrol(line: Line, _region: str) -> Command:
    code = line.take("the code").text
    line.end()
    return Enrol(code)


def _help(line: Line, _region: str) -> Command:
    if not line:
        return Help()
    word = line.take("the command")
    if word.text.casefold() not in VERBS:
        raise line.wrong("there is no such command", word)
    line.end()
    return Help(word.text.casefold())


VERBS: Final[dict[str, Verb]] = {
    "send": Verb(_send, "send <number or @name, …> <text>", "send an SMS"),
    "reply": Verb(_reply, "reply <text>", "answer in this conversation"),
    "schedule": Verb(
        _schedule,
        f"schedule <when> <number or @name, …> <text>; when is {when.FORM}",
        "send later, on the recipient's clock",
    ),
    "status": Verb(_status, "status [<id>]", "how a message stands"),
    "cancel": Verb(_cancel, "cancel <id>", "take back what has not left"),
    "log": Verb(_log, "log [<count>] [<number or @name>]", "the newest messages"),
    "contact": Verb(
        _contact, "contact add <name> <number> | remove <name> | list", "names for numbers"
    ),
    "group": Verb(
        _group,
        "group add <name> <number or @name, …> | remove <name> [<member, …>] | list",
        "names for several recipients",
    ),
    "template": Verb(
        _template,
        "template add <name> <text> | send <name> <number or @name, …> [<word>=<value> …]"
        " | remove <name> | list",
        "texts to use again",
    ),
    "consent": Verb(
        _consent,
        f"consent <number or @name> [add {CONSENT_FORM} | withdraw [programme=<name>]]",
        "what somebody agreed to get, and what not any more",
    ),
    "stop": Verb(
        _stop,
        'stop <number or @name> [scope=tenant|programme:<name>|all] [reason="…"]',
        "opt somebody out who asked by mail, phone or chat",
    ),
    "unstop": Verb(
        _unstop,
        "unstop <number or @name> evidence=<url>",
        "undo an opt-out that was a mistake; a second person agrees",
    ),
    "dsar": Verb(
        _dsar,
        "dsar open <kind> <number or @name> [via=<way>] [lang=<xx>] | list [due=<days>]"
        " | show|verify|forward|preview|receipt|withdraw <id>"
        ' | instruct <id> fulfil|refuse reason="…" | run <id> confirm=<code>'
        ' | extend <id> months=1|2 reason="…" | refuse <id> reason="…"',
        "what people ask for about their own data",
    ),
    "export": Verb(_export, "export <number or @name>", "register that somebody wants their data"),
    "erase": Verb(
        _erase, "erase <number or @name> [mode=only]", "register that somebody wants to be erased"
    ),
    "restrict": Verb(
        _restrict,
        "restrict <number or @name> on|off case=<id>",
        "keep somebody's data and use it for nothing",
    ),
    "blacklist": Verb(
        _blacklist,
        'blacklist add <number, prefix or country> [reason="…"] | remove <…> | check <…> | list',
        "whom you do not write to, whatever they want",
    ),
    "hold": Verb(
        _hold,
        'hold add <number, @name or id> basis="…" until=<YYYY-MM-DD> | release <id> | list',
        "keep what a case needs; a second person agrees",
    ),
    "retention": Verb(
        _retention,
        'retention show | set <class> <days> reason="…"',
        "how long what is kept; for another period a second person agrees",
    ),
    "subproc": Verb(
        governing_words.subproc, governing_words.SUBPROC_FORM, "who else gets your people's data"
    ),
    "breach": Verb(
        governing_words.breach, governing_words.BREACH_FORM, "somebody saw data who should not have"
    ),
    "access": Verb(
        governing_words.access, governing_words.ACCESS_FORM, "who may use this, and until when"
    ),
    "balance": Verb(_balance, "balance", "what is left of your credit"),
    "halt": Verb(
        governing_words.halt, governing_words.HALT_FORM, "let nothing more leave; what waits, waits"
    ),
    "resume": Verb(governing_words.resume, governing_words.RESUME_FORM, "let it leave again"),
    "brake": Verb(
        governing_words.brake, governing_words.BRAKE_FORM, "what is stopped, and let it go on"
    ),
    "quota": Verb(_quota, "quota", "your limits, and what is left of them"),
    "approve": Verb(
        _approve, "approve <id>", "agree to what somebody else wants: many recipients, an erasure"
    ),
    "enrol": Verb(_enrol, "enrol <code>", "become known to the bridge, in a private chat"),
    "help": Verb(_help, "help [<command>]", "what can be typed"),
}
