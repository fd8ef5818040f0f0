"""What asks to erase is what the provider's own API description has: Prism judges it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import pytest_asyncio

from bridge.carriers import eraser
from bridge.model import Erased, Fate
from tests.contract.test_record_erasing import CASES, KEYS, entry
from tests.http_cases import PUBLIC, Records, Seen, vonage
from tests.published import FOLDER, Gate, a_gate, cut, description, operations, prism, schema

#: Kind → the file that describes erasing.
FILES = {"twilio": "twilio", "vonage": "vonage.redact"}

judged = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=FILES)
async def served(
    request: pytest.FixtureRequest,
    program: Callable[[str], Path],
    node_modules: Callable[[str], Path],
) -> AsyncIterator[tuple[str, str]]:
    """A kind, and Prism with its description."""
    found = program("node"), node_modules("@stoplight/prism-cli")
    async with prism(*found, FOLDER / f"{FILES[request.param]}.json") as url:
        yield request.param, url


@dataclass
class There:
    """A provider behind Prism."""

    kind: str
    gate: Gate

    async def erase(self, *, inbound: bool = False) -> Erased:
        _, out, back = CASES[self.kind]
        found = eraser(entry(self.kind, self.gate.url), KEYS, PUBLIC)
        assert found is not None
        try:
            return await found.erase((back if inbound else out)[0], inbound=inbound)
        finally:
            await found.close()


@pytest_asyncio.fixture(loop_scope="module")
async def there(served: tuple[str, str]) -> AsyncIterator[There]:
    kind, url = served
    case = CASES[kind][0](Records())
    async with a_gate(case, description(FILES[kind]), url) as gate:
        yield There(kind, gate)


@judged
async def test_p68_what_asks_to_erase_is_as_published(there: There) -> None:
    for inbound in (False, True):
        assert (await there.erase(inbound=inbound)).fate is Fate.ERASED
    assert there.gate.undescribed == []
    assert [each.violations for each in there.gate.judged] == [[], []]
    assert [each.status for each in there.gate.judged] == [204, 204]


SPOILT: dict[str, Callable[[Seen], Seen]] = {
    "twilio": lambda seen: replace(seen, path=seen.path.replace("/SM1", "/XX1")),
    "vonage": lambda seen: replace(seen, body=seen.body.replace(b"outbound", b"sideways")),
}


@judged
async def test_what_prism_refuses_is_not_erased(there: There) -> None:
    """So it does judge the others."""
    there.gate.spoil = SPOILT[there.kind]
    assert (await there.erase()).fate is Fate.REFUSED
    (found,) = there.gate.judged
    assert found.status == 422
    assert found.violations


@judged
async def test_without_credentials_nothing_is_erased(there: There) -> None:
    there.gate.spoil = lambda seen: replace(
        seen, headers={k: v for k, v in seen.headers.items() if k != "authorization"}
    )
    said = await there.erase()
    assert (said.fate, said.whole) == (Fate.LATER, True)
    assert there.gate.judged[0].status == 401


@judged
@pytest.mark.parametrize("served", ["vonage"], indirect=True)
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, Erased(Fate.LATER, "Vonage does not let our account redact (UNAUTHORIZED)")),
        (403, Erased(Fate.LATER, "Vonage redacts an hour after the SMS")),
        (404, Erased(Fate.GONE)),
        (422, Erased(Fate.REFUSED, "the provider refused to erase it (HTTP 422)")),
        (429, Erased(Fate.LATER, "the provider is busy (HTTP 429)")),
    ],
)
async def test_every_published_answer_of_vonage_is_read(
    there: There, status: int, expected: Erased
) -> None:
    there.gate.spoil = lambda seen: replace(
        seen, headers={**seen.headers, "prefer": f"code={status}"}
    )
    said = await there.erase()
    assert there.gate.judged[0].status == status
    assert (said.fate, said.reason) == (expected.fate, expected.reason)


@pytest.mark.parametrize(
    ("name", "reply"),
    [
        ("ErrorPrematureRedaction", vonage.problem("premature-redaction", 403)),
        ("ErrorUnprovisioned", vonage.problem("unprovisioned", 403)),
        ("ErrorInvalidId", vonage.problem("invalid-id", 404)),
        ("ErrorThrottled", vonage.problem("rate-limit", 429)),
        ("ErrorUnauthorized", vonage.UNAUTHORIZED),
    ],
)
def test_our_vonage_refuses_as_published(name: str, reply: Any) -> None:
    told = description("vonage.redact")
    wanted = schema(told, name)
    said = json.loads(reply.body)
    jsonschema.validate(said, wanted)
    described = wanted["components"]["schemas"][name]["properties"]
    # The address of the page has changed since, the code behind it has not.
    example = described["type"]["example"]
    assert said["type"].rpartition("/")[2] == example.rpartition("/")[2]


def test_the_kept_description_is_cut_and_has_its_source() -> None:
    told = description("vonage.redact")
    assert cut(told, operations(told)) == told
    readme = (FOLDER / "README.md").read_text()
    (row,) = re.findall(r"^\| `vonage\.redact\.json` \|.*$", readme, re.MULTILINE)
    assert "MIT" in row
    assert f"| {told['info']['version']} |" in row
