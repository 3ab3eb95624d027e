"""Options that the reports share."""

from enum import StrEnum
from typing import Annotated

import typer


class Cut(StrEnum):
    """Whose hits count."""

    PEOPLE = "people"
    ALL = "all"


class Format(StrEnum):
    """How a report is shown."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class By(StrEnum):
    """What tells links apart."""

    LABEL = "label"
    URL = "url"
    CATEGORY = "category"
    POSITION = "position"


class Group(StrEnum):
    """What indicators are split by."""

    DOMAIN = "domain"


class Kind(StrEnum):
    """Kinds of hits."""

    OPEN = "open"
    CLICK = "click"
    OPTOUT = "optout"
    MIRROR = "mirror"
    WEB = "web"
    TRANSACTION = "transaction"


Deliveries = Annotated[
    list[str],
    typer.Option("--delivery", "-d", metavar="NAME|KEY", help="The delivery. Give several to add them up."),
]
CutOption = Annotated[Cut, typer.Option(help="people: class human or unknown. all: machines too.")]
FormatOption = Annotated[Format, typer.Option("--format", "-f", help="A table for people; JSON or CSV for machines.")]
Part = Annotated[
    str | None, typer.Option(metavar="PART", help="Show one part only; without it all parts, as CSV the first.")
]
Timezone = Annotated[
    str | None,
    typer.Option(metavar="ZONE", envvar="SENDTRAIL_REPORTS_TIMEZONE", help="Zone of all times; without it UTC."),
]
Live = Annotated[
    bool,
    typer.Option(
        "--live/--stored",
        help="Count distinct numbers (messages, persons) now, or take those stored seconds ago. Hits are of now.",
    ),
]
Columns = Annotated[
    str | None, typer.Option(metavar="A,B,…", help="Columns of the table, by their names in JSON and CSV.")
]
