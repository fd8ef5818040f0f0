"""Mails as people's programs write them, in fifteen languages, and the text each should give."""

import tomllib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.smtp.extract import Policy, extract
from bridge.smtp.footers import is_device_line

DATA = Path(__file__).parent.parent / "data" / "mails"
LANGUAGES: dict[str, dict[str, Any]] = tomllib.loads((DATA / "languages.toml").read_text("utf-8"))
CASES: list[dict[str, Any]] = [
    case
    for name in sorted(DATA.glob("cases-*.toml"))
    for case in tomllib.loads(name.read_text("utf-8"))["case"]
]
DEVICES: dict[str, list[str]] = tomllib.loads((DATA / "devices.toml").read_text("utf-8"))
AS_IS = Policy(subject="ignore")
QUOTED = "Pump 3 reports low pressure.\nWho is on call tonight?\n\nOps"


def loosely(text: str) -> str:
    """The same text, however its white space falls."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def mail(subject: str, body: str, *fields: str) -> bytes:
    """A plain mail in UTF-8, the subject encoded as programs do."""
    encoded = b64encode(subject.encode()).decode()
    head = [
        "From: Eva <eva@firma.example>",
        "To: 420601123456@sms.example",
        f"Subject: =?utf-8?b?{encoded}?=",
        "Message-ID: <1@firma.example>",
        "MIME-Version: 1.0",
        *(fields or ("Content-Type: text/plain; charset=utf-8",)),
    ]
    return "\r\n".join([*head, "", *body.split("\n")]).encode()


def prefixed(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def shapes() -> Iterator[tuple[str, str, str, str]]:
    """(name, subject, body, text) of every shape in every language."""
    for code, words in LANGUAGES.items():
        own, block, content = words["own"], words["outlook"], words["forward_block"]
        reply, forward = "Re: Valve 3", words["forward_prefix"] + "Valve 3"
        yield f"{code}-outlook", "RE: Valve 3", f"{own}\n\n{block}\n\n{QUOTED}", own
        line = "_" * 32
        yield f"{code}-outlook-web", reply, f"{own}\n\n{line}\n{block}\n\n{QUOTED}", own
        bold = "\n".join("*" + row.replace(":", ":*", 1) for row in block.split("\n"))
        yield f"{code}-outlook-bold", reply, f"{own}\n\n{bold}\n\n{QUOTED}", own
        original = words["original"]
        yield f"{code}-original", reply, f"{own}\n\n{original}\n{block}\n\n{QUOTED}", own
        for client in ("gmail", "apple", "thunderbird", "yahoo"):
            quote = f"{words[client]}\n\n{prefixed(QUOTED)}"
            yield f"{code}-{client}", reply, f"{own}\n\n{quote}\n", own
            below = f"{words[client]}\n{prefixed(QUOTED)}\n\n{own}"
            yield f"{code}-{client}-below", reply, below, own
        yield f"{code}-yahoo-bare", reply, f"{own}\n\n{words['yahoo']}\n\n{QUOTED}", own
        inside = prefixed(f"{words['apple']}\n\n{QUOTED}")
        yield f"{code}-apple-inside", reply, f"{own}\n\n{inside}", own
        folded = words["gmail"].replace(" <", "\n<", 1).replace(" (<", "\n(<", 1)
        yield f"{code}-gmail-folded", reply, f"{own}\n\n{folded}\n\n{prefixed(QUOTED)}", own
        for number, device in enumerate(words["devices"]):
            yield f"{code}-device-{number}", "Valve", f"{own}\n\n{device}", own
            quote = f"{device}\n\n{words['gmail']}\n\n{prefixed(QUOTED)}"
            yield f"{code}-device-reply-{number}", reply, f"{own}\n\n{quote}", own
        yield f"{code}-disclaimer", "Valve", f"{own}\n\n{words['disclaimer']}", own
        ruled = f"{own}\n\n{'_' * 40}\n{words['disclaimer']}\n"
        yield f"{code}-disclaimer-ruled", "Valve", ruled, own
        both = f"{own}\n\n{words['devices'][0]}\n\n{words['disclaimer']}\n\n{block}\n\n{QUOTED}"
        yield f"{code}-device-disclaimer-quote", reply, both, own
        marked = f"{words['forwarded']}\n{content}\n\n\n{QUOTED}"
        yield f"{code}-forward", forward, marked, QUOTED
        yield f"{code}-forward-note", forward, f"{own}\n\n{marked}", f"{own}\n{QUOTED}"
        yield f"{code}-forward-outlook", forward, f"{block}\n\n{QUOTED}", QUOTED
        yield f"{code}-typed", "Valve", words["typed"], words["typed"]
        yield f"{code}-typed-reply", reply, words["typed"], words["typed"]
        yield f"{code}-signature", "Valve", f"{own}\n-- \nEva Mala\nFirma\n+420 601 123 456", own
        yield f"{code}-signature-bare", "Valve", f"{own}\n\n--\nEva Mala\nFirma s.r.o.", own


@pytest.mark.parametrize(
    ("subject", "body", "text"),
    [pytest.param(*shape[1:], id=shape[0]) for shape in shapes()],
)
def test_a_programs_additions_are_cut_and_the_authors_words_stay(subject, body, text):
    assert loosely(extract(mail(subject, body), AS_IS).text) == loosely(text)


def octets(case: dict[str, Any]) -> bytes:
    """The raw mail of a case: header lines of its own over the usual ones, body in its charset."""
    if "raw" in case:
        return case["raw"].replace("\n", "\r\n").encode(case.get("charset", "utf-8"))
    head = {"From": "Eva <eva@firma.example>", "Subject": "Valve", "MIME-Version": "1.0"}
    head |= case.get("head", {})
    head.setdefault("Content-Type", case.get("type", "text/plain; charset=utf-8"))
    fields = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    body = case["body"].replace("\n", "\r\n").encode(case.get("charset", "utf-8"))
    return fields.encode() + b"\r\n" + body


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_a_mail_gives_the_text_that_a_person_would_want(case):
    found = extract(octets(case), Policy(subject=case.get("subject_rule", "ignore")))
    assert loosely(found.text) in [loosely(text) for text in [case["text"], *case.get("or", [])]]
    if "subject" in case:
        assert found.subject == case["subject"]
    assert found.automatic == case.get("automatic")


@pytest.mark.parametrize("line", DEVICES["programs"])
def test_a_programs_line_about_itself_is_known(line):
    assert is_device_line(line)


@pytest.mark.parametrize("line", DEVICES["typed"])
def test_a_typed_line_about_a_device_is_the_authors(line):
    assert not is_device_line(line)
