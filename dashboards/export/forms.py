"""The forms in which a report is given to programs and kept as a file: one place for commands and API."""

from pathlib import Path

from dashboards import render
from dashboards.export.pdf import as_pdf, chromium
from dashboards.export.xlsx import as_xlsx
from dashboards.shape import Report
from dashboards.web.formats import Formats
from dashboards.web.printing import printable

#: Form -> media type.
FORMS = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
#: Of one part; the others hold a whole report.
OF_A_PART = ("csv", "ndjson")


def give(report: Report, form: str, formats: Formats, printer: Path | None = None) -> bytes:
    """The report in that form. `printer`: the Chromium that makes PDF, None = the one that is installed.

    Raises ReportError where PDF can't be made.
    """
    match form:
        case "csv":
            return render.as_csv(report.parts[0], formats.zone).encode()
        case "ndjson":
            return render.as_ndjson(report.parts[0], formats.zone).encode()
        case "xlsx":
            return as_xlsx(report, formats.zone, formats.text)
        case "pdf":
            return as_pdf(printable(report, formats), chromium(printer))
        case _:
            return render.as_json(report, formats.zone).encode()
