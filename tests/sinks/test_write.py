"""Which errors are tried again, which leave an insert's outcome open, and what one block may hold."""

from collections.abc import Iterator

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import NetworkError, ServerException, SocketTimeoutError

from sendtrail.enriched import EnrichedHeader, EventRow
from sendtrail.events import VERSION
from sendtrail.ids import hit_id
from sinks.blocks import Blocks, LoadedRecord
from sinks.rows import build
from sinks.stored import ClickHouseLookup
from sinks.write import RETRYABLE_CODES, UNANSWERED_CODES, code_of, insert, is_answered, is_retryable
from tests.support.line import migrated
from tests.support.stack import ClickHouse

TOPIC = "4f1c2a3e-0000-4000-8000-000000000001"
MONTH_MS = 2_630_000_000


@pytest.mark.parametrize("error", [NetworkError(), SocketTimeoutError(), EOFError(), ConnectionResetError()])
def test_a_broken_connection_is_tried_again_and_its_outcome_is_open(error: Exception) -> None:
    assert is_retryable(error)
    assert not is_answered(error)
    assert code_of(error) == type(error).__name__


@pytest.mark.parametrize("code", [241, 242, 252, 202, 243])
def test_a_server_that_can_not_now_is_tried_again(code: int) -> None:
    error = ServerException("no", code)
    assert is_retryable(error)
    assert is_answered(error)
    assert code_of(error) == str(code)


@pytest.mark.parametrize("code", [53, 16, 60, 62, 117, 516])
def test_a_server_that_never_will_is_not(code: int) -> None:
    assert not is_retryable(ServerException("no", code))
    assert is_answered(ServerException("no", code))


def test_an_answer_that_says_it_does_not_know() -> None:
    assert not is_answered(ServerException("unknown status of insert", 319))
    assert UNANSWERED_CODES <= RETRYABLE_CODES


def test_the_codes_have_the_names_their_comments_say(client: Client) -> None:
    names = dict(client.execute("SELECT number, errorCodeToName(number) FROM numbers(1100)"))
    assert (names[252], names[241], names[319], names[745]) == (
        "TOO_MANY_PARTS", "MEMORY_LIMIT_EXCEEDED", "UNKNOWN_STATUS_OF_INSERT", "SERVER_OVERLOADED"
    )  # fmt: skip
    assert all(names[code] for code in RETRYABLE_CODES)


@pytest.fixture
def client(clickhouse: ClickHouse, database: str) -> Iterator[Client]:
    with migrated(clickhouse, database) as made:
        yield made


def blocks_over(client: Client, months: int, rows: int) -> Blocks:
    events = [
        EventRow(
            version=VERSION, event_id=hit_id(time_ms), kind="open", event_time_ms=time_ms, delivery=1, message=number,
            source_offset=0, source_index=number,
        )
        for number in range(rows)
        for time_ms in [1_000_000_000_000 + number % months * MONTH_MS]
    ]  # fmt: skip
    record = LoadedRecord(0, 0, EnrichedHeader(TOPIC, 0, 0, {}), events, 1_790_000_000_000)
    return build([record], ClickHouseLookup(client))


def test_one_record_may_have_more_months_than_servers_usually_take(client: Client) -> None:
    blocks = blocks_over(client, months=150, rows=300)
    for _ in range(2):
        insert(client, blocks.events, "token")
    assert client.execute("SELECT count(), uniqExact(toYYYYMM(event_time)) FROM events") == [(300, 150)]


def test_the_same_token_inserts_once_into_table_and_views(client: Client) -> None:
    blocks = blocks_over(client, months=1, rows=100)
    for token in ("one", "one", "two", "one"):
        insert(client, blocks.events, token)
    assert client.execute("SELECT count() FROM events") == [(200,)]
    assert client.execute("SELECT sum(n) FROM url_activity") == [(200,)]
    assert client.execute("SELECT sum(open) FROM message_activity") == [(200,)]
