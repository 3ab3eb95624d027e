"""Cutting plans, intents in 4,096 bytes, tokens."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from sendtrail.errors import Invalid
from sinks.plan import (
    METADATA_BYTES,
    CommitMetadata,
    Entry,
    Limits,
    Plan,
    cut,
    decode_metadata,
    encode_metadata,
    is_due,
    plan_of,
    token,
)

TOPIC = "4f1c2a3e-0000-4000-8000-000000000001"
LOG = "4f1c2a3e-0000-4000-8000-00000000000a"
WIDE = 2**63 - 1


def entry(offset: int, rows: int = 10, *, size: int = 100, months: tuple[int, ...] = (1,), at: float = 0.0) -> Entry:
    return Entry(offset, rows, size, frozenset(months), at)


def test_an_intent_reads_as_the_format_says() -> None:
    text = encode_metadata(CommitMetadata("t", 9, {0: (3, 7), 2: (0, 1)}, at=5, blocks=6, map=1))
    assert text == '{"topic":"t","src":9,"plan":{"0":[3,7],"2":[0,1]},"at":5,"blocks":6,"map":1}'
    assert encode_metadata(CommitMetadata("t", 12)) == '{"topic":"t","src":12}'


def test_metadata_comes_back_and_the_plan_with_it() -> None:
    intent = CommitMetadata(TOPIC, 9, {2: (0, 1), 0: (3, 7)}, log=LOG, engine=77)
    read = decode_metadata(encode_metadata(intent))
    assert read == intent
    assert plan_of(intent) == Plan(TOPIC, LOG, {0: (3, 7), 2: (0, 1)})
    assert plan_of(CommitMetadata(TOPIC, 9)) is None


def test_a_later_release_may_add_fields() -> None:
    assert decode_metadata('{"topic":"t","src":1,"new":true}') == CommitMetadata("t", 1)


@given(st.text())
def test_metadata_of_another_tool_is_a_value(text: str) -> None:
    assert isinstance(decode_metadata(text), (Invalid, CommitMetadata))


def test_a_token_depends_on_table_topics_and_ranges_only() -> None:
    plan = Plan(TOPIC, LOG, {0: (3, 7), 2: (0, 1)})
    assert token("events", plan) == token("events", Plan(TOPIC, LOG, {2: (0, 1), 0: (3, 7)}))
    others = [
        token("audit", plan),
        token("events", plan._replace(topic_id=LOG)),
        token("events", plan._replace(log_id=TOPIC)),
        token("events", plan._replace(ranges={0: (3, 8), 2: (0, 1)})),
        token("events", plan._replace(ranges={0: (3, 7)})),
        token("events", plan, repair="1"),
    ]
    assert len({token("events", plan), *others}) == 7


entries_of = st.lists(
    st.builds(
        Entry,
        offset=st.just(0),
        rows=st.integers(0, 40),
        size=st.integers(1, 900),
        months=st.frozensets(st.integers(0, 12), max_size=5),
        arrived=st.integers(0, 50).map(float),
    ),
    max_size=12,
)


@st.composite
def waiting(draw: st.DrawFn) -> dict[int, list[Entry]]:
    partitions = draw(st.lists(st.integers(0, 1023), unique=True, max_size=30))
    queues: dict[int, list[Entry]] = {}
    for partition in partitions:
        arrivals = sorted(draw(entries_of), key=lambda e: e.arrived)
        queues[partition] = [e._replace(offset=n) for n, e in enumerate(arrivals)]
    return queues


LIMITS = Limits(rows=100, most_rows=120, size=2000, months=6, metadata=900)


@given(waiting())
def test_a_cut_keeps_every_limit_unless_it_is_one_record(queues: dict[int, list[Entry]]) -> None:
    taken = cut(queues, LIMITS)
    block = [e for partition, n in taken.items() for e in queues[partition][:n]]
    assert bool(block) == any(queues.values())
    if len(block) > 1:
        assert sum(e.rows for e in block) <= LIMITS.most_rows
        assert sum(e.size for e in block) <= LIMITS.size
        assert len(frozenset().union(*(e.months for e in block))) <= LIMITS.months
    ranges = dict.fromkeys(taken, (WIDE, WIDE))
    intent = CommitMetadata(TOPIC, WIDE, ranges, WIDE, WIDE, 999, LOG, WIDE, 99)
    assert len(taken) <= 1 or len(encode_metadata(intent)) <= LIMITS.metadata


@given(waiting())
def test_cut_after_cut_takes_every_record_once_in_order(queues: dict[int, list[Entry]]) -> None:
    left = {partition: list(entries) for partition, entries in queues.items()}
    seen: dict[int, list[int]] = {partition: [] for partition in queues}
    for _ in count():
        taken = cut(left, LIMITS)
        if not taken:
            break
        for partition, n in taken.items():
            assert n > 0
            seen[partition] += [e.offset for e in left[partition][:n]]
            left[partition] = left[partition][n:]
    assert seen == {partition: [e.offset for e in entries] for partition, entries in queues.items()}


def test_as_many_partitions_as_an_intent_holds_and_the_rest_later() -> None:
    queues = {partition: [entry(0, 1, at=float(partition))] for partition in range(1024)}
    first = cut(queues, Limits())
    wide = dict.fromkeys(first, (WIDE - 1, WIDE))
    text = encode_metadata(CommitMetadata(TOPIC, WIDE, wide, WIDE, WIDE, 1, LOG, WIDE, 1))
    assert len(text) <= METADATA_BYTES
    assert 70 <= len(first) < 1024
    assert sorted(first) == list(range(len(first)))  # who waited longest goes first


def test_the_whole_default_installation_fits_one_intent() -> None:
    assert len(cut({partition: [entry(0)] for partition in range(24)}, Limits())) == 24


def test_months_spread_over_blocks() -> None:
    queues = {0: [entry(n, months=(n,)) for n in range(150)]}
    assert cut(queues, Limits()) == {0: 100}


def test_one_record_with_too_many_months_goes_alone() -> None:
    queues = {0: [entry(0, months=tuple(range(300)), at=1.0), entry(1, at=1.0)], 1: [entry(0, at=2.0)]}
    assert cut(queues, Limits()) == {0: 1}


def test_a_record_that_does_not_fit_leaves_room_for_other_partitions() -> None:
    queues = {0: [entry(0, 60), entry(1, 100)], 1: [entry(0, 30, at=1.0)]}
    assert cut(queues, Limits(rows=120, most_rows=120)) == {0: 1, 1: 1}


def test_due_by_rows_or_by_age() -> None:
    limits = Limits(rows=100)
    assert not is_due(None, 0, 10.0, limits, 0.5)
    assert not is_due(9.8, 99, 10.0, limits, 0.5)
    assert is_due(9.8, 100, 10.0, limits, 0.5)
    assert is_due(9.5, 1, 10.0, limits, 0.5)
