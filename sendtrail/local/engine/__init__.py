"""The ClickHouse engine (chDB) in a process of its own, behind native-protocol and HTTP fronts on loopback."""

from sendtrail.local.engine.control import Engine

__all__ = ["Engine"]
