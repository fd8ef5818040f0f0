"""The text of a plain part comes in; lines that know whether they are quoted go out.

format=flowed (RFC 3676) tells quotes from text that begins with ">", and joins soft line ends.
"""

import re

from bridge.smtp.lines import Kind, Line

_DEPTH = re.compile(r">+")
# Gmail's line width parts "<eva@firma.example> wrote:" before its ">", which then looks quoted.
_PARTED = re.compile(
    r"(<\n?[^<>\s@]{1,64}@[^<>\s]{1,255})\n> ?([^<>\n]{0,40}[:：][ \t]*)$", re.MULTILINE
)
_UUENCODED = re.compile(
    r"^begin [0-7]{3,4} [^\n]{1,255}\n(?:[ -`]{1,61}\n){1,}?`?\n?end$", re.MULTILINE
)


def lines_of(text: str) -> list[Line]:
    """Fixed text: a line that begins with ">" may be a quote or the author's own."""
    if "begin " in text:
        text = _without_uuencoded(text)
    if "\n>" in text and "<" in text:
        text = _PARTED.sub(r"\1> \2", text)
    if ">" not in text:
        return [Line(line) for line in text.split("\n")]
    return [
        Line(line, Kind.PERHAPS_QUOTED if line.startswith((">", " >")) else Kind.OWN)
        for line in text.split("\n")
    ]


def flowed_lines(text: str, *, delsp: bool) -> list[Line]:
    """format=flowed text, unstuffed and joined. In: the DelSp parameter (RFC 3676 4)."""
    out: list[Line] = []
    paragraph, depth_before = "", -1
    for raw in text.split("\n"):
        quoted = _DEPTH.match(raw)
        depth = quoted.end() if quoted else 0
        line = raw[depth + 1 :] if raw[depth : depth + 1] == " " else raw[depth:]
        if depth_before >= 0 and depth != depth_before:
            out.append(_flowed(paragraph, depth_before))
            paragraph, depth_before = "", -1
        if line.endswith(" ") and line != "-- ":
            paragraph += line[:-1] if delsp else line
            depth_before = depth
            continue
        if line == "-- " and depth_before >= 0:
            out.append(_flowed(paragraph, depth_before))
            paragraph = ""
        out.append(_flowed(paragraph + line, depth))
        paragraph, depth_before = "", -1
    if depth_before >= 0:
        out.append(_flowed(paragraph, depth_before))
    return out


def _flowed(text: str, depth: int) -> Line:
    return Line("> " * depth + text, Kind.QUOTED if depth else Kind.OWN)


def _without_uuencoded(text: str) -> str:
    """Drop files that old programs put between the lines (begin … end)."""
    return _UUENCODED.sub("", text)
