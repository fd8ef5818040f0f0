"""Lines of text come in; the same without signature, device line, disclaimer, list footer go out.

Only what stands at the end (a warning: at the beginning) is looked at, paragraph by paragraph,
from the last one upwards until one is found that a person may have typed.
"""

import re

from bridge.smtp.disclaimers import disclaimer
from bridge.smtp.smallprint import CARE, OUTSIDE, SMALL_PRINT, WARNINGS
from bridge.smtp.words import APP_LINE, DEVICES, SENT_FROM

_LONGEST = 4000
# A first paragraph shorter than this is the author's, whatever its words.
_SHORT = 200
_MOST_FOOTERS = 30
_SIGNATURE_LINES = 8
_RULE = re.compile(r"[ \t]*(?:[-_=*~#—–]{3,}|(?:-=){5,}-?)[ \t]*")
_LONG_RULE = re.compile(r"[ \t]*(?:_{20,}|-{30,}|(?:-=){8,}-?)[ \t]*")
_LIST_WORDS = re.compile(
    r"mailing list|mailman|listinfo|@lists?\.|/lists?/|unsubscribe|groups\.io|google groups"
    r"|konferenc|odhlásit|postorius|hyperkitty",
    re.IGNORECASE,
)
_SENT = "|".join(sorted({word for row in SENT_FROM.values() for word in row.split("|")}))
_FIRST_WORDS = {words.split()[0] for row in SENT_FROM.values() for words in row.split("|")} | {
    "get",
    "download",
    "yahoo",
    "von",
    "sent",
    "az",
    "iphone",
    "ipad",
    "android",
    "samsung",
    "xiaomi",
    "huawei",
    "windows",
    "telefon",
    "mobil",
}
_FIRST_WORD = re.compile(r"\W{0,4}([\w-]+)")
_OWNER = r"(?:[^\s.,:;!?]{1,14},? ){0,3}"
_MODEL = r"(?P<model>(?:[ /+&-]+[^\s.,:;!?]{1,16}){0,5})"
_DEVICE_LINE = re.compile(
    rf"\W{{0,3}}(?:{_SENT}) (?P<owner>{_OWNER})[^\w\s]?(?P<device>{DEVICES})"
    rf"(?:['’]\w+)?(?!\w)[®™]?{_MODEL}"
    r"(?: ?[-–,.;(<\[]? ?(?:(?:please )?(?:excuse|pardon|forgive)[^\n]{0,80}|[<( ]*https?://\S{1,200}"
    r"|an? \S{2,12} (?:[45]g )?(?:lte )?(?:smartphone|device|tablet)|get the app"
    r"|enjoy secure[^\n.]{0,40}|app))?[\s.!:)>\]*_]{0,4}"
    rf"|{APP_LINE}[\s.]{{0,2}}"
    r"|yahoo mail: search, organi[sz]e, conquer|sent (?:on the (?:go|move)|while on the move)[.!]?"
    r"|von unterwegs (?:gesendet|geschickt)[.!]?"
    r"|(?:get|download) (?:the )?(?:bluemail|mymail|spark|k-9)[^\n.!?]{0,40}",
    re.IGNORECASE,
)
# Devices whose names are words of every day, so that the rest of the line has to fit as well.
_COMMON_NOUN = re.compile(
    r"mail|mobile?\w*|boxer|canary|front|hey|missive|shortwave|moto|newton|pixel|phone|handy|orange|seznam|portable|tablet\w*|telefon\w*|teléfono"
    r"|téléphone",
    re.IGNORECASE,
)
# What a program's own line may say in lower case after such a noun.
_AFTER_NOUN = frozenset(
    "aplikace aplikácie aplikacji app g gesendet geschickt móvil phone smartphone telefonu teléfono"
    " using with".split()
)
_BRAND = re.compile(
    r"(?<!\w)(?:i ?phon|i ?pad|ios|android|samsung|galaxy|huawei|xiaomi|outlook|yahoo|gmail|gmx|aol"
    r"|proton|windows|thunderbird|blackberry|k-9)",
    re.IGNORECASE,
)
_MARKDOWN_LINK = re.compile(r"\[([^\[\]\n]{1,60})\]\(https?://[^\s()]{1,300}\)")
_MADE_BY = r"(?:iphone|ipad|android|samsung|xiaomi|huawei|windows|telefon|mobil)"
_BARE_DEVICE = re.compile(
    r"(?:lähetetty (?:iphone|ipad|android|samsung|puhelim|outlook|gmail|yahoo|windows|sähköp)\S*"
    r"|elküldve (?:az )?(?:iphone|ipad|android|samsung|mobil|telefon|outlook|yahoo|gmail)\S*)"
    r"[^\n.!?:]{0,60}\.?"
    rf"|(?:az )?{_MADE_BY}\S{{0,8}} (?:\S{{2,16}} ){{0,2}}küldve\.?"
    rf"|{_MADE_BY}(?:['’]\w+)? (?:\S{{2,16}} ){{0,3}}gönderildi\.?"
    r"|sent úr (?:iphone|ipad|android|samsung)[^\n.!?:]{0,40}\.?",
    re.IGNORECASE,
)
FROM_FAR_EAST = re.compile(
    r"(?:iPhone|iPad|Android|Galaxy)から送信(?:された)?"
    r"|(?:[发發來来]自|从|從)我的 ?(?:iPhone|iPad|Galaxy|\w{0,6}(?:手机|手機))(?:发送|傳送)?"
    r"|ส่งจาก ?(?:iPhone|iPad|Android|Galaxy)(?: ?ของฉัน)?"
    r"|تم الإرسال من (?:جهاز )?(?:ال|الـ)? ?(?:iPhone|iPad|Galaxy|Android)(?: الخاص بي)?"
    r"|나의 (?:iPhone|iPad|Galaxy)에서 보냄|נשלח מה-? ?(?:iPhone|iPad|Galaxy)\S{0,6}(?: שלי)?"
    r"|[أا]ُ?رسلت? من (?:ال|الـ)? ?(?:iPhone|iPad)(?: الخاص بي)?",
)
# What stands before small print: marks, and the P that is a tree in Webdings.
_ORNAMENT = re.compile(r"^[\s*_#>🌍🌎🌏🌱🌲🌳🌿♻️-]{0,8}(?:P (?=[^\W\d_]))?")
_FROM_LINK = re.compile(r"\s*[<\[(]?https?://\S{1,300}[>\])]?")
_SMALL_PRINT = re.compile("|".join(SMALL_PRINT), re.IGNORECASE | re.DOTALL)
_WARNINGS = re.compile("|".join(WARNINGS), re.IGNORECASE | re.DOTALL)
_OUTSIDE = re.compile(OUTSIDE, re.IGNORECASE)
_CARE = re.compile(CARE, re.IGNORECASE)
_MAIL_WORD = re.compile(
    r"e-?mail|message|sender|zpráv|správ|odesíl|odosiel|melding|e-?post|avsend|meddel|mejl"
    r"|nachricht|absender|courriel|expéditeur|mensaje|correo|remitente|messaggio|mittente|bericht"
    r"|afzender|wiadomo|nadawc|mensagem|remetente|viesti|lähettäj|üzenet|levél|feladó|\[external",
    re.IGNORECASE,
)
# ESET draws its own line, and says below it in three paragraphs what it did.
_SCANNER = re.compile(r"_{5,} [^\n]{0,200}?(?:ESET|NOD32)")
_SENTENCE = re.compile(r"[.!?]\s*$")


def strip(lines: list[str]) -> tuple[list[str], list[str]]:
    """Cut what programs added around a text. Out: the lines left, and the rules that fired."""
    rules: list[str] = []
    lines = _trimmed(lines)
    if len(lines) == 1 and len(lines[0]) < _SHORT:
        device = is_device_line(lines[0])
        return ([], ["device-line"]) if device else (lines, rules)
    lines = _without_warning(lines, rules)
    lines = _without_scanner(lines, rules)
    lines = _without_signature(lines, rules)
    for _ in range(_MOST_FOOTERS):
        if (shorter := _without_last(lines, rules)) is None:
            break
        lines = shorter
    return lines, rules


def _trimmed(lines: list[str]) -> list[str]:
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return lines[start:end]


# ---- Above the text


def _without_warning(lines: list[str], rules: list[str]) -> list[str]:
    """Drop what a gateway put first: "this mail comes from outside"."""
    end = next((n for n, line in enumerate(lines) if not line.strip()), len(lines))
    head = " ".join(lines[:end])
    if end == len(lines):
        # One paragraph: the warning can only be its first line.
        end, head = 1, lines[0] if lines else ""
    if len(lines) <= end or len(head) > 700 or not _MAIL_WORD.search(head):
        return lines
    outside = _OUTSIDE.search(head[:250]) and _CARE.search(head)
    if not outside and not _WARNINGS.match(head[:200].strip()):
        return lines
    rules.append("external-warning")
    return _trimmed([line for n, line in enumerate(lines[end:]) if n or not _RULE.fullmatch(line)])


# ---- Signature


def _without_signature(lines: list[str], rules: list[str]) -> list[str]:
    """Cut at "-- " (RFC 3676 4.3); at "--" only where a signature is what follows."""
    if "-- " in lines:
        rules.append("signature-dashes")
        return _trimmed(lines[: lines.index("-- ")])
    bare = [n for n, line in enumerate(lines) if line.strip() in ("--", "—")]
    if len(bare) == 1 and bare[0] and _looks_signed(lines[bare[0] + 1 :]):
        rules.append("signature-dashes:bare")
        return _trimmed(lines[: bare[0]])
    return lines


def _looks_signed(lines: list[str]) -> bool:
    """Few short lines, none of them a sentence."""
    if len(lines) > 2 * _SIGNATURE_LINES:
        return False
    text = [line.strip() for line in lines if line.strip()]
    if not text or len(text) > _SIGNATURE_LINES:
        return False
    return all(
        len(line) <= 80 and not (_SENTENCE.search(line) and len(line.split()) > 4) for line in text
    )


# ---- Below the text


def _without_scanner(lines: list[str], rules: list[str]) -> list[str]:
    """Cut from the drawn line of a virus scanner, where no more than its own words follow."""
    told = [n for n, line in enumerate(lines) if line.strip()][1:][-6:]
    at = next((n for n in told if _SCANNER.match(lines[n])), 0)
    if at:
        rules.append("scanner")
    return _trimmed(lines[:at]) if at else lines


def _without_last(lines: list[str], rules: list[str]) -> list[str] | None:
    """The lines without their last paragraph or line, if a program added it; None if not."""
    lines = _without_rule(lines)
    if not lines:
        return None
    start = _paragraph_start(lines)
    tail = lines[start:]
    if (rule := _footer(" ".join(tail), first=start == 0)) or (rule := _list_footer(lines, start)):
        rules.append(rule)
        return _without_dashes(lines[:start])
    if len(tail) > 1 and (rule := _footer(lines[-1], first=False)):
        rules.append(rule)
        return _without_dashes(lines[:-1])
    at = _disclaimer_above(lines, start)
    if at is None:
        return None
    rules.append("disclaimer")
    return _without_dashes(lines[:at])


def _paragraph_start(lines: list[str]) -> int:
    """Where the last paragraph begins: after a blank line or a drawn one."""
    start = len(lines)
    while start and lines[start - 1].strip() and not _RULE.fullmatch(lines[start - 1]):
        start -= 1
    return min(start, len(lines) - 1)


def _without_rule(lines: list[str]) -> list[str]:
    lines = _trimmed(lines)
    while lines and _RULE.fullmatch(lines[-1]):
        lines = _trimmed(lines[:-1])
    return lines


def _without_dashes(lines: list[str]) -> list[str]:
    """Lines that stood above a footer, without the drawn line or the dashes above it."""
    lines = _without_rule(lines)
    return _without_rule(lines[:-1]) if lines and lines[-1].strip() in ("--", "—") else lines


def _footer(text: str, *, first: bool) -> str:
    """The rule by which a paragraph is a program's; "" where a person may have typed it."""
    text = text.strip()
    if len(text) <= 200 and is_device_line(text):
        return "device-line"
    if len(text) > _LONGEST or (first and len(text) < _SHORT):
        return ""
    if language := disclaimer(text):
        return f"disclaimer:{language}"
    if not first and len(text) <= 600 and _SMALL_PRINT.match(_ORNAMENT.sub("", text, count=1)):
        return "small-print"
    return ""


def is_device_line(text: str) -> bool:
    """Whether a line is a mail program's advertisement of itself or of its device."""
    if not text.isascii() and FROM_FAR_EAST.fullmatch(text.strip()):
        return True
    if "](" in text:
        text = _MARKDOWN_LINK.sub(r"\1", text)
    text = text.strip(" *_\t")
    lowered = text.casefold()
    first = _FIRST_WORD.match(lowered)
    if not (first and first[1] in _FIRST_WORDS) and "outlook" not in lowered:
        return False
    without_link = _FROM_LINK.sub("", text)
    return bool(_BARE_DEVICE.fullmatch(text)) or any(
        _is_device(found)
        for found in map(_DEVICE_LINE.fullmatch, dict.fromkeys((text, without_link)))
        if found
    )


def _is_device(found: re.Match[str]) -> bool:
    """Whether a program wrote this, given what it names: "Sent by mail on Friday" is typed."""
    if not found["device"] or _BRAND.search(found[0]):
        return True
    if "," in found["owner"]:
        return False
    after = found["model"].split()
    if found["device"].casefold() == "mail" and not found["owner"] and not after:
        return False
    return not _COMMON_NOUN.fullmatch(found["device"]) or not any(
        word.islower() and word not in _AFTER_NOUN for word in after
    )


def _disclaimer_above(lines: list[str], start: int) -> int | None:
    """Where a disclaimer of several paragraphs begins whose last ones say nothing we know."""
    for _ in range(3):
        if len(" ".join(lines[start:]).split()) < 10:
            return None
        before = _trimmed(lines[:start])
        if not before:
            return None
        start = _paragraph_start(before)
        text = " ".join(before[start:])
        if start and len(text) <= _LONGEST and disclaimer(text):
            return start
    return None


def _list_footer(lines: list[str], start: int) -> str:
    """What a list's server put below: a long drawn line and a few lines about the list."""
    if not start or not _LONG_RULE.fullmatch(lines[start - 1]) or len(lines) - start > 10:
        return ""
    return "list-footer" if _LIST_WORDS.search(" ".join(lines[start:])[:2000]) else ""
