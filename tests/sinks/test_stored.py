"""Whatever an enriched record holds goes into the real tables, and comes back out as it went in."""

import itertools
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
from clickhouse_driver import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sendtrail.enriched import EventRow, Mark, RejectRow, decode_row
from sendtrail.errors import Invalid
from sendtrail.events import Class, How, Kind, MailFormat
from sinks.blocks import BadLine, Place, Target
from sinks.rows import build
from sinks.stored import ClickHouseLookup
from tests.support.line import scratch
from tests.support.stack import ClickHouse
from tests.support.tracked import AnyRow, as_given, event, load, normal, record, relabel, rows_of

pytestmark = pytest.mark.stack

SOME = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
_places = itertools.count()

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
powers = [2**power for power in (16, 31, 32, 63, 64)]
edges = [*powers, *(power - 1 for power in powers), 2**32 * 1000 - 1, 2**32 * 1000, 10**30]
numbers = st.integers(0, 9) | st.sampled_from(edges)
known_ids = st.sampled_from([f"{number:032x}" for number in range(4)])
ids = known_ids | st.text("0123456789abcdefABCDEF \u00e9", min_size=32, max_size=32)
lists = st.lists(texts, max_size=3)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "v": st.just(1), "id": ids, "k": st.sampled_from(get_args(Kind)), "t": numbers, "i": numbers, "a": texts,
    "src": texts, "d": numbers, "m": numbers, "r": st.none() | numbers, "dn": texts, "mn": texts, "rn": texts,
    "u": st.none() | numbers, "p": numbers, "to": texts, "fl": numbers, "vi": st.none() | ids, "vn": st.booleans(),
    "how": st.none() | st.sampled_from(get_args(How)), "ua": texts, "ip": texts, "ref": texts, "hd": lists,
    "pid": texts, "ph": lists, "dom": texts, "fmt": st.none() | st.sampled_from(get_args(MailFormat)),
    "rs": texts, "dg": texts,
    "site": texts, "oid": texts, "amt": numbers | st.integers(-(2**53), 2**53), "cur": st.text(max_size=3),
    "art": numbers, "pg": texts, "x": st.dictionaries(texts, texts, max_size=8), "tg": ids,
    "cl": st.sampled_from(get_args(Class)), "rp": st.none() | st.booleans(), "why": lists, "rv": texts, "run": texts,
    "so": numbers, "si": numbers, "class": st.sampled_from(get_args(Class)), "reasons": lists, "ruleset": texts,
    "repeat": st.booleans(), "marks": st.lists(st.sampled_from(get_args(Mark)), max_size=4), "client": texts,
    "client_version": texts, "os": texts, "device": texts, "network": texts, "country": texts,
    "person": st.just("") | ids, "label": texts, "key": texts, "reason": texts, "detail": texts,
    "original": st.binary(max_size=20).map(bytes.hex), "time_ms": numbers, "count": numbers,
}  # fmt: skip
NEEDED = ("v", "id", "k", "t", "so", "si", "key", "reason")


@st.composite
def lines(draw: st.DrawFn, tags: tuple[str, ...] = ("event", "event", "relabel", "reject")) -> bytes:
    """A JSON line of one of the three rows: sound for the most part, every field at the edges of its range."""
    names = draw(st.sets(st.sampled_from(sorted(FIELDS)), max_size=12)) | set(NEEDED)
    fields = {name: draw(FIELDS[name]) for name in sorted(names)}
    return msgspec.json.encode({"row": draw(st.sampled_from(tags)), **fields})


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouse) -> Iterator[Client]:
    with scratch(clickhouse) as client:
        yield client


def decoded(line: bytes, number: int) -> AnyRow:
    row = decode_row(line)
    return BadLine(line, number, row.detail) if isinstance(row, Invalid) else row


@settings(SOME, max_examples=40)
@given(st.lists(lines() | st.binary(max_size=30), min_size=1, max_size=10))
def test_whatever_decodes_goes_in(client: Client, raw: list[bytes]) -> None:
    """Nothing ClickHouse refuses: every line is a row, a reject or a late duplicate, and the counts say which."""
    place = next(_places)
    topic_id = f"topic-{place}"
    rows = [decoded(line, number) for number, line in enumerate(raw)]
    plan = [as_given(place, rows, topic_id=topic_id)]
    blocks = load(client, plan, ClickHouseLookup(client), f"any-{place}", times=2)
    counts = {"events": "sum(sign)", "rejects": "count()", "audit": "count()"}
    found = [
        client.execute(f"SELECT {count} FROM {table} WHERE src_topic = {{topic:String}}", {"topic": topic_id})[0][0]
        for table, count in counts.items()
    ]
    assert found == [blocks.stored, blocks.rejects.rows, 1]
    ended = blocks.stored + blocks.late_duplicates + blocks.refused + blocks.relabelled + blocks.relabels_refused
    assert ended == sum(not isinstance(row, RejectRow) for row in rows)


@settings(SOME, max_examples=30)
@given(st.lists(lines(("event",)), min_size=1, max_size=8))
def test_a_row_reads_back_as_it_was_written(client: Client, raw: list[bytes]) -> None:
    """All columns exactly as stored: the -1 of a re-label must take back what is there."""
    place = next(_places)
    rows = {row.event_id: row for row in map(decode_row, raw) if isinstance(row, EventRow)}
    for row in rows.values():
        row.delivery, row.marks = 2**32 + place, [mark for mark in row.marks if mark != "late"]
    blocks = load(client, [as_given(place, list(rows.values()))], ClickHouseLookup(client), f"back-{place}")
    written = {Target(row["delivery_id"], row["event_id"]): row for row in rows_of(blocks.events)}
    found = ClickHouseLookup(client).rows(written)
    assert {target: normal(row) for target, row in found.items()} == written


def test_inserting_a_block_leaves_it_as_it_was(client: Client) -> None:
    """The driver writes into the lists it is given; a second try must send the same."""
    place = next(_places)
    rows = [event(recipient=None), event(recipient=0, kind="bounced"), event(how="view", kind="optout")]
    plan = [record(place, rows, topic_id=f"topic-{place}")]
    lookup = ClickHouseLookup(client)
    blocks = load(client, plan, lookup, f"same-{place}")
    assert blocks == build(plan, lookup)


def test_first_places_reach_back_over_relabels(client: Client) -> None:
    place = next(_places)
    click = event(delivery=77)
    plan = [record(0, [event(), click], topic_id=f"topic-{place}")]
    plan += [record(number, [relabel(click)], topic_id=f"topic-{place}") for number in (1, 2)]
    load(client, plan, ClickHouseLookup(client), f"first-{place}")
    target = Target(77, bytes.fromhex(click.event_id))
    found = ClickHouseLookup(client).first_places({target, Target(78, target.event_id)})
    assert found == {target: Place(f"topic-{place}", 0, 1)}
