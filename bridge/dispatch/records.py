"""The records of processing (GDPR Article 30) and what a tenant's auditor asks for (Article 28).

Nothing is written by hand: tenants, processors, periods and measures are read from what runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from bridge.dates import minute
from bridge.dispatch import breaches, processors, terms
from bridge.dispatch.bridge import Bridge
from bridge.dispatch.keeping import Class, classes
from bridge.dispatch.reviewing import grants
from bridge.dispatch.tenants import Tenant
from bridge.privacy import requests as law
from bridge.privacy.duties import duties
from bridge.privacy.transfers import day, transfers
from bridge.store.audit_heads import HEADS, NEWEST_HEAD, Head
from bridge.store.classes import TABLES, Role
from bridge.store.drills import DRILLS
from bridge.store.processors import Processor
from bridge.store.volumes import PEOPLE, WRITTEN

Facts = dict[str, Any]
_YEAR: Final = 365 * 86400.0


_PROCESSOR: Final = "processor"
#: What is done with a tenant's data: for the operator's own purposes, or on instruction.
_PROCESSING: Final = (
    "sends the operator's own SMS, and hands over the answers",
    "sends SMS on the tenant's instruction, and hands over the answers",
)


async def ropa(bridge: Bridge) -> Facts:
    """The records of both roles as they are now. Raises StoreUnavailable."""
    now = bridge.clock()
    rows = [row for row in await processors.register(bridge) if row.ended_at is None]
    tenants = sorted(bridge.register.tenants.values(), key=lambda tenant: tenant.name)
    return {
        "generated_at": minute(now),
        "operator": operator(bridge),
        "processor": [
            await _for_tenant(bridge, each, rows) for each in tenants if each.profile == _PROCESSOR
        ],
        "as_controller": [
            await _for_tenant(bridge, each, rows) for each in tenants if each.profile != _PROCESSOR
        ],
        "controller": [_activity(each) for each in await _of(bridge, Role.CONTROLLER)],
        "recipients": [recipient(row, now) for row in rows],
        "measures": await measures(bridge),
    }


def operator(bridge: Bridge) -> Facts:
    """Who answers for the bridge."""
    privacy, smtp = bridge.settings.privacy, bridge.settings.smtp
    return {
        "name": privacy.operator,
        "dpo": privacy.dpo,
        "authority": law.authority("", privacy.authority).name,
        "requests": [f"{privacy.address}@{domain}" for domain in smtp.domains],
        "web": bridge.settings.public_url,
    }


async def _of(bridge: Bridge, role: Role, tenant: int = 0) -> list[Class]:
    """The classes of data that some table holds in this role, with their periods."""
    held = {kept.klass for kept in TABLES.values() if kept.role is role}
    return [each for each in await classes(bridge, tenant) if each.rule.name in held]


def _activity(each: Class) -> Facts:
    rule = each.rule
    return {
        "class": rule.name,
        "categories": rule.holds,
        "basis": rule.basis,
        "kept": str(each.period),
        "from": rule.trigger,
    }


async def _for_tenant(bridge: Bridge, tenant: Tenant, rows: Sequence[Processor]) -> Facts:
    """One controller for whom data is processed (Article 30(2)), or the operator's own tenant."""
    now, lawful = bridge.clock(), bridge.lawful
    refused = {row.id: lawful.why_not(tenant.id, row.kind, row.name) for row in rows}
    used = [row for row in rows if not refused[row.id]]
    return {
        "tenant": tenant.name,
        "terms": await terms.terms_of(bridge, tenant.id),
        "processing": _PROCESSING[tenant.profile == _PROCESSOR],
        "people": "whom the tenant writes to, and who writes on its behalf",
        "countries": sorted(tenant.countries),
        "eea_only": tenant.eea_only,
        "texts_shown_in": sorted(tenant.show_texts_in),
        "recipients": [row.name for row in used],
        "excluded": {row.name: refused[row.id] for row in rows if refused[row.id]},
        "transfers": [recipient(row, now) for row in used if row.country not in _at_home(bridge)],
        "data": [_activity(each) for each in await _of(bridge, Role.PROCESSOR, tenant.id)],
    }


def _at_home(bridge: Bridge) -> frozenset[str]:
    """Countries to which no transfer is made; "" is not recorded, and stands with the operator."""
    return transfers().eea | {"", bridge.settings.region}


def recipient(row: Processor, now: float) -> Facts:
    """A processor, as registers show it."""
    until = None if row.valid_until is None else day(row.valid_until).isoformat()
    return {
        "name": row.name,
        "kind": row.kind,
        "company": row.company,
        "address": row.address,
        "contact": row.contact,
        "purpose": row.purpose,
        "country": row.country,
        "ground": transfers().ground(row.country, row.mechanism, day(now)),
        "valid_until": until,
        "effective": day(row.effective_at).isoformat(),
    }


async def measures(bridge: Bridge) -> list[str]:
    """Technical and organisational measures, as they are in force here (Article 32)."""
    settings = bridge.settings
    staff = await grants(bridge)
    heads = [Head(*row) for row in await bridge.store.read(NEWEST_HEAD)]
    days = round(duties().review / 86400)
    tls = [c.name for c in settings.carriers if c.kind == "smpp" and c.tls]
    plain = [c.name for c in settings.carriers if c.kind == "smpp" and not c.tls]
    found = [
        "numbers and texts are encrypted at rest, AES-256-GCM under a key for each person",
        "people are found by keyed hashes; the pepper stands outside the database",
        "erasure destroys the person's key",
        f"the database is {bridge.store.database}; the queue holds ids alone",
        "logs hold no number, no address and no text",
        f"access by personal grants from single-use codes, {len(staff)} at present, each confirmed "
        f"within {days} days or ended",
        "everybody's access can be ended at once",
        "reading a text or a number is an entry of the audit, which is a chain of hashes",
        f"the audit is signed daily, last on {heads[0].day}" if heads else "the audit is a chain",
    ]
    if settings.smtp.tls_cert:
        found.append("mail comes in over TLS where its sender can")
    if tls:
        found.append(f"TLS to {', '.join(tls)}")
    if plain:
        found.append(f"no TLS to {', '.join(plain)}")
    return found


async def pack(bridge: Bridge, tenant: Tenant) -> Mapping[str, Any]:
    """What a tenant's auditor gets, by file (Article 28(3)(h))."""
    now = bridge.clock()
    records = await ropa(bridge)
    listed = (*records["processor"], *records["as_controller"])
    own = next(each for each in listed if each["tenant"] == tenant.name)
    drills = await bridge.store.read(DRILLS)
    return {
        "measures": records["measures"],
        "processing": {**own, "operator": records["operator"], "at": records["generated_at"]},
        "subprocessors": [
            {**each, "excluded": own["excluded"].get(each["name"], "")}
            for each in records["recipients"]
        ],
        "terms": [
            {
                "version": each.policy.version,
                "sha256": each.policy.hash,
                "effective": day(each.policy.effective_at).isoformat(),
                "accepted": minute(each.accepted[tenant.id][1])
                if tenant.id in each.accepted
                else "",
            }
            for each in await terms.versions(bridge)
        ],
        "audit-heads": [asdict(Head(*row)) for row in await bridge.store.read(HEADS)],
        "restore-drills": [
            {"at": minute(at), "by": actor, "outcome": outcome} for actor, outcome, at in drills
        ],
        "breaches": await _breaches(bridge, tenant),
        "dpia": await _assessment(bridge, tenant, own, now),
    }


async def _breaches(bridge: Bridge, tenant: Tenant) -> list[Facts]:
    found = []
    for each in await breaches.cases(bridge):
        if tenant.id in each.tenants:
            told_at = each.tenants[tenant.id]
            found.append(
                {
                    "id": each.breach.id,
                    "nature": each.breach.nature,
                    "aware": minute(each.breach.aware_at),
                    "told": minute(told_at) if told_at is not None else "",
                    "state": each.state,
                }
            )
    return found


async def _assessment(bridge: Bridge, tenant: Tenant, own: Facts, now: float) -> Facts:
    """What the tenant needs for an assessment of its own (Article 35(7))."""
    read = bridge.store.read
    written = await read(WRITTEN, tenant=tenant.id, since=now - _YEAR)
    people = await read(PEOPLE, tenant=tenant.id)
    return {
        "operations": own["processing"],
        "people": own["people"],
        "messages_in_a_year": written[0][0],
        "people_written_to_in_a_year": written[0][1],
        "people_known_by_country": {row[0]: row[1] for row in people},
        "texts_shown_in": own["texts_shown_in"],
        "recipients": own["recipients"],
        "transfers": own["transfers"],
        "data": own["data"],
        "rights": "opt-out by STOP at once; access, rectification, erasure, restriction, objection "
        "and portability by mail, by SMS, by chat and on the portal",
    }
