"""What an operator may say about one SMPP account in, one frozen value out."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from bridge import settings
from bridge.carriers import trust
from bridge.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class SmppConfig:
    """One account at one SMSC. Times in seconds. Raises Misconfigured."""

    name: str
    host: str
    port: int = 2775
    system_id: str = ""
    password: str = field(default="", repr=False)
    system_type: str = ""
    bind: Literal["transceiver", "pair"] = "transceiver"
    """`transceiver`, or `pair`: a transmitter and a receiver."""
    tls: bool = False
    tls_ca: str = ""
    """File of the authority that signed the SMSC's certificate; empty: the system's own."""
    tls_cert: str = ""
    tls_key: str = ""
    window: int = 10
    """submit_sm in flight, at most."""
    originator: str = ""
    """For parts that name none; empty: the SMSC's own."""
    long: Literal["udh", "sar", "payload"] = "udh"
    """How long texts leave: `udh` and `sar` part by part, `payload` whole."""
    id_format: Literal["auto", "hex", "dec", "hexdlr", "decdlr"] = "auto"
    """How ids are written in answers and receipts: see `ids.Ids`."""
    gsm7_coding: Literal["gsm7", "latin1", "ascii"] = "gsm7"
    """What data_coding 0 means at this SMSC."""
    source_ton: int | None = None
    """None: by the originator's look."""
    source_npi: int | None = None
    dest_ton: int = 1
    dest_npi: int = 1
    enquire_seconds: float = 30.0
    """Silence after which we ask whether the SMSC is still there."""
    response_timeout: float = 30.0
    receipts: bool = True
    optout_errors: tuple[int, ...] = ()
    """command_status by which this SMSC says that the person has opted out with it."""

    def __post_init__(self) -> None:
        if not all(text.isascii() for text in (self.system_id, self.password, self.system_type)):
            raise Misconfigured(
                f"Carrier {self.name}: SMPP knows plain ASCII only.",
                "Check system_id, password and system_type for other characters.",
            )

    @classmethod
    def from_settings(cls, carrier: settings.Carrier) -> Self:
        """The SMPP part of a [[carriers]] entry."""
        return cls(
            name=carrier.name,
            host=carrier.host,
            port=carrier.port,
            system_id=carrier.system_id,
            password=carrier.password.get_secret_value(),
            system_type=carrier.system_type,
            bind=carrier.bind,
            tls=carrier.tls,
            tls_ca=_path(carrier.tls_ca),
            tls_cert=_path(carrier.tls_cert),
            tls_key=_path(carrier.tls_key),
            window=carrier.window,
            originator=carrier.originator,
            long=carrier.long,
            id_format=carrier.id_format,
            gsm7_coding=carrier.gsm7_coding,
            source_ton=carrier.source_ton,
            source_npi=carrier.source_npi,
            dest_ton=carrier.dest_ton,
            dest_npi=carrier.dest_npi,
            enquire_seconds=carrier.enquire_seconds,
            response_timeout=carrier.response_timeout.total_seconds(),
            receipts=carrier.receipts,
            optout_errors=tuple(carrier.optout_errors),
        )

    def tls_context(self) -> ssl.SSLContext | None:
        """How to talk TLS to the SMSC, or None for plain TCP. Raises Misconfigured."""
        if not self.tls:
            return None
        try:
            context = trust.context(self.tls_ca)
            if self.tls_cert:
                context.load_cert_chain(self.tls_cert, self.tls_key or None)
        except OSError as error:  # ssl.SSLError is one
            raise Misconfigured(
                f"Carrier {self.name}: the TLS files cannot be used"
                f" ({error.strerror or type(error).__name__}).",
                "Check that tls_ca, tls_cert and tls_key name readable PEM files that belong"
                " together.",
            ) from error
        return context


def _path(path: Path | None) -> str:
    return str(path) if path else ""
