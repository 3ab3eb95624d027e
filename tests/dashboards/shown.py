"""Reads values out of reports."""

from typing import Any

from dashboards.shape import Record, Report, Table


def table(report: Report, key: str) -> list[dict[str, Any]]:
    """Rows of a part by column key."""
    part = report.part(key)
    assert isinstance(part, Table)
    return rows(part)


def rows(part: Table) -> list[dict[str, Any]]:
    """Rows by column key."""
    return [dict(zip([column.key for column in part.columns], row, strict=True)) for row in part.rows]


def figures(report: Report, key: str = "indicators") -> dict[str, Any]:
    """Figures of a record by key."""
    part = report.part(key)
    assert isinstance(part, Record)
    return {column.key: value for section in part.sections for column, value in section.figures}
