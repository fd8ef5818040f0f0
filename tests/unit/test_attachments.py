"""Which parts of a mail are files, which of them are refused and why, and what a text ends with."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import explain
from bridge.dispatch import attaching
from bridge.dispatch.fit import fit
from bridge.errors import Refused
from bridge.smtp.dangers import why_not
from bridge.smtp.enclosed import ORNAMENT, Enclosed, files

PDF = b"%PDF-1.7\n" + b"x" * 3000
PNG = b"\x89PNG\r\n\x1a\n"
JPG = b"\xff\xd8\xff\xe0" + b"\0" * 500


@dataclass(frozen=True)
class Limits:
    """A tenant's."""

    attachment_size: int = 5_000_000
    attachment_mail_size: int = 10_000_000
    attachment_count: int = 10
    name: str = "acme"
    encoding: str = "auto"
    max_parts: int = 6
    over_limit: str = "refuse"


def a_mail(*attached: tuple[str, bytes], text: str = "See the files", html: str = "") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "eva@acme.example", "x@sms.example", "Files"
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    for name, data in attached:
        mail.add_attachment(data, "application", "octet-stream", filename=name)
    return mail.as_bytes()


def found(raw: bytes, limits: Limits = Limits()) -> list[Enclosed]:
    return list(files(raw, limits))


def a_zip(*names: str, password: bool = False) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"content")  # the same at any time
    data = bytearray(written.getvalue())
    if password:  # the flag of APPNOTE.TXT 4.4.4, in each entry of the directory
        at = data.find(b"PK\x01\x02")
        while at >= 0:
            data[at + 8] |= 1
            at = data.find(b"PK\x01\x02", at + 1)
    return bytes(data)


# Names and contents


@pytest.mark.parametrize(
    "name",
    [
        *("invoice.exe", "INVOICE.EXE", "invoice.pdf.exe", "invoice.exe.pdf", "a.scr", "a.js"),
        *("evil.exe.", "evil.exe ", "run.bat", "a.lnk", "a.vbs", "a.jar", "a.docm", "a.html"),
        *("a.svg", "a.iso", "a.rar", "a.tar.gz", "a.7z", "a.msg", "a.reg"),
        *("fdp.\u202eexe", "a\u200b.pdf"),
    ],
)
def test_names_that_are_refused(name: str) -> None:
    assert why_not(name, "application/octet-stream", PDF)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("offer.pdf", PDF),
        ("www.firm.com.pdf", PDF),
        ("node.js notes.pdf", PDF),
        ("photo.JPG", JPG),
        ("v1.2.txt", b"words"),
        ("Příloha č. 3.pdf", PDF),
        ("README", b"words"),
        ("invite.ics", b"BEGIN:VCALENDAR"),
        ("files.zip", a_zip("a.pdf", "folder/b.txt")),
        ("table.xlsx", a_zip("[Content_Types].xml", "xl/workbook.xml")),
    ],
)
def test_what_passes(name: str, data: bytes) -> None:
    assert why_not(name, "application/octet-stream", data) == ""


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("offer.pdf", b"MZ\x90\0" + b"\0" * 100, "programs"),
        ("offer.pdf", b"\x7fELF" + b"\0" * 100, "programs"),
        ("notes.txt", b"#!/bin/sh\nrm -rf /", "programs"),
        ("offer.pdf", b"<html><script>", "no PDF"),
        ("photo.png", JPG, "no PNG"),
        ("photo.jpg", b"Rar!\x1a\x07", "looked into"),
        ("data.csv", b"\x1f\x8b\x08", "looked into"),
        ("files.zip", a_zip("readme.txt", "evil.exe"), "in the archive: programs"),
        ("files.zip", a_zip("deep/er/evil.pdf.exe"), "in the archive"),
        ("files.zip", a_zip("inner.zip"), "archive in an archive"),
        ("files.zip", a_zip("inner.zip. "), "archive in an archive"),
        ("files.zip", a_zip("a.pdf", password=True), "password"),
        ("files.dat", a_zip("evil.exe"), "in the archive"),
        ("files.zip", a_zip("a.txt")[:-30], "damaged"),
        ("files.zip", a_zip(*(f"{n}.txt" for n in range(2001))), "too many"),
        ("letter.docx", a_zip("word/document.xml", "word/vbaProject.bin"), "macros"),
    ],
)
def test_what_is_not_what_it_says(name: str, data: bytes, why: str) -> None:
    assert why in why_not(name, "application/octet-stream", data)


def test_a_program_by_its_declared_kind() -> None:
    assert "programs" in why_not("notes", "application/x-msdownload", b"x")


@given(st.binary(max_size=300), st.text(max_size=30))
def test_no_file_makes_the_rules_stumble(data: bytes, name: str) -> None:
    for head in (b"", b"PK\x03\x04", b"PK\x05\x06"):
        assert isinstance(why_not(name, "a/b", head + data), str)


# Which parts are files


def test_a_plain_mail_has_none() -> None:
    assert found(a_mail()) == []


def test_attached_files_come_out_as_they_went_in() -> None:
    (pdf, text) = found(a_mail(("offer.pdf", PDF), ("žluť.txt", b"words")))
    assert (pdf.name, pdf.kind, pdf.size, pdf.data) == (
        "offer.pdf",
        "application/pdf",
        len(PDF),
        PDF,
    )
    assert (text.name, text.kind, text.data) == ("žluť.txt", "text/plain", b"words")


def test_the_html_of_a_mail_is_no_file() -> None:
    raw = a_mail(html="<p>See the files</p>")
    named = raw.replace(b"text/html;", b'text/html; name="mail.html";')
    assert named != raw
    assert found(raw) == found(named) == []


def _with_picture(data: bytes, *, shown: bool, disposition: str = "inline") -> bytes:
    mail = EmailMessage()
    mail.set_content("See")
    mail.add_alternative(f"<p>See</p>{'<img src=cid:pic@x>' if shown else ''}", subtype="html")
    html = mail.get_payload()[1]  # type: ignore[index]
    html.add_related(  # type: ignore[union-attr]
        data, "image", "png", cid="<pic@x>", filename="image001.png", disposition=disposition
    )
    return mail.as_bytes()


def test_a_signatures_logo_is_an_ornament_and_a_photo_is_not() -> None:
    small, large = PNG + b"\0" * 5000, PNG + b"\0" * (ORNAMENT + 100)
    (logo,) = found(_with_picture(small, shown=True))
    assert logo.ornament
    assert not logo.refused
    (photo,) = found(_with_picture(large, shown=True))
    assert (photo.ornament, photo.data) == (False, large)
    # Some programs call what they show an attachment.
    (logo,) = found(_with_picture(small, shown=True, disposition="attachment"))
    assert logo.ornament
    (kept,) = found(_with_picture(small, shown=False, disposition="attachment"))
    assert kept.data == small


def test_signatures_and_reports_are_no_files() -> None:
    signed = (
        b"Content-Type: multipart/signed; boundary=x; protocol=application/pgp-signature\n\n"
        b"--x\nContent-Type: text/plain\n\nHello\n"
        b'--x\nContent-Type: application/pgp-signature; name="signature.asc"\n\nabc\n--x--\n'
    )
    assert found(signed) == []


def test_a_mail_in_a_mail_and_outlooks_own_format_are_named() -> None:
    mail = EmailMessage()
    mail.set_content("See")
    inner = EmailMessage()
    inner.set_content("inner")
    mail.add_attachment(inner)
    mail.add_attachment(b"\x78\x9f\x3e\x22", "application", "ms-tnef", filename="winmail.dat")
    assert [bool(each.refused) for each in found(mail.as_bytes())] == [True, True]


def test_a_mail_that_is_nothing_but_a_file() -> None:
    raw = b"Subject: Scan\nContent-Type: application/pdf; name=scan.pdf\n\n" + PDF
    (scan,) = found(raw)
    assert (scan.name, scan.data) == ("scan.pdf", PDF)


def test_names_have_no_path_and_no_lines() -> None:
    names = ("../../etc/passwd.txt", "C:\\temp\\a.txt", "a\tb.txt", f"{'x' * 300}.txt")
    got = [each.name for each in found(a_mail(*((name, b"words") for name in names)))]
    assert got[:2] == ["passwd.txt", "a.txt"]
    assert all(len(name) <= 100 and name.endswith(".txt") and "/" not in name for name in got)


def test_limits_of_size_and_number() -> None:
    limits = Limits(attachment_size=5000, attachment_mail_size=9000, attachment_count=2)
    some = [("large.pdf", PDF + b"y" * 3000), ("a.pdf", PDF), ("b.pdf", PDF), ("c.pdf", PDF)]
    why = [each.refused for each in found(a_mail(*some), limits)]
    assert "larger than 5 kB" in why[0]
    assert why[1:3] == ["", ""]
    assert "2 files at most" in why[3]
    together = found(a_mail(*some), Limits(attachment_size=5000, attachment_mail_size=4000))
    assert "4 kB together" in together[2].refused
    assert [each.data for each in together if each.refused] == [b"", b"", b""]


def test_an_empty_file_is_named() -> None:
    assert "empty" in found(a_mail(("a.txt", b"")))[0].refused


# What a text ends with


def test_codes_are_long_enough_and_survive_a_capital() -> None:
    codes = {attaching.new_code() for _ in range(500)}
    assert len(codes) == 500
    for code in codes:
        assert len(code) == 10
        assert attaching.read_code(f" {code.upper()} ") == code
    assert attaching.read_code("OIL0000000") == "0110000000"
    for wrong in ("", "abc", "u" * 10, "0" * 11, "é" * 10, "0000 00000"):
        assert attaching.read_code(wrong) == ""


def test_the_link_is_on_the_tenants_domain() -> None:
    assert attaching.address("https://sms.example", "", "0" * 10) == (
        "https://sms.example/f/0000000000"
    )
    assert attaching.address("http://127.0.0.1:8080", "l.acme.example", "0" * 10) == (
        "http://l.acme.example:8080/f/0000000000"
    )


def test_refused_names_cost_one_unit_a_letter() -> None:
    tail = attaching.tail("", ["žluť.exe", "x" * 80 + ".exe", "c.js", "d.js"], "CZ")
    assert tail.isascii()
    assert tail.startswith("\nBez prilohy: zlut.exe, ")
    assert tail.endswith(".exe, c.js +1")


LINK = "\nhttps://sms.example/f/0000000000"


@given(st.text(max_size=700), st.integers(1, 6), st.sampled_from(["auto", "gsm7", "keep"]))
def test_a_cut_text_keeps_its_link_whole(text: str, parts: int, encoding: str) -> None:
    limits = Limits(max_parts=parts, over_limit="cut", encoding=encoding)
    fitted = fit(limits, text, tail=LINK)
    assert fitted.text.endswith(LINK.strip())
    assert fitted.text.count(LINK.strip()) == 1 + text.count(LINK.strip())
    assert len(fitted.parts) <= parts


def test_what_is_not_to_be_cut_is_refused() -> None:
    limits = Limits(max_parts=1, over_limit="cut")
    assert fit(limits, "x" * 200).text.endswith("...")
    with pytest.raises(Refused, match="2 SMS parts"):
        fit(limits, "x" * 200, whole=True)


def test_the_link_counts() -> None:
    text = "x" * 150
    assert len(fit(Limits(), text).parts) == 1
    assert len(fit(Limits(), text, tail=LINK).parts) == 2
    with pytest.raises(Refused, match="2 SMS parts"):
        fit(Limits(max_parts=1), text, tail=LINK)


# Explained


def explained(raw: bytes, **wishes: object) -> dict[str, object]:
    return explain.mail(raw, "mail.eml", explain.Rules(**wishes))  # type: ignore[arg-type]


def test_explain_says_what_is_left_out() -> None:
    raw = a_mail(("offer.pdf", PDF), ("evil.exe", b"MZ"))
    off = explained(raw)
    assert [each["fate"] for each in off["files"]] == ["left out: attachments are off"] * 2  # type: ignore[attr-defined]
    assert (off["text"], "sent" in off) == ("See the files", False)
    assert "files" not in explained(a_mail())


def test_explain_counts_the_link_and_the_note() -> None:
    raw = a_mail(("offer.pdf", PDF), ("evil.exe", b"MZ"))
    on = explained(raw, attachments="link", link_domain="l.acme.example", country="NO")
    fates = [each["fate"] for each in on["files"]]  # type: ignore[attr-defined]
    assert fates == ["sent by the link", "refused: programs are not passed on"]
    assert on["sent"] == (
        "See the files\nhttp://l.acme.example:8080/f/0000000000\nUten vedlegg: evil.exe"
    )
    assert {"attachments-linked:1", "attachments-refused:1"} <= set(on["rules"])  # type: ignore[call-overload]
    assert on["units"] == [len(str(on["sent"]))]


def test_explain_says_when_a_refused_file_ends_the_mail() -> None:
    raw = a_mail(("evil.exe", b"MZ"))
    strict = explained(raw, attachments="link", attachment_refused="refuse")
    assert strict["refused"]
    assert "evil.exe: programs are not passed on" in str(strict["reason"])
    assert not explained(raw, attachments="link")["refused"]
    nothing = a_mail(("evil.exe", b"MZ"), text="").replace(b"Subject: Files\n", b"")
    assert explained(nothing, attachments="link")["refused"]
