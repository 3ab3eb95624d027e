"""What Grafana and its ClickHouse plugin do to a query before it is sent: variables, then macros."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

Values = Mapping[str, str | list[str]]
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}")
_MACRO = re.compile(r"\$__(\w+)(?:\(([^()]*)\))?")
INTERVAL_S = 600


def interpolated(text: str, values: Values) -> str:
    """`${name:percentencode}` as Grafana writes it; several values become `{a,b}`. Any other use is refused."""

    def write(match: re.Match[str]) -> str:
        name, format_ = match[1], match[2]
        assert format_ == "percentencode", f"{match[0]}: a value may only enter a query percent encoded"
        value = values[name]
        plain = value if isinstance(value, str) else "{" + ",".join(value) + "}"
        return quote(plain, safe="-_.~")

    return _VARIABLE.sub(write, text)


def expanded(text: str, shown: tuple[int, int]) -> str:
    """The macros of the plugin over a time range in seconds. Raises KeyError for one it does not have."""
    begin, end = (f"toDateTime({second})" for second in shown)
    first, last = (f"toDate('{datetime.fromtimestamp(second, UTC):%Y-%m-%d}')" for second in shown)

    def write(match: re.Match[str]) -> str:
        column = match[2]
        return {
            "timeFilter": f"{column} >= {begin} AND {column} <= {end}",
            "dateFilter": f"{column} >= {first} AND {column} <= {last}",
            "timeInterval": f"toStartOfInterval(toDateTime({column}), INTERVAL {INTERVAL_S} second)",
            "fromTime": begin,
            "toTime": end,
            "interval_s": str(INTERVAL_S),
        }[match[1]]

    return _MACRO.sub(write, text)
