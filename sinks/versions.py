"""Which ClickHouse servers the tables and the loader are known to work with."""

from typing import Final

from clickhouse_driver import Client

from sendtrail.errors import SendtrailError

#: Year and number of the oldest release that the suites of tests/engines run on.
OLDEST: Final = (25, 8)


class TooOld(SendtrailError):
    """The server is older than any that is known to work."""


def require_version(client: Client) -> None:
    """Raises TooOld. `client`: one that has asked something, so that it knows its server."""
    refuse_older(client.connection.server_info.version_tuple())


def refuse_older(version: tuple[int, ...]) -> None:
    """Raises TooOld for a server's version, e.g. (24, 8, 4), below OLDEST."""
    if version[:2] < OLDEST:
        found, oldest = (".".join(map(str, each)) for each in (version, OLDEST))
        raise TooOld(
            f"ClickHouse {found} is older than {oldest}, the oldest release that tables and tokens are tested with: "
            "upgrade the server (docs/operate.md, ClickHouse releases)"
        )
