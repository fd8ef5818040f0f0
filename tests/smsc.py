"""An SMSC for tests: SMPP 3.4 over real sockets, with the manners and oddities of those in the field.

It shares no code with the bridge, so that both sides cannot be wrong alike. Set what it does on
`behave`, read what came in `submits` and `messages`, and wait with `until`; nothing here sleeps to
make time pass.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl as tls
import struct
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from tests import ports

HEAD = struct.Struct(">IIII")
BINDS = {1: "receiver", 2: "transmitter", 9: "transceiver"}
STATES = {
    "ENROUTE": 1,
    "DELIVRD": 2,
    "EXPIRED": 3,
    "DELETED": 4,
    "UNDELIV": 5,
    "ACCEPTD": 6,
    "UNKNOWN": 7,
    "REJECTD": 8,
}

GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXT = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}


def gsm_text(data: bytes) -> str:
    octets = iter(data)
    return "".join(
        GSM_EXT.get(next(octets, 0x20), " ") if o == 0x1B else GSM[o & 0x7F] for o in octets
    )


def gsm_bytes(text: str) -> bytes:
    ext = {char: bytes((0x1B, code)) for code, char in GSM_EXT.items()}
    return b"".join(ext.get(char) or bytes((GSM.index(char),)) for char in text)


@dataclass
class Behaviour:
    """What the SMSC does; change it at any time."""

    password: str = "secret"
    bind_status: int = 0
    mute: bool = False  # never answer a bind
    latency: float = 0.0  # seconds before each answer
    rate: float = 0.0  # answers a second, 0: no limit
    throttle: float = 0.0  # submits a second beyond which the answer is ESME_RTHROTTLED
    statuses: deque[int] = field(default_factory=deque)  # for the next submits, one each
    status: int = 0  # for all others
    silent: bool = False  # take submits, never answer them
    deaf: bool = False  # never answer enquire_link
    closes: bool = False  # hang up after each answer to a submit
    drop_after: int = 0  # cut the connection when so many submits have come, answered or not
    ids: str = "dec"  # dec | hex | hexdlr | decdlr | padded | uuid
    dlr: str = "DELIVRD"  # a word of STATES, or "none"
    dlr_delay: float = 0.0
    dlr_first: bool = False  # the receipt overtakes the answer
    dlr_times: int = 1
    dlr_tlv: bool = True
    dlr_text: bool = True


@dataclass
class Submit:
    """One submit_sm, as it came."""

    at: float  # time.monotonic
    id: str
    status: int
    source: str
    source_ton: int
    source_npi: int
    destination: str
    dest_ton: int
    dest_npi: int
    esm_class: int
    priority: int
    validity: str
    registered: int
    data_coding: int
    header: bytes
    data: bytes
    tlvs: dict[int, bytes]
    ref: int = 0
    total: int = 1
    number: int = 1

    @property
    def text(self) -> str:
        return self.data.decode("utf-16-be") if self.data_coding == 8 else gsm_text(self.data)


@dataclass
class Message:
    """What a phone would show: the accepted parts, joined."""

    source: str
    destination: str
    text: str
    ids: list[str]


class Smsc:
    """An SMSC on a port of its own; `async with smsc() as it`."""

    def __init__(self) -> None:
        self.behave = Behaviour()
        self.submits: list[Submit] = []
        self.messages: list[Message] = []
        self.binds: list[tuple[str, str]] = []  # kind, system_id
        self.delivered: list[int] = []  # command_status of each deliver_sm_resp
        self.seen: Counter[int] = Counter()  # command ids that came
        self.most_in_flight = 0
        self.sessions: list[_Session] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._parts: dict[tuple[str, str, int, int], dict[int, Submit]] = {}
        self._changed = asyncio.Event()
        self._id = 1000
        self._tokens = 0.0
        self._filled = 0.0
        self._answer_at = 0.0

    async def start(self, port: int = 0, context: tls.SSLContext | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.port = port or self.port or ports.free()
        self._server = await loop.create_server(
            lambda: _Session(self), "127.0.0.1", self.port, ssl=context
        )

    async def stop(self) -> None:
        """Stop listening and cut every connection; `start` listens on the same port again."""
        if self._server is not None:
            self._server.close()
        self.drop()
        if self._server is not None:
            await self._server.wait_closed()

    async def until(self, holds: Callable[[Smsc], object], seconds: float = 15.0) -> None:
        """Wait until `holds(self)`; asked again whenever a PDU or a connection comes or goes."""
        async with asyncio.timeout(seconds):
            while not holds(self):
                self._changed.clear()
                await self._changed.wait()

    def bound(self, rx: bool = True) -> list[_Session]:
        return [
            s
            for s in self.sessions
            if s.kind in (("receiver", "transceiver") if rx else ("transmitter", "transceiver"))
        ]

    def drop(self) -> None:
        for session in list(self.sessions):
            session.transport.abort()

    def raw(self, octets: bytes) -> None:
        for session in self.sessions:
            session.transport.write(octets)

    def request(self, command: int, body: bytes = b"", rx: bool = True) -> int:
        """Send a request on the newest bind; its sequence number."""
        return self.bound(rx)[-1].request(command, body)

    def mo(
        self,
        source: str,
        destination: str,
        text: str,
        how: str = "single",
        coding: int | None = None,
        size: int | None = None,
        ref: int = 7,
    ) -> None:
        """A person writes; `how`: single | udh | udh16 | sar | payload."""
        ucs2 = coding == 8 or (
            coding is None and any(c not in GSM and c not in GSM_EXT.values() for c in text)
        )
        data = text.encode("utf-16-be") if ucs2 else gsm_bytes(text)
        dcs = coding if coding is not None else 8 if ucs2 else 0
        step = len(data) if how in ("single", "payload") else size or (134 if ucs2 else 153)
        chunks = [data[at : at + step] for at in range(0, len(data), step)] or [b""]
        for number, chunk in enumerate(chunks, 1):
            esm, header, extra = 0, b"", b""
            if how == "udh":
                esm, header = 0x40, bytes((5, 0, 3, ref & 0xFF, len(chunks), number))
            elif how == "udh16":
                esm, header = (
                    0x40,
                    bytes((6, 8, 4)) + ref.to_bytes(2, "big") + bytes((len(chunks), number)),
                )
            elif how == "sar":
                extra = (
                    tlv(0x020C, ref.to_bytes(2, "big"))
                    + tlv(0x020E, bytes((len(chunks),)))
                    + tlv(0x020F, bytes((number,)))
                )
            if how == "payload":
                extra = tlv(0x0424, chunk)
            short = b"" if how == "payload" else header + chunk
            self.deliver(source, destination, short, esm=esm, dcs=dcs, extra=extra)

    def deliver(
        self,
        source: str,
        destination: str,
        data: bytes,
        *,
        esm: int = 0,
        dcs: int = 0,
        extra: bytes = b"",
    ) -> None:
        body = (
            b"\0\1\1"
            + source.encode("latin-1")
            + b"\0\1\1"
            + destination.encode("latin-1")
            + b"\0"
            + bytes((esm, 0, 0))
            + b"\0\0\0\0"
            + bytes((dcs, 0, len(data)))
            + data
            + extra
        )
        self.request(5, body)

    # -- what the sessions call -----------------------------------------------------------

    def note(self) -> None:
        self._changed.set()

    def new_id(self) -> tuple[str, str]:
        """The id as the answer and as the receipt write it."""
        self._id += 1
        n = self._id
        return {
            "dec": (str(n), str(n)),
            "hex": (f"{n:X}", f"{n:x}"),
            "hexdlr": (f"{n:X}", f"{n:010d}"),
            "decdlr": (str(n), f"{n:08X}"),
            "padded": (f"{n:010d}", str(n)),
            "uuid": (f"A0B1-{n}", f"a0b1-{n}"),
        }[self.behave.ids]

    def judge(self) -> int:
        if self.behave.statuses:
            return self.behave.statuses.popleft()
        if self.behave.throttle:
            now = time.monotonic()
            self._tokens = min(
                self._tokens + self.behave.throttle * (now - self._filled),
                max(1.0, self.behave.throttle / 10),
            )
            self._filled = now
            if self._tokens < 1:
                return 0x58
            self._tokens -= 1
        return self.behave.status

    def wait_for_turn(self) -> float:
        """Seconds until the next answer may leave."""
        if not self.behave.rate:
            return self.behave.latency
        now = time.monotonic()
        self._answer_at = max(self._answer_at + 1 / self.behave.rate, now)
        return self.behave.latency + self._answer_at - now

    def join(self, submit: Submit) -> None:
        key = (submit.source, submit.destination, submit.ref, submit.total)
        parts = self._parts.setdefault(key, {})
        parts[submit.number] = submit
        if len(parts) == submit.total:
            del self._parts[key]
            ordered = [parts[n] for n in sorted(parts)]
            text = "".join(p.text for p in ordered)
            self.messages.append(
                Message(submit.source, submit.destination, text, [p.id for p in ordered])
            )


class _Session(asyncio.Protocol):
    def __init__(self, smsc: Smsc) -> None:
        self.smsc = smsc
        self.kind = ""
        self.buffer = b""
        self.sequence = 0
        self.in_flight = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.smsc.sessions.append(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        self.smsc.sessions.remove(self)
        self.smsc.note()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while len(self.buffer) >= 16:
            length, command, status, sequence = HEAD.unpack_from(self.buffer)
            if not 16 <= length <= 70_000:
                self.transport.abort()
                return
            if len(self.buffer) < length:
                break
            body, self.buffer = self.buffer[16:length], self.buffer[length:]
            self.smsc.seen[command] += 1
            self.pdu(command, status, sequence, body)
        self.smsc.note()

    def request(self, command: int, body: bytes = b"") -> int:
        self.sequence += 1
        self.write(command, 0, self.sequence, body)
        return self.sequence

    def write(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        if not self.transport.is_closing():
            self.transport.write(HEAD.pack(16 + len(body), command, status, sequence) + body)

    def pdu(self, command: int, status: int, sequence: int, body: bytes) -> None:
        if command in BINDS:
            self.bind(command, sequence, body)
        elif command == 4:
            self.submit(sequence, body)
        elif command == 6:
            self.write(0x80000006, 0, sequence)
            self.transport.close()
        elif command == 0x15 and not self.smsc.behave.deaf:
            self.write(0x80000015, 0, sequence)
        elif command in (0x80000005, 0x80000103):
            self.smsc.delivered.append(status)

    def bind(self, command: int, sequence: int, body: bytes) -> None:
        system_id, password, _ = body.split(b"\0", 2)
        wrong = password.decode() != self.smsc.behave.password
        status = self.smsc.behave.bind_status or (0x0E if wrong else 0)
        self.smsc.binds.append((BINDS[command], system_id.decode()))
        if self.smsc.behave.mute:
            return
        self.write(command | 0x80000000, status, sequence, b"TEST\0" + tlv(0x0210, b"\x34"))
        if status:
            self.transport.close()
        else:
            self.kind = BINDS[command]

    def submit(self, sequence: int, body: bytes) -> None:
        smsc, behave = self.smsc, self.smsc.behave
        if self.kind not in ("transmitter", "transceiver"):
            self.write(0x80000004, 4, sequence, b"\0")
            return
        self.in_flight += 1
        smsc.most_in_flight = max(smsc.most_in_flight, self.in_flight)
        status = smsc.judge()
        answer, named = smsc.new_id() if not status else ("", "")
        submit = read_submit(body, answer, status)
        smsc.submits.append(submit)
        if not status:
            smsc.join(submit)
        if behave.drop_after and len(smsc.submits) >= behave.drop_after:
            behave.drop_after = 0
            self.transport.abort()
            return
        wants_receipt = not status and submit.registered & 1 and behave.dlr != "none"
        if wants_receipt and behave.dlr_first:
            self.receipts(submit, named)
        if behave.silent:
            return
        wait = smsc.wait_for_turn()
        if wait:
            asyncio.get_running_loop().call_later(wait, self.answer, sequence, status, answer)
        else:
            self.answer(sequence, status, answer)
        if wants_receipt and not behave.dlr_first:
            asyncio.get_running_loop().call_later(
                wait + behave.dlr_delay, self.receipts, submit, named
            )

    def answer(self, sequence: int, status: int, message_id: str) -> None:
        self.in_flight -= 1
        self.write(0x80000004, status, sequence, message_id.encode() + b"\0")
        if self.smsc.behave.closes:
            self.transport.close()

    def receipts(self, submit: Submit, named: str) -> None:
        behave = self.smsc.behave
        at = time.strftime("%y%m%d%H%M", time.gmtime())
        good = behave.dlr == "DELIVRD"
        text = f"id:{named} sub:001 dlvrd:00{int(good)} submit date:{at} done date:{at} stat:{behave.dlr} err:{'000' if good else '011'} text:made up"
        extra = (
            tlv(0x001E, named.encode() + b"\0") + tlv(0x0427, bytes((STATES[behave.dlr],)))
            if behave.dlr_tlv
            else b""
        )
        for _ in range(behave.dlr_times):
            if self.smsc.bound():
                self.smsc.deliver(
                    submit.destination,
                    submit.source,
                    text.encode() if behave.dlr_text else b"",
                    esm=4,
                    extra=extra,
                )


def tlv(tag: int, value: bytes) -> bytes:
    return struct.pack(">HH", tag, len(value)) + value


def read_submit(body: bytes, message_id: str, status: int) -> Submit:
    def string() -> str:
        nonlocal body
        text, body = body.split(b"\0", 1)
        return text.decode("latin-1")

    def octets(count: int) -> bytes:
        nonlocal body
        taken, body = body[:count], body[count:]
        assert len(taken) == count, "the PDU is too short"
        return taken

    string()
    source_ton, source_npi = octets(2)
    source = string()
    dest_ton, dest_npi = octets(2)
    destination = string()
    esm_class, _, priority = octets(3)
    assert string() == ""
    validity = string()
    registered, _, data_coding, _, length = octets(5)
    data = octets(length)
    tlvs = {}
    while body:
        tag, size = struct.unpack(">HH", octets(4))
        tlvs[tag] = octets(size)
    data = tlvs.get(0x0424, data)
    header = data[: data[0] + 1] if esm_class & 0x40 else b""
    submit = Submit(
        time.monotonic(), message_id, status, source, source_ton, source_npi, destination, dest_ton, dest_npi, esm_class,
        priority, validity, registered, data_coding, header, data[len(header) :], tlvs,
    )  # fmt: skip
    if header[1:3] == b"\0\3":
        submit.ref, submit.total, submit.number = header[3:6]
    if 0x020C in tlvs:
        submit.ref, submit.total, submit.number = (
            int.from_bytes(tlvs[0x020C], "big"),
            tlvs[0x020E][0],
            tlvs[0x020F][0],
        )
    return submit


@contextlib.asynccontextmanager
async def smsc(context: tls.SSLContext | None = None) -> AsyncIterator[Smsc]:
    """An SMSC that listens on a free port of 127.0.0.1 until the block ends."""
    it = Smsc()
    await it.start(context=context)
    try:
        yield it
    finally:
        await it.stop()
