"""Helpers around the broker and the engine of a test session."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import Any

from clickhouse_driver import Client
from kafka.admin import KafkaAdminClient

from sendtrail.local.engine import Engine

_HTTP_PORT = 8123


@dataclass(frozen=True)
class ClickHouse:
    """A ClickHouse server: native protocol address, log-in, base URL of its HTTP interface."""

    host: str
    port: int
    user: str
    password: str
    http: str

    @classmethod
    def of(cls, engine: Engine) -> ClickHouse:
        """The address of an embedded engine."""
        return cls("127.0.0.1", engine.native_port, engine.user, engine.password, engine.http)

    @property
    def address(self) -> str:
        """host:port of the native protocol."""
        return f"{self.host}:{self.port}"

    def client(self, database: str = "default", **options: Any) -> Client:
        """A new clickhouse-driver client (a context manager); `options` go to its constructor."""
        options = {"password": self.password, "connect_timeout": 10, "send_receive_timeout": 60} | options
        return Client(self.host, self.port, database, self.user, **options)


def outside_kafka() -> str | None:
    """The broker that SENDTRAIL_KAFKA names."""
    return os.environ.get("SENDTRAIL_KAFKA") or None


def outside_clickhouse() -> ClickHouse | None:
    """The server that SENDTRAIL_CLICKHOUSE names (log-in and HTTP port from the variables of the settings)."""
    address = os.environ.get("SENDTRAIL_CLICKHOUSE")
    if not address:
        return None
    host, _, port = address.rpartition(":")
    user = os.environ.get("SENDTRAIL_CLICKHOUSE_USER", "default")
    password = os.environ.get("SENDTRAIL_CLICKHOUSE_PASSWORD", "")
    http_port = os.environ.get("SENDTRAIL_LOCAL_HTTP_PORT", _HTTP_PORT)
    return ClickHouse(host, int(port), user, password, f"http://{host}:{http_port}")


def random_name(prefix: str) -> str:
    """`prefix` and 8 random hex digits."""
    return f"{prefix}_{secrets.token_hex(4)}"


def delete_topics(bootstrap: str, prefix: str) -> None:
    """Delete every topic whose name starts with `prefix`."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        names = [name for name in admin.list_topics() if name.startswith(prefix)]
        if names:
            admin.delete_topics(names)
    finally:
        admin.close()
