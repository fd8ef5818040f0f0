"""A mail to `postmaster` comes in; whoever runs the bridge reads it in their inboxes.

RFC 5321 (4.5.1) asks every server to have this mailbox, also without a domain behind it; the
bridge's own reports and answers are written in its name, and people answer them.
"""

from __future__ import annotations

from typing import Final

from bridge.dispatch.bridge import Bridge
from bridge.errors import Refused, TryLater
from bridge.smtp.door import Reply
from bridge.smtp.extract import Extracted, Policy, extract
from bridge.smtp.mailboxes import Measure
from bridge.store.announcements import Owed, Words, tell_operator
from bridge.store.notices import inbox_places

NAME: Final = "postmaster"
_LONGEST: Final = 2000
_LONGEST_SUBJECT: Final = 200


class Postmaster:
    """The mailbox of whoever runs the bridge."""

    machines = True

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._places = tuple(inbox_places(bridge.settings.privacy.inbox))
        self._measure = Measure(bridge.clock)

    def is_it(self, local: str, *, domain: bool) -> bool:  # noqa: ARG002 - it needs none
        """Whether this is the postmaster's. Raises Refused where nobody reads it."""
        if local.strip('"').casefold() != NAME:
            return False
        if not self._places:
            raise Refused(
                "nobody reads this mailbox", "whoever runs this bridge sets [privacy] inbox"
            )
        return True

    async def take(self, sender: str, content: bytes) -> Reply:
        """Owe the mail to the operator's inboxes; 250 once that is on disk."""
        try:
            mail = extract(content, Policy(own_domains=tuple(self._bridge.settings.smtp.domains)))
            if mail.automatic or not sender:
                raise Refused(f"this mail is automatic ({mail.automatic or 'a bounce'})")
            self._measure.count()
            item = Owed(self._places, _words(sender, mail), self._bridge.clock())
            await self._bridge.store.write(tell_operator, item)
        except Refused as no:
            return Reply(550, no.status, no.sentence)
        except TryLater as later:
            return Reply(451, later.status, "not taken; please try again later")
        self._bridge.ring_edges()
        return Reply(250, "2.0.0", "whoever runs this bridge reads it")


def _words(sender: str, mail: Extracted) -> Words:
    lines = [f"{sender} has written to {NAME}; answer them at that address."]
    text = mail.text.strip()
    if len(text) > _LONGEST:
        lines.append(f"This is the beginning of {len(text)} characters.")
        text = text[:_LONGEST] + " …"
    return Words(
        f"To {NAME}: {mail.subject[:_LONGEST_SUBJECT] or 'no subject'}",
        (*lines, *(line for line in text.splitlines() if line)),
    )
