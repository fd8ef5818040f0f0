"""One grammar for all chats: what stands after `/sms` comes in, a command goes out.

Pure: nothing is looked up, so a contact's or group's name comes out as a name. What cannot be
obeyed raises `WrongWord`, which points at the word and shows the right form. Further verbs join
by an entry in `VERBS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Final, NamedTuple

from bridge.bots import governing_words, recipients, rights_words, when
from bridge.bots.model import (
    Approve,
    Balance,
    Cancel,
    Command,
    ContactAdd,
    Enrol,
    GroupAdd,
    GroupRemove,
    Help,
    List,
    Log,
    Number,
    Quota,
    Remove,
    Reply,
    Send,
    SendTemplate,
    Status,
    TemplateAdd,
)
from bridge.bots.words import Line

MOST_LOG: Final = 100
_LISTED: Final = ("add", "remove", "list")
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
    message = line.id("message") if line else None
    line.end()
    return Status(message)


def _cancel(line: Line, _region: str) -> Command:
    message = line.id("message")
    line.end()
    return Cancel(message)


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
    match line.choice(*_LISTED, without="list"):
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
    action = line.choice(*_LISTED, without="list")
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
    match line.choice(*_LISTED, "send", without="list"):
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


def _remove(line: Line, kind: str) -> Command:
    name = recipients.name(line, line.take("the name"))
    line.end()
    return Remove(kind, name)


def _balance(line: Line, _region: str) -> Command:
    line.end()
    return Balance()


def _quota(line: Line, _region: str) -> Command:
    line.end()
    return Quota()


def _approve(line: Line, _region: str) -> Command:
    draft = line.id("proposal")
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
        rights_words.consent,
        rights_words.CONSENT_FORM,
        "what somebody agreed to get, and what not any more",
    ),
    "stop": Verb(
        rights_words.stop,
        rights_words.STOP_FORM,
        "opt somebody out who asked by mail, phone or chat",
    ),
    "unstop": Verb(
        rights_words.unstop,
        rights_words.UNSTOP_FORM,
        "undo an opt-out that was a mistake; a second person agrees",
    ),
    "dsar": Verb(
        rights_words.dsar,
        rights_words.DSAR_FORM,
        "what people ask for about their own data",
    ),
    "export": Verb(
        rights_words.export, rights_words.EXPORT_FORM, "register that somebody wants their data"
    ),
    "erase": Verb(
        rights_words.erase, rights_words.ERASE_FORM, "register that somebody wants to be erased"
    ),
    "restrict": Verb(
        rights_words.restrict,
        rights_words.RESTRICT_FORM,
        "keep somebody's data and use it for nothing",
    ),
    "blacklist": Verb(
        rights_words.blacklist,
        rights_words.BLACKLIST_FORM,
        "whom you do not write to, whatever they want",
    ),
    "hold": Verb(
        rights_words.hold,
        rights_words.HOLD_FORM,
        "keep what a case needs; a second person agrees",
    ),
    "retention": Verb(
        rights_words.retention,
        rights_words.RETENTION_FORM,
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
