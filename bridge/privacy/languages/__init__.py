"""The words of each language by which people opt out, opt in, ask for help or to be left alone.

A file for a language, with the words as people write them: case, marks and punctuation are folded
away.  Sources: the words that carriers and regulators name (FCC 47 CFR 64.1200(a)(10), CTIA, the
French 36xxx rule, Turkish "RET", Israeli "הסר") and each language's own verbs on unsubscribe
buttons.

    stop       phrases that nobody writes alone, or with `words.OBJECTS`, and means anything else
    weak       everyday phrases as well: an opt-out only in their own countries (P37)
    start      phrases that opt in again
    help       phrases that ask for help
    countries  whose people write the language: there a weak word counts as it stands

`[wishes]` is what a wish in free words is made of; `wish_rules` has the rules.
A `*` ends a stem, `_` joins the words of a phrase.  Classes:

    cease    stop, quit (told to us)           not      don't, never
    send     to send, write, contact, bother   do       its form after "don't"
    nosend   "don't send" where it is one word nowant   I do not want
    msg      messages, notifications           recv     to receive
    me       me, us                            more     again, any more
    it       these, this, nothing              how      how, where, can I
    gone     deleted, removed (to be)
    erase    delete, remove                    data     number, contact, data
    mine     my, this                          list     list, database
    unsub    to unsubscribe, in any form       phrase   a whole wish in itself
    short    one where little else is said     veto     it is about something else
    source   who gave you, where did you get   cancel   to cancel, a message or a visit
    school   school, lunch, a child            enough   enough, that will do
    visit    an appointment, a shift, a day    self     I will, I am: what the writer does
    yet      still, why: not done so far       wrong    the wrong number or person
    notme    I am not, I don't know any        left     I no longer work or live there
    off      turn off, disable                 use      to use
    nouse    "do not use" in one word
    be       to be, to stand (on a list)       consent  consent, permission
    here     this                              number   number, phone
    nolonger no longer, belongs to             complain to complain, a complaint
    threat   lawyers, police, legal action     authority who is complained to
    rights   to delete, a copy, access         mydata   my personal data, about me
    no       of `not`, what also means "no"    gave     gave, handed out
    nogave   "did not give" in one word        you      to you
    why      why, what for                     get      I am getting, you write to me
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent

#: The order in which languages are tried.
LANGUAGES = (
    "en", "cs", "sk", "no", "sv", "da", "de", "fr", "es", "it", "nl", "pl", "pt", "fi", "hu", "ro",
    "bg", "ru", "uk", "tr", "el", "he", "ar", "et", "lv", "lt", "hr", "sl", "sr", "zh", "ja", "ko",
    "vi", "th", "id",
)  # fmt: skip


@cache
def _languages() -> dict[str, dict[str, Any]]:
    files = {code: (_HERE / f"{code}.toml").read_text(encoding="utf-8") for code in LANGUAGES}
    return {code: tomllib.loads(text) for code, text in files.items()}


def phrases(kind: str) -> dict[str, list[str]]:
    """The phrases of "stop", "weak", "start" or "help" in each language that has any."""
    return {
        code: language[kind].split(",")
        for code, language in _languages().items()
        if kind in language
    }


def countries(code: str) -> frozenset[str]:
    """The countries whose people write the language."""
    return frozenset(_languages()[code].get("countries", "").split())


def wishes() -> dict[str, dict[str, str]]:
    """Every language's classes of words of wishes."""
    return {code: words["wishes"] for code, words in _languages().items() if "wishes" in words}
