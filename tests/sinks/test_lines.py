"""Rows as the loader decodes them become what rows of the contract's own decoder do."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sendtrail.enriched import EventRow, decode_rows, encode_row
from sendtrail.errors import Invalid
from sendtrail.packs import join
from sinks.blocks import Blocks
from sinks.lines import LoadedEvent, read_lines
from sinks.rows import build
from tests.support.tracked import ListLookup, as_given, event
from tests.support.traffic import Traffic

Read = Callable[[bytes], Sequence[Any]]


def contract(value: bytes) -> Sequence[Any]:
    rows = decode_rows(value)
    assert not isinstance(rows, Invalid)
    return rows


def built(read: Read, records: Sequence[Sequence[Any]]) -> Blocks:
    values = [join([encode_row(row) for row in rows]) for rows in records]
    return build([as_given(offset, read(value)) for offset, value in enumerate(values)], ListLookup())


def test_the_fields_are_the_contracts_in_the_same_order() -> None:
    assert LoadedEvent.__struct_fields__ == EventRow.__struct_fields__
    assert LoadedEvent.__struct_encode_fields__ == EventRow.__struct_encode_fields__


@pytest.mark.parametrize("seed", range(5))
def test_both_give_the_same_blocks(seed: int) -> None:
    traffic = Traffic(seed, (7, 8), messages=9, records=6, per_record=40)
    records = [list(record.rows) for record in traffic.records]
    assert built(read_lines, records) == built(contract, records)


def test_what_is_refused_is_the_same_event() -> None:
    rows = [
        event(person="no number"),
        event(person="no number", hints=["head"], attributes={"a": "1"}, class_reasons=["burst"], marks=["late"]),
        event(),
    ]
    for index, row in enumerate(rows):
        row.source_index = index
    blocks = built(read_lines, [rows])
    assert (blocks.refused, blocks.stored) == (2, 1)
    assert blocks == built(contract, [rows])


def test_lines_that_say_they_are_empty() -> None:
    line = encode_row(event()).removesuffix(b"}") + b',"hd":[],"ph":[],"x":{},"reasons":[],"marks":[]}'
    (row,) = read_lines(line)
    (other,) = contract(line)
    assert build([as_given(0, [row])], ListLookup()) == build([as_given(0, [other])], ListLookup())
