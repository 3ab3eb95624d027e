"""Settings of the feed API."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from sendtrail.settings.section import Port, Section


class ApiSettings(Section):
    """The feed API."""

    section: ClassVar[str] = "api"
    host: str = Field("127.0.0.1", description="elsewhere than on loopback it takes an API key to start")
    port: Port = 8081
    admin_host: str = "127.0.0.1"
    admin_port: Port = 9103
    spool_dir: Path = Field(Path(".sendtrail/spool/api"), description="events; registry records in its `registry`")
    fsync: Literal["none", "interval", "batch"] = Field("batch", description="batch: on the disk before the answer")
    fsync_interval_ms: int = Field(100, ge=1)
    segment_bytes: int = Field(8 * 1024 * 1024, ge=4096)
    segment_age_ms: int = Field(1000, ge=10, description="a segment with events is finished after this long")
    ready_backlog_bytes: int = Field(4 * 1024**3, description="readiness is false above this spool size")
    max_body_bytes: int = Field(10 * 1024 * 1024, ge=1024, description="of a request, compressed or not")
    keys_file: Path = Field(
        Path(".sendtrail/api-keys.toml"),
        description="keys of senders, mode 600; `sendtrail api-keys` writes it. Once it is there, requests need a key",
    )
    requests_per_minute: int = Field(
        6_000, ge=1, le=10_000_000, description="of one key, unless the key has a limit of its own"
    )
