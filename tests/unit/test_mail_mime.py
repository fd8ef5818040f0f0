"""Parts, transfer encodings and headers, whole and broken, and the text each should give."""

import base64
import quopri

import pytest

from bridge.smtp.extract import Extracted, Policy, extract

AS_IS = Policy(subject="ignore")
HEAD = (
    b"From: =?utf-8?q?Eva_Mal=C3=A1?= <eva@firma.example>\r\nSubject: Gate\r\nMIME-Version: 1.0\r\n"
)
GATE = "Vrata č. 2 jsou otevřená."


def read(raw: bytes) -> Extracted:
    return extract(raw, AS_IS)


def text(raw: bytes) -> str:
    return read(raw).text


def parts(kind: str, *pieces: bytes, end: bytes = b"--B--\r\n") -> bytes:
    """A multipart mail with boundary B."""
    body = b"".join(b"--B\r\n" + piece + b"\r\n" for piece in pieces)
    return HEAD + f'Content-Type: multipart/{kind}; boundary="B"\r\n\r\n'.encode() + body + end


def part(body: str | bytes, kind: str = "text/plain; charset=utf-8", *fields: str) -> bytes:
    data = body if isinstance(body, bytes) else body.encode()
    head = "".join(f"{field}\r\n" for field in (f"Content-Type: {kind}", *fields))
    return head.encode() + b"\r\n" + data


def single(body: bytes, *fields: str) -> bytes:
    return HEAD + "".join(f"{field}\r\n" for field in fields).encode() + b"\r\n" + body


HTML = "text/html; charset=utf-8"
PICTURE = part(b"AAAA", "image/png; name=a.png", "Content-Transfer-Encoding: base64")
ATTACHED = "Content-Disposition: attachment; filename="


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(parts("alternative", part("Open."), part("<p>Open.</p>", HTML)), "Open.", id="plain-first"),
        pytest.param(parts("alternative", part("<p>Open.</p>", HTML), part("Open.")), "Open.", id="html-first"),
        pytest.param(parts("alternative", part(""), part("<p>Open.</p>", HTML)), "Open.", id="plain-empty"),
        pytest.param(parts("alternative", part("\u00a0\r\n"), part("<p>Open.</p>", HTML)), "Open.", id="plain-nbsp"),
        pytest.param(
            parts("alternative", part("Your e-mail client does not support HTML messages."), part("<p>Open.</p>", HTML)),
            "Open.", id="placeholder-en",
        ),
        pytest.param(
            parts("alternative", part("Váš poštovní program nepodporuje HTML."), part("<p>Otevřeno.</p>", HTML)),
            "Otevřeno.", id="placeholder-cs",
        ),
        pytest.param(
            parts("alternative", part("View this email in your browser: https://x.example/1"), part("<p>Open.</p>", HTML)),
            "Open.", id="placeholder-browser",
        ),
        pytest.param(
            parts("alternative", part("https://x.example/1"), part("<p>Open.</p>", HTML)), "Open.", id="only-an-address",
        ),
        pytest.param(
            parts("alternative", part("Dve?e ?. 4 jsou otev?en?"), part("<p>Dveře č. 4 jsou otevřené</p>", HTML)),
            "Dveře č. 4 jsou otevřené", id="plain-lossy",
        ),
        pytest.param(
            parts("alternative", part("Inspection"), part("<p>Inspection</p><p>Boiler on 14 May at 8:00, room 3.</p>", HTML)),
            "Inspection\n\nBoiler on 14 May at 8:00, room 3.", id="plain-poorer",
        ),
        pytest.param(
            parts("alternative", part("Is it open? Call me."), part("<p>Is it <b>open</b>? Call me.</p>", HTML)),
            "Is it open? Call me.", id="question-marks-are-fine",
        ),
        pytest.param(
            parts("mixed", part("Leak here:"), PICTURE, part("Second valve.")), "Leak here:\nSecond valve.", id="text-picture-text",
        ),
        pytest.param(
            parts("mixed", part("See log."), part("oops", "text/plain; name=a.txt", "Content-Disposition: inline; filename=a.txt")),
            "See log.", id="inline-named-text",
        ),
        pytest.param(
            parts("mixed", part("See log."), part("a;b", "text/csv", ATTACHED + "a.csv"), part("x", "text/plain", ATTACHED + "b.txt")),
            "See log.", id="attachments",
        ),
        pytest.param(
            parts("mixed", part("See log."), part("<p>x</p>", "text/html", ATTACHED + "b.html")), "See log.", id="html-attached",
        ),
        pytest.param(
            parts("mixed", part("", "text/plain"), part("From: a@b.example\r\nSubject: x\r\n\r\nThe code is 4417.", "message/rfc822")),
            "The code is 4417.", id="forwarded-as-attachment",
        ),
        pytest.param(
            parts("mixed", part("See below."), part("Subject: x\r\n\r\nInner.", "message/rfc822")), "See below.", id="own-text-and-enclosed",
        ),
        pytest.param(
            parts("mixed", part("Call me."), part("eJ8+", 'application/ms-tnef; name="winmail.dat"', "Content-Transfer-Encoding: base64")),
            "Call me.", id="text-and-winmail",
        ),
        pytest.param(
            parts("signed", part("Door 9917."), part("AAAA", "application/pgp-signature; name=signature.asc")), "Door 9917.", id="pgp-mime-signed",
        ),
        pytest.param(
            parts("encrypted", part("Version: 1", "application/pgp-encrypted"), part("-----BEGIN PGP MESSAGE-----", "application/octet-stream")),
            "", id="pgp-mime-encrypted",
        ),
        pytest.param(
            parts("alternative", part("Open."), part("BEGIN:VCALENDAR", "text/calendar")), "Open.", id="calendar",
        ),
        pytest.param(
            parts("alternative", part("Open."), part("<p>x</p>", "text/x-amp-html"), part("<p>Open.</p>", HTML)), "Open.", id="amp",
        ),
        pytest.param(
            parts("related", part('<p>Open <img src="cid:1"></p>', HTML), PICTURE), "Open", id="related-html",
        ),
    ],
)  # fmt: skip
def test_the_shown_text_is_found_among_parts(raw: bytes, expected: str) -> None:
    assert text(raw) == expected


def test_alternative_of_plain_and_html_with_pictures() -> None:
    inner = b"--C\r\n" + part("<p>Open.</p>", HTML) + b"\r\n--C\r\n" + PICTURE + b"\r\n--C--\r\n"
    raw = parts("alternative", part("Open."), part(inner, 'multipart/related; boundary="C"'))
    assert text(raw) == "Open."


def test_mixed_holding_an_alternative_whose_plain_part_is_a_placeholder() -> None:
    inner = (
        b"--C\r\n" + part("Please use an HTML mail reader.") + b"\r\n--C\r\n"
        + part("<p>Boiler at 8:00.</p>", HTML) + b"\r\n--C--\r\n"
    )  # fmt: skip
    raw = parts("mixed", part(inner, 'multipart/alternative; boundary="C"'), PICTURE)
    assert text(raw) == "Boiler at 8:00."


def test_mailmans_footer_part_is_cut() -> None:
    line = "_" * 47
    footer = part(f"{line}\r\nOps mailing list\r\nhttps://lists.firma.example/listinfo/ops")
    assert text(parts("mixed", part("Open."), footer)) == "Open."


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(parts("mixed", part(GATE), end=b""), id="no-end"),
        pytest.param(parts("mixed", part(GATE), end=b"").rstrip(b"\r\n"), id="cut-off"),
        pytest.param(parts("mixed", part(GATE)).replace(b'; boundary="B"', b""), id="no-boundary-parameter"),
        pytest.param(parts("mixed", part(GATE)).replace(b'"B"', b'"other"'), id="wrong-boundary-parameter"),
        pytest.param(parts("mixed", part(GATE)).replace(b"--B", b"--B "), id="space-after-boundary"),
        pytest.param(parts("mixed", b"\r\n" + GATE.encode()), id="part-without-header"),
        pytest.param(parts("mixed", part(GATE)).replace(b"\r\n", b"\n"), id="bare-lf"),
        pytest.param(parts("mixed", part(GATE)).replace(b"\r\n", b"\r"), id="bare-cr"),
        pytest.param(parts("mixed", part(GATE)).replace(b"\r\n", b"\r\r\n"), id="cr-cr-lf"),
        pytest.param(single(GATE.encode()), id="no-content-type"),
        pytest.param(single(GATE.encode(), "Content-Type: text"), id="half-a-content-type"),
        pytest.param(single(GATE.encode(), "Content-Type: text/plain charset=utf-8"), id="no-semicolon"),
        pytest.param(single(GATE.encode(), "Content-Type: ;;;"), id="senseless-content-type"),
        pytest.param(single(GATE.encode(), "Content-Type: multipart/mixed"), id="multipart-that-is-none"),
        pytest.param(single(GATE.encode(), 'Content-Type: multipart/mixed; boundary="Z"'), id="multipart-without-parts"),
        pytest.param(single(GATE.encode(), "Content-Transfer-Encoding: 8-bit"), id="unknown-encoding"),
        pytest.param(single(GATE.encode(), "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64"), id="not-base64"),
        pytest.param(single(base64.b64encode(GATE.encode()), "Content-Transfer-Encoding: BASE64"), id="base64-capitals"),
        pytest.param(single(base64.b64encode(GATE.encode()).rstrip(b"="), "Content-Transfer-Encoding: base64"), id="base64-no-padding"),
        pytest.param(single(base64.b64encode(GATE.encode())[:20] + b"!\r\n" + base64.b64encode(GATE.encode())[20:], "Content-Transfer-Encoding: base64"), id="base64-junk"),
        pytest.param(single(b"\r\n".join(base64.b64encode(GATE.encode())[n:n + 7] for n in range(0, 40, 7)), "Content-Transfer-Encoding: base64"), id="base64-odd-lines"),
        pytest.param(single(base64.b64encode(GATE.encode()) + b"\r\n\r\nfooter of a list\r\n", "Content-Transfer-Encoding: base64"), id="base64-then-text"),
        pytest.param(single(quopri.encodestring(GATE.encode()), "Content-Transfer-Encoding: Quoted-Printable"), id="qp"),
        pytest.param(single(quopri.encodestring(GATE.encode()), "Content-Type: text/plain; charset=utf-8"), id="qp-unlabelled"),
        pytest.param(single(quopri.encodestring(GATE.encode()).replace(b"=C4", b"=c4"), "Content-Transfer-Encoding: quoted-printable"), id="qp-small-hex"),
        pytest.param(single(quopri.encodestring(GATE.encode())[:6] + b"=  \r\n" + quopri.encodestring(GATE.encode())[6:], "Content-Transfer-Encoding: quoted-printable"), id="qp-spaces-after-soft-break"),
        pytest.param(b"From MAILER Tue May 12\r\n" + single(GATE.encode()), id="mbox-from"),
        pytest.param(b"\r\n\r\n" + single(GATE.encode()), id="blank-lines-first"),
        pytest.param(HEAD + b"This line is no header\r\nTo: x@y.example\r\n\r\n" + GATE.encode(), id="junk-among-headers"),
        pytest.param(HEAD + GATE.encode(), id="no-blank-line"),
        pytest.param(GATE.encode(), id="no-header"),
        pytest.param(b"\r\n" + GATE.encode(), id="empty-header"),
        pytest.param(single(base64.b64encode(GATE.encode("utf-16")), "Content-Transfer-Encoding: base64"), id="utf-16-bom"),
        pytest.param(single(b"\xef\xbb\xbf" + GATE.encode()), id="utf-8-bom"),
        pytest.param(single("\0".join(GATE).encode()[:0] + GATE.replace(" ", "\0 ").encode()), id="nul"),
        pytest.param(single(GATE.encode() + b"\xc5"), id="cut-inside-a-character"),
    ],
)  # fmt: skip
def test_a_broken_mail_still_gives_its_text(raw: bytes) -> None:
    assert text(raw) == GATE


def test_bad_quoted_printable_stays_readable() -> None:
    raw = single(b"a=5, b=ZZ, c=3D4=\r\nend =", "Content-Transfer-Encoding: quoted-printable")
    assert text(raw).startswith("a=5, b=ZZ, c=4end")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (b"=?utf-8?q?P=C5=99=C3=ADli=C5=A1_=C5=BElu=C5=A5ou=C4=8Dk=C3=BD?= kun", "Příliš žluťoučký kun"),
        (b"=?UTF-8?B?xIxlcnBhZGxv?= =?UTF-8?B?IMSNLiAz?=", "Čerpadlo č. 3"),
        (b"=?utf-8?q?=C4?= =?utf-8?q?=8Derpadlo?=", "čerpadlo"),
        (b"=?utf-8?b?xA==?=\r\n =?utf-8?b?jWVycA==?=", "čerp"),
        (b"=?utf-8?Q?a?= =?iso-8859-2?Q?=F8?=", "ař"),
        (b"=?utf-8?q?a?=b=?utf-8?q?c?=", "abc"),
        (b"=?utf-8*cs?q?=C5=99?=", "ř"),
        (b"=?utf-8?q?two words?=", "two words"),
        (b"=?x-unknown?q?=C5=99?=", "ř"),
        (b"=?utf-8?b?broken", "=?utf-8?b?broken"),
        (b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        (b"=?utf-8?b?xZk?=", "ř"),
        (b"=?windows-1250?B?UPjt?=", "Pří"),
        (b"=?iso-2022-jp?B?GyRCTEBGfBsoQg==?=", "明日"),
        (b"=?koi8-r?B?8NLJ18XU?=", "Привет"),
        (b"=?gb2312?B?xOO6ww==?=", "你好"),
        ("Čerpadlo č. 3".encode(), "Čerpadlo č. 3"),
        ("Čerpadlo je otevřené".encode("cp1250"), "Čerpadlo je otevřené"),
        (b"folded\r\n\tsubject\r\n  line", "folded subject line"),
        (b"", ""),
    ],
)  # fmt: skip
def test_subjects(field: bytes, expected: str) -> None:
    assert read(b"Subject: " + field + b"\r\n\r\nx").subject == expected


def test_a_subject_written_as_a_parameter() -> None:
    assert read(b"Subject*: utf-8'cs'P%C5%99%C3%ADli%C5%A1\r\n\r\nx").subject == "Příliš"


def test_the_boundary_may_be_continued_and_encoded() -> None:
    raw = parts("mixed", part(GATE)).replace(
        b'boundary="B"', b"boundary*0*=us-ascii''%42;\r\n boundary*1="
    )
    assert text(raw) == GATE


def test_octets_of_no_charset_in_parameters_are_read() -> None:
    raw = b"Content-Type: text/plain; charset*=utf-8''\xff; name*0*=\xfe\r\n\r\nGate 2\r\n"
    assert extract(raw).text == "Gate 2"


def test_facts_with_octets_of_no_charset_can_be_stored() -> None:
    raw = (
        b"From: Ops <op\xf9s@firma.example>\r\nMessage-ID: <1\xda@firma.example>\r\n"
        b"In-Reply-To: \xf5\r\nReferences: <a\xf5@firma.example>\r\n\r\nGate 2\r\n"
    )
    found = extract(raw)
    facts = [found.sender, found.message_id, found.in_reply_to, *found.references]
    assert "".join(facts).isprintable()
    assert all(fact.encode("utf-8") for fact in facts)


def test_facts_of_the_header() -> None:
    raw = (
        b'From: "Mal\xc3\xa1, Eva" <eva@firma.example>\r\nMessage-ID: <1@a.example>\r\n'
        b"In-Reply-To: <0@a.example> (hm)\r\nReferences: <x@a.example>\r\n <y@a.example>\r\n"
        b"X-Priority: 1 (Highest)\r\n\r\nx"
    )  # fmt: skip
    found = read(raw)
    assert found.sender == "eva@firma.example"
    assert found.message_id == "<1@a.example>"
    assert found.in_reply_to == "<0@a.example>"
    assert found.references == ("<x@a.example>", "<y@a.example>")
    assert found.urgent
    assert read(b"Importance: HIGH\r\n\r\nx").urgent
    assert not read(b"X-Priority: 3\r\nImportance: normal\r\n\r\nx").urgent


def test_a_tenants_wishes() -> None:
    policy = Policy(subject="first-line", prefix="ACME:", end_markers=("//",))
    assert extract(b"Subject: Gate\r\n\r\nOpen // Eva", policy).text == "ACME: Gate\nOpen"
    loop = Policy(own_domains=("sms.example",))
    assert extract(b"From: a@SMS.example\r\n\r\nx", loop).automatic == "loop"
    assert extract(b"From: a@b.example\r\n\r\nx", loop).automatic is None
