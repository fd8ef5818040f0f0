"""What an operator may ask of a bridge: an operation's arguments come in, plain objects go out.

One set for both ways: inside the running bridge, asked through its control socket, and in the
command's own process when none runs on this data directory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bridge.operations.accounts import accounts_add, accounts_list, accounts_verify
from bridge.operations.audit import audit_head, audit_list, audit_verify
from bridge.operations.backups import backup
from bridge.operations.blacklist import (
    blacklist_add,
    blacklist_check,
    blacklist_list,
    blacklist_remove,
)
from bridge.operations.brakes import (
    brake_confirm,
    brake_lift,
    brake_list,
    resume,
    stop_sending,
)
from bridge.operations.breaches import (
    abuse_list,
    abuse_open,
    abuse_review,
    breach_close,
    breach_draft,
    breach_learn,
    breach_list,
    breach_notify,
    breach_open,
    demand_answer,
    demand_approve,
    demand_declare,
    demand_list,
    demand_open,
    demand_refuse,
)
from bridge.operations.consent import (
    consent_add,
    consent_import,
    consent_show,
    consent_text,
    consent_withdraw,
)
from bridge.operations.contacts import (
    contacts_import,
    contacts_list,
    contacts_remove,
    group_list,
)
from bridge.operations.invoices import (
    accounts_statement,
    invoice_issue,
    invoice_list,
    invoice_show,
    payments_import,
    payments_list,
    payments_match,
)
from bridge.operations.keys import master_rewrap
from bridge.operations.lists import pepper_status, programme_add, programme_list
from bridge.operations.messages import held_drop, held_list, held_release, log, send, status
from bridge.operations.office import Item, Office, Operation
from bridge.operations.prices import prices_check, prices_import, prices_list
from bridge.operations.privacy import privacy_erase, privacy_export, privacy_verify
from bridge.operations.processors import (
    policy_accept,
    policy_announce,
    policy_list,
    subproc_add,
    subproc_end,
    subproc_list,
    subproc_notify,
    subproc_object,
    subproc_set,
)
from bridge.operations.records import privacy_art28, privacy_drill, privacy_ropa
from bridge.operations.requests import (
    dsar_approve,
    dsar_class,
    dsar_extend,
    dsar_forward,
    dsar_instruct,
    dsar_list,
    dsar_open,
    dsar_preview,
    dsar_refuse,
    dsar_reject,
    dsar_restrict,
    dsar_run,
    dsar_show,
    dsar_verify,
    dsar_withdraw,
    reassigned,
)
from bridge.operations.retention import (
    hold_add,
    hold_list,
    hold_release,
    retention_agree,
    retention_claim,
    retention_run,
    retention_set,
    retention_show,
)
from bridge.operations.reviews import access_confirm, access_review
from bridge.operations.routes import explain_route
from bridge.operations.staff import access_close_all, staff_invite, staff_list, staff_revoke
from bridge.operations.suppression import (
    suppress_add,
    suppress_check,
    suppress_check_file,
    suppress_export,
    suppress_import,
    suppress_remove,
    suppress_sync,
    suppress_wishes,
)
from bridge.operations.tenants import (
    tenant_add,
    tenant_close,
    tenant_list,
    tenant_login,
    token_issue,
    token_revoke,
)

REGISTRY: Final[Mapping[str, Operation]] = {
    "status": status,
    "explain route": explain_route,
    "send": send,
    "log": log,
    "held list": held_list,
    "held release": held_release,
    "held drop": held_drop,
    "stop-sending": stop_sending,
    "resume": resume,
    "brake list": brake_list,
    "brake lift": brake_lift,
    "brake confirm": brake_confirm,
    "hold add": hold_add,
    "hold list": hold_list,
    "hold release": hold_release,
    "retention agree": retention_agree,
    "retention claim": retention_claim,
    "retention run": retention_run,
    "retention set": retention_set,
    "retention show": retention_show,
    "accounts list": accounts_list,
    "accounts add": accounts_add,
    "accounts verify": accounts_verify,
    "accounts statement": accounts_statement,
    "accounts invoice issue": invoice_issue,
    "accounts invoice show": invoice_show,
    "accounts invoice list": invoice_list,
    "accounts payments import": payments_import,
    "accounts payments list": payments_list,
    "accounts payments match": payments_match,
    "prices import": prices_import,
    "prices list": prices_list,
    "prices check": prices_check,
    "tenant list": tenant_list,
    "tenant add": tenant_add,
    "tenant close": tenant_close,
    "tenant login": tenant_login,
    "token issue": token_issue,
    "token revoke": token_revoke,
    "suppress add": suppress_add,
    "suppress remove": suppress_remove,
    "suppress check": suppress_check,
    "suppress import": suppress_import,
    "suppress export": suppress_export,
    "suppress check file": suppress_check_file,
    "suppress sync": suppress_sync,
    "suppress wishes": suppress_wishes,
    "blacklist add": blacklist_add,
    "blacklist remove": blacklist_remove,
    "blacklist list": blacklist_list,
    "blacklist check": blacklist_check,
    "programme add": programme_add,
    "programme list": programme_list,
    "pepper status": pepper_status,
    "dsar open": dsar_open,
    "dsar list": dsar_list,
    "dsar show": dsar_show,
    "dsar verify": dsar_verify,
    "dsar forward": dsar_forward,
    "dsar instruct": dsar_instruct,
    "dsar approve": dsar_approve,
    "dsar refuse": dsar_refuse,
    "dsar reject": dsar_reject,
    "dsar class": dsar_class,
    "dsar extend": dsar_extend,
    "dsar withdraw": dsar_withdraw,
    "dsar preview": dsar_preview,
    "dsar run": dsar_run,
    "dsar restrict": dsar_restrict,
    "reassigned": reassigned,
    "backup": backup,
    "privacy export": privacy_export,
    "privacy erase": privacy_erase,
    "privacy verify": privacy_verify,
    "staff invite": staff_invite,
    "staff list": staff_list,
    "staff revoke": staff_revoke,
    "access close-all": access_close_all,
    "access review": access_review,
    "access confirm": access_confirm,
    "subproc list": subproc_list,
    "subproc add": subproc_add,
    "subproc set": subproc_set,
    "subproc notify": subproc_notify,
    "subproc object": subproc_object,
    "subproc end": subproc_end,
    "policy announce": policy_announce,
    "policy accept": policy_accept,
    "policy list": policy_list,
    "breach open": breach_open,
    "breach learn": breach_learn,
    "breach notify": breach_notify,
    "breach draft": breach_draft,
    "breach close": breach_close,
    "breach list": breach_list,
    "abuse open": abuse_open,
    "abuse list": abuse_list,
    "abuse review": abuse_review,
    "demand open": demand_open,
    "demand declare": demand_declare,
    "demand approve": demand_approve,
    "demand refuse": demand_refuse,
    "demand answer": demand_answer,
    "demand list": demand_list,
    "privacy ropa": privacy_ropa,
    "privacy art28": privacy_art28,
    "privacy drill": privacy_drill,
    "master rewrap": master_rewrap,
    "audit verify": audit_verify,
    "audit head": audit_head,
    "audit list": audit_list,
    "contacts import": contacts_import,
    "contacts list": contacts_list,
    "contacts remove": contacts_remove,
    "group list": group_list,
    "consent add": consent_add,
    "consent withdraw": consent_withdraw,
    "consent show": consent_show,
    "consent import": consent_import,
    "consent text": consent_text,
}

__all__ = ["REGISTRY", "Item", "Office", "Operation", "log", "suppress_add"]
