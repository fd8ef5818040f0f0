"""Replies from phones: who wants to stop, start, or get help, and who is only talking."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.privacy import words
from bridge.privacy.folding import fold
from bridge.privacy.keywords import Verdict, verdict
from bridge.privacy.languages import countries, phrases, wishes

REPLIES = Path(__file__).parents[1] / "data" / "replies.tsv"


def replies():
    for line in REPLIES.read_text(encoding="utf-8").splitlines():
        _, wanted, text = line.split("\t")
        yield wanted, text.replace("\\n", "\n")


@pytest.mark.parametrize(("wanted", "text"), [r for r in replies() if r[0] != "intent"])
def test_exact_words_and_ordinary_talk(wanted, text):
    assert verdict(text).verdict == wanted


def test_wishes_in_free_words_are_found():
    found = Counter(verdict(text).verdict for wanted, text in replies() if wanted == "intent")
    assert found["intent"] >= 0.97 * found.total()
    assert set(found) <= {"intent", "none"}


@pytest.mark.parametrize(
    "written",
    [
        "STOP", "stop.", "Stop!!!", "«stop»", "ＳＴＯＰ", "ⓢⓣⓞⓟ", "s\u200bt\u200bo\u200bp", "🛑 stop 🛑",
        "s t o p", "S.T.O.P.", "stoooop", "ST0P", "stop stop", "STOP, thanks", "please stop",
        "ok stop", "stop\n\nSent from my iPhone", "stop\n\n-- \nAnna", "stop\nAnna", "S\u0301top",
        "\ufeffstop", "STOP SMS", "stop\n> earlier text", "stop 36180", "stop au 36180", "sтоp",
    ],
)  # fmt: skip
def test_no_dress_hides_a_stop(written):
    assert verdict(written).verdict == "stop"


@pytest.mark.parametrize(
    "talk",
    [
        "Stop by the office", "systemctl stop nginx", "One stop shop", "nicht stoppen!", "автостоп",
        "do not stop the pump", "Reply STOP to unsubscribe", "STOP START", "", ".", "🛑", "yes",
        "all fine", "stop 5", "nonstop", "usuń wiadomość", "remove message", "slett melding", "fine sms",
    ],
)  # fmt: skip
def test_ordinary_talk_stops_nothing(talk):
    assert verdict(talk) == Verdict("none")


@pytest.mark.parametrize(
    ("word", "country", "expected"),
    [
        ("konec", "CZ", "stop"),
        ("konec", None, "intent"),
        ("konec", "NO", "intent"),
        ("slutt", "NO", "stop"),
        ("fine", "IT", "stop"),
        ("fine", "US", "intent"),
        ("cancel", "US", "stop"),
        ("end", "DO", "stop"),
        ("slutt", "US", "intent"),
        ("zrušit, prosím", "cz", "stop"),
        ("stop", "JP", "stop"),
        ("seis", "ES", "intent"),
        ("seis", "FI", "stop"),
        ("réserver", "FR", "intent"),
        ("reserver", "NO", "stop"),
        ("meld fra", "NO", "intent"),
        ("meld fra", "DK", "stop"),
        ("TD", "CN", "stop"),
        ("td", "PT", "intent"),
    ],
)
def test_everyday_words_count_at_home(word, country, expected):
    assert verdict(word, country).verdict == expected


@pytest.mark.parametrize("country", sorted(words.PLUS_ONE))
@pytest.mark.parametrize("word", sorted(words.FCC))
def test_the_fcc_s_words_always_count_in_plus_one(word, country):
    assert verdict(word, country).verdict == "stop"


@pytest.mark.parametrize("word", ["yes", "ano", "ja", "oui", "sí", "да", "да!", "Y"])
def test_a_yes_lifts_nothing(word):
    assert verdict(word).verdict == "none"


def test_the_keyword_is_told():
    assert verdict("Odhlásit, prosím") == Verdict("stop", "odhlasit")
    assert verdict("prosím smažte moje číslo") == Verdict("intent", "smazte moje cislo")


@pytest.mark.parametrize("kind", ["stop", "start", "help"])
def test_every_listed_word_means_what_its_list_says(kind):
    wrong = {
        phrase: got
        for listed in phrases(kind).values()
        for phrase in listed
        if (got := verdict(phrase).verdict) != kind
    }
    assert wrong == {}


def test_no_word_is_in_two_lists():
    lists = [
        {fold(phrase) for listed in phrases(kind).values() for phrase in listed}
        for kind in ("stop", "start", "help")
    ]
    assert len(set.union(*lists)) == sum(map(len, lists))


def test_every_language_has_words_for_all_and_a_country():
    for language in wishes():
        for kind in ("stop", "weak", "start", "help"):
            assert phrases(kind)[language]
        assert countries(language)


@given(st.text(max_size=200), st.sampled_from([None, "", "US", "CZ"]))
def test_any_text_gets_a_verdict(text, country):
    assert verdict(text, country).verdict in ("stop", "start", "help", "intent", "none")


@example("Ǽ")
@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)
