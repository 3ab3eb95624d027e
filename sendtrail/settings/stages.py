"""One class of settings per stage: names, defaults, bounds and what each means."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr

from sendtrail.errors import SettingsError
from sendtrail.settings.answers import AnswerSettings, CookieSettings
from sendtrail.settings.api import ApiSettings
from sendtrail.settings.domains import DomainSettings
from sendtrail.settings.edge import EdgeSettings
from sendtrail.settings.feed import FeedSettings, read_key
from sendtrail.settings.mta import MtaSettings
from sendtrail.settings.providers import ProvidersSettings
from sendtrail.settings.relay import RelaySettings
from sendtrail.settings.retention import RetentionSettings
from sendtrail.settings.section import Port, Section, Zone


class KafkaSettings(Section):
    """Where the brokers are and how topics are named."""

    section: ClassVar[str] = "kafka"
    bootstrap: str = Field("127.0.0.1:9092", description="brokers, host:port, comma between")
    topic_prefix: str = Field("", description="before every topic and group name, e.g. 'staging.'")
    partitions: int = Field(4, ge=1, le=1024, description="of tracking.events and tracking.enriched, fixed at creation")
    replication: int = Field(1, ge=1, le=10, description="copies of each partition")


class ClickHouseSettings(Section):
    """Where ClickHouse's native protocol answers, and as whom."""

    section: ClassVar[str] = "clickhouse"
    address: str = Field("127.0.0.1:9000", description="host:port of the native protocol")
    http_url: str = Field("http://127.0.0.1:8123", description="base URL of the HTTP interface, for export-table")
    user: str = "default"
    password: SecretStr = SecretStr("")
    password_file: Path | None = Field(None, description="read the password from this file")
    database: str = Field("sendtrail", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")
    connect_timeout_s: float = 10.0
    timeout_s: float = Field(60.0, description="for one answer of the server")
    compression: bool = Field(True, description="lz4 on the wire")
    replicated: bool = Field(False, description="tables replicated through Keeper; allows several loaders")
    cluster: str = Field("", description="ON CLUSTER name for replicated tables, empty for none")

    @property
    def host(self) -> str:
        return self.address.rpartition(":")[0] or self.address

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2]) if ":" in self.address else 9000

    def secret(self) -> str:
        """The password, from the file where one is named. Raises SettingsError if it can't be read."""
        if self.password_file is None:
            return self.password.get_secret_value()
        try:
            return self.password_file.read_text().strip()
        except OSError as error:
            raise SettingsError(f"clickhouse.password_file can't be read: {error}") from error


class KeySettings(Section):
    """Where the key file is."""

    section: ClassVar[str] = "keys"
    file: Path = Field(Path(".sendtrail/keys.toml"), description="link keys and naming key, mode 600")


class TrackingSettings(Section):
    """What every stage must agree on."""

    section: ClassVar[str] = "tracking"
    base_url: str = Field("http://127.0.0.1:8080", description="where links in messages point")
    id_window_days: int = Field(8, ge=1, le=400, description="how long an event id is remembered for deduplication")
    open_repeat_s: int = Field(60, ge=0, description="an open this close to the last counted one is a repeat")
    visitor_cookies: Literal["off", "session", "persistent"] = Field("off", description="tell persons apart by cookie")


class ForwardSettings(Section):
    """The forwarder: spool directories -> Kafka."""

    section: ClassVar[str] = "forward"
    spool_dirs: list[Path] = Field(
        default_factory=lambda: [Path(f".sendtrail/spool/{name}") for name in ("edge", "api", "relay")]
    )
    admin_host: str = "127.0.0.1"
    admin_port: Port = 9102
    in_flight_bytes: int = Field(
        16 * 1024 * 1024, description="unacknowledged bytes at most; kafka-python has no bound"
    )
    poll_ms: int = Field(50, ge=1, description="how often an idle spool is looked at")
    delivery_timeout_ms: int = Field(
        120_000, ge=1000, description="after this a send counts as unknown and goes again, with a new producer"
    )


class StreamSettings(Section):
    """The Faust worker."""

    section: ClassVar[str] = "streams"
    state_dir: Path = Path(".sendtrail/state")
    admin_host: str = "127.0.0.1"
    admin_port: Port = 9104
    batch_records: int = Field(128, ge=1, description="packs taken at once")
    batch_wait_ms: int = Field(50, ge=1)
    checkpoint_dir: Path | None = Field(
        None, description="where copies of the state go, e.g. a volume all workers share; without it there are none"
    )
    checkpoint_every_s: int = Field(600, ge=1)
    checkpoints_kept: int = Field(2, ge=1, description="of each partition")
    state_cache_bytes: int = Field(256 * 1024 * 1024, description="RocksDB block cache of the whole process")
    session_timeout_s: int = Field(6, ge=1)
    reclassify_dir: Path = Field(
        Path(".sendtrail/reclassify"), description="what `sendtrail reclassify` has judged and not sent yet"
    )
    rules_dir: Path | None = Field(
        None, description="an operator's own rules and lists of networks, *.toml; they come before the built-in ones"
    )
    geo_databases: list[Path] = Field(
        default_factory=list,
        description="files in MaxMind's format (.mmdb): countries, networks of addresses; read again when they change",
    )
    reject_limit_ratio: float = Field(
        0.5, ge=0, lt=1, description="of a partition's events rejected: past it the worker holds and alarms; 0: never"
    )
    reject_limit_events: int = Field(1000, ge=1, description="fewer rejects of a partition never make it hold")
    reject_limit_minutes: int = Field(5, ge=1, le=60, description="of log time that reject_limit_ratio is taken over")
    max_consents: int = Field(
        2_000_000, ge=1, description="recipients whose consent is remembered; past it, hits name nobody at all"
    )


class LoaderSettings(Section):
    """The loader."""

    section: ClassVar[str] = "loader"
    data_dir: Path = Field(Path(".sendtrail/loader"), description="locked; holds the static member id")
    admin_host: str = "127.0.0.1"
    admin_port: Port = 9105
    batch_rows: int = Field(50_000, ge=1)
    batch_wait_ms: int = Field(500, ge=1)
    gap_timeout_s: float = Field(60.0, description="a gap in the chain that lasts longer stops its partition")
    session_timeout_s: int = Field(6, ge=1)
    dedup_window: int = Field(
        10_000, ge=100, description="blocks remembered by ClickHouse, per table; docs/operate.md has the formula"
    )
    accept_topic: str = Field("", description="id of a tracking.events made anew that loading may go on with")
    addresses: Literal["truncated", "full", "hashed", "dropped"] = Field(
        "truncated",
        description="of clients, as ClickHouse keeps them from now on: /24 and /48, whole, a keyed hash, or not at all",
    )


class ReportSettings(Section):
    """Reports."""

    section: ClassVar[str] = "reports"
    report_domains: list[str] = Field(
        default_factory=lambda: [
            "gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com", "aol.com", "gmx.de", "web.de",
            "orange.fr", "free.fr", "mail.ru", "qq.com", "proton.me",
        ],
        description="mailbox providers with a row of their own; the rest is Others",
    )  # fmt: skip
    share_networks: list[str] = Field(
        default_factory=lambda: [
            "facebook", "x", "twitter", "linkedin", "whatsapp", "telegram", "instagram", "pinterest", "reddit",
            "threads", "bluesky", "mastodon", "xing", "vk",
        ],
        description="link categories that name a social network: clicks on them are shares",
    )  # fmt: skip
    timezone: Zone = Field("UTC", description="of the times in reports, e.g. Europe/Madrid")
    query_timeout_s: float = 30.0
    query_memory_bytes: int = Field(4 * 1024**3, ge=1024**2, description="of one query in ClickHouse")
    chromium: Path | None = Field(None, description="program that prints PDF; without it, the one that is installed")
    export_timeout_s: float = Field(600.0, description="of a query whose rows are written out as they come")
    max_rows: int = 100_000
    attribution_days: int = Field(
        30, ge=1, le=3660, description="a visit is due to the last click of so many days before it"
    )
    site_steps: list[Annotated[str, Field(pattern=r"^[^=]+=.+$")]] = Field(
        default_factory=list,
        description="steps of a site in order, each `name=pages`, where * stands for any characters: basket=/basket*",
    )


class WebSettings(Section):
    """The report pages and the report API."""

    section: ClassVar[str] = "web"
    host: str = Field("127.0.0.1", description="elsewhere than on loopback it takes users_file or user_header to start")
    port: Port = 8090
    admin_host: str = "127.0.0.1"
    admin_port: Port = 9106
    allowed_hosts: list[str] = Field(
        default_factory=list,
        description="names of the pages, `name` or `name:port`; foreign ones get 421",
    )
    users_file: Path | None = Field(None, description="who may log in, mode 600; `sendtrail users` writes it")
    secret_file: Path = Field(Path(".sendtrail/web/secret"), description="signs sessions; made if missing, mode 600")
    https: bool = Field(False, description="readers come by https: cookies are sent over nothing else")
    trusted_proxy_networks: list[str] = Field(
        default_factory=list, description="peers whose user_header and X-Forwarded-… are believed"
    )
    user_header: str = Field("", pattern=r"^[A-Za-z0-9-]{0,64}$", description="in which a trusted proxy says who it is")
    proxy_default_role: Literal["", "viewer", "analyst"] = Field(
        "", description="of readers the proxy names and the users file does not; empty: they are refused"
    )
    session_idle_s: int = Field(3600, ge=1, description="a session without a request ends after this long")
    session_max_s: int = Field(43_200, ge=1, description="every session ends this long after its log-in")
    login_per_minute: int = Field(10, ge=1, description="log-ins tried from one address, and for one user name")
    api_url: str = Field("http://127.0.0.1:8081", description="the feed API, for edits made on the pages")
    api_key_file: Path | None = Field(
        None, description="API key for edits, where the API asks for one; links of its account can be edited"
    )
    connections: int = Field(4, ge=1, le=64, description="to ClickHouse at most: reports calculated at a time")

    def api_key(self) -> str:
        """The key for edits, "" without one. Raises SettingsError if it can't be read."""
        return read_key(self.api_key_file, "web.api_key_file")


class LocalSettings(Section):
    """`sendtrail up`: the embedded stack."""

    section: ClassVar[str] = "local"
    data: Path = Field(Path(".sendtrail"), description="everything `sendtrail up` keeps")
    kafka_port: Port = 9092
    native_port: Port = 9000
    http_port: Port = 8123


SECTIONS: tuple[type[Section], ...] = (
    KafkaSettings, ClickHouseSettings, KeySettings, TrackingSettings, EdgeSettings, ForwardSettings, ApiSettings,
    FeedSettings, StreamSettings, LoaderSettings, ReportSettings, WebSettings, LocalSettings,
    AnswerSettings, CookieSettings, DomainSettings,
    ProvidersSettings, MtaSettings,
    RelaySettings, RetentionSettings,
)  # fmt: skip
