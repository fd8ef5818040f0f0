"""The words about processors, breaches and access: what stands behind the verb comes in, a command
goes out. Raises WrongWord.
"""

from __future__ import annotations

from typing import Final

from bridge.bots import options
from bridge.bots.model import Access, Braking, Breach, Command, Subproc
from bridge.bots.words import Line, Word

SUBPROC_FORM: Final = (
    'subproc list | add <name> kind=<kind> country=<CC> purpose="…" [effective=<day>]'
    " [mechanism=<name> until=<day>] | notify <name>"
)
BREACH_FORM: Final = (
    "breach list | report <what you saw> | open <what happened> | notify <id>"
    ' | close <id> outcome="…"'
)
ACCESS_FORM: Final = (
    "access grant <name> role=<role> | revoke <id> | review [<id>] | close-all [confirm=<code>]"
)
HALT_FORM: Final = "halt <why>"
RESUME_FORM: Final = "resume"
BRAKE_FORM: Final = 'brake list | lift <id> outcome="…" | confirm <id> outcome="…"'
_DETAILS: Final = ("kind", "country", "purpose", "effective", "mechanism", "until", "company")


def subproc(line: Line, _region: str) -> Command:
    """`/sms subproc`."""
    action = line.choice("list", "add", "notify", without="list")
    if action == "list":
        line.end()
        return Subproc(action, "", {})
    name = line.take("the processor's name").text
    given = options.take(line, *(_DETAILS if action == "add" else ()))
    return Subproc(action, name, given)


def breach(line: Line, _region: str) -> Command:
    """`/sms breach`."""
    action = line.choice("list", "report", "open", "notify", "close", without="list")
    if action == "list":
        line.end()
        return Breach(action, 0, "")
    if action in ("report", "open"):
        return Breach(action, 0, line.rest("what happened"))
    word = line.take("the breach's id")
    number = _number(line, word)
    if action == "notify":
        line.end()
        return Breach(action, number, "")
    outcome = options.take(line, "outcome").get("outcome", "")
    if not outcome:
        raise line.wrong('outcome="…" is missing: how it ended')
    return Breach(action, number, outcome)


def _number(line: Line, word: Word) -> int:
    if not word.text.isdecimal() or len(word.text) > 9:
        raise line.wrong("this is no id", word)
    return int(word.text)


def halt(line: Line, _region: str) -> Command:
    """`/sms halt`."""
    return Braking("halt", 0, line.rest("why"))


def resume(line: Line, _region: str) -> Command:
    """`/sms resume`."""
    line.end()
    return Braking("resume", 0, "")


def brake(line: Line, _region: str) -> Command:
    """`/sms brake`."""
    action = line.choice("list", "lift", "confirm", without="list")
    if action == "list":
        line.end()
        return Braking(action, 0, "")
    number = _number(line, line.take("the stop's id"))
    outcome = options.take(line, "outcome").get("outcome", "")
    if not outcome:
        raise line.wrong('outcome="…" is missing: what was found')
    return Braking(action, number, outcome)


def access(line: Line, _region: str) -> Command:
    """`/sms access`."""
    action = line.choice("review", "grant", "revoke", "close-all", without="review")
    words = []
    while line and "=" not in line.ahead[0].text:
        words.append(line.take("the name").text)
    who = " ".join(words)
    if action in ("grant", "revoke") and not who:
        raise line.wrong("whose access? the name is missing")
    if action == "close-all" and who:
        raise line.wrong("only confirm=<code> can stand here")
    known = {"grant": ("role",), "close-all": ("confirm",)}.get(action, ())
    given = options.take(line, *known)
    if action == "grant" and "role" not in given:
        raise line.wrong("role=<role> is missing")
    return Access(action, who, given)
