"""Providers that are described in bridge.toml: what is refused at start, and what cannot be injected."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import string
import time
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.carriers.http.described import Described
from bridge.carriers.http.provider import Answer, Callback, Doors, Unreadable
from bridge.errors import Misconfigured
from bridge.model import Part, Receipt, State, Verdict
from bridge.settings import Carrier
from bridge.settings.patterns import bounded
from tests.http_cases import Case
from tests.http_cases import described_gatewayapi as gatewayapi
from tests.http_cases import described_kannel as kannel

NOW = 1_795_424_400.0
DOORS = Doors("us", "x" * 22, "https://sms.example")
REQUEST: dict[str, Any] = {"url": "https://api.example/sms", "form": {"t": "{text}", "n": "{to}"}}
RECEIPT: dict[str, Any] = {"id": "/id", "state": "/state", "states": {"ok": "delivered"}}


def config(**more: Any) -> Carrier:
    values = {"name": "us", "kind": "http", "request": REQUEST, "answer": {}, "secret": "s"}
    return Carrier.model_validate(values | more, strict=False)


def described(**more: Any) -> Described:
    return Described(config(**more), DOORS)


def part(text: str = "The boiler is cold", **more: Any) -> Part:
    values: dict[str, Any] = {
        "attempt": 7,
        "message": 7,
        "number": 1,
        "total": 1,
        "ref": 0,
        "destination": "+420601123456",
        "originator": "+420601000000",
        "text": text,
        "encoding": "gsm7",
        "lang": "",
        "expires_at": NOW + 3600,
    }
    return Part(**(values | more))


def wrong(**more: Any) -> str:
    with pytest.raises(ValidationError) as no:
        config(**more)
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in no.value.errors())


# -- descriptions that are refused -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"form": {"t": "{text}"}}, "neither {to} nor {to_digits}"),
        ({"form": {"n": "{to}"}}, "{text} stands nowhere"),
        ({"form": {"t": "{txt}", "n": "{to}"}}, 'form.t: Value error, "{txt}" cannot stand here'),
        ({"form": {"t": "{text", "n": "{to}"}}, "a brace too many or too few"),
        ({"form": {"t": "{text.__class__}", "n": "{to}"}}, "cannot stand here"),
        ({"form": {"t": "{text[0]}", "n": "{to}"}}, "cannot stand here"),
        ({"form": {"t": "{text!r}", "n": "{to}"}}, 'write "{text}"'),
        ({"form": {"t": "{text:>99}", "n": "{to}"}}, 'write "{text}"'),
        ({"form": {"t": "{}", "n": "{to}"}}, "cannot stand here"),
        ({"form": {"t": "{text}", "n": "{to:number}"}}, "only JSON has numbers"),
        ({"form": {"t": "{text}", "n": 5}}, "must be text between quotes"),
        ({"json": {"a": ["{text}", "{nobody}"]}}, "/a/1: "),
        ({"json": {"a": "{text}", "n": "+{to_digits:number}"}}, "/n: a number stands alone"),
        ({"form": {"t": "{text}"}, "json": {"n": "{to}"}}, "a request has one body"),
        ({"method": "GET", "form": {"t": "{text}", "n": "{to}"}}, "a GET has no form"),
        ({"method": "DELETE"}, "request.method"),
        ({"query": {"t": "{text}", "n": "{to}"}, "body": "<a/>"}, "body and content_type belong"),
        ({"body": "{text} {to}", "content_type": "text/plain"}, "must be of XML or JSON"),
        ({"headers": {"X-Text": "{text}"}}, 'headers.X-Text: Value error, "{text}" cannot stand'),
        ({"headers": {"X-From": "{from}"}}, "cannot stand here"),
        ({"headers": {"X-A": "a\r\nB: c"}}, "no line breaks"),
        ({"headers": {"X A": "a"}}, '"X A" is no name of a header'),
        ({"headers": {"Content-Length": "1"}}, "written by the connection itself"),
        ({"url": "https://{account}.example/"}, "a web address with a fixed host"),
        ({"url": "https://api.example{account}/"}, "a web address with a fixed host"),
        ({"url": "https://api.example:{account}"}, "a web address with a fixed host"),
        ({"url": "{key}"}, "a web address with a fixed host"),
        ({"url": "ftp://api.example/"}, "a web address with a fixed host"),
        ({"url": "//else.example/"}, "a web address with a fixed host"),
        ({"url": "https://me@api.example/{id}"}, "a web address with a fixed host"),
        ({"url": "https://api.example/{text}"}, '"{text}" cannot stand here'),
        ({"url": "/sms"}, "request url is a path; add api_url"),
        ({"check": "/me"}, "request check is a path; add api_url"),
        ({"check": "https://api.example/{to}"}, "there is no message yet"),
        ({"encodings": {"utf8": "0"}}, "encodings"),
        ({"encodings": {"gsm7": "a\nb"}}, "encodings"),
        ({"colour": "red"}, "request.colour"),
    ],
)
def test_a_wrong_request_is_refused_with_its_key(request_: dict[str, Any], said: str) -> None:
    whole = request_ if {"form", "json", "query", "body"} & request_.keys() else REQUEST | request_
    assert said in wrong(request={"url": REQUEST["url"], **whole})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"answer": {"id": "msg_id"}}, 'must be a JSON pointer such as "/id"'),
        ({"answer": {"id": "form:id"}}, "an answer has no form"),
        ({"answer": {"id": "re:id=[0-9]+"}}, "needs one group"),
        ({"answer": {"id": "re:("}}, "is no regular expression"),
        ({"answer": {"pattern": "(a+)+$"}}, "repeats a group"),
        ({"answer": {"pattern": "(a|b){2,}$"}}, "repeats a group"),
        ({"answer": {"pattern": "a" * 301}}, "at most 300"),
        ({"answer": {"at": "/a"}}, "at needs a pattern"),
        ({"answer": {"success": []}}, "answer.success"),
        ({"answer": {"success": [99]}}, "answer.success.0"),
        ({"answer": {"errors": [{"verdict": "failed", "reason": "x"}]}}, "say when it holds"),
        (
            {"answer": {"errors": [{"status": 400, "verdict": "accepted", "reason": "x"}]}},
            "answer.errors.0.verdict",
        ),
        (
            {
                "answer": {
                    "errors": [{"status": 400, "verdict": "failed", "reason": "x", "pause": "1s"}]
                }
            },
            'pause goes with verdict = "throttled"',
        ),
        ({"answer": {"errors": [{"status": 400, "verdict": "failed"}]}}, "errors.0.reason"),
        ({"receipt": {"id": "/id", "state": "/s", "states": {}}}, "receipt.states"),
        ({"receipt": {"id": "/id", "state": "/s", "states": {"a": "sunk"}}}, "receipt.states.a"),
        ({"receipt": {"state": "/s", "states": {"a": "sent"}}}, "receipt.id"),
        ({"receipt": RECEIPT | {"many": "query:x"}}, "the JSON pointer of a list"),
        ({"inbound": {"text": "/t"}}, "inbound.from"),
        ({"signature": {"kind": "hmac-md5", "secret": "s"}}, "signature.kind"),
        ({"signature": {"kind": "token", "secret": "s"}}, 'at must be "header:NAME"'),
        ({"signature": {"kind": "token", "secret": "s", "at": "/a"}}, 'at must be "header:NAME"'),
        ({"signature": {"kind": "token", "secret": "", "at": "header:A"}}, "secret is empty"),
        ({"signature": {"kind": "basic", "secret": "s", "at": "header:A"}}, "take at out"),
        (
            {
                "receipt": RECEIPT | {"id": "query:id"},
                "signature": {"kind": "hmac-sha256", "secret": "s", "at": "header:A"},
            },
            'receipt id stands in the query, which the signature over "body" does not cover',
        ),
        ({"port": 1}, 'kind "http" has no key port'),
    ],
)
def test_another_wrong_table_is_refused_with_its_key(more: dict[str, Any], said: str) -> None:
    assert said in wrong(**more)


def test_request_and_answer_are_needed() -> None:
    with pytest.raises(ValidationError, match="request is missing; add what a request looks like"):
        Carrier.model_validate({"name": "us", "kind": "http"})


def test_a_secret_that_breaks_a_header_is_refused() -> None:
    request = REQUEST | {"headers": {"Authorization": "Token {key}"}}
    with pytest.raises(Misconfigured, match="key stands in a header"):
        described(request=request, key="a\r\nX: y")
    assert described(request=request, key="plain").probe("").method == "GET"


# -- nothing becomes part of the form --------------------------------------------------------------

anything = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)
ATTACKS = [
    '"}',
    "<b>&amp;",
    "&n=+1",
    "a%26b",
    "{key}{secret}",
    "}}{{",
    "\r\nX: y",
    "]]>",
    "\\",
    "'",
]


def texts() -> st.SearchStrategy[str]:
    return st.one_of(anything, st.sampled_from(ATTACKS))


@given(texts())
def test_a_text_stays_one_field_of_a_query(text: str) -> None:
    request = {
        "url": "https://api.example/sms?fixed=1",
        "method": "GET",
        "query": {"text": "{text}", "to": "{to}"},
    }
    call = described(request=request).request(part(text), NOW, "")
    address = urlsplit(call.url)
    assert (address.netloc, address.path, call.body) == ("api.example", "/sms", b"")
    assert parse_qsl(address.query, keep_blank_values=True) == [
        ("fixed", "1"),
        ("text", text),
        ("to", "+420601123456"),
    ]


@given(texts())
def test_a_text_stays_one_field_of_a_form(text: str) -> None:
    request = REQUEST | {"form": {"t": "say: {text}!", "n": "{to}", "brace": "{{}}"}}
    call = described(request=request).request(part(text), NOW, "")
    assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qsl(call.body.decode(), keep_blank_values=True) == [
        ("t", f"say: {text}!"),
        ("n", "+420601123456"),
        ("brace", "{}"),
    ]


@given(texts())
def test_a_text_stays_one_value_of_json(text: str) -> None:
    request = {
        "url": "https://api.example/sms",
        "json": {"m": {"text": "{text}", "to": ["{to_digits:number}"]}, "n": 1, "yes": True},
    }
    call = described(request=request).request(part(text), NOW, "")
    said = {"m": {"text": text, "to": [420601123456]}, "n": 1, "yes": True}
    assert json.loads(call.body) == said


@given(texts())
def test_a_text_stays_one_value_of_a_body_in_json(text: str) -> None:
    request = {
        "url": "https://api.example/sms",
        "body": '{{"text": "{text}", "to": "{to}"}}',
        "content_type": "application/json",
    }
    call = described(request=request).request(part(text), NOW, "")
    assert json.loads(call.body) == {"text": text, "to": "+420601123456"}


@given(texts())
def test_a_text_stays_one_value_of_xml(text: str) -> None:
    request = {
        "url": "https://api.example/sms",
        "body": '<sms to="{to}" say="{text}"><text>{text}</text></sms>',
        "content_type": "text/xml; charset=utf-8",
    }
    call = described(request=request).request(part(text), NOW, "")
    root = ET.fromstring(call.body)
    kept = "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    assert [child.tag for child in root] == ["text"]
    assert (root[0].text or "") == kept
    assert root.attrib["to"] == "+420601123456"


@given(texts())
def test_what_stands_in_an_address_stays_one_step_of_its_path(account: str) -> None:
    request = REQUEST | {"url": "https://api.example/v1/{account}/sms"}
    call = described(request=request, account=account).request(part(), NOW, "")
    address = urlsplit(call.url)
    assert address.netloc == "api.example"
    assert not address.query
    before, after = address.path.split("/v1/")[1].split("/sms")
    assert (unquote(before), after) == (account, "")


def test_a_field_with_nothing_to_say_is_left_out() -> None:
    request = {
        "url": "https://api.example/sms",
        "json": {
            "text": "{text}",
            "to": "{to}",
            "from": "{from}",
            "valid": "{validity_seconds:number}",
            "tell": "{receipt_url}?id={id}",
            "list": ["{expires}", "{encoding}"],
        },
    }
    it = described(request=request, receipt=RECEIPT)
    assert json.loads(it.request(part(), NOW, "").body) == {
        "text": "The boiler is cold",
        "to": "+420601123456",
        "from": "+420601000000",
        "valid": 3600,
        "tell": f"https://sms.example/carriers/us/{'x' * 22}/receipt?id=0000000000007",
        "list": ["2026-11-23T10:00:00.000Z", "gsm7"],
    }
    bare = part(originator="", expires_at=None)
    quiet = described(request=request)
    assert json.loads(quiet.request(bare, NOW, "").body) == {
        "text": "The boiler is cold",
        "to": "+420601123456",
        "list": ["gsm7"],
    }


def test_parts_alphabets_and_the_account() -> None:
    request = REQUEST | {
        "headers": {"Authorization": "{basic}", "X-Id": "{id}"},
        "form": REQUEST["form"] | {"parts": "{parts}", "dc": "{encoding}"},
        "encodings": {"ucs2": "8"},
        "check": "https://api.example/{account}",
    }
    it = described(request=request, account="acme")
    call = it.request(part("ř" * 71, encoding="ucs2"), NOW, "")
    assert dict(parse_qsl(call.body.decode()))["parts"] == "2"
    assert dict(parse_qsl(call.body.decode()))["dc"] == "8"
    basic = "Basic " + base64.b64encode(b"acme:s").decode()
    assert call.headers["Authorization"] == basic
    asked = it.probe("")
    assert (asked.method, asked.url, dict(asked.headers)) == (
        "GET",
        "https://api.example/acme",
        {"Authorization": basic},
    )


# -- answers ---------------------------------------------------------------------------------------


def test_an_answer_means_what_is_described() -> None:
    errors = [
        {"at": "/code", "pattern": "^(12|13)$", "verdict": "opted-out", "reason": "no more"},
        {"status": 420, "verdict": "throttled", "reason": "calm down", "pause": "9s"},
        {"pattern": "LIMIT", "verdict": "throttled", "reason": "too fast"},
    ]
    answer = {"success": [200], "pattern": "OK", "id": "re:OK id=([a-z0-9]+)", "errors": errors}
    it = described(answer=answer)

    def says(status: int, body: str) -> tuple[Verdict, str, float]:
        told = it.outcome(Answer(status, {}, body.encode()))
        return told.verdict, told.carrier_id, told.pause

    assert says(200, "OK id=a1b2") == (Verdict.ACCEPTED, "a1b2", 0)
    assert says(200, "OK") == (Verdict.UNKNOWN, "", 0)
    assert says(200, "?") == (Verdict.UNKNOWN, "", 0)
    assert says(200, '{"code": 12}')[0] is Verdict.OPTED_OUT
    assert says(200, '{"code": 123}')[0] is Verdict.UNKNOWN
    assert says(420, "") == (Verdict.THROTTLED, "", 9)
    assert says(400, "LIMIT") == (Verdict.THROTTLED, "", 1)
    assert says(400, "")[0] is Verdict.REJECTED
    assert says(500, "OK id=a")[0] is Verdict.UNKNOWN


def test_a_regular_expression_sees_the_beginning_only() -> None:
    it = described(answer={"pattern": "OK"})
    assert it.outcome(Answer(200, {}, b" " * 2046 + b"OK")).verdict is Verdict.ACCEPTED
    assert it.outcome(Answer(200, {}, b" " * 2047 + b"OK")).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "pattern",
    [
        r"id=([0-9]+)",
        r"<id>\s?([^<]{1,60})</id>",
        r"^(?:OK|ACCEPTED|QUEUED): ([0-9a-f-]{36})$",
        r'"(?:msg|message)_id":"?([0-9]+)',
        r"[+*?|(){}]+x",
        r"\)+x",
        r".*x",
        r"a{3,}x",
        r"a{1,60}a{1,60}x",
        r"a?a?a?a?a?a?a?a?aaaaaaaax",
        r"(a|a)(a|a)(a|a)(a|a)x",
    ],
)
def test_a_regular_expression_ends_soon(pattern: str) -> None:
    found = bounded(pattern)
    for body in ("a" * 2048, ")" * 2048, "<id>" * 512, "id=0" * 512, "+" * 2048):
        started = time.perf_counter()
        found.search(body)
        assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    "pattern",
    [
        *("a*a*x", "(a*)(b+)", "a{1,}b{2,}x", "a+?b+?", "a?" * 20, "(a|a)" * 20),
        *("a{1,200}b{1,200}c{1,200}", "a{9999999999}", "a{,2048}b{,2048}"),
    ],
)
def test_a_regular_expression_that_may_not_end_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"could take too long|is no regular"):
        bounded(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+", "(a)*", "(?:a){2,}", "(a){3}", "(a|b)+?", r"(\))+"])
def test_a_group_is_not_repeated(pattern: str) -> None:
    with pytest.raises(ValueError, match="repeats a group"):
        bounded(pattern)


def test_without_an_id_of_theirs_ours_is_the_one() -> None:
    assert described().known_as(part()) == "0000000000007"
    assert described(answer={"id": "/id"}).known_as(part()) == ""


# -- callbacks -------------------------------------------------------------------------------------


def came(body: bytes = b"", *, what: str = "receipt", **more: Any) -> Callback:
    values = {"method": "POST", "url": "https://sms.example/carriers/us/receipt", "headers": {}}
    return Callback(what, **(values | more), body=body)


def test_many_receipts_come_at_once() -> None:
    where = RECEIPT | {"many": "/all", "id": "/m~1id", "reason": "/why", "time": "/at"}
    states = {"ok": "delivered", "no": "failed", "soon": "ignored"}
    it = described(receipt=where | {"states": states, "reply": "ACK"})
    said = [
        {"m/id": 1, "state": "ok", "why": "none", "at": "2026-11-23T09:00:00Z"},
        {"m/id": "2", "state": "no", "why": "absent"},
        {"m/id": "3", "state": "soon"},
        {"m/id": "4", "state": "odd"},
    ]
    heard = it.heard(came(json.dumps({"all": said}).encode()))
    assert list(heard.receipts) == [
        Receipt("1", State.DELIVERED, "", NOW),
        Receipt("2", State.FAILED, "absent", None),
    ]
    assert heard.answer == "ACK"
    with pytest.raises(Unreadable):
        it.heard(came(json.dumps({"all": said[3:]}).encode()))


def test_an_mo_stands_where_it_is_described() -> None:
    where = {"from": "form:src", "to": "header:X-To", "text": "form:msg", "key": "re:id=([0-9]+)"}
    it = described(inbound=where)
    body = b"src=%2B420601123456&msg=hi+%26+bye&id=77"
    (mo,) = it.heard(came(body, what="inbound", headers={"x-to": "+420601000000"})).inbound
    assert (mo.source, mo.destination, mo.data.decode(mo.coding), mo.key) == (
        "+420601123456",
        "+420601000000",
        "hi & bye",
        "77",
    )
    with pytest.raises(Unreadable):
        it.heard(came(b"src=1", what="inbound"))
    with pytest.raises(Unreadable):
        it.heard(came(b"{}"))


def signature(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "secret": "shared", "at": "header:X-Sig", **more}


BODY = b'{"id": 1, "state": "ok"}'


@pytest.mark.parametrize("hash_", ["sha256", "sha1"])
@pytest.mark.parametrize("over", ["body", "url+body"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_an_hmac_is_checked_as_described(hash_: str, over: str, encoding: str) -> None:
    said = signature(f"hmac-{hash_}", over=over, encoding=encoding, prefix="v1=")
    it = described(receipt=RECEIPT, signature=said)
    bare = came(BODY)
    over_what = BODY if over == "body" else bare.url.encode() + BODY
    digest = hmac.new(b"shared", over_what, getattr(hashlib, hash_)).digest()
    given = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    good = replace(bare, headers={"x-sig": f"v1={given}"})
    assert it.genuine(good)
    bad = [
        bare,
        replace(good, body=BODY + b" "),
        replace(good, headers={"x-sig": given}),
        replace(good, headers={"x-sig": f"v1={given[:-4]}AAAA"}),
        replace(good, headers={"x-sig": "v1="}),
        replace(good, headers={"x-sig": "v1=\udcff"}),
        replace(good, headers={"x-sig": "v1=" + "é" * 64}),
    ]
    if over == "url+body":
        bad.append(replace(good, url=good.url + "?id=2"))
    else:
        bad.append(replace(good, method="GET"))
    assert not any(it.genuine(each) for each in bad)


def test_a_token_or_a_password_is_checked() -> None:
    it = described(receipt=RECEIPT, signature=signature("token", prefix="Bearer "))
    assert it.genuine(came(BODY, headers={"x-sig": "Bearer shared"}))
    for given_ in ("shared", "Bearer share", "Bearer sharedd", "", "Bearer \udcff"):
        assert not it.genuine(came(BODY, headers={"x-sig": given_}))
    by_query = described(signature=signature("token") | {"at": "query:token"})
    assert by_query.genuine(came(url="https://x/?token=shared", method="GET"))
    assert not by_query.genuine(came(url="https://x/?token=", method="GET"))
    basic = described(signature={"kind": "basic", "user": "them", "secret": "shared"})
    given_ = "Basic " + base64.b64encode(b"them:shared").decode()
    assert basic.genuine(came(headers={"authorization": given_}))
    assert not basic.genuine(came(headers={"authorization": given_[:-1]}))
    assert not basic.genuine(came(headers={"authorization": "\udcff"}))
    assert not described().genuine(came(BODY))


@given(st.text(string.printable, max_size=60))
def test_no_description_is_read_as_python(text: str) -> None:
    """Whatever stands in a template is refused, or comes out as it is with braces halved."""
    try:
        it = described(request=REQUEST | {"form": {"t": "{text}", "n": "{to}", "x": text}})
    except ValidationError:
        return
    call = it.request(part(), NOW, "")
    assert b"class" not in call.body or "class" in text


def examples() -> Iterator[Any]:
    """What stands below `carriers` in each example of the documentation."""
    written = (Path(__file__).parents[2] / "docs" / "carriers.md").read_text(encoding="utf-8")
    for example in re.findall(r"```toml\n(.*?)```", written, re.DOTALL):
        yield tomllib.loads(example)["carriers"]


def entries() -> list[dict[str, Any]]:
    """The whole entries among them."""
    return [entry for found in examples() if isinstance(found, list) for entry in found]


def parts_of(table: str) -> list[Any]:
    """This table of an entry, wherever it stands alone."""
    return [found[table] for found in examples() if isinstance(found, dict) and table in found]


def test_the_lists_of_opt_outs_of_the_documentation_load() -> None:
    (gateway,) = (entry for entry in entries() if entry["name"] == "gateway")
    lists = parts_of("optouts")
    for optouts in lists:
        api_url = "https://api.example"
        carrier = Carrier.model_validate({**gateway, "api_url": api_url, "optouts": optouts})
        assert Described(carrier, DOORS).list_call("77", "").url.count("=77") == 1
    assert len(lists) == 2


def test_the_way_to_erase_of_the_documentation_loads() -> None:
    (gateway,) = (entry for entry in entries() if entry["name"] == "gateway")
    (erasing,) = parts_of("erasing")
    api_url = "https://api.example"
    carrier = Carrier.model_validate({**gateway, "api_url": api_url, "erasing": erasing})
    it = Described(carrier, DOORS)
    calls = [it.erase_call("20f3-11ea", "", inbound=inbound) for inbound in (False, True)]
    assert [call and (call.method, call.url) for call in calls] == [
        ("DELETE", f"{api_url}/sms/20f3-11ea"),
        ("DELETE", f"{api_url}/incomings/20f3-11ea"),
    ]


def test_the_examples_of_the_documentation_load() -> None:
    found = [entry for entry in entries() if entry["kind"] == "http"]
    for entry in found:
        carrier = Carrier.model_validate(entry)
        text = Described(carrier, DOORS).request(part("hi & bye"), NOW, "")
        assert b"hi & bye" in text.body or "hi+%26+bye" in text.url
    assert [entry["name"] for entry in found] == ["gateway", "kannel"]


@pytest.mark.parametrize(("name", "case"), [("gateway", gatewayapi.CASE), ("kannel", kannel.CASE)])
def test_they_say_what_the_contract_is_tried_with(name: str, case: Case) -> None:
    """But for addresses, the secrets, and keys that only a test needs."""
    (entry,) = (entry for entry in entries() if entry["name"] == name)
    tried = case.keys
    assert {*entry} - {"api_url", "originator"} == {*tried} | {"name", "kind"}
    assert entry["request"].get("json") == tried["request"].get("json")
    assert entry["request"]["url"].endswith(tried["request"]["url"])
    assert entry["answer"].get("id") == tried["answer"].get("id")
    assert entry.get("inbound") == tried.get("inbound")
    assert {*entry["receipt"]["states"]} == {*tried["receipt"]["states"]}
    assert {*entry["request"].get("query", {})} == {*tried["request"].get("query", {})}
