"""Files of events: packed or not, CSV or JSON lines, with the line of everything that is found."""

from __future__ import annotations

import gzip
import io
import json
from functools import partial
from typing import Any

import pytest
import zstandard

from sendtrail.errors import BadColumns, FileUnreadable, Invalid
from sendtrail.feed.columns import Columns
from sendtrail.feed.files import MAX_LINE, Found, form_of, read_lines, read_rows, unpacked

PLAIN = partial(Columns, named={}, fixed={}, ignore_others=False)
HEADER = "kind,time,delivery,message"


def source(data: bytes | str) -> io.BufferedReader:
    return unpacked(io.BytesIO(data.encode() if isinstance(data, str) else data))


def rows(text: str | bytes, delimiter: str = "", **options: Any) -> list[tuple[int, Any]]:
    make = partial(Columns, **{"named": {}, "fixed": {}, "ignore_others": False, **options})
    return [
        (one.line, json.loads(one.item) if isinstance(one.item, bytes) else one.item.reason)
        for one in read_rows(source(text), make, delimiter)
    ]


@pytest.mark.parametrize(
    "pack",
    [bytes, gzip.compress, zstandard.compress, lambda raw: b"".join(map(zstandard.compress, (raw[:5], raw[5:])))],
    ids=["plain", "gzip", "zstd", "zstd frames"],
)
def test_what_is_packed_is_told_by_its_bytes(pack: Any) -> None:
    data = b'{"a": 1}\n' * 100_000
    assert source(pack(data)).read() == data


def test_lines_are_taken_as_they_are() -> None:
    text = b'\xef\xbb\xbf{"a": 1}\r\n\n  {"b":2}\nno json\n\xff\n{"c": 3}'
    found = list(read_lines(source(text)))
    assert [(one.line, one.item) for one in found] == [
        (1, b'{"a": 1}'), (3, b'{"b":2}'), (4, b"no json"), (5, b"\xff"), (6, b'{"c": 3}'),
    ]  # fmt: skip


def test_a_line_that_is_too_long_is_one_refusal() -> None:
    found = list(read_lines(source(b"x" * (3 * MAX_LINE + 5) + b"\n{}\n" + b"y" * MAX_LINE)))
    assert [one.line for one in found] == [1, 2, 3]
    assert [isinstance(one.item, Invalid) for one in found] == [True, False, True]


@pytest.mark.parametrize(
    ("name", "start", "form"),
    [
        ("a.csv", b"{", "csv"), ("a.CSV.GZ", b"k", "csv"), ("a.ndjson.zst", b"{", "ndjson"),
        ("a.jsonl", b"{", "ndjson"), ("-", b'\xef\xbb\xbf {"', "ndjson"), ("-", b"kind,time", "csv"),
        ("a.txt", b"", "csv"), ("a.gz", b"{", "ndjson"),
    ],
)  # fmt: skip
def test_the_form_is_that_of_the_name_or_of_the_beginning(name: str, start: bytes, form: str) -> None:
    assert form_of(name, source(start)) == form


def test_an_array_is_no_lines() -> None:
    with pytest.raises(FileUnreadable, match="jq"):
        form_of("a.json", source(b'[{"kind": "sent"}]'))


def test_columns_are_taken_by_their_names() -> None:
    text = "Kind,TIME,delivery,message,seed,recipient,attributes.plan\nsent,5,d,007,yes,,gold\n"
    assert rows(text) == [
        (
            2,
            {
                "kind": "sent",
                "time": 5,
                "delivery": "d",
                "message": "007",
                "seed": True,
                "attributes": {"plan": "gold"},
            },
        )
    ]


def test_columns_may_be_named_and_fields_fixed() -> None:
    text = "what;at;x;y\nsent;2026-11-24T09:00:00Z;m;ignored\n"
    named, fixed = {"kind": "what", "time": "at", "message": "x"}, {"delivery": "june", "attributes.a": "b"}
    (found,) = rows(text, named=named, fixed=fixed, ignore_others=True)
    assert found == (
        2,
        {"kind": "sent", "time": "2026-11-24T09:00:00Z", "message": "m", "delivery": "june", "attributes": {"a": "b"}},
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_that_of_the_header(delimiter: str) -> None:
    text = f"{HEADER}\nsent,5,d,m\n".replace(",", delimiter)
    assert [line for line, _ in rows(text)] == [2]


def test_rows_keep_the_line_they_begin_on() -> None:
    text = f'{HEADER},diagnostic\n"sent",5,d,m,"two\nlines"\n\nsent,5,d,m\nsent,5,d,m2,""\n'
    text += 'sent,5,d,"m"3,x\nsent,5,d,m4,x\n'
    found = rows(text)
    assert [line for line, _ in found] == [2, 5, 6, 7, 8]
    assert [one if isinstance(one, str) else one["message"] for _, one in found] == [
        "m", "undecodable", "m2", "undecodable", "m4",
    ]  # fmt: skip
    assert found[0][1]["diagnostic"] == "two\nlines"


@pytest.mark.parametrize(("cell", "reason"), [("maybe", "bad_field"), ("\udcff", "undecodable")])
def test_a_bad_cell_refuses_its_row_alone(cell: str, reason: str) -> None:
    text = f"{HEADER},seed\nsent,5,d,a,{cell}\nsent,5,d,b,0\n".encode("utf-8", "surrogateescape")
    (_, first), (_, second) = rows(text)
    assert (first, second["message"]) == (reason, "b")


@pytest.mark.parametrize(
    ("header", "options", "said"),
    [
        ("kind,time,delivery,mesage", {}, "Did you mean message"),
        ("kind,time,delivery,nr", {}, "--map FIELD=nr"),
        ("kind,time,delivery,nr", {"ignore_others": True}, "--map message=COLUMN"),
        ("kind,time,delivery,message,", {}, r"--ignore-others"),
        ("kind,time,delivery,message,message", {}, "message is given twice"),
        (HEADER, {"fixed": {"message": "m"}}, "message is given twice"),
        (HEADER, {"named": {"recipient": "who"}}, "recipient is to be column 'who', but the file has kind, time"),
        (HEADER, {"named": {"recipent": "who"}}, "'recipent' is no field"),
        (HEADER, {"fixed": {"attributes.": "x"}}, "no field"),
        ("", {}, "no header"),
    ],
)
def test_columns_that_do_not_fit_are_named(header: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(BadColumns, match=said):
        rows(f"{header}\nsent,5,d,m\n" if header else "", **options)


def test_found_says_what_stood_there() -> None:
    (one,) = read_rows(source(f"{HEADER}\nsent,5,d\n"), PLAIN)
    assert one == Found(2, Invalid("undecodable", "3 cells where the header has 4"), "sent, 5, d")
