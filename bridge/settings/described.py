"""The tables of a carrier that is described in bridge.toml (kind "http"), key by key."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from bridge.settings.describing import (
    Address,
    Body,
    EntryPlace,
    Headers,
    ListPlace,
    OptionalAddress,
    OptionalPattern,
    PageAddress,
    Perhaps,
    Place,
    RecordAddress,
    Somewhere,
    Template,
    Tree,
    Words,
    templates,
)
from bridge.settings.values import OptionalDuration

Status = Annotated[int, Field(ge=100, le=599)]
Word = Annotated[str, Field(max_length=120)]

_BODIES = ("json", "form", "body")


class Table(BaseModel):
    """As every section: no other keys, no value of another type, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class Request(Table):
    """How a message is handed over: one request, filled in."""

    url: Address
    method: Literal["GET", "POST", "PUT"] = "POST"
    headers: Headers = {}
    query: dict[str, Words] = {}
    form: dict[str, Words] = {}
    json_: Annotated[Tree, Field(alias="json")] = {}
    body: Body = None
    content_type: str = ""
    # A harmless address: an answer that is no error shows that the account stands.
    check: OptionalAddress = None
    # What {encoding} is for each of ours.
    encodings: dict[Literal["gsm7", "ucs2"], Annotated[str, Field(pattern=r"^[ -~]{0,60}$")]] = {}

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        given = [
            name
            for name, said in zip(_BODIES, (self.json_, self.form, self.body), strict=True)
            if said
        ]
        if len(given) > 1:
            raise ValueError(f"has {' and '.join(given)}; a request has one body, keep one of them")
        if given and self.method == "GET":
            raise ValueError(f'a GET has no {given[0]}; write query, or method = "POST"')
        if bool(self.body) != bool(self.content_type):
            raise ValueError("body and content_type belong together; set both, or neither")
        if self.content_type and self.escape == "":
            raise ValueError(
                "content_type must be of XML or JSON, such as"
                ' "text/xml; charset=utf-8": nothing else can be filled in safely'
            )
        return self

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        names = {name for each in self.all() for name in each.names}
        if "text" not in names:
            raise ValueError("{text} stands nowhere; put it where the text belongs")
        if not {"to", "to_digits"} & names:
            raise ValueError("neither {to} nor {to_digits} stands anywhere; put the number in")
        return self

    @property
    def escape(self) -> str:
        """How `body` is written: "xml", "json", or "" for what is neither."""
        kind = self.content_type.partition(";")[0].strip().lower()
        return next((e for e in ("xml", "json") if kind.endswith(("/" + e, "+" + e))), "")

    def all(self) -> Iterator[Template]:
        """Every template."""
        yield self.url
        for table in (self.headers, self.query, self.form):
            yield from table.values()
        yield from templates(self.json_)
        if self.body:
            yield self.body


def _only(kinds: Iterable[str], **places: Place | None) -> None:
    for key, place in places.items():
        if place is not None and place.kind not in kinds:
            raise ValueError(
                f'{key}: an answer has no {place.kind}; use "/…", "header:…" or "re:…"'
            )


_IN_ANSWERS = ("json", "header", "pattern")


class Refusal(Table):
    """One way in which the provider refuses: all that is said here must hold."""

    status: Status | None = None
    at: Perhaps = None
    pattern: OptionalPattern = None
    verdict: Literal["not-sent", "throttled", "rejected", "failed", "opted-out", "unknown"]
    reason: Annotated[Word, Field(min_length=1)]
    pause: OptionalDuration = None

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        _only(_IN_ANSWERS, at=self.at)
        if self.status is None and self.pattern is None:
            raise ValueError("has neither status nor pattern; say when it holds")
        if self.at is not None and self.pattern is None:
            raise ValueError("at needs a pattern: what must stand there")
        if self.pause is not None and self.verdict != "throttled":
            raise ValueError('pause goes with verdict = "throttled"; take it out')
        return self


class Answer(Table):
    """What the provider's answer means; `errors` are looked at first, in order."""

    success: Annotated[list[Status], Field(min_length=1)] = [200, 201, 202]
    at: Perhaps = None
    pattern: OptionalPattern = None
    id: Perhaps = None
    errors: list[Refusal] = []

    @model_validator(mode="after")
    def _of_answers(self) -> Self:
        _only(_IN_ANSWERS, at=self.at, id=self.id)
        if self.at is not None and self.pattern is None:
            raise ValueError("at needs a pattern: what must stand there")
        return self


class ReceiptMap(Table):
    """Where a delivery receipt says what."""

    id: Somewhere
    state: Somewhere
    states: Annotated[
        dict[str, Literal["sent", "delivered", "failed", "expired", "unknown", "ignored"]],
        Field(min_length=1),
    ]
    many: ListPlace = None
    time: Perhaps = None
    reason: Perhaps = None
    reply: Word = ""


class InboundMap(Table):
    """Where an MO says what."""

    source: Annotated[Somewhere, Field(alias="from")]
    text: Somewhere
    to: Perhaps = None
    key: Perhaps = None
    many: ListPlace = None
    reply: Word = ""


class Signature(Table):
    """How a callback proves that it is the provider's."""

    kind: Literal["hmac-sha256", "hmac-sha1", "token", "basic"]
    secret: SecretStr
    at: Perhaps = None
    user: str = ""
    over: Literal["body", "url+body"] = "body"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.secret.get_secret_value():
            raise ValueError("secret is empty; write what the provider shares with you")
        if self.kind == "basic":
            if self.at is not None:
                raise ValueError('kind "basic" stands in Authorization; take at out')
        elif self.at is None or self.at.kind not in ("header", "query"):
            raise ValueError('at must be "header:NAME" or "query:NAME": where the proof stands')
        return self


class OptOuts(Table):
    """Where the provider's list of people who opted out with it is, page by page, in JSON."""

    url: PageAddress
    first: Annotated[int, Field(ge=0)] = 1
    many: ListPlace = None
    number: EntryPlace = None
    sender: EntryPlace = None
    time: EntryPlace = None
    # How many pages there are; without it the first that is empty is the end.
    pages: EntryPlace = None
    # Only entries with this at that place.
    at: EntryPlace = None
    pattern: OptionalPattern = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.at is None) != (self.pattern is None):
            raise ValueError("at and pattern belong together; set both, or neither")
        if self.pages is not None and "page" not in self.url.names:
            raise ValueError("pages needs {page} in url; put the number of the page in")
        return self


class Erasing(Table):
    """How the provider is asked to erase its record of an SMS, by the id that it gave."""

    # Of what was sent, and of what came in; one of them may be missing.
    url: RecordAddress = None
    inbound: RecordAddress = None
    method: Literal["DELETE", "POST"] = "DELETE"
    # These statuses of HTTP say that there is no such record.
    gone: list[Status] = [404, 410]

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if self.url is None and self.inbound is None:
            raise ValueError("has neither url nor inbound; say where a record is")
        return self


def nameless(answer: Answer | None, erasing: Erasing | None) -> str:
    """Why sent SMS cannot be asked for by the provider's id, in words; "" where they can.

    Asked for by ours, they would be taken for gone.
    """
    if erasing is None or erasing.url is None or (answer is not None and answer.id is not None):
        return ""
    return "erasing url asks by the provider's id; say in answer id where its answer has that"


def homeless(
    api_url: str,
    request: Request | None,
    optouts: OptOuts | None = None,
    erasing: Erasing | None = None,
) -> str:
    """What is a path without an api_url, in words; "" for nothing."""
    for name, table, key in (
        ("request", request, "url"),
        ("request", request, "check"),
        ("optouts", optouts, "url"),
        ("erasing", erasing, "url"),
        ("erasing", erasing, "inbound"),
    ):
        address = getattr(table, key, None)
        if address is not None and address.pieces[0][0].startswith("/") and not api_url:
            return f"{name} {key} is a path; add api_url, or write the whole address"
    return ""


def misdescribed(
    receipt: ReceiptMap | None, inbound: InboundMap | None, signature: Signature | None
) -> str:
    """What does not fit together, in words: nothing may be read that is not signed. "" for none."""
    if signature is None or signature.over != "body" or not signature.kind.startswith("hmac"):
        return ""
    unsigned = ("query", "header")
    for name, table in (("receipt", receipt), ("inbound", inbound)):
        for key, place in table or ():
            if isinstance(place, Place) and place.kind in unsigned:
                return (
                    f'{name} {key} stands in the {place.kind}, which the signature over "body" does'
                    ' not cover; use over = "url+body", or a place in the body'
                )
    return ""


def seconds(span: timedelta | None) -> float:
    """A pause; 0 for none."""
    return span.total_seconds() if span is not None else 0.0
