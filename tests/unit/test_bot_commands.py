"""What people type after `/sms`, and what it means."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.bots import recipients, when
from bridge.bots.commands import VERBS, parse
from bridge.bots.model import (
    Balance,
    Cancel,
    ContactAdd,
    Enrol,
    GroupAdd,
    GroupRemove,
    Help,
    List,
    Log,
    Name,
    Number,
    Quota,
    Remove,
    Reply,
    Send,
    SendTemplate,
    Status,
    TemplateAdd,
)
from bridge.bots.words import Line, WrongWord
from bridge.store import ids

EVA = Number("+420601123456")
OLA = Number("+4741234567")
BOB = Number("+12015550123")
SHOWN = ids.show(1 << 60)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("+420601123456 Server room is flooding", Send((EVA,), "Server room is flooding")),
        ("send +420601123456 status", Send((EVA,), "status")),
        ("+420 601 123 456 24 servers are down", Send((EVA,), "24 servers are down")),
        ("+1 (201) 555-0123 Hi", Send((BOB,), "Hi")),
        ("601123456 Hi", Send((EVA,), "Hi")),
        ("+420601123456,+4741234567 Hi", Send((EVA, OLA), "Hi")),
        ("+420 601 123 456, +47 41 23 45 67 Hi", Send((EVA, OLA), "Hi")),
        ("+420601123456 , @ops , +4741234567 Hi", Send((EVA, Name("ops"), OLA), "Hi")),
        ("+420601123456, 601123456 Hi", Send((EVA,), "Hi")),
        ("@Jana-Nová Hi, all", Send((Name("jana-nová"),), "Hi, all")),
        ("@ops first line\n\n  second\n", Send((Name("ops"),), "first line\n\n  second")),
        ("SEND @ops Hi", Send((Name("ops"),), "Hi")),
        ("reply  On my way ", Reply("On my way")),
        ("status", Status(None)),
        (f"status {SHOWN}", Status(1 << 60)),
        (f"cancel {SHOWN.upper()}", Cancel(1 << 60)),
        ("log", Log(10, None)),
        ("log 50", Log(50, None)),
        ("log 5 @ops", Log(5, Name("ops"))),
        ("log +420601123456", Log(10, EVA)),
        ("contact add Eva +420 601 123 456", ContactAdd("eva", "+420601123456")),
        ("contact remove @eva", Remove("contact", "eva")),
        ("contact", List("contact")),
        ("contact list", List("contact")),
        ("group add ops @eva, +4741234567", GroupAdd("ops", (Name("eva"), OLA))),
        ("group remove ops", GroupRemove("ops", ())),
        ("group remove ops @eva", GroupRemove("ops", (Name("eva"),))),
        ("group list", List("group")),
        ("template add late We come at {time}.", TemplateAdd("late", "We come at {time}.")),
        (
            "template send late @eva time=10 o'clock who=Jan Novák",
            SendTemplate("late", (Name("eva"),), {"time": "10 o'clock", "who": "Jan Novák"}),
        ),
        ("template remove late", Remove("template", "late")),
        ("quota", Quota()),
        ("balance", Balance()),
        ("enrol ABC-123", Enrol("ABC-123")),
        ("help", Help()),
        ("help send", Help("send")),
        ("", Help()),
        ("  \n", Help()),
    ],
)
def test_a_command_is_understood(typed: str, meant: object) -> None:
    assert parse(typed, "CZ") == meant


@pytest.mark.parametrize(
    ("typed", "at", "sentence"),
    [
        ("+42060112 Hi", "+42060112", "the number is too short for +420 (CZ)"),
        ("+43 660 123456 7 Hi", "+43", "where does the number end? Write it in one, then a word of text"),
        ("@ops, +42060112, @eva Hi", "+42060112", "the number is too short for +420 (CZ)"),
        ("+420601123456", "", "the text is missing"),
        ("@ops,", "", "a number or an @name is missing"),
        ("@o!ps Hi", "@o!ps", "a name has letters, digits, - _ and ., with a letter among them"),
        ("contact add 12 +420601123456", "12", "a name has letters, digits, - _ and ., with a letter among them"),
        ("contact add eva @ops", "@ops", "a number, not a name"),
        ("contact add eva +420601123456 more", "more", "this is one word too many"),
        ("contact delete eva", "delete", "it can be add, remove or list"),
        ("statsu", "statsu", "there is no such command; did you mean status?"),
        ("Hello there", "Hello", "a command, a number or an @name comes first"),
        ("status abc", "abc", "this is not a message's id"),
        ("cancel", "", "the message's id is missing"),
        ("log 0", "0", "from 1 to 100"),
        ("log @a, @b", "@a,", "one recipient only"),
        ("quota now", "now", "this is one word too many"),
        ("help me", "me", "there is no such command"),
        ("template send late @eva 10", "10", "values are written as name=value"),
        ("template send late @eva a=1 a=2", "a=2", "this placeholder has a value already"),
        ("schedule soon @ops Hi", "soon", "this is not a time"),
        ("schedule 2027-02-30 08:00 @ops Hi", "2027-02-30", "there is no such day"),
        ("schedule tomorrow noon @ops Hi", "noon", "this is not a time of day, such as 08:00"),
        ("schedule in soon @ops Hi", "soon", "this is not a span of time, such as 90m, 2h or 3d"),
    ],
)  # fmt: skip
def test_an_error_points_at_the_word(typed: str, at: str, sentence: str) -> None:
    with pytest.raises(WrongWord) as wrong:
        parse(typed, "CZ")
    assert wrong.value.sentence == sentence
    assert wrong.value.word.text == at
    assert wrong.value.hint
    shown, mark = wrong.value.pointed().split("\n")
    where = slice(mark.index("^"), mark.index("^") + mark.count("^"))
    assert shown[where] == at[: mark.count("^")]


def test_a_long_line_is_shown_around_the_word() -> None:
    with pytest.raises(WrongWord) as wrong:
        parse("@a, " * 20 + "+42060112 " + "x" * 100)
    shown, mark = wrong.value.pointed().split("\n")
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert shown[mark.index("^") :].startswith("+42060112")


def test_a_sentence_never_repeats_the_number() -> None:
    with pytest.raises(WrongWord) as wrong:
        parse("+42060112 secret")
    told = f"{wrong.value} {wrong.value.sentence} {wrong.value.hint}"
    assert "42060112" not in told.replace("+420601123456", "")
    assert "secret" not in told


NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC).timestamp()  # a Wednesday
PRAGUE = ZoneInfo("Europe/Prague")  # an hour ahead of UTC in winter


@pytest.mark.parametrize(
    ("typed", "local"),
    [
        ("08:00", "2026-11-26 08:00"),
        ("14:30", "2026-11-25 14:30"),
        ("13:00", "2026-11-26 13:00"),  # it is 13:00 now
        ("8.05", "2026-11-26 08:05"),
        ("tomorrow 08:00", "2026-11-26 08:00"),
        ("today at 23:59", "2026-11-25 23:59"),
        ("wed 14:00", "2026-11-25 14:00"),
        ("wednesday 09:00", "2026-12-02 09:00"),
        ("Fri 09:00", "2026-11-27 09:00"),
        ("2026-12-24 08:00", "2026-12-24 08:00"),
        ("2026-12-24T08:00", "2026-12-24 08:00"),
        ("2026-12-24T08:00Z", "2026-12-24 09:00"),
        ("2026-12-24T08:00+03:00", "2026-12-24 06:00"),
        ("24.12. 08:00", "2026-12-24 08:00"),
        ("1.2. 08:00", "2027-02-01 08:00"),
        ("29.2. 08:00", "2028-02-29 08:00"),
        ("24.12.2026 08:00", "2026-12-24 08:00"),
        ("08:00 utc", "2026-11-26 09:00"),
        ("08:00 UTC+3", "2026-11-26 06:00"),
        ("08:00 +0300", "2026-11-26 06:00"),
        ("08:00 America/New_York", "2026-11-25 14:00"),
        ("in 90m", "2026-11-25 14:30"),
        ("in 2 h", "2026-11-25 15:00"),
        ("in 3d", "2026-11-28 13:00"),
        ("2026-07-01 08:00", "2026-07-01 08:00"),  # past: whoever sends says so
    ],
)
def test_a_time_is_the_recipients_unless_said(typed: str, local: str) -> None:
    found = parse(f"schedule {typed} +420601123456 Hi")
    assert isinstance(found, Send)
    assert found.to == (EVA,)
    assert found.when is not None
    at = datetime.fromtimestamp(found.when.at(NOON, PRAGUE), PRAGUE)
    assert at.strftime("%Y-%m-%d %H:%M") == local


def test_a_number_after_a_time_is_no_zone() -> None:
    found = parse("schedule 08:00 +1 201 555 0123 Hi")
    assert isinstance(found, Send)
    assert found.to == (BOB,)


def test_each_verb_tells_its_form() -> None:
    for word, verb in VERBS.items():
        assert verb.form.startswith(word)
        assert parse(f"help {word}") == Help(word)


PIECES = st.sampled_from(
    [*VERBS, "add", "remove", "@ops", "@", ",", "@a,@b", "+420601123456", "+420", "601", "123", "456,", "08:00", "tomorrow",
     "in", "2h", "+", "(", "=", "a=b", "utc", "29.2.", "Hi", SHOWN, "٣", "²"]
)  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=8))
def test_whatever_is_typed_is_obeyed_or_pointed_at(pieces: list[str]) -> None:
    typed = " ".join(pieces)
    told = None
    try:
        parse(typed, "CZ")
    except WrongWord as wrong:
        told = wrong
    if told is not None:
        assert len(told.pointed().split("\n")) == 2
        assert typed[told.word.start : told.word.end] == told.word.text


@given(st.text(max_size=30), st.floats(0, 2e9))
def test_a_time_that_is_understood_is_a_moment(typed: str, now: float) -> None:
    try:
        found = when.take(Line(typed))
    except WrongWord:
        return
    assert isinstance(found.at(now, PRAGUE), float)


def test_a_name_is_compared_without_regard_to_case() -> None:
    assert recipients.name_of("JANA") == recipients.name_of("jana") == "jana"
