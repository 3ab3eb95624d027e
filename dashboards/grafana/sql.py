"""SQL of panels: the texts of dashboards/sql and dashboards/grafana/sql, with Grafana's variables for parameters.

The texts have server-side parameters, which Grafana's ClickHouse data source does not know. This is the only place that
puts something in their stead: a fixed value, or an expression over a dashboard variable. Variables are written percent
encoded, so whatever an address holds can't leave its string: only letters, digits and `-_.~%` get into the text.

`{sql:name}` in a panel's text stands for the text of a report query.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sendtrail.removal.hiding import TABLES, hiding

_HERE = Path(__file__).parent
_FOLDERS = (_HERE / "sql", _HERE.parent / "sql")
_INCLUDED = re.compile(r"\{sql:(\w+)\}")
_PARAMETER = re.compile(r"(\bIN )?\{(\w+):([A-Za-z0-9()]+)\}")

#: What the entry "All" of a variable says.
ALL = "all"

Fixed = int | str | list[int] | list[str]


def _variable(name: str) -> str:
    """The variable's value as a ClickHouse string."""
    return f"decodeURLComponent('${{{name}:percentencode}}')"


def _values(name: str) -> str:
    """The values of a variable with several, as an array; Grafana writes them `{a,b}`."""
    return f"splitByChar(',', trim(BOTH '{{}}' FROM {_variable(name)}))"


#: Parameter -> expression over dashboard variables. {chosen} and {starts} are texts of dashboards/grafana/sql.
_EXPRESSIONS: Mapping[str, str] = {
    "people:UInt8": f"toUInt8('${{cut:percentencode}}' != '{ALL}')",
    "account:String": _variable("account"),
    "channel:String": _variable("channel"),
    "delivery:Array(UInt64)": f"arrayMap(x -> toUInt64OrZero(x), extractAll({_variable('delivery')}, '[0-9]+'))",
    "domain:String": _variable("domain"),
    "picked_domains:Array(String)": _values("domain"),
    "deliveries:Array(UInt64)": "(SELECT arraySort(groupArray(delivery_id)) FROM ({chosen}))",
    "keys:Array(UInt64)": "(SELECT arraySort(groupArray(delivery_id)) FROM ({chosen}))",
    "names:Array(String)": "CAST([], 'Array(String)')",
    "starts:Array(Int64)": "(SELECT arrayMap(x -> x.2, arraySort(groupArray((delivery, at)))) FROM ({chosen_starts}))",
    "domains:Array(String)": "(SELECT groupArray(domain) FROM ({chosen_domains}))",
}
_IN_CHOSEN = "IN ({chosen})"


@cache
def text(name: str) -> str:
    """The query of that name without its header. Raises KeyError where neither folder has it."""
    for folder in _FOLDERS:
        path = folder / f"{name}.sql"
        if path.exists():
            lines = path.read_text("utf-8").splitlines()
            return "\n".join(line for line in lines if not line.startswith("--")).strip()
    raise KeyError(f"no query {name!r} in dashboards/grafana/sql or dashboards/sql")


def panel_sql(name: str, **fixed: Fixed) -> str:
    """The text of a panel or variable: report queries put in, every parameter a fixed value or a variable.

    Raises KeyError for a parameter that is neither.
    """
    origin = "dashboards/grafana/sql" if (_FOLDERS[0] / f"{name}.sql").exists() else "dashboards/sql"
    return f"-- {origin}/{name}.sql\n{_hiding(_filled(name, fixed))}"


def _hiding(whole: str) -> str:
    """A query with what keeps deleted deliveries out of the tables it reads."""
    read = [table for table in TABLES if re.search(rf"\b(FROM|JOIN) {table}\b", whole)]
    settings = [f"{name} = {value}" for name, value in hiding(tables=read).items()]
    return "\n".join([whole, *(f"SETTINGS {setting}" for setting in settings)])


def _filled(name: str, fixed: Mapping[str, Fixed]) -> str:
    whole = text(name)
    while _INCLUDED.search(whole):
        whole = _INCLUDED.sub(lambda match: text(match[1]), whole)
    return _PARAMETER.sub(lambda match: _instead(match, fixed), whole)


def _instead(match: re.Match[str], fixed: Mapping[str, Fixed]) -> str:
    before, name, kind = match[1] or "", match[2], match[3]
    if name in fixed:
        return before + _literal(fixed[name], kind)
    expression = _EXPRESSIONS[f"{name}:{kind}"]
    if before and "{chosen}" in expression:
        before, expression = "", _IN_CHOSEN  # a set is looked up by primary key
    return before + re.sub(r"\{(chosen\w*)\}", lambda inner: _filled(inner[1], {}), expression)


def _literal(value: Fixed, kind: str) -> str:
    if isinstance(value, list):
        inside = re.fullmatch(r"Array\((\w+)\)", kind)
        if inside is None:
            raise TypeError(f"a list for a parameter of type {kind}")
        return f"CAST([{', '.join(_literal(one, inside[1]) for one in value)}], '{kind}')"
    if isinstance(value, int):
        return f"to{kind}({value})"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
