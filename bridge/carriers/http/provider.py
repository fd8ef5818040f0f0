"""What a carrier over HTTP has to know of its provider: parts in, requests out; answers and
callbacks in, our words for them out. Nothing here opens a connection.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl, urlencode

from bridge.model import Inbound, Outcome, Part, Receipt, Verdict
from bridge.settings import Carrier as Config

MOST_FIELDS: Final = 1000
"""Fields of a callback's form; more are none of a provider's."""
LONGEST_WORD: Final = 200
"""Characters of an id, a state or a number in a callback."""
LONGEST_TEXT: Final = 20_000
"""Characters of an MO."""

_ELSEWHERE: Final = "the provider is not at this address"

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the provider."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """The provider's answer; names of headers in small letters."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """What the body says; None where it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def fields(self) -> Mapping[str, Any]:
        """The body as a JSON object; {} where it is none."""
        found = self.json()
        return found if isinstance(found, dict) else {}


class Unsendable(Exception):
    """This carrier cannot take this part; `outcome` says why. Nothing has left."""

    def __init__(self, verdict: Verdict, reason: str) -> None:
        super().__init__(reason)
        self.outcome = Outcome(verdict, reason=reason)


class Unreadable(Exception):
    """A callback that is none of the provider's as documented; its text says what is wrong."""


@dataclass(frozen=True)
class Callback:
    """A request of the provider: `what` is "receipt" or "inbound", the end of its path.

    `url` is the address as the provider knows it. Names of headers in small letters.
    """

    what: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""

    @cached_property
    def query(self) -> str:
        """What stands behind the question mark."""
        return self.url.partition("?")[2]

    def pairs(self) -> list[tuple[str, str]]:
        """The fields of the query, or of the form in a POST. Raises Unreadable."""
        written = self.query if self.method == "GET" else self.body
        try:
            text = written.decode() if isinstance(written, bytes) else written
            return parse_qsl(
                text, keep_blank_values=True, errors="replace", max_num_fields=MOST_FIELDS
            )
        except ValueError:
            raise Unreadable("no form") from None

    def form(self) -> dict[str, str]:
        """The fields by name, each in its last writing. Raises Unreadable."""
        return dict(self.pairs())

    def json(self) -> Any:
        """The body as JSON. Raises Unreadable."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise Unreadable("no JSON") from None

    def fields(self) -> dict[str, Any]:
        """The body as a JSON object. Raises Unreadable."""
        found = self.json()
        if not isinstance(found, dict):
            raise Unreadable("no JSON object")
        return found


@dataclass(frozen=True, slots=True)
class Heard:
    """What a callback says, and the answer that the provider wants for it once that is stored."""

    receipts: Sequence[Receipt] = ()
    inbound: Sequence[Inbound] = ()
    opted_out: Sequence[str] = ()
    answer: str = ""
    answer_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a log-in gave: a token, and for how many seconds it is good."""

    token: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Doors:
    """Where a carrier's provider calls us.

    `secret` stands in the path for a provider that signs nothing; `public_url` is "" where nobody
    outside can reach it.
    """

    name: str
    secret: str = field(repr=False)
    public_url: str

    def url(self, what: str, *, signed: bool) -> str:
        """The address of one kind of callback; "" where there is none."""
        if not self.public_url:
            return ""
        middle = self.name if signed else f"{self.name}/{self.secret}"
        return f"{self.public_url}/carriers/{middle}/{what}"


class Provider(ABC):
    """One account at one provider. Everything is a pure function of what comes in."""

    api_url: ClassVar[str] = ""
    """Where the provider is, unless the entry says otherwise."""
    idempotent: ClassVar[bool] = False
    """The same request with the same key is one SMS, whatever became of the first."""
    whole: ClassVar[bool] = True
    """A long text is handed over in one piece: the provider cuts and joins it."""
    callbacks: ClassVar[tuple[str, ...]] = ("receipt", "inbound")
    """The ends of the paths that the provider calls."""

    def __init__(self, config: Config, doors: Doors) -> None:
        self.config = config
        self.doors = doors
        self.base = (config.api_url or self.api_url).rstrip("/")

    def url(self, what: str) -> str:
        """Where the provider calls us with this; "" where it cannot reach us."""
        return self.doors.url(what, signed=self.signed)

    def sender(self, part: Part) -> str:
        """What the phone shows; "" where nobody has said."""
        return part.originator or self.config.originator

    @property
    def signed(self) -> bool:
        """Whether callbacks can be judged by their signature; without, their path has a secret."""
        return False

    @abstractmethod
    def request(self, part: Part, now: float, token: str) -> Call:
        """The request that hands `part` over at Unix time `now`. Raises Unsendable."""

    @abstractmethod
    def outcome(self, answer: Answer) -> Outcome:
        """What an answer means for the part. NOT_SENT also says that the account cannot send.

        ACCEPTED without an id: receipts name the part as `known_as` has it.
        """

    def known_as(self, _part: Part) -> str:
        """What receipts call a part whose answer brought no id, where we chose that; "" else."""
        return ""

    def login(self) -> Call | None:
        """The request for a token, where there is one to be had."""
        return None

    def ticket(self, _answer: Answer) -> Ticket | None:
        """The token in the answer to `login`; None where it was refused."""
        return None

    @abstractmethod
    def probe(self, token: str) -> Call:
        """A harmless request that shows whether the account stands."""

    def probed(self, answer: Answer) -> str:
        """What is wrong by the answer to `probe`, in a sentence; "" where all is well."""
        if answer.status in (401, 403):
            return f"the provider refuses the credentials (HTTP {answer.status})"
        if answer.status >= 500 or answer.status == 429:
            return f"the provider has a fault of its own (HTTP {answer.status})"
        if 300 <= answer.status < 400 or answer.status in (404, 405):
            return f"{_ELSEWHERE} (HTTP {answer.status})"
        return ""

    def genuine(self, _callback: Callback) -> bool:
        """Whether the callback is the provider's, by its signature. Never raises."""
        return False

    @abstractmethod
    def heard(self, callback: Callback) -> Heard:
        """What a callback says. Raises Unreadable."""


def form(method: str, url: str, fields: Mapping[str, str], **headers: str) -> Call:
    """A request with a form as its body, in UTF-8; underscores in headers' names are dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Call(method, url, {"Content-Type": FORM, **named}, urlencode(fields).encode())


def with_json(method: str, url: str, content: object, **headers: str) -> Call:
    """A request with JSON as its body; underscores in headers' names are dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps(content, ensure_ascii=False).encode()
    return Call(method, url, {"Content-Type": JSON, **named}, body)


def basic(user: str, password: str) -> str:
    """The value of an Authorization header (RFC 7617)."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def word(value: object, longest: int = LONGEST_WORD) -> str:
    """An id, a state or a number as any database keeps it; "" for what is none of them."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    try:
        return _clean(str(value))[:longest].strip()
    except ValueError:  # an integer of thousands of digits
        return ""


def mo(
    source: object,
    destination: object,
    text: object,
    key: object = "",
    *,
    ref: int = 0,
    total: int = 1,
    number: int = 1,
) -> Inbound:
    """An MO, or a part of one, whose text the provider has decoded."""
    written = _clean(text)[:LONGEST_TEXT] if isinstance(text, str) else ""
    return Inbound(
        source=word(source, 64),
        destination=word(destination, 64),
        data=written.encode("utf-8", "replace"),
        coding="utf-8",
        key=word(key),
        ref=ref,
        total=total,
        number=number,
    )


def whole_number(value: object) -> int:
    """A count that a provider writes as a number or as digits; 0 for what is none."""
    written = word(value, 9)
    return int(written) if written.isascii() and written.isdigit() else 0


def _clean(text: str) -> str:
    """No NUL, which PostgreSQL refuses, and no half of a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def refusal(verdict: Verdict, said: str, code: object, pause: float = 0.0) -> Outcome:
    """An outcome whose reason has the provider's code."""
    shown = word(code, 40)
    return Outcome(verdict, reason=f"{said} ({shown})" if shown else said, pause=pause)


def by_status(answer: Answer) -> Outcome:
    """What an HTTP status alone says of a part (RFC 9110), where no table of theirs does."""
    status = answer.status
    code = f"HTTP {status}"
    if status == 401:
        return refusal(Verdict.NOT_SENT, "the provider refuses our credentials", code)
    if status == 429:
        pause = retry_after(answer)
        return refusal(Verdict.THROTTLED, "we send faster than the provider allows", code, pause)
    if status == 503 and "retry-after" in answer.headers:
        return refusal(Verdict.THROTTLED, "the provider is busy", code, retry_after(answer))
    if status in (301, 307, 308):
        return refusal(Verdict.NOT_SENT, _ELSEWHERE, code)
    if 300 <= status < 500 and status != 408:
        return refusal(Verdict.REJECTED, "the provider refused the request", code)
    # What a gateway or a fault answers does not say whether the request had been taken.
    return refusal(Verdict.UNKNOWN, "the provider's answer does not say what became of it", code)


def retry_after(answer: Answer, otherwise: float = 1.0, longest: float = 300.0) -> float:
    """Seconds that the provider wants to be left alone (RFC 9110, 10.2.3; dates are not read)."""
    told = answer.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit() and len(told) < 7:
        return min(max(float(told), otherwise), longest)
    return otherwise
