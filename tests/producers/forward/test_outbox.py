"""The outbox repeats what failed, in order per partition, and never forgets a parcel."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from producers.forward.outbox import GROUP_BYTES, Failure, Outbox
from producers.forward.parcel import Parcel, pack_parcel
from sendtrail.packs import PackHeader
from tests.producers.forward.parts import SPOOL, CountingOwner

LOST = Failure("KafkaTimeoutError: expired")
REFUSED = Failure("MessageSizeTooLargeError", too_large=True)


def parcel(owner: CountingOwner, partition: int, number: int, size: int = 10) -> Parcel:
    return Parcel("topic", partition, b"%d " % number + b"x" * size, owner, number)


def pack(owner: CountingOwner, batch: int) -> Parcel:
    """A pack of a hundred events."""
    lines = [b"x" * 500 for _ in range(100)]
    return pack_parcel("topic", 0, lines, list(range(100)), owner, batch, PackHeader(SPOOL, 0, 0, 0, 0))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 300_000)), max_size=30), st.randoms())
def test_everything_arrives_in_order_whatever_fails(sizes: list[tuple[int, int]], random: object) -> None:
    outbox, owner = Outbox(10**9), CountingOwner()
    parcels = [parcel(owner, partition, number, size) for number, (partition, size) in enumerate(sizes)]
    for one in parcels:
        outbox.put(one)
    arrived: dict[int, list[int]] = defaultdict(list)  # as the topic would hold them, repetitions included
    through: dict[int, list[int]] = defaultdict(list)
    flying: list[Parcel] = []
    while not outbox.empty:
        flying += outbox.due()
        assert flying
        one = flying.pop(random.randrange(len(flying)))  # type: ignore[attr-defined]
        lost = random.random() < 0.3  # type: ignore[attr-defined]
        if not lost:
            arrived[one.partition].append(one.batch)
        for sent, _ in outbox.settle(one, LOST if lost else 1):
            through[sent.partition].append(sent.batch)
    wanted = [[one.batch for one in parcels if one.partition == partition] for partition in range(3)]
    assert [through[partition] for partition in range(3)] == wanted
    assert outbox.in_flight == 0
    for partition in range(3):
        assert set(arrived[partition]) == set(wanted[partition])


def test_a_failed_parcel_takes_those_behind_it_along() -> None:
    outbox, owner = Outbox(10**9), CountingOwner()
    first, second, third = (parcel(owner, 0, number) for number in range(3))
    for one in (first, second, third):
        outbox.put(one)
    assert outbox.due() == [first, second, third]
    assert outbox.settle(third, 1) == []
    assert outbox.settle(second, LOST) == []
    assert outbox.settle(first, 1) == [(first, 1)]
    assert outbox.failures == [LOST]
    assert outbox.due() == [second, third]


def test_one_group_per_partition_is_under_way() -> None:
    outbox, owner = Outbox(10**9), CountingOwner()
    parcels = [parcel(owner, 0, number, GROUP_BYTES // 2) for number in range(4)]
    for one in parcels:
        outbox.put(one)
    assert outbox.due() == parcels[:1]
    assert outbox.due() == []
    other = parcel(owner, 1, 9)
    outbox.put(other)
    assert outbox.due() == [other]
    outbox.settle(parcels[0], 1)
    assert outbox.due() == parcels[1:2]


def test_room_is_bounded_in_bytes() -> None:
    outbox, owner = Outbox(100_000), CountingOwner()
    one = parcel(owner, 0, 0, 100_000)
    assert outbox.room
    outbox.put(one)
    assert not outbox.room
    outbox.due()
    outbox.settle(one, 1)
    assert outbox.room
    assert outbox.empty


def test_a_refused_parcel_goes_again_alone_and_is_given_up_if_it_can_not_be_smaller() -> None:
    outbox, owner = Outbox(10**9), CountingOwner()
    large, small, other = parcel(owner, 0, 0, 50_000), parcel(owner, 0, 1), parcel(owner, 1, 2)
    for one in (large, small, other):
        outbox.put(one)
    for one in outbox.due():  # a producer that refused one refuses all
        outbox.settle(one, REFUSED)
    outbox.recall()
    assert outbox.due() == [large]
    assert outbox.due() == []
    outbox.settle(large, REFUSED)
    outbox.recall()
    assert (outbox.given_up, owner.replacements) == ([large], [0])
    assert outbox.due() == [other]
    outbox.settle(other, 1)
    assert outbox.due() == [small]
    outbox.settle(small, 1)
    assert outbox.empty


def test_a_pack_refused_alone_is_split_and_the_size_is_learned() -> None:
    outbox, owner = Outbox(10**9), CountingOwner()
    first, second = (pack(owner, number) for number in range(2))
    outbox.put(first)
    outbox.put(second)
    outbox.settle(outbox.due()[0], REFUSED)
    outbox.settle(second, REFUSED)
    for _ in range(2):
        outbox.recall()
        (alone,) = outbox.due()
        assert alone is first or alone.events < first.events
        outbox.settle(alone, REFUSED if alone is first else 1)
        if alone is not first:
            break
    sizes = []
    while not outbox.empty:
        for one in outbox.due():
            sizes.append(one.size)
            outbox.settle(one, 1)
    assert max(sizes) <= outbox.most_bytes < first.size


def test_what_is_recalled_goes_again() -> None:
    outbox, owner = Outbox(10**9), CountingOwner()
    first, second, third = (parcel(owner, 0, number) for number in range(3))
    outbox.put(first)
    outbox.put(second)
    outbox.due()
    outbox.put(third)
    outbox.settle(second, 1)
    outbox.recall()
    assert outbox.in_flight == 0
    assert outbox.due() == [first, second, third]
