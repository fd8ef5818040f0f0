"""What a person in a chat may ask for: one class a command, as the grammar reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from bridge.bots.when import When


class Number(NamedTuple):
    """A recipient by number."""

    e164: str


class Name(NamedTuple):
    """A recipient by the name of a contact or a group, compared as `recipients.name_of` says."""

    name: str


Recipient = Number | Name


@dataclass(frozen=True, slots=True)
class Send:
    """Text to recipients, at once or at a time on each recipient's own clock."""

    to: tuple[Recipient, ...]
    text: str
    when: When | None = None


@dataclass(frozen=True, slots=True)
class SendTemplate:
    """A template's text to recipients, its placeholders filled."""

    name: str
    to: tuple[Recipient, ...]
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in the conversation where the command is typed."""

    text: str


@dataclass(frozen=True, slots=True)
class Status:
    """How a message stands; the newest of one's own without an id."""

    message: int | None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Take a message back that has not left."""

    message: int


@dataclass(frozen=True, slots=True)
class Log:
    """The newest messages, of all or to one recipient."""

    count: int
    of: Recipient | None


@dataclass(frozen=True, slots=True)
class ContactAdd:
    """A name for a number."""

    name: str
    e164: str


@dataclass(frozen=True, slots=True)
class GroupAdd:
    """Members for a group, which is made by its first ones."""

    name: str
    members: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class GroupRemove:
    """Members out of a group; the group itself without any."""

    name: str
    members: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class TemplateAdd:
    """A text with `{placeholders}` under a name."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Forget a contact or a template."""

    kind: str  # "contact" | "template"
    name: str


@dataclass(frozen=True, slots=True)
class List:
    """Show the contacts, groups or templates."""

    kind: str  # "contact" | "group" | "template"


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person agreed to: shown, recorded or taken back; `given` are its terms as written."""

    of: Recipient
    action: str  # "show" | "add" | "withdraw"
    given: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Stop:
    """A person wants no messages: of the tenant, of one programme, or of anybody."""

    of: Recipient
    scope: str  # "tenant" | "programme" | "all"
    programme: str  # its name, in scope "programme"
    reason: str


@dataclass(frozen=True, slots=True)
class Unstop:
    """An opt-out that was entered by mistake."""

    of: Recipient
    evidence: str  # a URL


@dataclass(frozen=True, slots=True)
class Blacklist:
    """Whom the tenant does not write to; `what` is a number, a prefix or a country."""

    action: str  # "add" | "remove" | "list" | "check"
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class HoldAdd:
    """Keep all of a person until then; `of` may be the id of a message to them."""

    of: Recipient | int
    basis: str
    until: date


@dataclass(frozen=True, slots=True)
class HoldRelease:
    """A hold ends."""

    hold: int


@dataclass(frozen=True, slots=True)
class Holds:
    """What is held."""


@dataclass(frozen=True, slots=True)
class RetentionShow:
    """How long what is kept."""


@dataclass(frozen=True, slots=True)
class RetentionSet:
    """Another period for a class of data, as written: 30d, 6mo."""

    klass: str
    period: str
    reason: str


Kept = HoldAdd | HoldRelease | Holds | RetentionShow | RetentionSet


@dataclass(frozen=True, slots=True)
class Quota:
    """One's own limits and what is left of them."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left of the tenant's credit."""


@dataclass(frozen=True, slots=True)
class Approve:
    """Agree to what somebody else wants to send to many."""

    draft: int


@dataclass(frozen=True, slots=True)
class Enrol:
    """Redeem an invitation."""

    code: str


@dataclass(frozen=True, slots=True)
class Help:
    """What can be typed; of one verb, or of all."""

    verb: str = ""


@dataclass(frozen=True, slots=True)
class DsarOpen:
    """A person asks for something about their own data; `given` says how they asked."""

    kind: str
    of: Recipient
    given: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DsarAct:
    """Something is done about a request."""

    action: str  # show verify forward receipt withdraw instruct preview run extend refuse
    request: int
    given: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DsarList:
    """The open requests, or those due within so many days."""

    due: int | None


@dataclass(frozen=True, slots=True)
class Restrict:
    """A person's data may not be used, or may be again, for the sake of a request."""

    of: Recipient
    on: bool
    case: int


@dataclass(frozen=True, slots=True)
class Subproc:
    """The register of processors; `given` are a new one's details as written."""

    action: str  # "list" | "add" | "notify"
    name: str
    given: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Breach:
    """A breach of security: what happened, or how it ended, stands in `words`."""

    action: str  # "list" | "report" | "open" | "notify" | "close"
    id: int
    words: str


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use the bridge from chats; `who` is a name or an id."""

    action: str  # "review" | "grant" | "revoke" | "close-all"
    who: str
    given: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Braking:
    """The kill switch, and what rules have stopped; `words` is the reason or what was found."""

    action: str  # "halt" | "resume" | "list" | "lift" | "confirm"
    id: int
    words: str


Command = (
    Send
    | SendTemplate
    | Reply
    | Status
    | Cancel
    | Log
    | ContactAdd
    | GroupAdd
    | GroupRemove
    | TemplateAdd
    | Remove
    | List
    | Consent
    | Stop
    | DsarOpen
    | DsarAct
    | DsarList
    | Restrict
    | Unstop
    | Blacklist
    | HoldAdd
    | HoldRelease
    | Holds
    | RetentionShow
    | RetentionSet
    | Subproc
    | Breach
    | Access
    | Braking
    | Quota
    | Balance
    | Approve
    | Enrol
    | Help
)
