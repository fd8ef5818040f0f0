"""What an operator may ask of a bridge: an operation's arguments come in, plain objects go out.

One set for both ways: inside the running bridge, asked through its control socket, and in the
command's own process when none runs on this data directory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bridge.operations.contacts import (
    contacts_import,
    contacts_list,
    contacts_remove,
    group_list,
)
from bridge.operations.messages import held_drop, held_list, held_release, log, send, status
from bridge.operations.office import Item, Office, Operation
from bridge.operations.staff import access_close_all, staff_invite, staff_list, staff_revoke
from bridge.operations.suppression import suppress_add, suppress_check, suppress_remove
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
    "send": send,
    "log": log,
    "held list": held_list,
    "held release": held_release,
    "held drop": held_drop,
    "tenant list": tenant_list,
    "tenant add": tenant_add,
    "tenant close": tenant_close,
    "tenant login": tenant_login,
    "token issue": token_issue,
    "token revoke": token_revoke,
    "suppress add": suppress_add,
    "suppress remove": suppress_remove,
    "suppress check": suppress_check,
    "staff invite": staff_invite,
    "staff list": staff_list,
    "staff revoke": staff_revoke,
    "access close-all": access_close_all,
    "contacts import": contacts_import,
    "contacts list": contacts_list,
    "contacts remove": contacts_remove,
    "group list": group_list,
}

__all__ = ["REGISTRY", "Item", "Office", "Operation", "log", "suppress_add"]
