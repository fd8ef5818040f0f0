"""A text from a phone comes in; what it agrees to, confirms or takes back goes out.

A programme's keyword is the tenant's own word, judged beside STOP, START and HELP, never in their
place: those verdicts stay as they are.
"""

from __future__ import annotations

from bridge.dispatch.tenants import Optin, Tenant
from bridge.privacy.consents import rules, version_of
from bridge.privacy.folding import fold, without_signature
from bridge.store.consents import Terms
from bridge.store.mo_parts import PartIn
from bridge.store.replies import Agreement, Judged

#: What the STOP and its kin do not claim for themselves.
_FREE = ("none", "start")


def agreement(tenant: Tenant, item: PartIn, judged: Judged, programme: str) -> Agreement | None:
    """What a text does to its writer's consents; `programme` is that of "STOP <keyword>"."""
    if judged.verdict == "stop":
        return Agreement(ends=programme)
    if judged.verdict not in _FREE:
        return None
    said = fold(without_signature(judged.text))
    for each in tenant.programmes:
        if each.keyword and said == fold(each.keyword):
            return Agreement(terms=_terms(tenant, each, item), answer=_words(tenant, each.text))
    if any(each.confirm and said == fold(each.confirm) for each in tenant.programmes):
        since = item.now - rules().confirmation
        welcomes = {
            each.name: _words(tenant, each.welcome)
            for each in tenant.programmes
            if each.confirm and said == fold(each.confirm)
        }
        return Agreement(confirms=welcomes, since=since)
    return None


def _terms(tenant: Tenant, optin: Optin, item: PartIn) -> Terms:
    words = _words(tenant, optin.text)
    return Terms(
        programme=optin.name,
        purpose=optin.purpose,
        channel="handset",
        text_version=version_of(words) if words else "",
        text=words,
        evidence=f"{optin.keyword} from the handset",
        given_at=item.now,
        confirmed=not optin.confirm,
    )


def _words(tenant: Tenant, text: str) -> str:
    return text.replace("{tenant}", tenant.marketing_sender or tenant.name)
