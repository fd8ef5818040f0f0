"""What was erased comes in, a receipt that anybody can check goes out; and a receipt is checked.

A receipt is JSON: what went, what stays and why, until when copies may hold it, and the entries of
the audit that tell of it. It names the person by the audit's reference, never by a number. It is
signed with the bridge's own key (Ed25519, RFC 8032) over its canonical form (PRIVACY P68).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bridge.keyring import Signer, verify
from bridge.store.audit import canonical

FORMAT: Final = "sms-bridge-erasure-1"

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether a receipt is as it was signed, and by whom; `why` not, else ""."""

    why: str
    document: Document
    public_key: str

    @property
    def is_good(self) -> bool:
        """Nothing is wrong with it."""
        return not self.why


def written(document: Document, signer: Signer) -> str:
    """The receipt as a file."""
    signature = signer.sign(canonical(document))
    whole = {"receipt": document, "public_key": signer.public, "signature": signature}
    return json.dumps(whole, indent=1, ensure_ascii=True) + "\n"


def checked(text: str, trusted: Collection[str]) -> Checked:
    """Check a receipt; `trusted` are the public keys that may have signed it."""
    try:
        whole = json.loads(text)
        document, public, signature = (whole[k] for k in ("receipt", "public_key", "signature"))
        octets = canonical(document)
        if set(whole) != {"receipt", "public_key", "signature"} or document["format"] != FORMAT:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        return Checked("this is no receipt of an erasure", {}, "")
    if not verify(str(public), octets, str(signature)):
        return Checked("the receipt was altered: its signature does not fit", document, public)
    if public not in trusted:
        return Checked("the receipt was signed by another key", document, public)
    return Checked("", document, public)
