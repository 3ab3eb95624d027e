"""Options that the reports share."""

from enum import StrEnum
from typing import Annotated

import typer


class Format(StrEnum):
    """How a report is shown."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"
    XLSX = "xlsx"
    PDF = "pdf"


FormatOption = Annotated[
    Format,
    typer.Option(
        "--format",
        "-f",
        help="A table for people; JSON, CSV or NDJSON for machines; XLSX and PDF as files. PDF is printed by Chromium.",
    ),
]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to this file; without it, or as -, standard output."),
]
Part = Annotated[
    str | None,
    typer.Option(metavar="PART", help="Show one part only; without it all parts, as CSV and NDJSON the first."),
]
Timezone = Annotated[
    str | None,
    typer.Option(metavar="ZONE", help="Zone of all times; without it the setting reports.timezone."),
]
Columns = Annotated[
    str | None, typer.Option(metavar="A,B,…", help="Columns of the table, by their names in JSON and CSV.")
]
