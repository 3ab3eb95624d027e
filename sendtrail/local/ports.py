"""The ports of the embedded stack: the usual ones, or free ones that stay with the data."""

import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from sendtrail.errors import SettingsError
from sendtrail.local.process import free_port
from sendtrail.settings import (
    ApiSettings,
    Config,
    EdgeSettings,
    ForwardSettings,
    LoaderSettings,
    LocalSettings,
    RelaySettings,
    WebSettings,
)
from sendtrail.settings import StreamSettings as Streams

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """One loopback port per listener of the stack."""

    kafka: int
    native: int
    http: int
    edge: int
    api: int
    edge_admin: int
    forward_admin: int
    api_admin: int
    worker_admin: int
    loader_admin: int
    web: int
    web_admin: int
    relay: int
    relay_admin: int


def usual_ports(config: Config) -> Ports:
    """The configured ports. Raises SettingsError naming the first that is taken and the way out."""
    local, edge, api = config.section(LocalSettings), config.section(EdgeSettings), config.section(ApiSettings)
    web, relay = config.section(WebSettings), config.section(RelaySettings)
    ports = Ports(
        local.kafka_port, local.native_port, local.http_port, edge.port, api.port,
        edge.admin_port, config.section(ForwardSettings).admin_port, api.admin_port,
        config.section(Streams).admin_port, config.section(LoaderSettings).admin_port,
        web.port, web.admin_port, relay.port, relay.admin_port,
    )  # fmt: skip
    for name, port in asdict(ports).items():
        if not _is_free(port) and (relay.enabled or not name.startswith("relay")):
            raise SettingsError(
                f"port {port} ({name}) is taken by another program: stop it, or start with --free-ports"
            )
    return ports


def free_ports(kept: Path) -> Ports:
    """Free ports; those of the last start, where they are still free, so that links in messages keep working."""
    before = json.loads(kept.read_text()) if kept.exists() else {}
    chosen = {name: _kept_or_free(before.get(name)) for name in Ports.__dataclass_fields__}
    kept.write_text(json.dumps(chosen))
    return Ports(**chosen)


def _kept_or_free(port: int | None) -> int:
    return port if port and _is_free(port) else free_port()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
