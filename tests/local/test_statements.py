"""Recognising statements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.local.engine.statements import (
    Insert,
    first_word,
    parse_insert,
    quote_name,
    quote_string,
    tokens,
    without_format,
    writes_file,
)


@pytest.mark.parametrize(
    ("text", "target", "columns", "data_format", "data"),
    [
        ("insert into t values", "t", None, "Values", ""),
        ("INSERT INTO d.`a b` (x, `y z`, n.k) VALUES (1)", "d.`a b`", ("x", "y z", "n.k"), "Values", " (1)"),
        ("/* a */ INSERT -- b\n INTO TABLE t(x)FORMAT CSV\n1", "t", ("x",), "CSV", "\n1"),
        ("INSERT INTO FUNCTION file('x', CSV, 'a Int8') VALUES", "file('x', CSV, 'a Int8')", None, "Values", ""),
        ("INSERT INTO t", "t", None, None, ""),
        ("INSERT INTO values_ (format_) FORMAT Native", "values_", ("format_",), "Native", ""),
        ("INSERT INTO table VALUES", "table", None, "Values", ""),
    ],
)
def test_inserts_with_data(
    text: str, target: str, columns: tuple[str, ...] | None, data_format: str | None, data: str
) -> None:
    insert = parse_insert(text)
    assert insert is not None
    assert (insert.target, insert.columns, insert.format) == (target, columns, data_format)
    assert text[insert.data_start :] == data


def test_the_settings_of_an_insert() -> None:
    insert = parse_insert("INSERT INTO t (a) SETTINGS x = 'VALUES', y = 2 VALUES")
    assert insert == Insert("INSERT INTO t (a) ", "SETTINGS x = 'VALUES', y = 2 ", "t", ("a",), (), "Values", 53)


def test_all_columns_but_some() -> None:
    insert = parse_insert("INSERT INTO t (* EXCEPT(a, `b c`)) VALUES")
    assert insert is not None
    assert (insert.columns, insert.excluded) == (None, ("a", "b c"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT 1",
        "INSERT INTO t SELECT 'VALUES'",
        "INSERT INTO t (a) WITH x AS (SELECT 1) SELECT * FROM x",
        "INSERT INTO t FROM INFILE 'x' FORMAT CSV",
        "INSERT",
        "INSERT INTO",
    ],
)
def test_no_inserts_with_data(text: str) -> None:
    assert parse_insert(text) is None


@pytest.mark.parametrize(
    ("text", "plain", "name"),
    [
        ("SELECT 1 FORMAT JSON", "SELECT 1 ", "JSON"),
        ("SELECT 1 AS format FORMAT CSV SETTINGS a = 1", "SELECT 1 AS format  SETTINGS a = 1", "CSV"),
        ("SELECT 1 format Null;", "SELECT 1 ;", "Null"),
        ("SELECT 'FORMAT JSON'", "SELECT 'FORMAT JSON'", None),
        ("SELECT (SELECT 1 FORMAT JSON)", "SELECT (SELECT 1 FORMAT JSON)", None),
        ("SELECT format FROM t -- FORMAT JSON", "SELECT format FROM t -- FORMAT JSON", None),
    ],
)
def test_format_clauses(text: str, plain: str, name: str | None) -> None:
    assert without_format(text) == (plain, name)


def test_words() -> None:
    assert first_word(" -- x\n (( select 1))") == "SELECT"
    assert first_word("") == ""
    assert writes_file("SELECT 1 INTO /* */ OUTFILE 'x'")
    assert not writes_file("SELECT 'INTO OUTFILE'")


@given(st.text())
def test_tokens_cover_any_text(text: str) -> None:
    end = 0
    for token in tokens(text):
        assert token.start >= end
        end = token.end
    assert end <= len(text)


@given(st.text())
def test_quoting_is_one_token(value: str) -> None:
    assert [token.kind for token in tokens(quote_string(value))] == ["string"]
    (name,) = tokens(quote_name(value))
    assert (name.kind, name.text) == ("quoted", value)
