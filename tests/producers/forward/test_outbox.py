"""The outbox repeats what failed, in order per partition, and never forgets a parcel."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from producers.forward.outbox import GROUP_BYTES, Failure, Outbox
from producers.forward.parcel import Parcel
from tests.producers.forward.parts import CountingOwner

LOST = Failure("KafkaTimeoutError: expired")
REFUSED = Failure("MessageSizeTooLargeError", too_large=True)


def parcel(owner: CountingOwner, partition: int, number: int, size: int = 10) -> Parcel:
    return Parcel("topic", partition, b"%d " % number + b"x" * size, owner, number)


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
        flying += list(outbox.due())
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
    assert list(outbox.due()) == [first, second, third]
    assert outbox.settle(third, 1) == []
    assert outbox.settle(second, LOST) == []
    assert outbox.settle(first, 1) == [(first, 1)]
    assert outbox.failures == [LOST]
    assert list(outbox.due()) == [second, third]


def test_one_group_per_partition_is_under_way() -> None:
    outbox, owner = Outbox(10**9), CountingOwner()
    parcels = [parcel(owner, 0, number, GROUP_BYTES // 2) for number in range(4)]
    for one in parcels:
        outbox.put(one)
    assert list(outbox.due()) == parcels[:1]
    assert list(outbox.due()) == []
    other = parcel(owner, 1, 9)
    outbox.put(other)
    assert list(outbox.due()) == [other]
    outbox.settle(parcels[0], 1)
    assert list(outbox.due()) == parcels[1:2]


def test_room_is_bounded_in_bytes() -> None:
    outbox, owner = Outbox(100_000), CountingOwner()
    one = parcel(owner, 0, 0, 100_000)
    assert outbox.room
    outbox.put(one)
    assert not outbox.room
    list(outbox.due())
    outbox.settle(one, 1)
    assert outbox.room
    assert outbox.empty


def test_what_can_not_be_smaller_is_given_up_and_the_rest_passes() -> None:
    outbox, owner = Outbox(10**9), CountingOwner()
    large, small = parcel(owner, 0, 0, 50_000), parcel(owner, 0, 1)
    outbox.put(large)
    outbox.put(small)
    list(outbox.due())
    outbox.settle(large, REFUSED)
    outbox.settle(small, 1)
    assert outbox.given_up == [large]
    assert owner.replacements == [0]
    assert outbox.failures == []
    assert list(outbox.due()) == [small]
    outbox.settle(small, 1)
    assert outbox.empty
