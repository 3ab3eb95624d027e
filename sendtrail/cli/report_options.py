"""Options that the reports share."""

from enum import StrEnum
from typing import Annotated

import typer


class Format(StrEnum):
    """How a report is shown."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


FormatOption = Annotated[Format, typer.Option("--format", "-f", help="A table for people; JSON or CSV for machines.")]
Part = Annotated[
    str | None, typer.Option(metavar="PART", help="Show one part only; without it all parts, as CSV the first.")
]
Timezone = Annotated[
    str | None,
    typer.Option(metavar="ZONE", envvar="SENDTRAIL_REPORTS_TIMEZONE", help="Zone of all times; without it UTC."),
]
Columns = Annotated[
    str | None, typer.Option(metavar="A,B,…", help="Columns of the table, by their names in JSON and CSV.")
]
