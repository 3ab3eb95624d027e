"""One partition between two commits, and the whole protocol on paper: crashes at any step load every offset once."""

from hypothesis import given
from hypothesis import strategies as st

from sendtrail.enriched import EnrichedHeader
from sinks.chain import NOTHING, Verdict
from sinks.partition import Partition
from sinks.plan import CommitMetadata, Entry, Limits, Plan, cut, decode_metadata, encode_metadata, plan_of, token

TOPIC = "4f1c2a3e-0000-4000-8000-000000000001"
OTHER = "4f1c2a3e-0000-4000-8000-000000000002"

Log = list[tuple[int, int]]  # source intervals, in order of the enriched offset


def header(first: int, last: int, topic: str = TOPIC) -> EnrichedHeader:
    return EnrichedHeader(topic, first, last, {})


def offer(partition: Partition[list[int]], offset: int, first: int, last: int, now: float = 0.0) -> Verdict:
    before = partition.last
    verdict = partition.judge(offset, header(first, last), now)
    if verdict in (Verdict.NEXT, Verdict.OVERLAP):
        rows = [source for source in range(first, last + 1) if source > before]
        partition.accept(rows, Entry(offset, len(rows), 1, frozenset({1}), now), last)
    return verdict


def test_a_share_ends_before_what_still_waits() -> None:
    partition: Partition[list[int]] = Partition(TOPIC, 4, committed=10)
    for n in range(3):
        offer(partition, 10 + n, 5 + n, 5 + n)
    share = partition.take(2)
    assert (share.range, share.records, share.last) == ((10, 12), [[5], [6]], 6)
    partition.commit(12, 6)
    assert partition.take(1).range == (12, 13)


def test_shares_follow_each_other_before_the_first_is_committed() -> None:
    partition: Partition[list[int]] = Partition(TOPIC, 4, committed=10)
    for n in range(3):
        offer(partition, 10 + n, 5 + n, 5 + n)
    first, second = partition.take(1), partition.take(2)
    assert (first.range, first.since, first.last) == ((10, 11), 4, 5)
    assert (second.range, second.since, second.last) == ((11, 13), 5, 7)
    assert offer(partition, 13, 2, 2) is Verdict.REPLAY
    assert partition.advance is None  # two plans are not committed yet
    partition.commit(11, 5)
    partition.commit(13, 7)
    assert partition.advance == 14


def test_replays_are_passed_without_a_plan() -> None:
    partition: Partition[list[int]] = Partition(TOPIC, 4, committed=10)
    assert partition.advance is None
    assert offer(partition, 10, 3, 3) is Verdict.REPLAY
    assert partition.advance == 11
    assert offer(partition, 11, 5, 5) is Verdict.NEXT
    assert partition.advance is None  # the plan's own commit passes them


def test_a_commit_never_passes_an_open_gap() -> None:
    partition: Partition[list[int]] = Partition(TOPIC, 4, committed=10)
    assert offer(partition, 10, 5, 5) is Verdict.NEXT
    assert offer(partition, 11, 8, 8, now=3.0) is Verdict.AHEAD
    assert offer(partition, 12, 9, 9, now=4.0) is Verdict.AHEAD
    assert partition.gap is not None
    assert (partition.gap.first, partition.gap.last, partition.gap.since) == (6, 7, 3.0)
    assert partition.take(1).range == (10, 11)
    partition.commit(11, 5)
    assert partition.advance is None
    for offset, source in enumerate((6, 7, 8, 9), start=13):
        assert offer(partition, offset, source, source) is Verdict.NEXT
    assert partition.gap is None
    assert partition.take(4).range == (11, 17)


def test_the_first_record_of_a_new_group_names_the_topic() -> None:
    partition: Partition[list[int]] = Partition(None, NOTHING, committed=0)
    assert offer(partition, 0, 0, 2) is Verdict.NEXT
    assert partition.topic_id == TOPIC


def test_a_new_group_that_misses_the_first_records_sees_a_gap() -> None:
    partition: Partition[list[int]] = Partition(None, NOTHING, committed=0)
    assert offer(partition, 7, 7, 7) is Verdict.AHEAD
    assert partition.gap is not None
    assert (partition.gap.first, partition.gap.last) == (0, 6)


def test_another_topic_turns_the_partition_and_nothing_after_it_is_taken() -> None:
    partition: Partition[list[int]] = Partition(TOPIC, 4, committed=10)
    offer(partition, 10, 5, 5)
    assert partition.judge(11, header(0, 0, OTHER), 0.0) is Verdict.FOREIGN
    assert partition.judge(12, header(6, 6), 0.0) is Verdict.FOREIGN
    assert partition.turn is not None
    assert (partition.turn.offset, partition.turn.topic_id) == (11, OTHER)
    assert partition.take(1).range == (10, 11)


@st.composite
def logs(draw: st.DrawFn) -> dict[int, Log]:
    """Per partition what owners and stale workers emitted: together they cover 0..n, and some of it more than once."""
    found: dict[int, Log] = {}
    for partition in range(draw(st.integers(1, 3))):
        log: Log = []
        reached = NOTHING
        for _ in range(draw(st.integers(0, 12))):
            first = reached + 1 + draw(st.sampled_from([0, 0, 0, 0, -1, -2, 1]))
            last = max(0, first) + draw(st.sampled_from([0, 0, 1]))
            log.append((max(0, first), last))
            if first <= reached + 1:
                reached = max(reached, last)
        found[partition] = log
    return found


class Paper:
    """Kafka's commits and ClickHouse's rows on paper: a second insert with a known token does nothing."""

    def __init__(self, log: dict[int, Log]) -> None:
        self.log = log
        self.commits: dict[int, tuple[int, str]] = {}
        self.rows: list[tuple[int, int]] = []
        self.tokens: set[str] = set()

    def insert(self, plan: Plan, rows: list[tuple[int, int]]) -> None:
        if token("events", plan) not in self.tokens:
            self.tokens.add(token("events", plan))
            self.rows += rows

    def state(self, number: int) -> tuple[Partition[list[int]], Plan | None]:
        offset, text = self.commits.get(number, (0, ""))
        read = decode_metadata(text)
        if not isinstance(read, CommitMetadata):
            return Partition(None, NOTHING, 0), None
        return Partition(read.topic, read.src, offset), plan_of(read)


class Crash(Exception):
    """The loader died here."""


def load(paper: Paper, limits: Limits, steps: list[bool], available: int) -> None:
    """One life of a loader; raises Crash where `steps` says so."""

    def step() -> None:
        if steps and steps.pop(0):
            raise Crash

    def finish(plan: Plan, shares: dict[int, tuple[list[list[int]], int]]) -> None:
        step()
        rows = [(number, source) for number, (lists, _) in shares.items() for found in lists for source in found]
        paper.insert(plan, rows)
        step()
        for number, (_, last) in shares.items():
            paper.commits[number] = (plan.ranges[number][1], encode_metadata(CommitMetadata(TOPIC, last)))

    for number in paper.log:
        partition, plan = paper.state(number)
        if plan is not None:
            finish(plan, {n: reread(paper, n, end) for n, (_, end) in plan.ranges.items()})
    partitions = {number: paper.state(number)[0] for number in paper.log}
    for number, partition in partitions.items():
        for offset in range(partition.committed, min(available, len(paper.log[number]))):
            offer(partition, offset, *paper.log[number][offset])
    while taken := cut({number: p.entries for number, p in partitions.items()}, limits):
        shares = {number: partitions[number].take(n) for number, n in taken.items()}
        plan = Plan(TOPIC, "log", {number: share.range for number, share in shares.items()})
        step()
        for number in plan.ranges:
            intent = CommitMetadata(TOPIC, shares[number].since, plan.ranges, log="log")
            paper.commits[number] = (plan.ranges[number][0], encode_metadata(intent))
        finish(plan, {number: (share.records, share.last) for number, share in shares.items()})
        for number, share in shares.items():
            partitions[number].commit(share.range[1], share.last)


def reread(paper: Paper, number: int, end: int) -> tuple[list[list[int]], int]:
    partition, _ = paper.state(number)
    for offset in range(partition.committed, end):
        offer(partition, offset, *paper.log[number][offset])
    share = partition.take(len(partition.entries))
    return share.records, share.last


@given(
    logs(),
    st.integers(1, 5),
    st.lists(st.lists(st.booleans(), min_size=1, max_size=9), max_size=6),
    st.lists(st.integers(0, 12), min_size=6, max_size=6),
)
def test_every_source_offset_is_loaded_once_whatever_crashes(
    log: dict[int, Log], rows: int, lives: list[list[bool]], available: list[int]
) -> None:
    paper = Paper(log)
    for steps, seen in zip(lives, sorted(available), strict=False):
        try:
            load(paper, Limits(rows=rows, most_rows=rows + 3), list(steps), seen)
        except Crash:
            continue
    load(paper, Limits(rows=rows), [], 99)
    for number, records in log.items():
        reached = paper.state(number)[0].last
        assert [source for n, source in paper.rows if n == number] == list(range(reached + 1))
        assert reached == expected(records)


def expected(log: Log) -> int:
    reached = NOTHING
    for first, last in log:
        if first <= reached + 1:
            reached = max(reached, last)
    return reached
