"""What our carriers send is what the provider's own API description has: Prism judges it.

`tests/data/published` says which descriptions there are, and why the others are not.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import pytest
import pytest_asyncio

from bridge.carriers.http import PROVIDERS, provider
from bridge.carriers.http import twilio as twilio_carrier
from bridge.carriers.http import vonage as vonage_carrier
from bridge.carriers.http.carrier import probe
from bridge.model import Outcome, Verdict
from tests.contract.test_http_carriers import KEYS, Us, entry, us
from tests.http_cases import OURS, PUBLIC, Case, Seen, Sent, cases, twilio, vonage
from tests.http_peer import until
from tests.published import (
    FOLDER,
    Gate,
    a_gate,
    cut,
    description,
    kinds,
    operations,
    prism,
    request_body,
    schema,
    with_fields,
)

CASES = {case.kind: case for case in cases() if not case.base}

TEXTS = {
    "gsm7": "Server room is flooding [€5] ~ ¿què? + 100 % & a=b",
    "ucs2": "Příliš žluťoučký kůň 🐎",
    "long": "All pumps failed. " * 20,
    "long-ucs2": "Příliš žluťoučký kůň 🐎 " * 8,
    "signs": "first line\nsecond \"line\" <b>'x'</b> \\ ; ?#/",
}

#: Further keys of an entry.
MORE: dict[str, list[dict[str, Any]]] = {"twilio": [{"service": f"MG{'0' * 32}"}, {"key": "SK1"}]}

#: What a description has, and a request that deviates from it in just that.
DEVIATIONS: dict[str, list[tuple[str, Callable[[Seen], Seen]]]] = {
    "twilio": [
        ("ValidityPeriod", lambda seen: with_fields(seen, ValidityPeriod="soon")),
        ("MessagingServiceSid", lambda seen: with_fields(seen, MessagingServiceSid="MG1")),
        ("AccountSid", lambda seen: replace(seen, path=seen.path.replace("/AC0", "/XX0"))),
    ],
    "vonage": [
        ("ttl", lambda seen: with_fields(seen, ttl="1000")),
        ("to", lambda seen: with_fields(seen, to="420")),
        ("type", lambda seen: with_fields(seen, type="ucs2")),
        ("status-report-req", lambda seen: with_fields(seen, **{"status-report-req": "1"})),
    ],
}

with_credentials_apart = [
    kind for kind in kinds() if "securitySchemes" in description(kind)["components"]
]

judged = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=kinds())
async def served(
    request: pytest.FixtureRequest,
    program: Callable[[str], Path],
    node_modules: Callable[[str], Path],
) -> AsyncIterator[tuple[Case, str]]:
    """A provider's case, and Prism with its description; one process for all tests of it."""
    kind = request.param
    found = program("node"), node_modules("@stoplight/prism-cli")
    async with prism(*found, FOLDER / f"{kind}.json") as url:
        yield CASES[kind], url


@pytest_asyncio.fixture(loop_scope="module")
async def gate(served: tuple[Case, str]) -> AsyncIterator[Gate]:
    case, url = served
    async with a_gate(case, description(case.kind), url) as made:
        yield made


async def outcomes_of(it: Us, text: str) -> list[Outcome]:
    """From each kind of originator, with each kind of validity."""
    now = time.time()
    ways = [(sender, now + 3600) for sender in (OURS, "ACME Alarm", "90210")]
    ways += [("", until) for until in (None, now - 5, now + 7, now + 90 * 86_400)]
    return await it.ask(
        *(it.part(text, originator=sender, expires_at=until) for sender, until in ways)
    )


@judged
@pytest.mark.parametrize("which", TEXTS)
async def test_what_we_send_is_as_published(gate: Gate, which: str) -> None:
    for more in ({}, {"receipts": False}, *MORE.get(gate.case.kind, [])):
        async with us(gate.case, gate.url, **more) as it:
            told = await outcomes_of(it, TEXTS[which])
        assert [outcome.verdict for outcome in told] == [Verdict.ACCEPTED] * 7
        assert all(outcome.carrier_id for outcome in told)
    assert [each.violations for each in gate.judged] == [[]] * len(gate.judged)
    assert len(gate.sent()) >= 14
    # A field that is not described would be no violation.
    described = request_body(gate.told)["properties"].keys()
    assert set().union(*(each.seen.form() for each in gate.sent())) <= described
    asked = [each.seen.form() for each in gate.sent()]
    assert {TEXTS[which]} == {said.get("Body", said.get("text")) for said in asked}


@judged
async def test_what_prism_refuses_is_no_sms(gate: Gate) -> None:
    """Requests that lack a field, or have one in another way: so it does judge the others."""
    for name, spoil in deviations(gate):
        before = len(gate.sent())
        gate.spoil = lambda seen, spoil=spoil: spoil(seen) if gate.case.is_send(seen) else seen
        async with us(gate.case, gate.url) as it:
            (outcome,) = await it.ask(it.part())
        (found,) = gate.sent()[before:]
        assert found.status == 422, name
        assert name.lower() in json.dumps(found.violations).lower(), (name, found.violations)
        assert outcome.verdict is Verdict.REJECTED, name


def deviations(gate: Gate) -> list[tuple[str, Callable[[Seen], Seen]]]:
    lacks = [
        (name, lambda seen, name=name: with_fields(seen, **{name: None}))
        for name in request_body(gate.told)["required"]
    ]
    assert lacks
    return lacks + DEVIATIONS[gate.case.kind]


@judged
async def test_the_probe_is_as_published_where_it_is(gate: Gate) -> None:
    config = entry(gate.case, gate.url)
    assert await probe(config, provider(config, KEYS, PUBLIC)) == ""
    if gate.case.kind == "vonage":  # its description is another API's, and that one is not kept
        assert gate.undescribed == ["GET /account/get-balance"]
    else:
        assert gate.undescribed == []
        assert [each.violations for each in gate.judged] == [[]]


@judged
@pytest.mark.parametrize("served", with_credentials_apart, indirect=True)
async def test_without_credentials_nothing_is_taken(gate: Gate) -> None:
    """Where the description has them beside the fields, which are judged already."""
    async with us(gate.case, gate.url) as it:
        gate.spoil = lambda seen: replace(
            seen, headers={k: v for k, v in seen.headers.items() if k != "authorization"}
        )
        (outcome,) = await it.ask(it.part())
        assert outcome.verdict is Verdict.NOT_SENT
        assert gate.sent()[-1].status == 401
        await until(lambda: "credentials" in it.carrier.last_error)
        gate.spoil = lambda seen: seen
        await until(lambda: it.carrier.up)


@judged
async def test_every_published_example_of_an_answer_is_read(gate: Gate) -> None:
    (path,) = (path for method, path in operations(gate.told) if method == "post")
    responses = gate.told["paths"][path]["post"]["responses"]
    examples = [
        name
        for answer in responses.values()
        for name in answer["content"]["application/json"].get("examples", ["only"])
    ]
    assert examples
    async with us(gate.case, gate.url) as it:
        for name in examples:
            gate.prefer = f"example={name}" if name != "only" else ""
            (outcome,) = await it.ask(it.part())
            said = json.dumps(gate.sent()[-1].answer)
            assert outcome.verdict is Verdict.ACCEPTED, (name, said)
            assert outcome.carrier_id in said
        assert len(gate.sent()) == len(examples)


# -- what we keep, and our own judges, by the same descriptions -----------------------------------


@pytest.mark.parametrize("kind", kinds())
def test_a_kept_description_has_what_we_use_and_its_source(kind: str) -> None:
    told = description(kind)
    assert cut(told, operations(told)) == told
    assert PROVIDERS[kind].api_url in {
        f"{parts.scheme}://{parts.netloc}"
        for parts in (urlsplit(server["url"]) for server in told["servers"])
    }
    (row,) = re.findall(
        rf"^\| `{kind}\.json` \|.*$", (FOLDER / "README.md").read_text(), re.MULTILINE
    )
    assert re.search(r"Apache-2\.0|MIT", row), "only what may be passed on is kept"
    assert f"| {told['info']['version']} |" in row


def test_every_provider_is_kept_or_said_why_not() -> None:
    said = (FOLDER / "README.md").read_text()
    assert {kind for kind in PROVIDERS if f"`{kind}" not in said} == {"http"}


@pytest.mark.parametrize(
    ("case", "name"),
    [(twilio.CASE, "api.v2010.account.message"), (vonage.CASE, "SMS")],
    ids=["twilio", "vonage"],
)
def test_our_peers_answer_as_published(case: Case, name: str) -> None:
    wanted = schema(description(case.kind), name)
    number = {"twilio": f"SM{'0' * 32}"}.get(case.kind, case.number(1))
    answer = json.loads(case.accept(Sent(case.to, "Boiler is cold", case.sender), number).body)
    jsonschema.validate(answer, wanted)
    described = wanted["components"]["schemas"]["Message" if case is vonage.CASE else name]
    said = answer["messages"] if case is vonage.CASE else [answer]
    assert set().union(*said) <= described["properties"].keys()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("DeliveryReceipt", dict(parse_qsl(vonage.receipt("0A1", "delivered").query))),
        ("InboundMessage", json.loads(vonage.inbound("Ano", "0B1").body)),
    ],
)
def test_vonages_callbacks_are_as_published(name: str, told: dict[str, str]) -> None:
    wanted = schema(description("vonage"), name)
    jsonschema.validate(told, wanted)
    assert told.keys() <= wanted["components"]["schemas"][name]["properties"].keys()


def test_every_published_state_and_error_of_vonage_has_its_row() -> None:
    told = description("vonage")
    assert {int(code) for code in told["x-errors"]} == vonage_carrier.ERRORS.keys()
    status = told["components"]["schemas"]["DeliveryReceipt"]["properties"]["status"]
    assert {*status["x-possible-values"]} == vonage_carrier.STATES.keys()


def test_every_published_state_of_twilio_has_its_row() -> None:
    states = {*description("twilio")["components"]["schemas"]["message_enum_status"]["enum"]}
    # These are of what comes in, and what is sent in parts by other channels.
    assert states - twilio_carrier.STATES.keys() == {"receiving", "received", "partially_delivered"}
