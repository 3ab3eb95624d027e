"""sendtrail/removal/sql/*.sql: what is asked to be taken away, by name of the query."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from clickhouse_driver import Client

#: Askers and loaders may use different replicas: what one wrote, the other must see. Ignored by plain tables.
_SETTINGS = {"insert_quorum": "auto", "insert_quorum_parallel": 0, "select_sequential_consistency": 1}


@cache
def query(name: str) -> str:
    """The text of `sendtrail/removal/sql/<name>.sql`. Raises FileNotFoundError for a name that is none."""
    return (files("sendtrail.removal") / "sql" / f"{name}.sql").read_text("utf-8")


def run(client: Client, name: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """The rows of a query. `client`: with server-side parameters. Lets the driver's errors through."""
    found: list[tuple[Any, ...]] = client.execute(query(name), dict(parameters or {"none": 0}), settings=_SETTINGS)
    return found
