"""What people read in chats: facts come in, views go out. Pure, and the same for all chats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from bridge import phone
from bridge.bots.chat import Button, Line, View
from bridge.bots.commands import VERBS
from bridge.bots.words import WrongWord
from bridge.dates import minute
from bridge.dispatch.obeyed import NOTHING, Done, stopped, told
from bridge.store import ids
from bridge.store.cards import Fate
from bridge.store.threads import Thread

#: How a state is told, as chats mark their own messages.
MARKS: Final = {
    "scheduled": "⏲ scheduled",
    "held": "⏸ held",
    "queued": "… waiting",
    "sending": "… sending",
    "sent": "✓ sent",
    "delivered": "✓✓ delivered",
    "failed": "✗ failed",
    "expired": "✗ expired",
    "cancelled": "✗ cancelled",
    "suppressed": "✗ not sent",
    "unknown": "? in doubt",
}
_REASONS: Final = {
    "no-lawful-route": "no carrier of its route may have your data",
    "restricted": "this person's data may not be used at present",
    "opted-out": "this person has opted out",
    "blocked": "this number is on the blacklist",
    "validity-over": "its time ran out before it could be delivered",
    "in-doubt": "the line broke; it may have been sent or not",
    "never-known": "nobody could tell within 72 hours whether it was sent; it may have arrived",
    "dropped-by-operator": "somebody decided not to send it",
    "no-consent": "no consent to advertising is recorded any more",
    "no-credit": "there was not enough credit left for it",
    "too-often": "this person has got as many advertisements as are allowed",
    "taken-back": "it was taken back",
    "velocity": "too many numbers of one range were written to",
    "stopped": "a rule has stopped this sender or this range of numbers",
    "cap": "the SMS parts that may be sent are used up",
    "folded": "the same alert was sent just before: it is counted there",
    "halted": "sending was stopped",
    "sender-not-proved": "the sender was not proved",
}
_MOST_NAMED: Final = 10


def said(*lines: str) -> View:
    """Plain words."""
    return View(tuple(Line(line) for line in lines))


def refused(sentence: str, hint: str = "") -> View:
    """A no, and what to do."""
    first = sentence[:1].upper() + sentence[1:]
    return View((Line(f"✗ {first}."), *((Line(hint, "faint"),) if hint else ())))


def wrong(error: WrongWord) -> View:
    """A command that cannot be obeyed, the word at fault marked, and the right form."""
    form = (Line(f"/sms {error.hint}", "code"),) if error.hint else ()
    first = error.sentence[:1].upper() + error.sentence[1:]
    return View((Line(f"✗ {first}."), Line(error.pointed(), "code"), *form))


def stranger() -> View:
    """Whom the bridge does not know."""
    return View(
        (
            Line("You are not enrolled here."),
            Line("Ask the operator for a code, then type in a private chat with me:", "faint"),
            Line("/sms enrol CODE", "code"),
        )
    )


def helped(verb: str = "") -> View:
    """What can be typed."""
    if verb:
        known = VERBS[verb]
        return View((Line(known.does.capitalize() + "."), Line(f"/sms {known.form}", "code")))
    forms = "\n".join(f"/sms {v.form.partition(';')[0]}" for v in VERBS.values())
    return View(
        (
            Line("What can be typed", "head"),
            Line("/sms <number or @name> <text>\n" + forms, "code"),
            Line("More about one of them: /sms help <command>", "faint"),
        )
    )


# -- before sending ------------------------------------------------------------------------------


def preview(
    number: int,
    facts: Sequence[str],
    text: str,
    *,
    agree: bool,
    warning: str = "",
) -> View:
    """What would leave, and the buttons that decide; `agree`: a second person must."""
    label = "Ask for agreement" if agree else "Send"
    buttons = (
        Button(label, "ask" if agree else "send", ids.show(number), "primary"),
        Button("Edit", "edit", ids.show(number)),
        Button("Cancel", "cancel", ids.show(number)),
    )
    notes = (Line(f"⚠ {warning}"),) if warning else ()
    return View(
        (
            Line("Not sent yet", "head"),
            *notes,
            Line(text, "quote"),
            *(Line(fact, "faint") for fact in facts),
        ),
        buttons,
    )


def agreement(number: int, author: str, facts: Sequence[str], text: str) -> View:
    """What a second person is asked."""
    shown = ids.show(number)
    return View(
        (
            Line(f"{author} wants to send this and needs a second person", "head"),
            Line(text, "quote"),
            *(Line(fact, "faint") for fact in facts),
            Line(f"Or type: /sms approve {shown}", "faint"),
        ),
        (Button("Agree", "approve", shown, "primary"), Button("Refuse", "refuse", shown, "danger")),
    )


def read(url: str) -> View:
    """A link of one's own."""
    words = Line("The link opens once, for 15 minutes.")
    return View((words,), (Button("Read", url=url),))


# -- how it stands -------------------------------------------------------------------------------


def card(fates: Sequence[Fate], author: str, *, doubtful: bool) -> View:
    """How the messages of one command stand."""
    lines: list[Line] = []
    if doubtful:
        lines.append(Line("(This may stand here twice: the bridge was interrupted.)", "faint"))
    if len(fates) == 1:
        lines += _single(fates[0])
    else:
        lines += _several(fates)
    if author:
        lines.append(Line(f"from {author}", "faint"))
    return View(tuple(lines), _card_buttons(fates))


def _single(fate: Fate) -> list[Line]:
    found = [Line(f"SMS to {phone.mask(fate.phone)}: {mark(fate)}", "head")]
    if fate.text:
        found.append(Line(fate.text, "quote"))
    parts = f"{fate.parts} part{'s' if fate.parts > 1 else ''}, {_ENCODINGS[fate.encoding]}"
    found.append(Line(f"{parts} · {ids.show(fate.id)}{_times(fate)}", "faint"))
    return found


def _several(fates: Sequence[Fate]) -> list[Line]:
    if not fates:
        return [Line("These messages have been erased.")]
    counts = Counter(MARKS[fate.state] for fate in fates)
    told = ", ".join(f"{count} {word}" for word, count in counts.most_common())
    found = [Line(f"SMS to {len(fates)} people: {told}", "head")]
    if fates[0].text:
        found.append(Line(fates[0].text, "quote"))
    bad = [f for f in fates if f.state in ("failed", "expired", "suppressed", "unknown")]
    lines = [f"{phone.mask(f.phone)}: {mark(f)}" for f in bad[:_MOST_NAMED]]
    if len(bad) > _MOST_NAMED:
        lines.append(f"and {len(bad) - _MOST_NAMED} more; /sms log shows them")
    if lines:
        found.append(Line("\n".join(lines)))
    return found


def _card_buttons(fates: Sequence[Fate]) -> tuple[Button, ...]:
    here = [fate for fate in fates if fate.state in ("scheduled", "queued", "held")]
    return (Button("Take back", "takeback", ids.show(here[0].id)),) if here else ()


_ENCODINGS: Final = {"gsm7": "GSM-7", "ucs2": "UCS-2"}


def encoding(name: str) -> str:
    """An encoding as people know it."""
    return _ENCODINGS[name]


def mark(fate: Fate) -> str:
    """A state with its reason."""
    word = MARKS[fate.state]
    if fate.state == "scheduled":
        return f"{word} for {minute(fate.due_at)}"
    reason = _REASONS.get(fate.reason, fate.reason)
    good = fate.state in ("sent", "delivered", "queued", "sending")
    return word if good or not reason else f"{word}: {reason}"


def _times(fate: Fate) -> str:
    found = [f"written {_short(fate.created_at)}"]
    if fate.sent_at:
        found.append(f"sent {_short(fate.sent_at)}")
    if fate.final_at:
        found.append(f"{fate.state} {_short(fate.final_at)}")
    return " · " + " · ".join(found)


def _short(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S")


# -- what people answer --------------------------------------------------------------------------


def inbound(
    thread: Thread,
    words: str | None,
    *,
    verdict: str,
    partial: bool,
    again: bool,
    reply: str = "",
    url: str = "",
    done: Done = NOTHING,
) -> View:
    """An SMS from a person. `words` None: the chat may not show them, the link at `url` does, and
    afterwards a new one for whoever may look. `done` is what was done about a wish.
    """
    lines = [Line(f"SMS from {phone.mask(thread.phone)}", "head")]
    if words is None:
        lines.append(Line("Its text is not shown here; the link opens it once, for 15 minutes."))
    else:
        lines.append(Line(words or "(empty)", "quote"))
    if partial:
        lines.append(Line("Parts of this message are missing.", "faint"))
    if said_of := told(verdict, done):
        lines.append(Line(f"⚠ {said_of}" if verdict == "intent" else said_of))
    if again:
        lines.append(Line("(This may stand here twice: the bridge was interrupted.)", "faint"))
    buttons = [Button("Read", url=url), Button("New link", "read", reply)] if url else []
    over = stopped(verdict, done)
    buttons += conversation_buttons(thread, stopped=over, wish=verdict == "intent")
    return View(tuple(lines), tuple(buttons))


def conversation_buttons(
    thread: Thread, *, stopped: bool, wish: bool = False
) -> tuple[Button, ...]:
    """What can be done with a conversation; with `wish` somebody is to say whether it was one."""
    value = ids.show(thread.id)
    if thread.staff_id is None:
        owner = Button("Claim", "claim", value)
    else:
        owner = Button(f"Release ({thread.taken_by})", "release", value)
    block = Button("Block", "block", value, "danger")
    data = (Button("Export", "dsr-export", value), Button("Erase", "dsr-erase", value, "danger"))
    if stopped:
        return (owner, block, *data)
    reply = Button("Reply", "reply", value, "primary")
    out = Button("Opt out", "optout", value, "danger")
    asked = (Button("Not a wish", "nowish", value),) if wish else ()
    return (reply, owner, out, *asked, block, *data)


def waiting(number: int, number_phone: str, state: str, reason: str, *, again: bool) -> View:
    """A message that waits for a person: held, or in doubt."""
    why = _REASONS.get(reason, reason)
    if state == "unknown":
        why = "the line broke; it may have been sent already"
    shown = ids.show(number)
    lines = [
        Line(f"SMS to {phone.mask(number_phone)}: {MARKS[state]}", "head"),
        Line(f"Why: {why}"),
        Line(shown, "faint"),
    ]
    if again:
        lines.append(Line("(This may stand here twice: the bridge was interrupted.)", "faint"))
    return View(
        tuple(lines),
        (
            Button("Release", "let-go", shown, "primary"),
            Button("Drop", "drop", shown, "danger"),
        ),
    )
