"""What only one provider does, or the line to it: parts with ids of their own, TLS, a broken GET."""

from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from bridge.carriers.http import provider, secret, secrets
from bridge.carriers.http.carrier import probe
from bridge.carriers.http.provider import Answer, Call, Callback, Doors, Provider, Ticket, by_status
from bridge.carriers.http.tickets import Tickets
from bridge.carriers.http.wire import Broken, Wire
from bridge.errors import Misconfigured
from bridge.keyring import Keyring
from bridge.model import Part, Verdict
from bridge.settings import Carrier
from tests.bridges import until
from tests.contract.test_http_callbacks import World, world
from tests.contract.test_smpp import make_certificates
from tests.http_cases import PUBLIC, Told, gosms, twilio, vonage
from tests.http_peer import a_peer

KEYS = Keyring(b"p" * 32)
LONG = "All pumps failed. " * 20


# -- Vonage -------------------------------------------------------------------------------------


async def three_parts(it: World) -> list[str]:
    """A long text leaves; the ids of its parts."""
    await it.running.mail("+420601123456@sms.example", text=LONG, subject="")
    await it.comes_to("sent")
    assert len(it.peer.sent) == 1
    told = json.loads(it.peer.answers[0].body)
    return [part["message-id"] for part in told["messages"]]


async def test_a_text_that_vonage_cut_is_delivered_when_all_its_parts_are(tmp_path: Path) -> None:
    async with world(vonage.CASE, tmp_path) as it:
        first, *others = await three_parts(it)
        assert len(others) == 2
        for number in (others[1], others[1], first):
            assert (await it.calls("receipt", vonage.receipt(number, "delivered")))[0] == 200
            assert await it.running.states() == ["sent"]
        assert (await it.calls("receipt", vonage.receipt(others[0], "delivered")))[0] == 200
        await it.comes_to("delivered")


async def test_one_failed_part_of_it_is_a_failed_sms(tmp_path: Path) -> None:
    async with world(vonage.CASE, tmp_path) as it:
        first, second, _ = await three_parts(it)
        await it.calls("receipt", vonage.receipt(first, "delivered"))
        await it.calls("receipt", vonage.receipt(second, "failed", "2"))
        await it.comes_to("failed")


async def test_parts_of_an_mo_are_one_answer(tmp_path: Path) -> None:
    async with world(vonage.CASE, tmp_path) as it:
        await it.sends()
        place = {"concat": "true", "concat-ref": "7", "concat-total": "2"}
        for number, text in ((2, "world"), (1, "hello "), (2, "world")):
            told = vonage.inbound(text, f"mo-{number}", **place, **{"concat-part": str(number)})
            assert (await it.calls("inbound", told))[0] == 200

        async def mailed() -> object:
            return await it.running.mails()

        await until(mailed)
        (mail,) = await it.running.mails()
        assert "hello world" in mail["text"]


async def test_what_vonage_took_in_part_is_a_doubt() -> None:
    account = provider(entry("vonage", **vonage.CASE.keys), KEYS, PUBLIC)
    body = b'{"messages": [{"status": "0", "message-id": "1"}, {"status": "1"}]}'
    assert account.outcome(Answer(200, {}, body)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("length", "told"), [(100, True), (101, False)])
def test_an_address_too_long_for_vonage_does_not_cost_the_sms(length: int, told: bool) -> None:
    path = "/carriers/us/receipt"
    public = "https://sms.example/".ljust(length - len(path), "x")
    account = provider(entry("vonage", originator="ACME", **vonage.CASE.keys), KEYS, public)
    assert len(account.url("receipt")) == length
    part = Part(1, 1, 1, 1, 0, "+420601123456", "", "x", "gsm7", "", None)
    said = dict(parse_qsl(account.request(part, 0.0, "").body.decode()))
    assert ("callback" in said, said["status-report-req"]) == (told, "true")


def test_the_md5_hash_is_over_fields_and_secret() -> None:
    keys = {**vonage.CASE.keys, "signing_method": "md5hash"}
    account = provider(entry("vonage", **keys), KEYS, PUBLIC)
    secret = vonage.SIGNING
    signature = hashlib.md5(f"&a=x_y_z&timestamp=1{secret}".encode()).hexdigest()
    query = f"timestamp=1&a=x%26y%3Dz&sig={signature}"
    url = f"{PUBLIC}/carriers/us/receipt?{query}"
    assert account.genuine(Callback("receipt", "GET", url, {}))
    assert not account.genuine(Callback("receipt", "GET", url.replace("a=x", "a=y"), {}))


# -- Twilio -------------------------------------------------------------------------------------


def entry(kind: str, **more: object) -> Carrier:
    return Carrier.model_validate({"name": "us", "kind": kind, **more}, strict=False)


@pytest.mark.parametrize(
    ("public", "meant", "genuine"),
    [
        ("https://sms.example", "https://sms.example/carriers/us/receipt", True),
        ("https://sms.example", "https://sms.example:443/carriers/us/receipt", True),
        ("http://sms.example:8080", "http://sms.example:8080/carriers/us/receipt", True),
        ("https://sms.example", "https://else.example/carriers/us/receipt", False),
        ("https://sms.example", "https://sms.example/carriers/no/receipt", False),
        ("https://sms.example", "http://sms.example/carriers/us/receipt", False),
    ],
)
def test_twilios_signature_covers_the_address(public: str, meant: str, genuine: bool) -> None:
    account = provider(entry("twilio", **twilio.CASE.keys), KEYS, public)
    told = twilio.sign(twilio.receipt("SM1", "delivered"), meant)
    headers = {name.lower(): value for name, value in told.headers.items()}
    url = f"{public}/carriers/us/receipt"
    assert account.genuine(Callback("receipt", "POST", url, headers, told.body)) is genuine


def test_twilios_get_is_signed_by_its_address() -> None:
    account = provider(entry("twilio", **twilio.CASE.keys), KEYS, PUBLIC)
    url = f"{PUBLIC}/carriers/us/receipt?MessageSid=SM1&MessageStatus=delivered"
    told = twilio.sign(Told(method="GET"), url)
    headers = {name.lower(): value for name, value in told.headers.items()}
    callback = Callback("receipt", "GET", url, headers)
    assert account.genuine(callback)
    assert account.heard(callback).receipts[0].carrier_id == "SM1"


def test_an_api_key_leaves_the_address_its_secret() -> None:
    keys = {**twilio.CASE.keys, "key": "SK1"}
    account = provider(entry("twilio", **keys), KEYS, PUBLIC)
    assert not account.signed
    assert account.url("inbound") == f"{PUBLIC}/carriers/us/{secret(KEYS, 'us')}/inbound"
    assert provider(entry("twilio", **keys, signing_secret="x"), KEYS, PUBLIC).signed


@pytest.mark.parametrize("local", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1"])
def test_nobody_is_asked_to_call_where_nobody_can(local: str) -> None:
    account = provider(entry("twilio", **twilio.CASE.keys), KEYS, local)
    assert account.url("receipt") == ""


# -- the line -----------------------------------------------------------------------------------


async def test_a_get_is_not_repeated_by_itself() -> None:
    """The library repeats a GET whose kept connection broke: a provider may send by GET."""
    asked = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        if asked > 1:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_get("/send", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    wire = Wire(limit=1, timeout=5, tls=None)
    call = Call("GET", f"http://127.0.0.1:{runner.addresses[0][1]}/send")
    try:
        assert (await wire.ask(call)).status == 200
        with pytest.raises(Broken):
            await wire.ask(call)
        assert asked == 2
    finally:
        await wire.close()
        await runner.cleanup()


async def test_a_stranger_behind_tls_hears_nothing(tmp_path: Path) -> None:
    files = make_certificates(str(tmp_path))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files["cert"], files["key"])
    async with a_peer(twilio.CASE, tls=tls) as peer:
        for ca, right in ((files["ca"], ""), ("", "no connection")):
            url = f"https://localhost:{peer.port}"
            config = entry("twilio", api_url=url, tls_ca=ca, **twilio.CASE.keys)
            assert (await probe(config, provider(config, KEYS, PUBLIC))).startswith(right)
            assert len(peer.asked) == 1
    config = entry("twilio", tls_ca=str(tmp_path / "none.pem"), **twilio.CASE.keys)
    with pytest.raises(Misconfigured, match="tls_ca cannot be used"):
        await probe(config, provider(config, KEYS, PUBLIC))


class Ticketed(Provider):
    """A provider that wants a token."""

    def request(self, *_: object) -> Call:
        raise NotImplementedError

    heard = request  # type: ignore[assignment]
    outcome = staticmethod(by_status)  # type: ignore[assignment]

    def probe(self, token: str) -> Call:
        return Call("GET", f"{self.base}/me", {"Authorization": token})

    def login(self) -> Call | None:
        return Call("POST", f"{self.base}/token")

    def ticket(self, answer: Answer) -> Ticket | None:
        token = answer.fields().get("token")
        return Ticket(token, 3600) if token else None


async def test_one_log_in_serves_all_and_is_repeated_when_it_is_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logins = 0

    async def answer(_request: web.Request) -> web.Response:
        nonlocal logins
        logins += 1
        return web.json_response({"token": f"t{logins}"} if logins < 4 else {})

    app = web.Application()
    app.router.add_post("/token", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    config = entry("gosms", **gosms.CASE.keys, api_url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    wire = Wire(limit=9, timeout=5, tls=None)
    tickets = Tickets(Ticketed(config, Doors("us", "", "")), wire)
    try:
        assert await asyncio.gather(*(tickets.token() for _ in range(9))) == ["t1"] * 9
        assert not tickets.drop(), "one that is new is not to blame"
        monkeypatch.setattr("bridge.carriers.http.tickets._NEW", 0)
        assert tickets.drop()
        assert await tickets.token() == "t2"
        monkeypatch.setattr("bridge.carriers.http.tickets._OLD", 0)
        assert await tickets.token() == "t3"
    finally:
        await wire.close()
        await runner.cleanup()


async def test_stop_wins_over_what_waits_for_its_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(twilio.CASE, tmp_path) as it:
        await it.sends()
        asked, free = asyncio.Event(), asyncio.Event()

        async def waits(_self: object) -> str:
            asked.set()
            await free.wait()
            return ""

        monkeypatch.setattr(Tickets, "token", waits)
        await it.running.mail("+420601123456@sms.example", text="under way")
        await asked.wait()
        assert (await it.calls("inbound", twilio.inbound("STOP", "SM7")))[0] == 200
        free.set()

        async def over() -> bool:
            return len(it.peer.sent) == 2 and (await it.running.states())[1] == "suppressed"

        await until(over)
        assert "under way" not in [sent.text for sent in it.peer.sent]


async def test_a_secret_in_the_path_stands_for_a_signature(tmp_path: Path) -> None:
    keys = {name: value for name, value in vonage.CASE.keys.items() if "signing" not in name}
    case = replace(vonage.CASE, keys=keys, sign=None)
    async with world(case, tmp_path) as it:
        number = await it.sends()
        told = vonage.receipt(number, "delivered")
        bare = f"{PUBLIC}/carriers/us/receipt"
        for at in (bare, it.url("receipt").replace("receipt", "inbound").replace("us/", "us/x")):
            assert (await it.calls("receipt", told, at=at))[0] == 403
        assert (await it.calls("receipt", Told(b"x" * (1 << 21)), at=bare))[0] == 403
        await it.comes_to("sent")
        assert it.peer.sent[0].receipts_to == it.url("receipt")
        assert (await it.calls("receipt", told))[0] == 200
        await it.comes_to("delivered")


async def test_a_secret_of_an_older_pepper_is_still_one() -> None:
    old = Keyring(b"o" * 32)
    new = Keyring(b"n" * 32, 2, [old])
    assert set(secrets(new, "us")) == {secret(old, "us"), secret(new, "us")}
    assert secret(new, "us") != secret(new, "cz")


async def test_an_mo_is_known_by_its_id_a_day_later_and_its_words_are_not(tmp_path: Path) -> None:
    async with world(twilio.CASE, tmp_path) as it:
        await it.sends()
        assert (await it.calls("inbound", twilio.inbound("ok", "SM1")))[0] == 200
        it.running.bridge.clock = lambda: time.time() + 86_400
        for number in ("SM1", "SM2", "SM2"):
            assert (await it.calls("inbound", twilio.inbound("ok", number)))[0] == 200
        assert await it.count("replies") == 2
