"""bridge.toml and the environment: what they give, and what is said of every mistake."""

import contextlib
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.settings import Listen, Settings, SettingsError, load

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g"


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def load_text(tmp_path: Path) -> Callable[..., Settings]:
    def write_and_load(text: str, **environ: str) -> Settings:
        path = tmp_path / "some.toml"
        path.write_text(text, encoding="utf-8")
        return load(path, environ)

    return write_and_load


def problems_of(call: Callable[[], Settings]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        call()
    return caught.value.problems


# -- what is given ------------------------------------------------------------------------------


def test_without_a_file_everything_has_its_default() -> None:
    settings = load(None, {})
    assert str(settings.smtp.listen) == "127.0.0.1:2525"
    assert str(settings.http.listen) == "127.0.0.1:8080"
    assert settings.smtp.domains == ["sms.localhost"]
    assert settings.database.url.get_secret_value() == "sqlite"
    assert settings.queue.url.get_secret_value() == "embedded"
    assert settings.data_dir == Path("var")


def test_without_tenants_there_is_one_for_any_sender_from_loopback() -> None:
    (tenant,) = load(None, {}).tenants
    assert tenant.name == "default"
    assert {proof for sender in tenant.senders for proof in sender.proof} == {
        "network:127.0.0.0/8",
        "network:::1/128",
    }
    assert {sender.address for sender in tenant.senders} == {"*"}


def test_the_sandbox_is_always_there_and_takes_what_no_route_matches(
    load_text: Callable[..., Settings],
) -> None:
    settings = load_text('[[routes]]\nmatch = "+420"\ncarriers = ["sandbox"]')
    assert [carrier.name for carrier in settings.carriers] == ["sandbox"]
    assert [route.match for route in settings.routes] == ["+420", "+"]
    assert settings.routes[-1].carriers == ["sandbox"]


def test_an_entry_named_sandbox_sets_its_rate(load_text: Callable[..., Settings]) -> None:
    (carrier,) = load_text('[[carriers]]\nname = "sandbox"\ntps = 5').carriers
    assert (carrier.kind, carrier.tps) == ("sandbox", 5)


WHOLE = f"""
data_dir = "data"
region = "NO"
public_url = "https://sms.example.com/"
[database]
url = "postgresql://bridge:secret@db.example/bridge"
[queue]
url = "rediss://:secret@queue.example:6380/1"
[smtp]
listen = "[::1]:25"
lmtp = "unix:/run/bridge/lmtp"
domains = ["SMS.example.com", "sms.localhost"]
tls_cert = "cert.pem"
tls_key = "key.pem"
idle_timeout = "1h30m"
[mail]
smarthost = "smtp://user:secret@mail.example:587"
[[tenants]]
name = "acme"
countries = ["cz", "SK"]
validity = "2d"
senders = [
  {{ address = "*@ACME.example", proof = "network:10.1.2.3/8" }},
  {{ address = "boss@acme.example", proof = ["auth", "dmarc"], class = "marketing" }},
]
logins = [ {{ user = "acme", password_hash = "{HASH}" }} ]
[[tenants]]
name = "other"
region = "CZ"
[[carriers]]
name = "smsc-1"
kind = "smpp"
host = "127.0.0.1"
password = "secret"
tps = 12.5
[[routes]]
match = "+"
carriers = ["smsc-1", "sandbox"]
"""


def test_a_whole_file_is_read(load_text: Callable[..., Settings]) -> None:
    settings = load_text(WHOLE)
    assert settings.public_url == "https://sms.example.com"
    assert settings.smtp.listen == Listen("::1", 25)
    assert str(settings.smtp.listen) == "[::1]:25"
    assert settings.smtp.lmtp == Listen(path="/run/bridge/lmtp")
    assert settings.smtp.idle_timeout == timedelta(minutes=90)
    assert settings.smtp.domains == ["sms.example.com", "sms.localhost"]
    acme, other = settings.tenants
    assert (acme.region, other.region) == ("NO", "CZ")
    assert acme.countries == ["CZ", "SK"]
    assert acme.senders[0].address == "*@acme.example"
    assert acme.senders[0].proof == ["network:10.0.0.0/8"]
    assert acme.senders[1].proof == ["auth", "dmarc"]
    assert acme.senders[1].message_class == "marketing"
    assert acme.logins[0].password_hash.get_secret_value() == HASH


def test_no_secret_can_be_printed(load_text: Callable[..., Settings]) -> None:
    settings = load_text(WHOLE)
    for shown in (repr(settings), str(settings), str(settings.model_dump()), format(settings)):
        assert "secret@" not in shown
        assert not re.search(r"[=:] ?'secret'", shown)
        assert HASH not in shown


def test_the_file_is_the_named_one_then_the_variable_then_the_directory(tmp_path: Path) -> None:
    for name, region in (("named", "NO"), ("variable", "SK"), ("bridge", "DE")):
        (tmp_path / f"{name}.toml").write_text(f'region = "{region}"')
    environ = {"BRIDGE_CONFIG": "variable.toml"}
    assert load(tmp_path / "named.toml", environ).region == "NO"
    assert load(None, environ).region == "SK"
    assert load(None, {}).region == "DE"


def test_the_environment_wins_over_the_file(load_text: Callable[..., Settings]) -> None:
    settings = load_text(
        WHOLE,
        BRIDGE__REGION="SE",
        BRIDGE__SMTP__LISTEN="127.0.0.1:2600",
        BRIDGE__SMTP__DOMAINS="a.example, b.example",
        BRIDGE__SMTP__MAX_SIZE="70000",
        BRIDGE__SANDBOX__PUBLIC="true",
        BRIDGE__CARRIERS__SMSC_1__PASSWORD="other",
        BRIDGE__CARRIERS__SMSC_1__TPS="0.5",
        BRIDGE__CARRIERS__SANDBOX__TPS="7",
        BRIDGE__TENANTS__ACME__MAX_PARTS="2",
        BRIDGE__ROUTES='[{match = "+47", carriers = ["sandbox"]}]',
    )
    assert settings.region == "SE"
    assert settings.smtp.listen.port == 2600
    assert settings.smtp.domains == ["a.example", "b.example"]
    assert settings.smtp.max_size == 70_000
    assert settings.sandbox.public is True
    smsc, sandbox = settings.carriers
    assert (smsc.password.get_secret_value(), smsc.tps, sandbox.tps) == ("other", 0.5, 7)
    assert settings.tenants[0].max_parts == 2
    assert [route.match for route in settings.routes] == ["+47", "+"]


def test_carriers_may_all_come_from_the_environment() -> None:
    given = '[{"name": "smsc-1", "kind": "smpp", "host": "127.0.0.1"}]'
    environ = {"BRIDGE__CARRIERS": given, "BRIDGE__CARRIERS__SMSC_1__PASSWORD": "5"}
    carriers = load(None, environ).carriers
    assert [carrier.name for carrier in carriers] == ["smsc-1", "sandbox"]
    assert carriers[0].password.get_secret_value() == "5"


def test_the_default_tenant_can_be_changed_by_environment() -> None:
    assert load(None, {"BRIDGE__TENANTS__DEFAULT__REGION": "NO"}).tenants[0].region == "NO"


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("xoxb-1\n")
    settings = load(None, {"BRIDGE__SLACK__BOT_TOKEN_FILE": str(tmp_path / "token")})
    assert settings.slack.bot_token.get_secret_value() == "xoxb-1"


def test_a_key_that_ends_in_file_is_itself() -> None:
    settings = load(None, {"BRIDGE__PRIVACY__PEPPER_FILE": "keys/pepper"})
    assert settings.privacy.pepper_file == Path("keys/pepper")


def test_variables_of_others_are_left_alone() -> None:
    assert load(None, {"BRIDGE_NETWORK": "1", "OTHER__SMTP__LISEN": "1"}) == load(None, {})


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90s", 90), ("15m", 900), ("24h", 86_400), ("1h30m", 5400), ("30d", 2_592_000)],
)
def test_times(load_text: Callable[..., Settings], written: str, seconds: int) -> None:
    settings = load_text(f'[[tenants]]\nname = "acme"\nvalidity = "{written}"')
    assert settings.tenants[0].validity == timedelta(seconds=seconds)


# -- what is said of mistakes -------------------------------------------------------------------

CARRIER = '[[carriers]]\nname = "smsc-1"\nkind = "smpp"\nhost = "127.0.0.1"\n'
TENANT = '[[tenants]]\nname = "acme"\n'

MISTAKES = {
    # Keys
    '[smtp]\nlisen = "127.0.0.1:25"': '[smtp] lisen: unknown key; did you mean "listen"?',
    '[smpt]\nlisten = "127.0.0.1:25"': 'smpt: unknown key; did you mean "smtp"?',
    'regoin = "CZ"': 'regoin: unknown key; did you mean "region"?',
    "[http]\nqqq = 1": "[http] qqq: unknown key; known here: listen, watch",
    CARRIER
    + 'pasword = "x"': '[[carriers]] "smsc-1" pasword: unknown key; did you mean "password"?',
    TENANT + 'senders = [{ adress = "*", proof = "auth" }]': (
        '[[tenants]] "acme" senders number 1 address: is missing; add it\n'
        '[[tenants]] "acme" senders number 1 adress: unknown key; did you mean "address"?'
    ),
    TENANT + 'senders = [{ address = "*", proof = "auth", kind = "marketing" }]': (
        '[[tenants]] "acme" senders number 1 kind: unknown key; known here: address, proof, class, fold'
    ),
    "[[tenants]]\nmax_parts = 3": "[[tenants]] number 1 name: is missing; add it",
    # Tables
    "smtp = 5": "[smtp]: must be one table; begin it with [smtp], one bracket",
    '[[smtp]]\nlisten = "127.0.0.1:25"': "[smtp]: must be one table; begin it with [smtp], one bracket",
    '[carriers]\nname = "smsc-1"': (
        "[[carriers]]: must be a list of tables; begin each entry with [[carriers]], two brackets"
    ),
    TENANT + 'senders = "auth"': (
        '[[tenants]] "acme" senders: must be a list of tables, as in [ { key = 1 }, { key = 2 } ]'
    ),
    TENANT + 'senders = ["*@a.example"]': (
        '[[tenants]] "acme" senders number 1: must be a table, as in { key = 1 }'
    ),
    'tenants = ["acme"]': "[[tenants]] number 1: must be a table, as in { key = 1 }",
    r'data_dir = "a\u0000b"': "data_dir: must not hold a NUL character",
    # Types
    "[smtp]\nmax_errors = true": (
        "[smtp] max_errors: must be a whole number, without quotes, not true"
    ),
    '[smtp]\nmax_errors = "10"': (
        '[smtp] max_errors: must be a whole number, without quotes, not "10"'
    ),
    '[smtp]\ndomains = "sms.example"': (
        '[smtp] domains: must be a list, as in ["one", "two"], not "sms.example"'
    ),
    "[smtp]\ndomains = []": "[smtp] domains: must have at least one entry, not []",
    '[sandbox]\npublic = "yes"': '[sandbox] public: must be true or false, without quotes, not "yes"',
    "[mail]\nfrom_name = 5": '[mail] from_name: must be text between quotes, as in "value", not 5',
    CARRIER + "password = 12345": (
        '[[carriers]] "smsc-1" password: must be text between quotes, as in "value"'
    ),
    CARRIER
    + 'tps = "fast"': '[[carriers]] "smsc-1" tps: must be a number, without quotes, not "fast"',
    CARRIER + "tps = -1": '[[carriers]] "smsc-1" tps: must be at least 0, not -1',
    CARRIER + "tps = inf": '[[carriers]] "smsc-1" tps: must be a number, not Infinity',
    CARRIER + "port = 70000": '[[carriers]] "smsc-1" port: must be at most 65535, not 70000',
    CARRIER + 'system_id = "abcdefghijklmnop"': (
        '[[carriers]] "smsc-1" system_id: must have at most 15 characters, not "abcdefghijklmnop"'
    ),
    # Values
    'region = "UK"': 'region: "UK" is no country; use the two letters of ISO 3166, as in "CZ"',
    "region = 42": 'region: must be text between quotes, as in "value"',
    'public_url = "sms.example.com"': (
        'public_url: must be a web address such as "https://sms.example.com", not "sms.example.com"'
    ),
    'public_url = "http://["': (
        'public_url: must be a web address such as "https://sms.example.com", not "http://["'
    ),
    'data_dir = ""': 'data_dir: must be a directory, as in "var"',
    '[smtp]\nlisten = "2525"': '[smtp] listen: must be "address:port", such as "127.0.0.1:2525", not "2525"',
    '[smtp]\nlisten = ":2525"': '[smtp] listen: must be "address:port", such as "127.0.0.1:2525", not ":2525"',
    '[smtp]\nlisten = "127.0.0.1:99999"': "[smtp] listen: the highest port is 65535, not 99999",
    "[smtp]\nlisten = 2525": '[smtp] listen: must be text between quotes, as in "value"',
    '[smtp]\nlmtp = "unix:lmtp"': (
        '[smtp] lmtp: a unix socket needs a whole path, such as "unix:/run/bridge/lmtp"'
    ),
    '[smtp]\ndomains = ["sms example"]': (
        '[smtp] domains number 1: "sms example" is no domain name; write it as in "sms.example.com"'
    ),
    '[smtp]\ntls_cert = "cert.pem"': (
        "[smtp]: tls_cert and tls_key belong together; set both, or neither"
    ),
    '[smtp]\nidle_timeout = "5 minutes"': (
        '[smtp] idle_timeout: must be a time such as "90s", "15m", "24h" or "30d"'
    ),
    "[smtp]\nidle_timeout = 300": (
        '[smtp] idle_timeout: must be a time such as "90s", "15m", "24h" or "30d"'
    ),
    '[smtp]\nidle_timeout = "0s"': '[smtp] idle_timeout: must be between "1s" and "3650d", not "0s"',
    '[database]\nurl = "mysql://root:secret@db.example/x"': (
        '[database] url: must be one of "sqlite", postgresql://, '
        'as in "postgresql://bridge@db.example/bridge"'
    ),
    '[queue]\nurl = "redis://"': (
        '[queue] url: must be one of "embedded", redis://, rediss://, unix://, amqp://, amqps://, '
        'as in "redis://queue.example:6379/0"'
    ),
    '[mail]\nsmarthost = "mail.example:587"': (
        "[mail] smarthost: must be one of smtp://, smtps://, "
        'as in "smtp://user:password@mail.example:587"'
    ),
    '[privacy]\naddress = "privacy@acme.example"': (
        '[privacy] address: must be what stands before the @, as in "privacy", '
        'not "privacy@acme.example"'
    ),
    # Tenants
    '[[tenants]]\nname = "Acme Ltd"': (
        '[[tenants]] "Acme Ltd" name: must be small letters, digits and dashes, as in "smsc-1", '
        'not "Acme Ltd"'
    ),
    TENANT + 'subject = "first line"': (
        '[[tenants]] "acme" subject: must be "if-empty", "ignore" or "first-line", not "first line"'
    ),
    TENANT + "max_parts = 0": '[[tenants]] "acme" max_parts: must be at least 1, not 0',
    TENANT + 'inbox = "team"': (
        '[[tenants]] "acme" inbox: must be an address such as "team@example.com", a Slack channel such as "slack:C0123456789" or a Telegram chat such as "telegram:-1001234567890", not "team"'
    ),
    TENANT + 'originator = "Acme Limited Company"': (
        '[[tenants]] "acme" originator: must be a number with plus, a short code, or at most '
        '11 letters and digits, not "Acme Limited Company"'
    ),
    TENANT + 'senders = [{ address = "acme.example", proof = "auth" }]': (
        '[[tenants]] "acme" senders number 1 address: must be an address, "*@example.com" or "*", '
        'not "acme.example"'
    ),
    TENANT + 'senders = [{ address = "*", proof = "spf" }]': (
        '[[tenants]] "acme" senders number 1 proof: "spf" is no proof; '
        'use "network:…", "auth", "dmarc" or "token"'
    ),
    TENANT + 'senders = [{ address = "*", proof = [] }]': (
        '[[tenants]] "acme" senders number 1 proof: must be a proof such as "auth", or a list of them'
    ),
    TENANT + 'senders = [{ address = "*", proof = "network:acme" }]': (
        '[[tenants]] "acme" senders number 1 proof: "network:acme": '
        'write a network as in "network:10.0.0.0/8"'
    ),
    TENANT + 'logins = [{ user = "acme", password_hash = "secret" }]': (
        '[[tenants]] "acme" logins number 1 password_hash: must begin with $argon2id$; '
        "docs/configuration.md tells how to make one"
    ),
    TENANT + TENANT: '[[tenants]] "acme": the name stands 2 times; give each its own',
    TENANT + f'logins = [{{ user = "u", password_hash = "{HASH}" }}]\n'
    '[[tenants]]\nname = "b"\n' + f'logins = [{{ user = "u", password_hash = "{HASH}" }}]': (
        '[[tenants]] logins: user "u" stands twice; a user belongs to one tenant'
    ),
    TENANT
    + 'originator = "+420601000000"\n[[tenants]]\nname = "b"\noriginator = "+420601000000"': (
        '[[tenants]] originator "+420601000000" stands 2 times; '
        "one that takes replies belongs to one tenant"
    ),
    TENANT + 'variable_symbol = "42"\n[[tenants]]\nname = "b"\nvariable_symbol = "42"': (
        '[[tenants]] variable_symbol "42" stands 2 times; a payment must find one account by it'
    ),
    # Carriers and routes
    '[[carriers]]\nname = "smsc-1"\nkind = "smpp"': (
        '[[carriers]] "smsc-1": host is missing; add the address of the SMSC'
    ),
    '[[carriers]]\nname = "us"\nkind = "twillio"': (
        '[[carriers]] "us": there is no kind "twillio"; did you mean "twilio"?'
    ),
    '[[carriers]]\nname = "us"\nkind = "pigeon"': (
        '[[carriers]] "us": there is no kind "pigeon"; use one of bulkgate, gatewayapi, gosms, http, '
        "infobip, kannel, linkmobility, sandbox, sinch, smpp, smsgate, twilio, vonage"
    ),
    CARRIER + 'bind = "receiver"': (
        '[[carriers]] "smsc-1" bind: must be "transceiver" or "pair", not "receiver"'
    ),
    CARRIER + 'tls_key = "key.pem"': (
        '[[carriers]] "smsc-1": tls_cert and tls_key belong together; set both, or neither'
    ),
    CARRIER + CARRIER: '[[carriers]] "smsc_1": the name stands 2 times; give each its own',
    '[[carriers]]\nname = "sandbox"\nhost = "127.0.0.1"': (
        '[[carriers]] "sandbox": kind "sandbox" has no key host; take it out'
    ),
    '[[carriers]]\nname = "sandbox"\nkind = "smpp"\nhost = "127.0.0.1"': (
        '[[carriers]] "sandbox": the name "sandbox" is kept for kind = "sandbox"; take another name'
    ),
    '[[carriers]]\nname = "us"\nkind = "twilio"\naccount = "AC1"': (
        '[[carriers]] "us": secret is missing; '
        "add its auth token, or the secret of the API key in `key`"
    ),
    '[[carriers]]\nname = "us"\nkind = "twilio"\naccount = "AC1"\nsecret = ""': (
        '[[carriers]] "us": secret is missing; '
        "add its auth token, or the secret of the API key in `key`"
    ),
    '[[carriers]]\nname = "us"\nkind = "twilio"\naccount = "AC1"\nsecret = "x"\nsystem_id = "x"': (
        '[[carriers]] "us": kind "twilio" has no key system_id; its own are account, api_url, '
        "erase_records, key, receipts, response_timeout, secret, service, signing_secret, tls_ca"
    ),
    '[[carriers]]\nname = "us"\nkind = "twilio"\naccount = "AC1"\nsecret = "x"\napi_url = "x"': (
        '[[carriers]] "us" api_url: must be a web address such as "https://sms.example.com", not "x"'
    ),
    CARRIER + "erase_records = false": (
        '[[carriers]] "smsc-1": kind "smpp" has no key erase_records: it cannot be asked to erase;'
        " take it out"
    ),
    CARRIER + 'service = "x"': (
        '[[carriers]] "smsc-1": kind "smpp" has no key service; take it out'
    ),
    '[[routes]]\nmatch = "420"\ncarriers = ["sandbox"]': (
        "[[routes]] number 1 match: must be a plus and the first digits, "
        'as in "+420" or "+", not "420"'
    ),
    CARRIER + '[[routes]]\nmatch = "+420"\ncarriers = ["smsc-2"]': (
        '[[routes]] "+420" carriers: no carrier is named "smsc-2"; named: smsc-1, sandbox'
    ),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.items())
def test_a_mistake_in_the_file(
    load_text: Callable[..., Settings], text: str, expected: str
) -> None:
    assert problems_of(lambda: load_text(text)) == expected.split("\n")


def test_all_problems_are_named_at_once(load_text: Callable[..., Settings]) -> None:
    text = 'region = "UK"\n[smtp]\nlisen = "x"\nmax_errors = "1"'
    found = problems_of(lambda: load_text(text, BRIDGE__HTTP__LISTN="x"))
    assert [problem.partition(":")[0] for problem in found] == [
        "BRIDGE__HTTP__LISTN",
        "region",
        "[smtp] max_errors",
        "[smtp] lisen",
    ]


BROKEN = {
    "[smtp]\nlisten = 127.0.0.1:2525": ("line 2", 'put text between quotes, as in name = "value"'),
    '[smtp]\nlisten = "127.0.0.1:2525': ("line 2", "close what was opened: each quote"),
    'region = "CZ" ; data_dir = "x"': ("line 1", "TOML takes one key a line, without a semicolon"),
    "region =": ("line 1", 'give the key a value, "" for none'),
    "[smtp\nlisten = 1": ("line 1", 'write a section as [name] and a key as name = "value"'),
    "region: CZ": ("line 1", 'write a section as [name] and a key as name = "value"'),
    'region = "CZ"\nregion = "NO"': ("line 2", "it stands in the file already; keep one of them"),
    "[smtp]\n[smtp]": ("line 2", "it stands in the file already; keep one of them"),
    '[smtp]\ndomains = ["a.example"': ("line 2", "close what was opened: each quote"),
}


@pytest.mark.parametrize(("text", "expected"), BROKEN.items())
def test_broken_toml_tells_where_and_what_to_do(
    load_text: Callable[..., Settings], text: str, expected: tuple[str, str]
) -> None:
    (problem,) = problems_of(lambda: load_text(text))
    line, hint = expected
    assert f"some.toml, {line}, column " in problem
    assert f"; {hint}" in problem


def test_a_missing_file_is_named() -> None:
    assert problems_of(lambda: load(Path("nowhere.toml"), {})) == [
        "nowhere.toml: no such file; name one that exists with --config or BRIDGE_CONFIG"
    ]


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    (problem,) = problems_of(lambda: load(tmp_path, {}))
    assert problem == f"{tmp_path}: cannot be read (Is a directory); check its owner and mode"


def test_a_file_in_another_charset_is_named(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes('[mail]\nfrom_name = "Žluťoučký"'.encode("windows-1250"))
    (problem,) = problems_of(lambda: load(path, {}))
    assert problem == f"{path}, byte 20: not UTF-8 text; save the file as UTF-8"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "mark.toml"
    path.write_text('region = "NO"', encoding="utf-8-sig")
    assert load(path, {}).region == "NO"


VARIABLES = {
    "BRIDGE__SMTP__LISEN": "unknown key; did you mean BRIDGE__SMTP__LISTEN?",
    "BRIDGE__SMPT__LISTEN": "unknown key; did you mean BRIDGE__SMTP__…?",
    "BRIDGE__REGOIN": "unknown key; did you mean BRIDGE__REGION?",
    "BRIDGE__SMTP": "a section; name one of its keys, as in BRIDGE__SMTP__LISTEN",
    "BRIDGE__CARRIERS__SMSC_9__TPS": "no entry of that name in [[carriers]]; entries there: sandbox",
    "BRIDGE__CARRIERS__SANDBOX": "no entry of that name",
    "BRIDGE__ROUTES": ('not a list; write it as in TOML, [{match = "+", carriers = ["smsc-1"]}]'),
    "BRIDGE__SMTP__LISTEN__PORT": "unknown key",
    "BRIDGE__SLACK__BOT_TOKEN_FILE": "some value cannot be read (No such file or directory)",
    "BRIDGE__REGION_FILE": "unknown key; did you mean BRIDGE__REGION?",
}


@pytest.mark.parametrize(("name", "expected"), VARIABLES.items())
def test_a_mistake_in_a_variable(name: str, expected: str) -> None:
    (problem,) = problems_of(lambda: load(None, {name: "some value"}))
    assert problem.startswith(f"{name}: ")
    assert expected in problem


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("one")
    environ = {
        "BRIDGE__TELEGRAM__TOKEN": "two",
        "BRIDGE__TELEGRAM__TOKEN_FILE": str(tmp_path / "token"),
    }
    assert problems_of(lambda: load(None, environ)) == [
        "BRIDGE__TELEGRAM__TOKEN_FILE: set either this or the variable without _FILE, not both"
    ]


@pytest.mark.parametrize(
    "text",
    [
        '[database]\nurl = "mysql://root:hunter2@db.example/x"',
        '[queue]\nurl = "http://:hunter2@queue.example"',
        '[mail]\nsmarthost = "http://user:hunter2@mail.example"',
        TENANT + 'logins = [{ user = "acme", password_hash = "hunter2" }]',
        TENANT + 'logins = ["hunter2"]',
        TENANT + 'logins = { password = "hunter2" }',
        CARRIER + 'password = ["hunter2"]',
        '[slack]\nbot_token = { value = "hunter2" }',
        'slack = "hunter2"',
    ],
)
def test_no_complaint_repeats_a_secret(load_text: Callable[..., Settings], text: str) -> None:
    assert "hunter2" not in "\n".join(problems_of(lambda: load_text(text)))


@given(text=st.text(max_size=60), key=st.sampled_from(["SMTP__LISTEN", "ROUTES", "REGION", "X__Y"]))
def test_any_value_gives_settings_or_sentences(text: str, key: str) -> None:
    with contextlib.suppress(SettingsError):
        load(None, {f"BRIDGE__{key}": text})


@given(text=st.text(max_size=80))
def test_any_text_is_read_or_explained(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "any.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(SettingsError):
        load(path, {})
