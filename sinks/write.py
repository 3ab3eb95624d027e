"""blocks -> ClickHouse: one insert per table, repeated for ever where that can help.

Which server errors are worth a retry, and which answers leave open whether rows were written, is said here only.
"""

from typing import Any, Final

from clickhouse_driver import Client
from clickhouse_driver.errors import (
    NetworkError,
    PartiallyConsumedQueryError,
    ServerException,
    SocketTimeoutError,
    UnexpectedPacketFromServerError,
    UnknownPacketFromServerError,
)

from sinks.blocks import Block

#: Errors of a server that answers, after which the same insert may succeed. Numbers and names are ClickHouse's.
RETRYABLE_CODES: Final = frozenset({
    3,  # UNEXPECTED_END_OF_FILE
    32,  # ATTEMPT_TO_READ_AFTER_EOF
    75,  # CANNOT_WRITE_TO_FILE_DESCRIPTOR: the disk is full
    95,  # CANNOT_READ_FROM_SOCKET
    96,  # CANNOT_WRITE_TO_SOCKET
    159,  # TIMEOUT_EXCEEDED
    173,  # CANNOT_ALLOCATE_MEMORY
    202,  # TOO_MANY_SIMULTANEOUS_QUERIES
    203,  # NO_FREE_CONNECTION
    209,  # SOCKET_TIMEOUT
    210,  # NETWORK_ERROR
    225,  # NO_ZOOKEEPER
    236,  # ABORTED: the server shuts down
    241,  # MEMORY_LIMIT_EXCEEDED
    242,  # TABLE_IS_READ_ONLY: Keeper is away
    243,  # NOT_ENOUGH_SPACE
    244,  # UNEXPECTED_ZOOKEEPER_ERROR
    252,  # TOO_MANY_PARTS
    254,  # NO_ACTIVE_REPLICAS
    279,  # ALL_CONNECTION_TRIES_FAILED
    285,  # TOO_FEW_LIVE_REPLICAS
    286,  # UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
    289,  # REPLICA_IS_NOT_IN_QUORUM
    319,  # UNKNOWN_STATUS_OF_INSERT
    364,  # RECEIVED_ERROR_TOO_MANY_REQUESTS
    394,  # QUERY_WAS_CANCELLED
    439,  # CANNOT_SCHEDULE_TASK
    473,  # DEADLOCK_AVOIDED
    499,  # S3_ERROR
    500,  # AZURE_BLOB_STORAGE_ERROR
    667,  # NOT_INITIALIZED: a replica that starts
    735,  # QUERY_WAS_CANCELLED_BY_CLIENT
    745,  # SERVER_OVERLOADED
    749,  # TCP_CONNECTION_LIMIT_REACHED
    776,  # RESOURCE_LIMIT_EXCEEDED
    777,  # MEMORY_RESERVATION_KILLED
    778,  # MEMORY_RESERVATION_FAILED
    999,  # KEEPER_EXCEPTION
    1000,  # POCO_EXCEPTION
    1019,  # QUERY_SLOT_ACQUISITION_TIMEOUT
    1020,  # MEMORY_RESERVATION_ACQUISITION_TIMEOUT
})  # fmt: skip

#: Of these, the ones that leave open what was written.
UNANSWERED_CODES: Final = frozenset({3, 32, 95, 96, 209, 210, 319, 394, 735, 999, 1000})

#: The connection, not the server: whatever was asked may or may not have been done.
CONNECTION_ERRORS: Final = (
    NetworkError,
    SocketTimeoutError,
    PartiallyConsumedQueryError,
    UnexpectedPacketFromServerError,
    UnknownPacketFromServerError,
    EOFError,
    OSError,
)

#: Said on every insert, so that servers of all versions and configurations behave alike (FACTS 4.1). A block of one
#: record may have more months than the server's usual limit; which rows are equal does not matter here, tokens do.
INSERT_SETTINGS: Final[dict[str, Any]] = {
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_insert": "enable",
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "max_partitions_per_insert_block": 0,
    "optimize_on_insert": 0,
}


def is_retryable(error: BaseException) -> bool:
    """True if the same insert may succeed later without anybody's help."""
    if isinstance(error, ServerException):
        return error.code in RETRYABLE_CODES
    return isinstance(error, CONNECTION_ERRORS)


def is_answered(error: BaseException) -> bool:
    """True if the server said itself that the insert failed: what it wrote before that stays known by its token."""
    return isinstance(error, ServerException) and error.code not in UNANSWERED_CODES


def insert(client: Client, block: Block, token: str) -> None:
    """Insert one block. Returns when the server has answered that it is stored, views included.

    Raises the driver's errors (see `is_retryable`).
    """
    settings = INSERT_SETTINGS | {"insert_deduplication_token": token}
    client.execute(block.statement, block.data, columnar=True, settings=settings)


def code_of(error: BaseException) -> str:
    """A short name of an error for metrics: the server's code, or the class of the connection's failure."""
    return str(error.code) if isinstance(error, ServerException) else type(error).__name__
