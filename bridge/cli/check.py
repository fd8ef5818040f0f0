"""`bridge check`: settings in, one finding out for every part that they name."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import shutil
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from bridge import control, lock, loop
from bridge.carriers import optout_list
from bridge.carriers.http import PROVIDERS, provider
from bridge.carriers.smpp.carrier import probe as probe_smpp
from bridge.cli.common import Item, actor
from bridge.dispatch.bell import Bell
from bridge.dispatch.lawful import named_by
from bridge.errors import BridgeError, Misconfigured, TryLater
from bridge.keyring import Keyring, keyring, pepper_path
from bridge.ports import OptOutList
from bridge.privacy.transfers import transfers
from bridge.settings import SANDBOX, Carrier, Listen, Settings
from bridge.smtp.dns import Resolver
from bridge.smtp.listener import Certificate
from bridge.smtp.outbound import Smarthost
from bridge.store import probe as database

#: Seconds for which a part may keep us waiting.
PATIENCE_S = 15.0
#: Less than that is soon full: the database, its log and the queue's file.
ROOM_MB = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part; `hint` says what to do where it is not right."""

    part: str
    ok: bool
    detail: str
    hint: str = ""


Tell = Callable[[Finding], None]


def examine(settings: Settings, tell: Tell) -> None:
    """Look at every part, one after the other, and tell each finding at once."""

    async def main() -> int:
        await Examination(settings, tell).run()
        return 0

    loop.run(main)


class Examination:
    """One look at everything."""

    def __init__(self, settings: Settings, tell: Tell) -> None:
        self._settings = settings
        self._tell = tell
        self._running: Item | None = None  # what the bridge on this data directory says

    async def run(self) -> None:
        """All parts in order."""
        s = self._settings
        counts = f"tenants {len(s.tenants)}, carriers {len(s.carriers)}, routes {len(s.routes)}"
        self._tell(Finding("configuration", True, counts))
        await self._part("bridge", self._bridge())
        await self._part("data_dir", self._data_dir())
        await self._part("keys", self._keys())
        url = s.database.url.get_secret_value()
        await self._part("database", database.probe(url, s.data_dir))
        await self._part("queue", Bell.probe(s.queue.url.get_secret_value(), s.data_dir))
        for carrier in s.carriers:
            await self._part(f"carrier {carrier.name}", self._carrier(carrier))
            await self._optouts(carrier)
        if added := {r.tenant for r in s.routes} - {"", *(t.name for t in s.tenants)}:
            await self._part("routes", self._routes_of(sorted(added)))
        await self._part("smarthost", self._smarthost())
        if named_by(s):
            await self._part("processors", self._processors())
        if any("dmarc" in rule.proof for tenant in s.tenants for rule in tenant.senders):
            await self._part("dns", asyncio.to_thread(Resolver().probe))
        if s.smtp.tls_cert and s.smtp.tls_key:
            await self._part("tls", _certificate(Certificate(s.smtp.tls_cert, s.smtp.tls_key)))
        for name, listen in self._listens():
            await self._part(name, self._port(listen))
        for domain in sorted({t.link_domain for t in s.tenants} - {""}):
            await self._part(f"link_domain {domain}", self._link_domain(domain))
        await self._chats()

    async def _part(self, part: str, look: Awaitable[str]) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                self._tell(Finding(part, True, await look))
        except BridgeError as error:
            self._tell(Finding(part, False, error.sentence, error.hint))
        except PermissionError as error:
            hint = "run this as the user that runs the bridge, or check its owner and mode"
            self._tell(Finding(part, False, f"{error.filename} may not be read", hint))
        except TimeoutError:
            hint = "check that it runs and that no firewall is between"
            self._tell(Finding(part, False, f"no answer within {PATIENCE_S:.0f} s", hint))

    async def _bridge(self) -> str:
        data_dir = self._settings.data_dir
        said = await asyncio.to_thread(control.ask, data_dir, "status", actor(), {})
        self._running = None if said is None else await asyncio.to_thread(next, said)
        if self._running is None:
            return f"none runs on {data_dir}"
        return f"runs on {data_dir} (process {self._running['process']})"

    async def _data_dir(self) -> str:
        lock.prepare(self._settings.data_dir)
        free = shutil.disk_usage(self._settings.data_dir).free // 2**20
        detail = f"{self._settings.data_dir} can be written, {free} MB free"
        if free < ROOM_MB:
            raise Misconfigured(detail, f"make room: {ROOM_MB} MB at least")
        return detail

    async def _keys(self) -> str:
        path = pepper_path(self._settings.privacy.pepper_file, self._settings.data_dir)
        if self._keyring() is None:
            return f"{path} is made at the first start; keep a backup of it"
        return f"{path} can be read"

    def _keyring(self) -> Keyring | None:
        """The keyring; None before the first start makes it. Raises Misconfigured."""
        pepper_file, data_dir = self._settings.privacy.pepper_file, self._settings.data_dir
        if pepper_file is None and not pepper_path(None, data_dir).exists():
            return None
        return keyring(pepper_file, data_dir)[0]

    async def _carrier(self, carrier: Carrier) -> str:
        if carrier.kind == SANDBOX:
            return f"its phones are on {self._settings.public_url}/sandbox"
        if carrier.kind in PROVIDERS:
            return await self._provider(carrier)
        if self._running and self._running["binds"].get(carrier.name):
            return "bound by the running bridge"  # many SMSCs allow one bind only
        wrong = await probe_smpp(carrier)
        if wrong:
            raise TryLater(wrong)
        return f"{carrier.host}:{carrier.port} takes our bind"

    async def _provider(self, carrier: Carrier) -> str:
        """A harmless request shows whether the account stands; the callbacks are told as well."""
        from bridge.carriers.http.carrier import probe as probe_http

        keys = self._keyring()
        account = provider(carrier, keys or Keyring(b""), self._settings.public_url)
        wrong = await probe_http(carrier, account)
        if wrong:
            raise TryLater(wrong, "check its keys, and that the provider can be reached")
        taken = f"{account.base} takes our account; "
        if keys is None:
            return taken + "the addresses that it may call are made at the first start"
        told = [url for what in account.callbacks if (url := account.url(what))]
        return taken + (
            f"it may call {' and '.join(told)}"
            if told
            else "it cannot call us: set public_url to an address that it can reach"
        )

    async def _optouts(self, carrier: Carrier) -> None:
        """Whether the carrier's own list of opt-outs can be read, where it shows one."""
        listed = None
        with contextlib.suppress(BridgeError):  # `_carrier` has told it
            keys = self._keyring() or Keyring(b"")
            listed = optout_list(carrier, keys, self._settings.public_url)
        if listed is not None:
            await self._part(f"opt-outs {carrier.name}", _first_page(listed))

    async def _processors(self) -> str:
        """Whether it is recorded where each of them sits, and what a transfer there rests on."""
        rows = await self._register()
        home = self._settings.region
        adrift = [r["name"] for r in rows if r["country"] not in ("", home) and not r["transfer"]]
        if adrift:
            raise Misconfigured(
                f"no transfer mechanism is recorded for {', '.join(adrift)}: nothing goes there",
                f"`bridge subproc set {adrift[0]} --mechanism scc --until DAY`, if one is agreed",
            )
        unknown = [row["name"] for row in rows if not row["country"]]
        if unknown:
            names = ", ".join(unknown)
            return (
                f"{names}: no country is recorded, so they count as in {home}; "
                "`bridge subproc set NAME --country CC` records it"
            )
        return f"recorded: {', '.join(row['name'] for row in rows)}"

    async def _register(self) -> list[Item]:
        """The configured processors, as the running bridge knows them or as the file has them."""
        if self._running is None:
            today = datetime.now(UTC).date()
            ground = transfers().ground
            return [
                {"name": n.name, "country": n.country, "transfer": ground(n.country, "", today)}
                for n in named_by(self._settings)
            ]
        return [row for row in await self._told("subproc list") if row["configured"]]

    async def _told(self, command: str) -> list[Item]:
        """What the running bridge says to a command."""
        data_dir = self._settings.data_dir
        said = await asyncio.to_thread(control.ask, data_dir, command, actor(), {})
        return await asyncio.to_thread(list, said or ())

    async def _routes_of(self, added: list[str]) -> str:
        """Whether a command has added these tenants, who have routes and no [[tenants]] here."""
        if self._running is None:
            names = ", ".join(added)
            return f"{names}: not in [[tenants]], so `bridge tenant add` must have added them"
        known = [row["name"] for row in await self._told("tenant list")]
        missing = [name for name in added if name not in known]
        if missing:
            raise Misconfigured(
                f"no tenant is named {', '.join(missing)}: such a route takes nothing",
                f"write one of {', '.join(known)}, or add it: `bridge tenant add {missing[0]}`",
            )
        return f"for tenants that a command has added: {', '.join(added)}"

    async def _smarthost(self) -> str:
        mail, smtp = self._settings.mail, self._settings.smtp
        url = mail.smarthost.get_secret_value()
        if not url:
            return "none: answers stay in the sandbox's mailbox"
        seconds = min(mail.timeout.total_seconds(), PATIENCE_S)
        host = Smarthost(url, smtp.hostname or smtp.domains[0], timeout=seconds)
        return await host.probe()

    async def _link_domain(self, domain: str) -> str:
        from bridge.web.probe import probe as probe_links

        return await probe_links(self._settings.public_url, domain, runs=self._running is not None)

    def _listens(self) -> Iterator[tuple[str, Listen]]:
        yield "smtp listen", self._settings.smtp.listen
        if self._settings.smtp.lmtp is not None:
            yield "lmtp listen", self._settings.smtp.lmtp
        yield "http listen", self._settings.http.listen

    async def _port(self, listen: Listen) -> str:
        if listen.path:
            ours = "is held by the running bridge" if self._running else "is made at its start"
            return f"{listen} {ours}"
        try:
            await asyncio.to_thread(_bind, listen)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and self._running:
                return f"{listen} is held by the running bridge"
            raise _unusable(listen, error) from error
        return f"{listen} is free"

    async def _chats(self) -> None:
        """The chats' libraries are loaded only where a token is set."""
        s = self._settings
        if s.slack.apps():
            from bridge.bots.slack.check import check

            for found in await check(s, PATIENCE_S):
                self._tell(Finding(*found))
        if s.telegram.token.get_secret_value():
            from bridge.bots.telegram import check as telegram

            await self._part("telegram", telegram.probe(s))
            for place in telegram.places(s):
                await self._part(f"telegram {place}", telegram.probe_chat(s, place))


async def _first_page(listed: OptOutList) -> str:
    async with contextlib.aclosing(listed.pages()) as pages:
        await anext(pages, None)
    return "its list of opt-outs can be read"


async def _certificate(certificate: Certificate) -> str:
    certificate.context()
    found = x509.load_pem_x509_certificate(certificate.cert.read_bytes())
    until = found.not_valid_after_utc
    if until < datetime.now(UTC):
        raise Misconfigured(
            f"{certificate.cert} has expired on {until:%Y-%m-%d}", "renew the certificate"
        )
    return f"{certificate.cert} is valid until {until:%Y-%m-%d}"


def _bind(listen: Listen) -> None:
    """Take the port for a moment."""
    found = socket.getaddrinfo(
        listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
        taken.listen(1)


def _unusable(listen: Listen, error: OSError) -> Misconfigured:
    reason = error.strerror or type(error).__name__
    hints = {
        errno.EADDRINUSE: "another program holds it (`bridge serve`?); end it, or listen elsewhere",
        errno.EACCES: "ports below 1024 need a privilege: docs/deploy.md tells which",
        errno.EADDRNOTAVAIL: "this machine has no such address",
    }
    return Misconfigured(
        f"{listen} cannot be used ({reason})",
        hints.get(error.errno or 0, "check the address and the port"),
    )
