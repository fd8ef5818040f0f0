"""Names, and files of contacts: what can be stored, and what is said of the rest."""

from __future__ import annotations

import codecs
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.dispatch.contact_file import (
    MOST_OCTETS,
    MOST_ROWS,
    Import,
    Problem,
    read_csv,
)
from bridge.errors import BadAddress, Refused
from bridge.naming import MOST_NAME, alias_of, name_of
from bridge.smtp.address import ALIAS, Address, parse

ANNA = "+420601123456"
BERTA = "+420602123456"


def read(text: str, region: str = "CZ") -> Import:
    return read_csv(text.encode(), region)


def rows(found: Import) -> list[tuple[int, str, str, tuple[str, ...]]]:
    assert found.problems == ()
    return [(row.line, row.name, row.phone.e164, row.groups) for row in found.rows]


def problems(found: Import) -> list[tuple[int, str]]:
    assert found.rows == ()
    return [(problem.line, problem.reason) for problem in found.problems]


# Names


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Anna", "anna"),
        ("JAN.NOVÁK", "jan.novák"),
        ("Stra\N{LATIN SMALL LETTER SHARP S}e", "strasse"),
        ("ＯＰＳ", "ops"),
        ("Novak\N{COMBINING CARON}", "nova\N{LATIN SMALL LETTER K WITH CARON}"),
        ("on-call_2", "on-call_2"),
        ("1st-line", "1st-line"),
        ("řidič", "řidič"),
    ],
)
def test_a_name_is_compared_without_case_and_form(typed: str, name: str) -> None:
    assert name_of(typed) == name


@pytest.mark.parametrize(
    "typed", ["", " ", "Jan Novák", "601123456", "601-123-456", "1.2", "-", "a@b", "a,b", "x" * 41]
)
def test_what_is_no_name(typed: str) -> None:
    with pytest.raises(ValueError, match="a letter among them"):
        name_of(typed)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("Jan Novák", "a letter among them"),
        ("r-anna", "r- or reply-"),
        ("Reply-team", "r- or reply-"),
        (".anna", "dots between"),
        ("anna..ops", "dots between"),
        ("601.anna", "like a number"),
        ("601-123.a", "like a number"),
        ("explain", "an option"),
        ("Explain.anna", "an option"),
        ("ops.urgent", "an option"),
        ("jan.t-mobile", "an option"),
    ],
)
def test_what_mail_could_not_reach_is_no_alias(typed: str, said: str) -> None:
    with pytest.raises(Refused) as no:
        alias_of(typed)
    assert said in no.value.sentence
    assert no.value.hint
    assert typed not in str(no.value)


@given(st.text(min_size=1, max_size=MOST_NAME))
def test_a_name_is_its_own_name(typed: str) -> None:
    try:
        name = name_of(typed)
    except ValueError:
        return
    assert name_of(name) == name


_PIECES = (
    "anna",
    "OPS",
    "1",
    "601",
    "-",
    "_",
    ".",
    "r-",
    "reply-",
    "explain",
    "urgent",
    "at-",
    "t-",
)


@given(st.text(max_size=20) | st.lists(st.sampled_from(_PIECES), max_size=5).map("".join))
def test_every_alias_is_an_address_that_means_it(typed: str) -> None:
    try:
        name = alias_of(typed)
    except Refused:
        return
    found = parse(name)
    assert found == Address(ALIAS, found.target)
    assert name_of(found.target) == name
    assert parse(f"{name}.urgent") == Address(ALIAS, found.target, urgent=True)


@given(st.lists(st.sampled_from(_PIECES), max_size=5).map("".join))
def test_every_name_that_an_address_means_can_be_given(typed: str) -> None:
    try:
        name = name_of(typed)
        found = parse(typed)
    except (ValueError, BadAddress):
        return
    # Two that are kept for what they look like, though an address of them would do.
    looks_like = name in ("r-", "reply-") or not any(map(str.isalpha, name.split(".")[0]))
    if found == Address(ALIAS, typed) and not looks_like:
        assert alias_of(typed) == name


# Files that can be stored


def test_names_numbers_and_groups() -> None:
    text = f"name,number,groups\nAnna,{ANNA},Ops|Night\nberta,602 123 456,\n\nclara,603123456\n"
    assert rows(read(text)) == [
        (2, "anna", ANNA, ("ops", "night")),
        (3, "berta", BERTA, ()),
        (5, "clara", "+420603123456", ()),
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"number;name;group\r\n{ANNA};anna;ops|night\r\n",
        f"Phone\tGROUPS\tName\r{ANNA}\tops, night\tanna\r",
        f'"groups" , "Name" , "phone"\n"ops; night" , anna , {ANNA}\n',
        f"name,number,groups,,\nanna,{ANNA},ops|night|,,\n,,,\n",
        f"\nname;phone;groups\nanna;{ANNA};ops|ops|Night\n",
    ],
    ids=["semicolons", "tabs", "quotes", "empty columns", "blank first line"],
)
def test_columns_in_any_order_and_writing(text: str) -> None:
    found = rows(read(text.replace('" , "', '","').replace('" , anna , ', '",anna,')))
    assert [row[1:] for row in found] == [("anna", ANNA, ("ops", "night"))]


def test_the_same_person_twice_joins_the_groups_of_both_lines() -> None:
    text = f"name,number,groups\nanna,{ANNA},ops\nANNA,601123456,night|ops\n"
    assert rows(read(text)) == [(2, "anna", ANNA, ("ops", "night"))]


def test_two_names_may_have_one_number() -> None:
    assert len(rows(read(f"name,number\nanna,{ANNA}\nanna.work,{ANNA}\n"))) == 2


@pytest.mark.parametrize(
    ("data", "region", "name"),
    [
        (codecs.BOM_UTF8 + f"name,number\nřehoř,{ANNA}".encode(), "NO", "řehoř"),
        (codecs.BOM_UTF16_LE + f"name\tnumber\nřehoř\t{ANNA}".encode("utf-16-le"), "NO", "řehoř"),
        (f"name;number\nřehoř;{ANNA}".encode("cp1250"), "CZ", "řehoř"),
        (f"name;number\nłucja;{ANNA}".encode("cp1250"), "PL", "łucja"),
        (f"name;number\nbjørn;{ANNA}".encode("cp1252"), "NO", "bjørn"),
        (f"name;number\nåse.sæther;{ANNA}".encode("cp1252"), "NO", "åse.sæther"),
        (f"name;number\nfrançois;{ANNA}".encode("cp1252"), "FR", "françois"),
    ],
)
def test_an_encoding_is_seen_or_guessed(data: bytes, region: str, name: str) -> None:
    (row,) = rows(read_csv(data, region))
    assert row[1] == name


_NAMES = st.from_regex(r"[a-z]{2,10}(\.[a-z]{2,10})?", fullmatch=True).filter(
    lambda name: (
        not name.startswith(("explain", "from", "at", "t"))
        and not {"urgent", "marketing", "transactional", "explain"} & set(name.split("."))
    )
)


@given(
    st.dictionaries(
        _NAMES.map(lambda name: f"c{name}"),
        st.tuples(
            st.integers(601_000_000, 608_999_999),
            st.lists(_NAMES.map(lambda name: f"g{name}"), max_size=3, unique=True),
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.permutations(["name", "number", "groups"]),
)
def test_what_is_written_is_read(
    people: dict[str, tuple[int, list[str]]], delimiter: str, encoding: str, order: list[str]
) -> None:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, order, delimiter=delimiter)
    writer.writeheader()
    for name, (number, groups) in people.items():
        writer.writerow({"name": name, "number": number, "groups": "|".join(groups)})
    found = rows(read_csv(out.getvalue().encode(encoding), "CZ"))
    assert [row[1:] for row in found] == [
        (name, f"+420{number}", tuple(groups)) for name, (number, groups) in people.items()
    ]


# Files that cannot


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("anna,12", "The number is too short for +420 (CZ)"),
        ("anna,call me", "This is not a phone number"),
        ("anna,+42060112345678", "No such number exists for +420 (CZ)"),
        ("Jan Novák,601123456", "a name has letters, digits"),
        (",601123456", "the name is empty"),
        ("anna,", "the number is empty"),
        ("anna", "the number is empty"),
        ("anna,601123456,ops,more", "there are more columns"),
        ("anna,601123456,on call", "a group's name is wrong: a name has letters"),
        ("anna,601123456,ops|601", "a group's name is wrong: a name has letters"),
        ("r-anna,601123456", "a name cannot begin with r-"),
        ("berta,601123456", "this name stands in line 2 with another number"),
        ("Berta,601123456", "this name stands in line 2 with another number"),
        ("anna,601123456,anna", "this name is also that of a group, in line 3"),
        ('anna,"601123456', "a quote is not closed"),
        ('anna,"601"123456', "a quote is not closed"),
        ('anna,"' + "1" * 200_000, "a quote is not closed"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(line: str, said: str) -> None:
    found = problems(read(f"name,number,groups\nberta,{BERTA},\n{line}\n"))
    ((number, reason),) = found
    assert number == 3
    assert reason.startswith(said)


def test_every_wrong_line_is_told() -> None:
    text = f"name,number\nanna,1\n\nberta,{BERTA}\n,\nclara,2\n"
    assert [line for line, _ in problems(read(text))] == [2, 6]


def test_a_record_over_several_lines_is_told_where_it_begins() -> None:
    text = f'name,number\n"an\n\nna",{ANNA}\nberta,1\n'
    assert [line for line, _ in problems(read(text))] == [2, 5]


def test_a_contact_that_another_line_makes_a_group() -> None:
    text = f"name,number,groups\nops,{ANNA},\nberta,{BERTA},OPS\n"
    assert problems(read(text)) == [(2, "this name is also that of a group, in line 3")]


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (b"", 0, "the file is empty"),
        (b" \r\n\n", 0, "the file is empty"),
        (codecs.BOM_UTF8, 0, "the file is empty"),
        (codecs.BOM_UTF8 + b"name,number\n\xff,1", 0, "the file is damaged"),
        (codecs.BOM_UTF16_LE + b"n", 0, "the file is damaged"),
        (b"\n,,\n", 0, "the file is empty"),
        (b"anna,+420601123456\n", 1, "the first line names the columns"),
        (b"name,groups\nanna,ops\n", 1, "the first line names the columns"),
        (b"name,number,mail\nanna,601123456,a@b.example\n", 1, "column 3 is none of"),
        (b"name,phone,number\nanna,601123456,601123456\n", 1, "a column stands there twice"),
        (b"name,number\n", 0, "there is nobody in the file"),
        (b"name,number\n,\n", 0, "there is nobody in the file"),
        (b'"name,number\nanna,601123456\n', 1, "a quote is not closed"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x81\x8d\x83\x90", 0, "the file is in an unknown"),
        (b"a" * (MOST_OCTETS + 1), 0, "the file has more than 1,000,000 octets"),
    ],
)
def test_a_file_that_is_none(data: bytes, line: int, said: str) -> None:
    ((number, reason),) = problems(read_csv(data, "CZ"))
    assert reason.startswith(said)
    assert number == line


def test_ten_thousand_rows_and_no_more() -> None:
    lines = [f"n{i},{ANNA}" for i in range(MOST_ROWS)]
    assert len(read("\n".join(["name,number", *lines])).rows) == MOST_ROWS
    found = read("\n".join(["name,number", *lines, "more,601123456", "and,more"]))
    assert problems(found) == [(MOST_ROWS + 2, "the file has more than 10,000 rows: split it")]


@given(
    st.binary(max_size=300) | st.text(max_size=300).map(str.encode), st.sampled_from(["CZ", "NO"])
)
def test_whatever_comes_is_read_or_told(data: bytes, region: str) -> None:
    found = read_csv(data, region)
    assert bool(found.rows) != bool(found.problems)


@given(st.text('anu,;|\t"\n+4206011234567.-', max_size=200))
def test_rows_come_whole_or_not_at_all(text: str) -> None:
    found = read(f"name,number,groups\n{text}")
    assert bool(found.rows) != bool(found.problems)
    assert len({row.name for row in found.rows}) == len(found.rows)
    assert list(found.problems) == sorted(found.problems, key=lambda each: each.line)
    for problem in found.problems:
        assert isinstance(problem, Problem)
