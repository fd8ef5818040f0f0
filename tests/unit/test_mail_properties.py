"""Whatever the octets: an answer, in bounded time; and the same answer as the standard library's."""

import email
import email.policy
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.smtp import automatic, body, footers, markers, quotes, simple
from bridge.smtp.extract import Policy, extract
from bridge.smtp.headers import parameters
from bridge.smtp.lines import Kind, Line, Traits
from bridge.smtp.mime import parse

AS_IS = Policy(subject="ignore")
WORDS = (
    b"From: a@b.example\r\n", b"Subject: =?utf-8?b?xZk=?= =?x\r\n", b"Content-Type: text/html\r\n",
    b"Content-Type: multipart/mixed; boundary=B\r\n", b"Content-Type: text/plain; charset=utf-7\r\n",
    b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"Content-Type: message/rfc822\r\n", b"\r\n", b"\n", b"\r", b"--B\r\n", b"--B--\r\n", b"> quote\r\n",
    b"-- \r\n", b"On 12 May 2026 at 9:03, Ops <o@b.example> wrote:\r\n", b"From: Ops\r\n", b"Sent: 12 May\r\n",
    b"To: Eva\r\n", b"-----Original Message-----\r\n", b"---------- Forwarded message ---------\r\n",
    b"Sent from my iPhone\r\n", b"<div style='display:none'>", b"<a href='http://x.example/'>", b"</a>", b"<td>",
    b"<blockquote type=cite>", b"<!--", b"<style>", b"&amp", b"##", b"$$", b"-----BEGIN PGP MESSAGE-----\r\n",
    b"\x00", b"\xff\xfe", b"\x1b$B", b"=C5=99", b"+AWE-", b"abc ", b"a: b\r\n", b" ", b"\xc5\x99", b"_" * 40,
)  # fmt: skip


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=12)), max_size=40))
def test_any_octets_give_an_answer(pieces: list[bytes]) -> None:
    found = extract(b"".join(pieces))
    assert found.text == found.text.rstrip()
    assert not set(found.text) & set(map(chr, range(9)))
    assert "\n" not in found.subject
    found.text.encode("utf-8")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=600))
def test_noise_gives_an_answer(noise: bytes) -> None:
    extract(noise).text.encode("utf-8")


LETTERS = st.text(
    st.characters(codec="utf-8", categories=("L", "Nd", "Po", "Zs"), exclude_characters="#$@<>{"),
    min_size=1,
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(LETTERS.map(lambda line: "x" + " ".join(line.split())), min_size=1, max_size=8),
    st.sampled_from(["7bit", "8bit", "quoted-printable", "base64"]),
    st.booleans(),
)
def test_what_the_standard_library_writes_is_read_alike(
    lines: list[str], encoding: str, multipart: bool
) -> None:
    written = EmailMessage(policy=email.policy.SMTP)
    written["From"], written["Subject"] = "Eva <eva@firma.example>", lines[0]
    if encoding == "7bit" and not "".join(lines).isascii():
        encoding = "base64"
    written.set_content("\n".join(lines), cte=encoding)
    if multipart:
        written.add_attachment(b"log", maintype="text", subtype="plain", filename="a.txt")
    raw = written.as_bytes()
    library = email.message_from_bytes(raw)
    body = next(part for part in library.walk() if not part.is_multipart())
    ours = parse(raw)
    shown = ours.children[0] if multipart else ours
    payload = body.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert shown.body.split() == payload.split()
    assert parameters(library["Content-Type"]).value == ours.content.value


QUOTABLE = st.sampled_from(
    [
        "From: Ops", "Sent: 12 May 2026", "To: Eva", "Subject: x", "Hello there", "a: b", "9:03", "", "--", "-- ", "____",
        "On 12 May 2026 at 9:03 Ops <o@b.example> wrote:", "Original message", "Original message:", "Eva", "**From:** x",
    ]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(QUOTABLE, max_size=6), st.booleans(), st.booleans())
def test_skipping_lines_without_a_clue_changes_nothing(
    texts: list[str], reply: bool, forward: bool
) -> None:
    lines = [Line(text, Kind.OWN) for text in texts]
    traits = Traits(reply, forward and not reply)
    assert quotes.part(lines, traits) == quotes._part(lines, traits)


MEGABYTE = 1_000_000
PLAIN = b"Subject: Re: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
RICH = b"Subject: Re: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        *((PLAIN, piece) for piece in (b":\n", b"> a\n", b"From: a\n", b"a wrote:\n", b"-- \n", b"--\na\n", b"a@", b"##", b"\xc5")),
        *((PLAIN, piece) for piece in (b"Sent from my iPhone\n", b"-----BEGIN PGP MESSAGE-----\n", b"begin 644 a\n", b"=", b" ")),
        (PLAIN + b"Done.\n", b">\n\n"), (PLAIN + b"\n" * 50_000, b"---\n>\n"), (PLAIN + b"a\n", b"_____ ESET\n"),
        *((RICH, piece) for piece in (b"<", b"<a ", b"<!--", b"<p>", b"<style>", b'<a href="', b"&", b"<td>", b"<ul><li>", b"a<p></p>")),
        *((b"Subject: ", piece) for piece in (b"=?utf-8?b?", b"=?utf-8?q?a?= ", b"<a@b", b" \r\n", b'"', b"(")),
        *((b"Content-Type: text/plain; ", piece) for piece in (b" \r\n", b";a=", b";a*1*=", b'a="')),
        *((b"", piece) for piece in (b"a: b\r\n", b"junk\r\n", b"Content-Type: message/rfc822\r\n\r\n", b"\r")),
        *((b"Content-Type: multipart/mixed; boundary=B\r\n\r\n", piece) for piece in (b"--B\r\n", b"--B", b"\r\n--Bx")),
    ],
)  # fmt: skip
def test_a_hostile_megabyte_is_read_to_its_end(head: bytes, piece: bytes) -> None:
    # Work that grew with the square of the size would keep this test from ever ending.
    extract(head + piece * (MEGABYTE // len(piece)))


def test_markup_that_shows_more_than_any_sms_is_cut_and_not_lost() -> None:
    assert len(extract(RICH + b"<p>" + b"a" * 200_000 + b"</p>").text) == body.MAX_TEXT
    assert 0 < len(extract(RICH + b"<p>a</p>" * 90_000).text) <= body.MAX_TEXT


def test_nesting_is_bounded() -> None:
    levels = b"".join(
        f"Content-Type: multipart/mixed; boundary=B{n}\r\n\r\n--B{n}\r\n".encode()
        for n in range(5000)
    )
    assert extract(levels, AS_IS).text == ""


def test_markers_leave_text_without_any_as_it_is() -> None:
    assert markers.between("a # b $ c", ()) == ("a # b $ c", "")


FIELDS = st.sampled_from(
    [
        b"From: a@b.example", b"From: Eva <e@b.example> ", b"To: 1@sms.example", b"Subject: Pump 3", b"subject:", b"Subject",
        b"Subject: =?utf-8?q?a?=", b"Subject: Re: a", b"Message-ID: <1@b.example>", b"Date: today", b"X-Odd: 1", b" folded",
        b"Content-Type: text/plain", b"Content-Type: text/plain; charset=UTF-8", b"Content-Type: text/html", b"Content-Type:",
        b"Content-Type: text/plain; format=flowed", b"Content-Type: text/plain; charset=utf-7", b"Content-Type: multipart/mixed",
        b"Content-Type: text/plain; name=a.txt", b"Content-Transfer-Encoding: 7bit", b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: quoted-printable", b"X-Priority:\t1", b"Auto-Submitted: auto-generated", b"Precedence: list",
        b"Content-Disposition: attachment", b"To : a", b": a", b"no field", b"In-Reply-To: <0@b.example>", b"Received: a", b"",
    ]
)  # fmt: skip
#: Every field that a step of mail → text looks at.
FIELDS_READ = (
    *automatic._HINTS, "from", "subject", "subject*", "message-id", "in-reply-to", "references", "importance", "x-priority",
    "content-type", "content-transfer-encoding", "content-disposition", "x-mailer", "user-agent", "x-cron-env", "x-sms-bridge",
    "x-failed-recipients", "received",
)  # fmt: skip
BODY = st.sampled_from(
    [
        b"Disk at 93 % on db1", b"load=3.2", b"caf=C3=A9", b"a =", b"<b>bold</b>", b"<meta charset=utf-7>+AWE-", b"> quote",
        b" > quote", b"-- ", b"begin 644 a", b"`", b"end", b"-----BEGIN PGP MESSAGE-----", b"", b" ", b"\t", b"a\rb", b"\xc5\x99",
        b"##x##", b"a: b", b"[cid:a.png]", b"[image: a.png]", b"Sent from my iPhone", b"\x7f", b"\x0c",
    ]
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(FIELDS, max_size=6), st.lists(BODY, max_size=4), st.sampled_from([b"\r\n", b"\n"]))
def test_the_short_way_reads_what_the_long_one_reads(
    fields: list[bytes], lines: list[bytes], newline: bytes
) -> None:
    raw = newline.join([*fields, b"", *lines])
    short = simple.read(raw)
    if short is None:
        return
    head, readings = short
    mail = parse(raw)
    assert readings == body.read(mail)
    assert {name: head.first(name) for name in FIELDS_READ} == {
        name: mail.headers.first(name) for name in FIELDS_READ
    }
    assert [name in head for name in FIELDS_READ] == [n in mail.headers for n in FIELDS_READ]
    assert "received" not in mail.headers


def test_a_plain_alert_takes_the_short_way() -> None:
    raw = b"From: a@b.example\r\nSubject: Disk\r\n\r\nload=3.2 at 9:03\r\n"
    assert simple.read(raw) is not None


@pytest.mark.parametrize(
    "body", [b"Plan:\r\n[cid:image001.png@01DC]\r\n", b"begin 644 a\r\n#0V%T\r\n`\r\nend\r\n"]
)
def test_what_the_long_way_drops_the_short_way_leaves_to_it(body: bytes) -> None:
    assert simple.read(b"From: a@b.example\r\nSubject: Plan\r\n\r\n" + body) is None


@given(st.from_regex(footers.FROM_FAR_EAST, fullmatch=True))
def test_a_device_line_of_the_far_east_is_beyond_ascii(line: str) -> None:
    """So that a line of ASCII need not be held against it."""
    assert not line.isascii()
    assert footers.is_device_line(line)
