"""The tables of bridge.toml, key by key: type, limits and default."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from bridge.settings.described import (
    Answer,
    Erasing,
    InboundMap,
    OptOuts,
    ReceiptMap,
    Request,
    Signature,
    homeless,
    misdescribed,
    nameless,
)
from bridge.settings.kinds import misfit
from bridge.settings.values import (
    AddressPattern,
    Amount,
    Cap,
    Count,
    Countries,
    Country,
    Currency,
    DatabaseUrl,
    Directory,
    Domain,
    Duration,
    Endpoint,
    Inboxes,
    Listen,
    LmtpEndpoint,
    LocalPart,
    MailAddresses,
    Name,
    Numbers,
    Octet,
    OptionalDomain,
    OptionalDuration,
    OptionalEndpoint,
    OptionalPath,
    OptionalRegion,
    OptionalWebUrl,
    Originator,
    PasswordHash,
    Percent,
    PlainWords,
    Port,
    Prefix,
    ProgrammeName,
    Proofs,
    PublicUrl,
    QueueUrl,
    Region,
    SmarthostUrl,
    VariableSymbol,
    Velocity,
    WebUrl,
)

SANDBOX = "sandbox"


class Section(BaseModel):
    """A table of keys: no others, no value of another type, nothing changed later."""

    # Only the whole of the settings is built: every command waits for this.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class Database(Section):
    """Where everything is kept; "sqlite" is a file in data_dir."""

    url: DatabaseUrl = SecretStr("sqlite")


class Queue(Section):
    """The doorbell; "embedded" is a Valkey of our own in data_dir."""

    url: QueueUrl = SecretStr("embedded")


class Smtp(Section):
    """The SMTP and LMTP edge and its limits; sizes in octets."""

    listen: Endpoint = Listen("127.0.0.1", 2525)
    lmtp: LmtpEndpoint = None
    domains: Annotated[list[Domain], Field(min_length=1)] = ["sms.localhost"]
    hostname: OptionalDomain = ""
    # DNS servers for SPF, DKIM and DMARC, as "address" or "address:port"; empty: the system's.
    nameservers: list[str] = []
    tls_cert: OptionalPath = None
    tls_key: OptionalPath = None
    max_size: Annotated[int, Field(ge=65_536)] = 10 * 1024 * 1024
    # RFC 5321 4.5.3.1.8: at least 100 recipients must be taken.
    max_recipients: Count = 100
    max_connections: Count = 6000
    # Connections from loopback are not counted here: a local relay is one address.
    max_connections_per_address: Count = 100
    max_errors: Count = 20
    # RFC 5321 4.5.3.1.6 promises 1,000; real mail with long lines is common and harmless.
    max_line: Annotated[int, Field(ge=1000)] = 65_536
    # RFC 5321 4.5.3.2.7 asks for five minutes.
    idle_timeout: Duration = timedelta(minutes=5)
    transaction_timeout: Duration = timedelta(minutes=15)

    @model_validator(mode="after")
    def _both_tls_files(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together; set both, or neither")
        return self


class Http(Section):
    """The web edge."""

    listen: Endpoint = Listen("127.0.0.1", 8080)
    # Health and metrics of a process that has no edge: `bridge work` and `bridge tick`.
    watch: OptionalEndpoint = None


class Mail(Section):
    """How answers leave; without a smarthost they stay in the sandbox's mailbox."""

    smarthost: SmarthostUrl = SecretStr("")
    from_name: str = "SMS bridge"
    timeout: Duration = timedelta(seconds=30)


class Sender(Section):
    """Who may write in a tenant's name, and how that is proved: all of `proof` must hold."""

    address: AddressPattern
    proof: Proofs
    message_class: Annotated[Literal["transactional", "marketing"], Field(alias="class")] = (
        "transactional"
    )
    # The same alert again within this time is counted, and told of when it is over.
    fold: OptionalDuration = None


class Login(Section):
    """A user of SMTP AUTH."""

    user: Annotated[str, Field(min_length=1)]
    password_hash: PasswordHash


class Programme(Section):
    """What people may agree to by itself: `keyword` from their phone is answered with `text`.

    With `confirm` it counts once they have answered that word, which `welcome` answers.
    """

    name: ProgrammeName
    keyword: Annotated[str, Field(max_length=40)] = ""
    text: str = ""
    confirm: Annotated[str, Field(max_length=40)] = ""
    welcome: str = ""
    purpose: Literal["sms", "marketing", "newsletter", "service"] = "sms"


class Caps(Section):
    """The most SMS parts in an hour, a day and a month (UTC); 0 for no limit."""

    hour: Annotated[int, Field(ge=0)] = 0
    day: Annotated[int, Field(ge=0)] = 0
    month: Annotated[int, Field(ge=0)] = 0


class Spend(Section):
    """The most money in an hour, a day and a month (UTC), in the tenant's currency; 0: no limit."""

    hour: Amount = 0
    day: Amount = 0
    month: Amount = 0


class Tenant(Section):
    """A client company and its rules."""

    name: Name
    region: OptionalRegion = ""
    countries: list[Country] = []
    high_cost: bool = False
    velocity: Velocity = ""
    caps: Caps = Caps()
    cap_per_sender: Caps = Caps()
    spend: Spend = Spend()
    spend_per_sender: Spend = Spend()
    max_parts: Annotated[int, Field(ge=1, le=255)] = 6
    over_limit: Literal["refuse", "cut"] = "refuse"
    validity: Duration = timedelta(hours=24)
    originator: Originator = ""
    # A pool: each person keeps theirs of these.
    originators: Numbers = []
    subject: Literal["if-empty", "ignore", "first-line"] = "if-empty"
    prefix: str = ""
    encoding: Literal["auto", "gsm7", "keep"] = "auto"
    end_markers: list[str] = []
    reports: Literal["none", "failures", "all"] = "failures"
    inbox: Inboxes = []
    show_texts_in: list[Literal["slack", "telegram"]] = []
    preview: Literal["long", "always"] = "long"
    second_person_above: Count = 20
    reply_window: Duration = timedelta(days=30)
    keep_texts: OptionalDuration = None
    # Who decides on what people ask for about their data: the tenant, or the operator.
    profile: Literal["processor", "controller"] = "processor"
    # Who decides for the tenant by mail: each gets an address of their own for each request.
    deciders: MailAddresses = []
    authority: str = ""
    help_text: str = "{tenant}: reply STOP to get no more messages, START to get them again."
    stop_text: str = "{tenant}: you will get no more messages. Reply START to get them again."
    start_text: str = "{tenant}: you will get messages again. Reply STOP to end them."
    optout: Literal["append", "require"] = "append"
    marketing_basis: Literal["recorded", "tenant"] = "recorded"
    marketing_cap: Cap = ""
    marketing_sender: str = ""
    marketing_label: PlainWords = ""
    marketing_footer: PlainWords = ""
    programmes: list[Programme] = []
    eea_only: bool = False
    # Whether an account is kept of what it sends; amounts in `currency`.
    billing: Literal["none", "prepaid", "postpaid"] = "none"
    currency: Currency = "EUR"
    credit_limit: Amount = 0
    charge_on: Literal["accepted", "delivered"] = "accepted"
    low_balance: list[Amount] = []
    variable_symbol: VariableSymbol = ""
    billing_address: list[str] = []
    # Sizes in octets.
    attachments: Literal["off", "link"] = "off"
    attachment_refused: Literal["note", "refuse"] = "note"
    attachment_days: Annotated[int, Field(ge=1, le=60)] = 30
    attachment_size: Annotated[int, Field(ge=1000)] = 5_000_000
    attachment_mail_size: Annotated[int, Field(ge=1000)] = 10_000_000
    attachment_count: Annotated[int, Field(ge=1, le=50)] = 10
    link_domain: OptionalDomain = ""
    senders: list[Sender] = []
    logins: list[Login] = []

    @model_validator(mode="after")
    def _owes_within_a_limit(self) -> Self:
        if self.billing == "postpaid" and not self.credit_limit:
            raise ValueError(
                'billing = "postpaid" needs a credit_limit: how much the tenant may owe'
            )
        return self


class Carrier(Section):
    """Whoever accepts our messages; tps in parts a second, 0 for no limit."""

    name: Name
    kind: Annotated[str, Field(min_length=1)]
    tps: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0
    window: Annotated[int, Field(ge=1, le=10_000)] = 10
    country: OptionalRegion = ""
    originator: Originator = ""
    originators: Numbers = []
    # Names that are registered with this carrier; empty: not declared.
    senders: list[Originator] = []
    retry_first: Duration = timedelta(seconds=5)
    retry_longest: Duration = timedelta(minutes=10)
    # A bind that is down for so long is left for the next carrier of the route.
    failover: Duration = timedelta(seconds=30)

    host: str = ""
    port: Port = 2775
    # SMPP 3.4, 4.1.1: system_id has at most 15 characters, system_type 12.
    system_id: Annotated[str, Field(max_length=15)] = ""
    password: SecretStr = SecretStr("")
    system_type: Annotated[str, Field(max_length=12)] = ""
    bind: Literal["transceiver", "pair"] = "transceiver"
    tls: bool = False
    tls_ca: OptionalPath = None
    tls_cert: OptionalPath = None
    tls_key: OptionalPath = None
    long: Literal["udh", "sar", "payload"] = "udh"
    id_format: Literal["auto", "hex", "dec", "hexdlr", "decdlr"] = "auto"
    gsm7_coding: Literal["gsm7", "latin1", "ascii"] = "gsm7"
    shift: list[Literal["turkish", "spanish", "portuguese"]] = []
    source_ton: Octet | None = None
    source_npi: Octet | None = None
    dest_ton: Octet = 1
    dest_npi: Octet = 1
    enquire_seconds: Count = 30
    response_timeout: Duration = timedelta(seconds=30)
    receipts: bool = True
    # Each carrier has codes of its own, 0x0400 to 0x04FF (SMPP 3.4, 5.1.3), for an opt-out.
    optout_errors: list[Annotated[int, Field(ge=1)]] = []

    # What carriers over HTTP are told of their account; settings/kinds.py says who has which.
    api_url: OptionalWebUrl = ""
    account: str = ""
    key: SecretStr = SecretStr("")
    secret: SecretStr = SecretStr("")
    signing_secret: SecretStr = SecretStr("")
    service: str = ""
    signing_method: Literal["md5hash", "md5", "sha1", "sha256", "sha512"] = "md5hash"
    platform: str = ""
    partner: str = ""
    gate: str = ""
    # Read every night who has opted out with this carrier, where it shows a list.
    optout_list: bool = True
    # Ask this carrier to erase its records of somebody who is erased, where it can.
    erase_records: bool = True
    # A provider that is wholly described here (kind "http").
    request: Request | None = None
    answer: Answer | None = None
    receipt: ReceiptMap | None = None
    inbound: InboundMap | None = None
    signature: Signature | None = None
    optouts: OptOuts | None = None
    erasing: Erasing | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.name == SANDBOX and self.kind != SANDBOX:
            raise ValueError('the name "sandbox" is kept for kind = "sandbox"; take another name')
        given = {name for name in self.model_fields_set if _says(getattr(self, name))}
        if wrong := misfit(self.kind, self.model_fields_set, given):
            raise ValueError(wrong)
        if wrong := homeless(self.api_url, self.request, self.optouts, self.erasing):
            raise ValueError(wrong)
        if wrong := nameless(self.answer, self.erasing):
            raise ValueError(wrong)
        if wrong := misdescribed(self.receipt, self.inbound, self.signature):
            raise ValueError(wrong)
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together; set both, or neither")
        return self


def _says(value: object) -> bool:
    """Whether a key has a value at all."""
    return (
        bool(value.get_secret_value()) if isinstance(value, SecretStr) else value not in ("", None)
    )


class Route(Section):
    """Carriers to try for numbers that begin with `match`, and for what the conditions name."""

    match: Prefix = "+"
    country: Countries = []
    tenant: str = ""
    message_class: Annotated[Literal["", "transactional", "marketing"], Field(alias="class")] = ""
    carriers: Annotated[list[str], Field(min_length=1)]
    order: Literal["listed", "price", "weight"] = "listed"
    # Shares by carrier, for order = "weight"; a carrier that is not named has 1.
    weights: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = {}


class Health(Section):
    """When a carrier that others could stand in for loses traffic, and how fast."""

    # Half of the receipts that are usual have not come by then.
    slow: Duration = timedelta(minutes=4)
    # The same for its answers.
    slow_answer: Duration = timedelta(seconds=5)
    # So many errors within the window, or so large a share of its answers.
    window: Duration = timedelta(seconds=60)
    errors: Count = 50
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    # Between two changes of a weight; it halves when it falls and grows by a tenth.
    step: Duration = timedelta(seconds=10)
    # What a sick carrier keeps, so that it can show that it is well again.
    probe: Annotated[float, Field(gt=0, le=0.5)] = 0.05


class Workspace(Section):
    """A Slack workspace, bound to a tenant.

    With an app token it is heard by Socket Mode, else by signed requests to /slack/events.
    """

    name: Name
    tenant: str = ""
    bot_token: SecretStr = SecretStr("")
    app_token: SecretStr = SecretStr("")
    signing_secret: SecretStr = SecretStr("")


class Slack(Section):
    """The Slack edge; off without its tokens. The keys beside `workspaces` are one more of them."""

    tenant: str = ""
    bot_token: SecretStr = SecretStr("")
    app_token: SecretStr = SecretStr("")
    signing_secret: SecretStr = SecretStr("")
    api_url: WebUrl = "https://slack.com/api/"
    workspaces: list[Workspace] = []

    def apps(self) -> list[Workspace]:
        """All workspaces."""
        own = Workspace(
            name="slack",
            tenant=self.tenant,
            bot_token=self.bot_token,
            app_token=self.app_token,
            signing_secret=self.signing_secret,
        )
        return [w for w in (own, *self.workspaces) if w.bot_token.get_secret_value()]


class Telegram(Section):
    """The Telegram edge; off without its token. With a webhook secret it is heard by webhook."""

    token: SecretStr = SecretStr("")
    webhook_secret: SecretStr = SecretStr("")
    api_url: WebUrl = "https://api.telegram.org"


class Privacy(Section):
    """Keys, and whom people turn to; `address` is a local part in each of smtp.domains."""

    pepper_file: OptionalPath = None
    signing_key_file: OptionalPath = None
    master_key_file: OptionalPath = None
    ledger_file: OptionalPath = None
    # Who runs the bridge, as registers name it; and where it hears of what has a deadline.
    operator: str = ""
    inbox: Inboxes = []
    dpo: str = ""
    authority: str = ""
    address: LocalPart = "privacy"
    # More STOPs within a minute may be somebody's doing (PRIVACY P72): people are told.
    stop_burst: Count = 50


class Billing(Section):
    """What holds for the accounts of all tenants, and what stands on invoices."""

    free_credit: Amount = 0
    stop_debtors: bool = False
    # Who issues invoices, line by line; VAT in percent; until when they are to be paid.
    supplier: list[str] = []
    vat: Percent = "0"
    due: Duration = timedelta(days=14)


class Sandbox(Section):
    """The sandbox phone's page; loopback only unless public."""

    public: bool = False


class Settings(Section):
    """Everything that can be set."""

    data_dir: Directory = Path("var")
    region: Region = "CZ"
    public_url: PublicUrl = "http://127.0.0.1:8080"
    database: Database = Database()
    queue: Queue = Queue()
    smtp: Smtp = Smtp()
    http: Http = Http()
    mail: Mail = Mail()
    tenants: list[Tenant] = []
    carriers: list[Carrier] = []
    routes: list[Route] = []
    health: Health = Health()
    slack: Slack = Slack()
    telegram: Telegram = Telegram()
    privacy: Privacy = Privacy()
    billing: Billing = Billing()
    sandbox: Sandbox = Sandbox()
