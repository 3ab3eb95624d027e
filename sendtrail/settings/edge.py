"""Settings of the edge collector."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from sendtrail.settings.section import Port, Section


class EdgeSettings(Section):
    """The edge collector."""

    section: ClassVar[str] = "edge"
    name: str = Field("edge", pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="name of this edge in spools and audit")
    host: str = "127.0.0.1"
    port: Port = 8080
    processes: int = Field(1, ge=0, le=256, description="worker processes that share the port; 0: one per core")
    admin_host: str = "127.0.0.1"
    admin_port: Port = 9101
    spool_dir: Path = Path(".sendtrail/spool/edge")
    fsync: Literal["none", "interval", "batch"] = Field("interval", description="when the spool reaches the disk")
    fsync_interval_ms: int = Field(100, ge=1)
    segment_bytes: int = Field(8 * 1024 * 1024, ge=4096)
    segment_age_ms: int = Field(1000, ge=10, description="a segment with events is finished after this long")
    trusted_proxies: list[str] = Field(default_factory=list, description="networks whose X-Forwarded-For is believed")
    ready_backlog_bytes: int = Field(4 * 1024**3, description="readiness is false above this spool size")
    max_head_bytes: int = Field(32 * 1024, description="request line and headers together")
    max_body_bytes: int = Field(16 * 1024)
    header_timeout_s: float = 10.0
    idle_timeout_s: float = 30.0
    max_connections: int = Field(10_000, ge=1, description="open at once, per process")
    max_connections_per_address: int = Field(
        1000, ge=0, description="of one address but a trusted proxy's (IPv6: /64), per process; more are cut; 0: any"
    )
    flood_hits_per_minute: int = Field(
        60, ge=0, description="of one link from one address, per process; more are stored, not counted; 0: any"
    )
    flood_address_hits_per_minute: int = Field(
        0,
        ge=0,
        description="of one address over all links, likewise; proxies of mailbox providers send many; 0: any",
    )
    proxy_protocol: bool = Field(
        False, description="connections from trusted_proxies begin with a PROXY protocol header, version 1 or 2"
    )
    sites: list[str] = Field(
        default_factory=list,
        description="sites that may report visits, each `name=origin`; a site with several origins has several: "
        "shop=https://www.shop.example",
    )
    unsigned_per_minute: int = Field(
        120, ge=0, description="visits and orders without a signed id taken from one address, per process"
    )
