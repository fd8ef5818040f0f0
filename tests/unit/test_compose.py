"""Composed mails, read back by the standard library's parser."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.errors import Refused
from bridge.smtp import compose
from bridge.smtp.compose import Action, Explanation, Fate
from bridge.smtp.letter import Letter, Thread, message_id

AT = 1_800_000_000.25
THREAD = Thread(
    "<mail-1@acme.example>", "<first@acme.example> <second@acme.example>", "Server room"
)
REPLY = "r-abcdefghijklmnopqrstuvwxyz234567abcdefgh@sms.example"
ID = message_id("answer", 7, AT, "sms.example")


def a_letter(**changes: Any) -> Letter:
    return Letter(
        **{
            "to": "anna@acme.example",
            "sender": REPLY,
            "name": "+420601123456",
            "message_id": ID,
            "at": AT,
            "thread": THREAD,
        }
        | changes
    )


def read(octets: bytes) -> EmailMessage:
    mail = message_from_bytes(octets, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert not [defect for part in mail.walk() for defect in part.defects]
    return mail


def body(mail: EmailMessage) -> str:
    return str(mail.get_content()).replace("\r\n", "\n")


def well_formed(octets: bytes, *, ascii_only: bool = True) -> None:
    assert octets.isascii() or not ascii_only
    lines = octets.split(b"\r\n")
    assert lines[-1] == b""
    assert all(b"\r" not in line and b"\n" not in line for line in lines)
    assert max(map(len, lines)) <= 998


# --- answers


def test_an_answer_is_a_mail_in_the_writers_thread() -> None:
    octets = compose.answer(a_letter(name="Jan Novák"), "Ano, přijdu.")
    well_formed(octets)
    mail = read(octets)
    assert mail["From"].addresses[0].display_name == "Jan Novák"
    assert mail["From"].addresses[0].addr_spec == REPLY
    assert mail["To"] == "anna@acme.example"
    assert mail["Subject"] == "Re: Server room"
    assert mail["In-Reply-To"] == "<mail-1@acme.example>"
    assert mail["References"].split() == [
        "<first@acme.example>",
        "<second@acme.example>",
        "<mail-1@acme.example>",
    ]
    assert mail["Message-ID"] == ID
    assert parsedate_to_datetime(mail["Date"]).timestamp() == int(AT)
    assert mail["X-SMS-Bridge"] == "answer"
    assert body(mail) == f"Ano, přijdu.\n\n-- \n{compose.FOOTER}\n"


def test_an_answer_is_a_persons_and_asks_for_no_holiday_notice() -> None:
    mail = read(compose.answer(a_letter(), "yes"))
    assert mail["Auto-Submitted"] is None
    assert mail["X-Auto-Response-Suppress"] == "OOF, AutoReply"


def test_the_same_answer_is_the_same_mail() -> None:
    assert compose.answer(a_letter(), "yes") == compose.answer(a_letter(), "yes")
    assert message_id("answer", 7, AT, "sms.example") == ID
    assert message_id("answer", 7, AT + 1, "sms.example") != ID
    assert message_id("report", 7, AT, "sms.example") != ID


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Server room", "Re: Server room"),
        ("Re: Server room", "Re: Server room"),
        ("RE: Server room", "RE: Server room"),
        ("Žluťoučký kůň", "Re: Žluťoučký kůň"),
        ("", "SMS from +420601123456"),
        (" \r\n ", "SMS from +420601123456"),
        ("a\r\nBcc: x@evil.test", "Re: a Bcc: x@evil.test"),
    ],
)
def test_the_subject_follows_the_writers(subject: str, expected: str) -> None:
    mail = read(compose.answer(a_letter(thread=Thread(subject=subject)), "yes"))
    assert mail["Subject"] == expected
    assert mail["Bcc"] is None


def test_without_a_mail_to_answer_there_is_no_thread() -> None:
    mail = read(compose.answer(a_letter(thread=Thread(message_id="not an id")), "yes"))
    assert mail["In-Reply-To"] is None
    assert mail["References"] is None


def test_long_message_ids_stay_as_they_are() -> None:
    long = f"<{'a' * 200}@acme.example>"
    octets = compose.answer(a_letter(thread=Thread(long, f"{long[:-1]}2> " * 2)), "yes")
    well_formed(octets)
    assert b"=?" not in octets
    assert read(octets)["In-Reply-To"] == long


def test_endless_references_lose_their_middle() -> None:
    many = " ".join(f"<{i}@acme.example>" for i in range(1000))
    references = read(compose.answer(a_letter(thread=Thread("<last@x>", many)), "yes"))[
        "References"
    ].split()
    assert references[0] == "<0@acme.example>"
    assert references[-2:] == ["<999@acme.example>", "<last@x>"]
    assert len(" ".join(references)) < 1000


def test_an_address_beyond_ascii_needs_smtputf8_and_gets_it() -> None:
    octets = compose.answer(a_letter(to="žofie@acme.example"), "ano")
    well_formed(octets, ascii_only=False)
    assert "To: žofie@acme.example\r\n".encode() in octets


@pytest.mark.parametrize(
    "to",
    [
        "",
        "anna",
        "anna@",
        "a@b, c@d",
        "anna@acme.example\r\nBcc: x@evil.test",
        "a b@acme.example",
        "<>",
    ],
)
def test_what_is_no_address_is_refused(to: str) -> None:
    with pytest.raises(Refused):
        compose.answer(a_letter(to=to), "yes")


texts = st.text(st.characters(codec=None), max_size=300)


@given(texts, texts, texts, texts)
@example("a\r\n.\r\nb", "x\r\nBcc: y@evil.test\r\n\r\nbody", "=?utf-8?q?a?=", "<a@b>\r\nX: y")
@example("\ud800", "\ud800", '"quoted" \\ name', "\x00")
@example("a\x0b\x0c\x1c\x85\u2028b", "á" * 300, "á" * 300, "<" + "a" * 300 + "@b>")
@example("=" * 300 + " ", "a" * 300, ",;:<>@[]()", "<é@b>")
def test_whatever_people_write_stays_where_it_belongs(
    text: str, subject: str, name: str, ids: str
) -> None:
    octets = compose.answer(a_letter(name=name, thread=Thread(ids, ids, subject)), text)
    well_formed(octets)
    headers = octets.split(b"\r\n\r\n", 1)[0]
    names = re.findall(rb"^([^\s:]+):", headers, re.MULTILINE)
    assert set(names) <= {
        b"From",
        b"To",
        b"Subject",
        b"Date",
        b"Message-ID",
        b"In-Reply-To",
        b"References",
        b"X-SMS-Bridge",
        b"X-Auto-Response-Suppress",
        b"Content-Type",
        b"Content-Transfer-Encoding",
        b"MIME-Version",
    }
    assert len(names) == len(set(names))
    mail = read(octets)
    assert [address.addr_spec for address in mail["From"].addresses] == [REPLY]
    expected = re.sub(
        r"\r\n?", "\n", text.encode("utf-8", "replace").decode("utf-8").rstrip("\r\n")
    )
    assert body(mail) == f"{expected}\n\n-- \n{compose.FOOTER}\n"


# --- reports

FAILED = Fate(
    "+420601123456@sms.example",
    "+420601123456",
    Action.FAILED,
    "5.1.1",
    "the number does not exist",
    "check the number",
)
LATE = Fate(
    "777123456@sms.example", "+420777123456", Action.DELAYED, "4.4.1", "the phone is switched off"
)
GOOD = Fate("anna@sms.example", "Anna", Action.DELIVERED, "2.0.0")


def a_report(*fates: Fate, **options: Any) -> tuple[EmailMessage, list[EmailMessage]]:
    octets = compose.report(
        a_letter(name="SMS bridge", sender="postmaster@sms.example"),
        fates,
        reporting_mta="sms.example",
        **options,
    )
    well_formed(octets)
    mail = read(octets)
    return mail, list(mail.iter_parts())  # type: ignore[arg-type]


def test_a_report_is_a_delivery_status_notification() -> None:
    mail, parts = a_report(
        FAILED,
        LATE,
        GOOD,
        arrived=AT - 60,
        original_headers="From: anna@acme.example\r\nSubject: ž\r\n".encode(),
    )
    assert mail.get_content_type() == "multipart/report"
    assert mail.get_param("report-type") == "delivery-status"
    assert (mail["Auto-Submitted"], mail["X-SMS-Bridge"]) == ("auto-replied", "report")
    assert mail["Subject"] == "Not delivered: Server room"
    assert mail["In-Reply-To"] == THREAD.message_id
    assert [part.get_content_type() for part in parts] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    about, *recipients = parts[1].get_payload()  # type: ignore[misc]
    assert about["Reporting-MTA"] == "dns; sms.example"
    assert parsedate_to_datetime(about["Arrival-Date"]).timestamp() == int(AT - 60)
    assert [
        (group["Final-Recipient"], group["Action"], group["Status"]) for group in recipients
    ] == [
        ("rfc822; +420601123456@sms.example", "failed", "5.1.1"),
        ("rfc822; 777123456@sms.example", "delayed", "4.4.1"),
        ("rfc822; anna@sms.example", "delivered", "2.0.0"),
    ]
    assert recipients[0]["Diagnostic-Code"] == "x-sms; the number does not exist"
    assert recipients[2]["Diagnostic-Code"] is None
    assert "Subject: ž" in str(parts[2].get_payload(decode=True), "utf-8")  # type: ignore[arg-type]


def test_a_report_says_in_plain_words_what_became_of_each() -> None:
    _, parts = a_report(FAILED, LATE, GOOD)
    assert body(parts[0]) == (
        "The SMS to +420601123456 was not delivered.\nWhy: the number does not exist\nWhat to do: check the number\n\n"
        "The SMS to +420777123456 is not delivered yet. Nothing is lost: it is still being tried.\nWhy: the phone is switched off\n\n"
        "The SMS to Anna was delivered.\n"
    )


@pytest.mark.parametrize(
    ("fates", "title"),
    [([GOOD], "Delivered"), ([GOOD, LATE], "Delayed"), ([LATE, FAILED], "Not delivered")],
)
def test_the_worst_fate_gives_the_title(fates: list[Fate], title: str) -> None:
    assert a_report(*fates)[0]["Subject"] == f"{title}: Server room"


def test_a_recipient_beyond_ascii_is_escaped() -> None:
    _, parts = a_report(Fate("žofie@sms.example", "Žofie", Action.FAILED, "5.1.1"))
    assert parts[1].get_payload()[1]["Final-Recipient"] == "utf-8; \\x{17E}ofie@sms.example"  # type: ignore[index,union-attr]


@given(texts, st.binary(max_size=300))
@example("\U0001f4de" * 300, b"")
def test_whatever_a_carrier_says_stays_where_it_belongs(words: str, headers: bytes) -> None:
    fate = Fate(f"a@b\r\nX: {words}", words, Action.FAILED, "5.0.0", words, words)
    mail, parts = a_report(fate, original_headers=headers)
    assert mail["X"] is None
    groups = parts[1].get_payload()
    assert len(groups) == 2
    assert set(groups[1].keys()) <= {"Final-Recipient", "Action", "Status", "Diagnostic-Code"}  # type: ignore[index,union-attr]


def test_the_same_report_is_the_same_mail() -> None:
    once, again = (
        compose.report(a_letter(), [FAILED], reporting_mta="sms.example") for _ in range(2)
    )
    assert once == again


# --- explanations and the inbox


def test_an_explanation_tells_what_would_be_sent() -> None:
    told = Explanation(
        "+420601123456", "Voda\nteče", "", "ucs2", (67, 10), ("quote-cut", "signature-dashes")
    )
    mail = read(compose.explained(a_letter(), told))
    assert (mail["Auto-Submitted"], mail["X-SMS-Bridge"]) == ("auto-replied", "explain")
    assert body(mail) == (
        "Nothing was sent. This is what your mail would have become.\n\nTo: +420601123456\n"
        "Size: 2 parts in ucs2, units 67 + 10\nText:\n\n    Voda\n    teče\n\n"
        "Rules that shaped it:\n  - quote-cut\n  - signature-dashes\n"
    )


def test_an_explanation_tells_why_nothing_would_be_sent() -> None:
    told = Explanation("+420601123456", refused="the text has 9 parts, 6 are allowed", units=(153,))
    assert "It would be refused: the text has 9 parts, 6 are allowed\nSize: 1 part" in body(
        read(compose.explained(a_letter(), told))
    )


def test_the_inbox_gets_what_nobody_waits_for() -> None:
    mail = read(
        compose.inbox(
            a_letter(thread=Thread()),
            "SMS from +420601123456",
            "Kdo jste?",
            note="No conversation with this number is open.",
        )
    )
    assert mail["Subject"] == "SMS from +420601123456"
    assert mail["Auto-Submitted"] is None
    assert body(mail) == "Kdo jste?\n\n-- \nNo conversation with this number is open.\n"


def test_a_notice_to_the_inbox_is_automatic() -> None:
    mail = read(
        compose.inbox(a_letter(), "Opt-out", "+420601123456 wants no more SMS.", automatic=True)
    )
    assert mail["Auto-Submitted"] == "auto-generated"
    assert body(mail) == "+420601123456 wants no more SMS.\n"
