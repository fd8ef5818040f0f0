"""A raw mail comes in; the text that its author would want as an SMS goes out, with the reasons.

The steps, in order: parse, classify, read the body, part quotes from own words, cut signature
and footers, keep what end markers enclose, apply the tenant's policy. Each step that changed
something names its rule, so that a person can ask why.
"""

import re
from dataclasses import dataclass

from bridge.smtp import automatic, body, footers, headers, markers, mime, quotes, simple
from bridge.smtp.lines import Line, Traits, joined, together

_ANGLED = re.compile(r"<([^<>]{1,512})>")
_BARE_ADDRESS = re.compile(r"[^\s<>\"(),;:]{1,128}@[^\s<>\"(),;:]{1,255}")
_IDENTIFIER = re.compile(r"<[^<>\s]{1,998}>")


@dataclass(frozen=True, slots=True)
class Policy:
    """A tenant's wishes for texts made of mails."""

    # "ignore", "if-empty" (the subject stands in for an empty text), "first-line".
    subject: str = "if-empty"
    prefix: str = ""
    # Own markers beside ##…##, $$ and {end sms}: the text before the first of them counts.
    end_markers: tuple[str, ...] = ()
    # Our SMS domains: a mail from one of them is a loop.
    own_domains: tuple[str, ...] = ()


@dataclass(slots=True)
class Extracted:
    """What a mail says, why, and what the rest of the bridge must know of its header."""

    # As it would be sent, before any transliteration; "" for none.
    text: str
    subject: str
    # Every rule that fired, in order, with short detail: "quote-attribution:cs".
    rules: tuple[str, ...]
    # None, or why this mail must never become an SMS.
    automatic: str | None
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    # The header From address, "" where there is none.
    sender: str
    # Importance: high, or X-Priority 1 or 2.
    urgent: bool


def extract(raw: bytes, policy: Policy = Policy()) -> Extracted:
    """Read a mail. In: its octets, whatever they are. Out: text and facts. Never raises."""
    head, readings = simple.read(raw) or _parsed(raw)
    subject = headers.subject(head)
    sender = _sender(head)
    traits = _traits(head, subject, sender)
    text, rules = _best(readings, traits, policy)
    text, more = _with_policy(text, subject, policy)
    return Extracted(
        text=text,
        subject=subject,
        rules=(*rules, *more),
        automatic=automatic.reason(head, sender, subject, policy.own_domains),
        message_id=_identifier(head.first("message-id")),
        in_reply_to=_identifier(head.first("in-reply-to")),
        references=tuple(_IDENTIFIER.findall(_encodable(head.first("references")))),
        sender=sender,
        urgent=_is_urgent(head),
    )


def _parsed(raw: bytes) -> tuple[headers.Headers, list[body.Reading]]:
    mail = mime.parse(raw)
    return mail.headers, body.read(mail)


def _traits(head: headers.Headers, subject: str, sender: str) -> Traits:
    reply, forward = quotes.prefix(subject)
    machine = not (reply or forward) and automatic.is_machine(head, sender or head.first("from"))
    # A forward also refers to the mail it forwards; the subject's own word decides.
    reply = reply or (quotes.is_reply(head) and not forward)
    topic = subject.rpartition(":")[2].strip().casefold()
    return Traits(reply, forward and not (reply and not forward), machine, topic)


def _best(readings: list[body.Reading], traits: Traits, policy: Policy) -> tuple[str, list[str]]:
    """The plain reading, or the HTML one where the plain one is a stand-in for it."""
    text, rules = _own_text(readings[0], traits, policy)
    if len(readings) == 1:
        return text, rules
    rich, rich_rules = _own_text(readings[1], traits, policy)
    if why := body.poorer(text, rich):
        return rich, [why, *rich_rules]
    return text, rules


def _own_text(reading: body.Reading, traits: Traits, policy: Policy) -> tuple[str, list[str]]:
    """The author's own words, and a forwarded mail's after them. Alerts stay whole."""
    if traits.machine:
        text, rule = markers.before(joined(reading.lines), policy.end_markers)
        return text, [*reading.rules, "machine-whole", *([rule] if rule else [])]
    parted = quotes.part(reading.lines, traits)
    text, rules = _tidy(parted.own, policy)
    rules = [*reading.rules, *parted.rules, *rules]
    if parted.forwarded:
        enclosed = quotes.part(parted.forwarded, Traits())
        forwarded, more = _tidy(enclosed.own + enclosed.forwarded, policy)
        text = f"{text}\n\n{forwarded}".strip("\n")
        rules += [*enclosed.rules, *more]
    return text, rules


def _tidy(lines: list[Line], policy: Policy) -> tuple[str, list[str]]:
    """Keep what markers enclose; where there are none, cut signature and footers."""
    own = [line.text for line in lines if not markers.is_drawn_answer_line(line.text)]
    text, rule = markers.between("\n".join(own), policy.end_markers)
    kept, rules = (text.split("\n"), [rule]) if rule else footers.strip(own)
    return together(kept), rules


def _with_policy(text: str, subject: str, policy: Policy) -> tuple[str, list[str]]:
    """Add the subject and the prefix as the tenant wishes."""
    rules: list[str] = []
    if policy.subject == "first-line" and subject:
        text, rules = f"{subject}\n{text}".rstrip("\n"), ["subject-first-line"]
    elif policy.subject == "if-empty" and subject and not text:
        text, rules = subject, ["subject-if-empty"]
    if policy.prefix and text:
        space = "" if policy.prefix[-1:].isspace() else " "
        text, rules = f"{policy.prefix}{space}{text}", [*rules, "prefix"]
    return text, rules


def _sender(head: headers.Headers) -> str:
    """The address in From, "" where there is none (RFC 5322 3.6.2)."""
    value = _encodable(head.first("from")[:4096])
    angled = _ANGLED.findall(value)
    found = _BARE_ADDRESS.search(angled[-1] if angled else value)
    return found.group() if found else ""


def _identifier(value: str) -> str:
    """One Message-ID, with its angle brackets where it has them."""
    value = _encodable(value[:4096])
    found = _IDENTIFIER.search(value)
    return found.group() if found else value.strip()[:998]


def _encodable(value: str) -> str:
    """A header's value without the lone surrogates that stand for octets of no known charset."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def _is_urgent(head: headers.Headers) -> bool:
    return head.first("importance").strip().lower() == "high" or head.first("x-priority").strip()[
        :1
    ] in ("1", "2")
