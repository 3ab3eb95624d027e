"""A report -> one HTML file with everything in it, for the printer."""

from importlib.resources import files

from dashboards.shape import Report
from dashboards.web.access.reader import LOCAL
from dashboards.web.formats import Formats
from dashboards.web.shown import notes_of, parts
from dashboards.web.templating import render
from dashboards.web.view import View

#: Rows of a table on paper.
MAX_ROWS = 1_000
_STYLES = ("app.css",)
_SCRIPTS = ("vendor/chart.umd.min.js", "app.js")


def printable(report: Report, formats: Formats) -> str:
    """The page: title, what it is of, charts and tables. It loads nothing, and its policy would not let it."""
    view = View(LOCAL, formats.language, formats.locale, formats.zone, "light")
    return render(
        "print.html",
        view,
        report=report,
        parts=parts(report, formats, limit=MAX_ROWS),
        notes=notes_of(report, formats),
        styles=[_text(name) for name in _STYLES],
        scripts=[_text(name).replace("</script", "<\\/script") for name in _SCRIPTS],
    )


def _text(name: str) -> str:
    return (files("dashboards") / "web" / "static" / name).read_text("utf-8")
