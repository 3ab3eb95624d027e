"""The report API's description (OpenAPI 3.1), made from the catalogue."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from dashboards.catalogue import REPORTS
from dashboards.definition import Definition
from dashboards.export.forms import FORMS, OF_A_PART
from dashboards.options import Option, options_of
from dashboards.shape import Column, Kind
from dashboards.web.openapi_removals import removals

_TYPES: dict[Kind, dict[str, Any]] = {
    "count": {"type": ["integer", "null"]},
    "rank": {"type": ["integer", "null"]},
    "rate": {"type": ["number", "null"], "description": "a fraction of 1"},
    "number": {"type": ["number", "null"]},
    "money": {"type": ["number", "null"], "description": "in whole units of the currency"},
    "time": {"type": ["string", "null"], "format": "date-time"},
    "day": {"type": "string", "format": "date"},
    "span": {"type": ["integer", "null"], "description": "milliseconds"},
    "names": {"type": "array", "items": {"type": "string"}},
}
_HITS = {"type": ["object", "null"], "properties": {"people": {"type": "integer"}, "all": {"type": "integer"}}}


@cache
def describe() -> dict[str, Any]:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sendtrail reports",
            "version": "1",
            "description": "Every number exists in two cuts, people and all. A rate over nothing is null.",
        },
        "paths": {"/v1/reports": {"get": _names()}}
        | {f"/v1/reports/{name}": {"get": _operation(report)} for name, report in REPORTS.items()}
        | removals(_refused),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": _problem()},
        },
        "security": [{}, {"token": []}],
    }


def _names() -> dict[str, Any]:
    return {"summary": "Which reports there are", "responses": {"200": {"description": "Names, titles, roles, parts"}}}


def _operation(report: Definition[Any]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {
            "report": {"const": report.name},
            "cut": {"enum": ["people", "all"]},
            "calculated_at": {"type": "string", "format": "date-time"},
            "distinct_calculated_at": {"type": ["string", "null"], "format": "date-time"},
            "hits": _HITS,
            "notes": {"type": "array", "items": {"type": "string"}},
            "parts": {"type": "object", "properties": {key: _part(columns) for key, columns in report.parts.items()}},
        },
    }
    text = {"schema": {"type": "string"}}
    return {
        "operationId": report.name,
        "summary": report.title,
        "description": f"Shows {report.answers}. {report.more}".strip() + f" Least role: {report.role}.",
        "parameters": [*map(_parameter, options_of(report.options)), *_given(report)],
        "responses": {
            "200": {
                "description": report.title,
                "content": {"application/json": {"schema": schema}}
                | {kind: text if form in OF_A_PART else {} for form, kind in FORMS.items() if form != "json"},
            },
            **_refused(_REFUSALS),
        },
    }  # fmt: skip


_REFUSALS = {
    "400": "an option that can't be asked",
    "401": "log in or send a token",
    "403": "the reader's role does not reach",
    "404": "no such delivery, recipient or report",
    "503": "ClickHouse does not answer: try again",
}


def _refused(reasons: Mapping[str, str]) -> dict[str, Any]:
    told = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    return {status: {"description": why} | told for status, why in reasons.items()}


def _part(columns: Sequence[Column]) -> dict[str, Any]:
    properties = {one.key: {"description": one.help} | _TYPES.get(one.kind, {"type": "string"}) for one in columns}
    row = {"type": "object", "properties": properties}
    return {"description": "rows, or one object of single figures", "anyOf": [{"type": "array", "items": row}, row]}


def _parameter(option: Option) -> dict[str, Any]:
    kinds = {"number": "integer", "flag": "boolean"}
    schema: dict[str, Any] = {"type": kinds.get(option.kind, "string")}
    schema |= {"enum": list(option.choices)} if option.choices else {}
    schema |= {"format": "date"} if option.kind == "date" else {}
    bounds = {"minimum": option.least, "maximum": option.most}
    schema |= {key: value for key, value in bounds.items() if value is not None}
    if option.many:
        schema = {"type": "array", "items": schema}
    elif option.default not in (None, ""):
        schema["default"] = option.default
    return {"name": option.name, "in": "query", "required": option.required, "description": option.help,
            "schema": schema}  # fmt: skip


def _given(report: Definition[Any]) -> list[dict[str, Any]]:
    def parameter(name: str, about: str, schema: dict[str, Any]) -> dict[str, Any]:
        return {"name": name, "in": "query", "description": about, "schema": {"type": "string"} | schema}

    return [
        parameter("part", "One part only; CSV and NDJSON give the first without it.", {"enum": list(report.parts)}),
        parameter("format", "How the report is given.", {"enum": list(FORMS), "default": "json"}),
        parameter("timezone", "Zone of all times, e.g. Europe/Madrid.", {"default": "UTC"}),
    ]


def _problem() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "RFC 9457",
        "properties": {"type": text, "title": text, "status": {"type": "integer"}, "detail": text},
    }
