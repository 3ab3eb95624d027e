"""GET /v1/reports/{name}: the reports for programs, as JSON, CSV or NDJSON. The same text as the command's."""

from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboards import render
from dashboards.catalogue import REPORTS
from dashboards.queries import ReportError, Unreachable
from dashboards.shape import Report
from dashboards.web.access.answers import Refusal, problem
from dashboards.web.asking import FORMAT, question
from dashboards.web.openapi import describe
from dashboards.web.site import Site
from sendtrail.errors import BadName

FORMATS = {"json": "application/json", "csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}


class ReportApi:
    """The endpoints for programs."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def names(self, request: Request) -> Response:
        """Which reports there are."""
        return JSONResponse({"reports": [_about(name) for name in REPORTS]})

    async def openapi(self, request: Request) -> Response:
        """The machine-readable description."""
        return JSONResponse(describe())

    async def report(self, request: Request) -> Response:
        """One report. Refusals are problems (RFC 9457)."""
        name = request.path_params["name"]
        if name not in REPORTS:
            return problem(Refusal(404, f"there is no report {name!r}; there are {', '.join(REPORTS)}"))
        view = self._site.view(request)
        asked = question(REPORTS[name], request.query_params)
        form = request.query_params.get(FORMAT, "json")
        if not asked.report.allows(view.reader.role, asked.part):
            return problem(Refusal(403, f"report {name} shows recipients here: it takes the role analyst"))
        if form not in FORMATS:
            return problem(Refusal(400, f"format: there are {', '.join(FORMATS)}"))
        if asked.options is None:
            return problem(Refusal(400, str(asked.bad)))
        try:
            built = await self._site.build(asked.report, asked.options, view, asked.part)
            return _given(_only(built, asked.part), form, view.zone)
        except Unreachable as error:
            return problem(Refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error), {"Retry-After": "5"}))
        except (ReportError, BadName) as error:
            return problem(Refusal(404, str(error)))


def _given(built: Report, form: str, zone: Any) -> Response:
    first = built.parts[0]
    text = {
        "json": lambda: render.as_json(built, zone),
        "csv": lambda: render.as_csv(first, zone),
        "ndjson": lambda: render.as_ndjson(first, zone),
    }[form]()
    headers = {}
    if form != "json":
        headers["Content-Disposition"] = f'attachment; filename="{built.name}-{first.key}.{form}"'
    return Response(text, headers=headers, media_type=FORMATS[form])


def _only(built: Report, part: str) -> Report:
    """The report with one part. Raises ReportError naming those there are."""
    try:
        return built.only(part) if part else built
    except KeyError as error:
        raise ReportError(error.args[0]) from error


def _about(name: str) -> dict[str, Any]:
    report = REPORTS[name]
    return {"name": name, "title": report.title, "answers": report.answers, "role": report.role,
            "parts": list(report.parts)}  # fmt: skip
