"""One way to connect to ClickHouse."""

from clickhouse_driver import Client

from sendtrail.settings import ClickHouseSettings

#: An insert is exactly one block up to this many rows (FACTS 4.2): the token of an insert counts per block.
MAX_BLOCK_ROWS = 1_000_000


def connect(settings: ClickHouseSettings, database: str | None = None, kind: type[Client] = Client) -> Client:
    """A client of its own: clickhouse-driver's are for one thread. Connects at the first query.

    `database` replaces the configured one, e.g. before it exists. `kind`: the client's class.
    """
    return kind(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.secret(),
        database=settings.database if database is None else database,
        connect_timeout=settings.connect_timeout_s,
        send_receive_timeout=settings.timeout_s,
        compression="lz4" if settings.compression else False,
        settings={"insert_block_size": MAX_BLOCK_ROWS, "server_side_params": True},
    )
