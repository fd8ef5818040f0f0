"""Segments: which alphabet, how many units, where a part may end, and what is sent instead."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.segments import (
    Segmented,
    decode,
    encode_part,
    prepare,
    read_udh,
    segment,
    udh,
)
from bridge.segments.alphabets import ALPHABETS, DEFAULT, NATIONAL
from bridge.segments.clusters import clusters, is_plain

VECTORS = Path(__file__).parents[1] / "data" / "segments.jsonl"
CASES = [json.loads(line) for line in VECTORS.read_text("utf-8").splitlines()]
FAMILY = "👨\u200d👩\u200d👧\u200d👦"
GSM7 = st.text(alphabet=sorted(DEFAULT.septets), max_size=700)
MIXED = st.text(
    alphabet=st.one_of(
        st.sampled_from(sorted(DEFAULT.septets)),
        st.sampled_from([*"čřžабв漢字", "\u0301", "\u200d", "\ufe0f", "👍", "🏽", "🇳", "🇴", "각"]),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=400,
)


@pytest.mark.parametrize("case", CASES)
def test_counts_are_those_of_an_independent_calculator(case):
    got = segment(case["text"])
    assert (got.encoding, list(got.units)) == (case["encoding"], case["units"])


@pytest.mark.parametrize(
    ("text", "encoding", "units"),
    [
        ("", "gsm7", (0,)),
        ("a" * 160, "gsm7", (160,)),
        ("a" * 161, "gsm7", (153, 8)),
        ("a" * 159 + "€", "gsm7", (153, 8)),
        ("a" * 152 + "€" + "b" * 10, "gsm7", (152, 12)),
        ("\f[]{}~^|\\€", "gsm7", (20,)),
        ("@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà\r\n", "gsm7", (44,)),
        ("ž" * 70, "ucs2", (70,)),
        ("ž" * 71, "ucs2", (67, 4)),
        ("a" * 66 + "😀" + "b" * 10, "ucs2", (66, 12)),
        ("ž" * 60 + FAMILY + "b" * 10, "ucs2", (60, 21)),
        ("`", "ucs2", (1,)),
        ("ç", "ucs2", (1,)),
    ],
)
def test_parts(text, encoding, units):
    got = segment(text)
    assert (got.encoding, got.units) == (encoding, units)


@given(MIXED, st.sampled_from([(), ("tr",), ("es", "pt"), ("tr", "es", "pt")]))
def test_parts_join_to_the_text_and_none_is_over_the_limit(text, shift):
    got = segment(text, shift)
    assert "".join(got.parts) == got.text == text
    assert len(got.parts) == len(got.units)
    alphabet = ALPHABETS[got.lang]
    single, multi = (alphabet.single, alphabet.multi) if got.encoding == "gsm7" else (70, 67)
    assert max(got.units) <= (single if len(got.parts) == 1 else multi)
    width = 1 if got.encoding == "gsm7" else 2
    for part, units in zip(got.parts, got.units, strict=True):
        assert len(encode_part(part, got.encoding, got.lang)) == units * width


@given(MIXED)
def test_a_part_ends_where_a_cluster_does(text):
    got = segment(text)
    if got.encoding == "ucs2" and all(len(c.encode("utf-16-be")) <= 134 for c in clusters(text)):
        assert [c for part in got.parts for c in clusters(part)] == list(clusters(text))


@given(MIXED)
def test_clusters_join_to_the_text_and_plain_ones_are_single(text):
    found = list(clusters(text))
    assert "".join(found) == text
    if is_plain(text):
        assert found == list(text)


@pytest.mark.parametrize(
    "whole",
    [
        ["\U0001f469\U0001f3fd\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f468", "\U0001f3ff"],
        ["\u261d\ufe0f\U0001f3fd"],
        ["\u261d\ufe0f\u0301", "\U0001f3fd"],
        ["\U0001f468\U0001f3fb\u200d", "\U0001f9b0"],
        ["\U0001f1e8\U0001f1ff\u0301", "\u0301", "a"],
        ["\U0001f1e8\U0001f1ff\u200d", "\U0001f469"],
        ["\u0600\U0001f1e8", "\U0001f1ff"],
    ],
    ids=ascii,
)
def test_a_mark_on_a_tone_or_a_flag_ends_where_the_calculators_end_it(whole):
    assert list(clusters("".join(whole))) == whole


@given(MIXED, st.sampled_from([(), ("tr", "es", "pt")]))
def test_what_is_encoded_reads_back(text, shift):
    got = segment(text, shift)
    data = [encode_part(part, got.encoding, got.lang) for part in got.parts]
    assert "".join(decode(part, got.encoding, got.lang) for part in data) == text


@given(st.binary(max_size=160), st.sampled_from(["gsm7", "ucs2"]), st.sampled_from([*ALPHABETS]))
def test_any_octets_decode(data, encoding, lang):
    assert isinstance(decode(data, encoding, lang), str)


def test_an_escape_before_nothing_or_the_unknown_reads_as_the_standard_says():
    assert decode(b"a\x1b", "gsm7") == "a "
    assert decode(b"\x1b\x41", "gsm7") == "A"
    assert decode(b"\x1b\x1b", "gsm7") == " "
    assert decode(b"\x1be\x00", "gsm7") == "€@"


def test_a_foreign_character_is_named_not_replaced():
    with pytest.raises(ValueError, match=r"U\+017E is not in GSM-7"):
        encode_part("ž", "gsm7")


# National alphabets


@pytest.mark.parametrize(
    ("lang", "single", "multi"),
    [
        ("", 160, 153),
        ("tr", 155, 149),
        ("tr-locking", 152, 146),
        ("es", 155, 149),
        ("pt", 155, 149),
    ],
)
def test_room_beside_the_header(lang, single, multi):
    assert (ALPHABETS[lang].single, ALPHABETS[lang].multi) == (single, multi)


@pytest.mark.parametrize("alphabet", [a for group in NATIONAL.values() for a in group])
def test_tables_are_whole_and_name_each_character_once(alphabet):
    assert len(alphabet.locked) == 128
    assert alphabet.locked[0x1B] == "\x1b"
    assert len(set(alphabet.locked)) == 128
    assert {"[", "]", "{", "}", "€"} <= set(alphabet.septets)


@pytest.mark.parametrize(
    ("text", "shift", "lang", "parts"),
    [
        ("ığdır şöyle " * 8, ("tr",), "tr", 1),
        ("ığşİĞŞç" * 20, ("tr",), "tr-locking", 1),
        ("camión rápido, ¿qué tal está? " * 4, ("es",), "es", 1),
        ("João não está à mão, às três. " * 4, ("pt",), "pt", 1),
        ("ığdır", ("tr",), "", 1),  # one part either way: every phone reads UCS-2
        ("привет " * 12, ("tr", "es", "pt"), "", 2),
    ],
)
def test_a_national_table_is_used_where_it_saves_a_part(text, shift, lang, parts):
    got = segment(text, shift)
    assert (got.lang, len(got.parts)) == (lang, parts)


def test_no_table_unless_the_carrier_declares_it():
    assert segment("ığdır şöyle " * 8).encoding == "ucs2"


@pytest.mark.parametrize("lang", [*ALPHABETS])
def test_the_header_says_what_reads_back(lang):
    header = udh(7, 3, 2, lang)
    got = read_udh(header + b"text")
    assert (got.ref, got.total, got.number, got.lang, got.size) == (7, 3, 2, lang, len(header))
    assert bool(udh(7, 1, 1, lang)) == bool(lang)


def test_headers_on_the_wire():
    assert udh(0xA5, 2, 1) == bytes.fromhex("05 00 03 A5 02 01")
    assert udh(0, 1, 1, "es") == bytes.fromhex("03 24 01 02")
    assert udh(1, 2, 2, "tr-locking") == bytes.fromhex("0B 00 03 01 02 02 24 01 01 25 01 01")
    assert read_udh(bytes.fromhex("06 08 04 12 34 02 01")).ref == 0x1234


@pytest.mark.parametrize("wrong", [(0, 1, 2), (256, 1, 1), (0, 256, 1), (0, 2, 0)])
def test_a_header_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="cannot be written"):
        udh(*wrong)


@given(st.binary(max_size=40))
def test_any_header_is_read_or_refused(data):
    try:
        assert read_udh(data).size <= len(data)
    except ValueError as refused:
        assert "longer" in str(refused)  # noqa: PT017


# Policies


LONG = "Dobrý den, Vaše zásilka je připravena k vyzvednutí do pátku. Schůzka se přesouvá na úterý."


def test_auto_saves_a_part_and_says_so():
    got = prepare(LONG)
    assert got == Segmented("gsm7", (got.text,), (90,), True, got.text)
    assert got.text.startswith("Dobry den, Vase zasilka je pripravena")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Dobrý den, čeká na Vás zásilka", "one part either way"),
        (LONG + " 😀", "an emoji has no plain writing"),
        ("Ваш заказ готов к выдаче. " * 4, "nobody's alphabet is taken away"),
        ("Η παραγγελία σας είναι έτοιμη. " * 3, "nor the Greek one"),
        ("10² is not 102, and so on and on and on, until it is longer than one part.", "meaning"),
    ],
)
def test_auto_leaves_the_rest_as_written(text, why):
    assert prepare(text) == segment(text), why


def test_keep_never_touches():
    assert prepare(LONG, "keep") == segment(LONG)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("žluťoučký kůň", "zlutoucky kun"),
        ("Łódź, Gdańsk", "Lodz, Gdansk"),
        ("árvíztűrő tükörfúrógép", "arviztürö tükörfurogép"),
        ("“a” ‘b’ „c“ – d — e… f\u00a0g", '"a" \'b\' "c" - d - e... f g'),
        ("e\u0301te\u0301", "été"),
        ("23 °C, 49°, n° 8, 5 m², 1½", "23 C, 49 deg, no 8, 5 m2, 1 1/2"),
        ("ΕΛΛΑΔΑ Ελλάδα", "EΛΛAΔA EΛΛAΔA"),
        ("Привет", "Privet"),
        ("café à la crème, Ærø, Ñandú, ß, ü", "café à la crème, Ærø, Ñandu, ß, ü"),
    ],
)
def test_gsm7_writes_plainly_and_keeps_what_gsm7_has(text, plain):
    got = prepare(text, "gsm7")
    assert (got.text, got.transliterated) == (plain, True)


def test_gsm7_names_what_has_no_plain_writing_and_keeps_the_text():
    got = prepare("ž 中文 😀 中", "gsm7")
    assert got.text == "ž 中文 😀 中"
    assert (got.transliterated, got.kept) == (False, "中文😀")


def test_an_unknown_policy_is_an_error():
    with pytest.raises(ValueError, match="auto, gsm7 or keep"):
        prepare("ž", "plain")


@given(GSM7, st.sampled_from(["auto", "gsm7", "keep"]))
def test_gsm7_texts_pass_every_policy_unchanged(text, policy):
    assert prepare(text, policy) == segment(text)


@given(MIXED)
def test_auto_changes_only_to_save(text):
    got = prepare(text)
    if got.transliterated:
        assert got.encoding == "gsm7"
        assert len(got.parts) < len(segment(text).parts)
    else:
        assert got.text == text
