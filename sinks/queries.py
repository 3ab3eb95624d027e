"""sinks/sql/*.sql: the loader's queries by name."""

from functools import cache
from importlib.resources import files


@cache
def query(name: str) -> str:
    """The text of `sinks/sql/<name>.sql`. Raises FileNotFoundError for a name that is none."""
    return (files("sinks") / "sql" / f"{name}.sql").read_text("utf-8")
