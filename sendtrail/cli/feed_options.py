"""Options of `sendtrail feed`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Form(StrEnum):
    """What a file may be."""

    CSV = "csv"
    NDJSON = "ndjson"


Source = Annotated[str, typer.Argument(metavar="FILE", help="CSV or JSON lines, also as .gz or .zst; - is stdin.")]
ApiAddress = Annotated[str, typer.Option("--api", help="Address of the feed API; else the setting feed.url.")]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", help="File that holds the API key; else feed.key_file, feed.key.")
]
FormOption = Annotated[Form | None, typer.Option("--format", help="Else by the file's name or beginning.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="CSV: this column is that field; repeatable."),
]
Fixed = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="CSV: a field of all items; repeatable.")
]
IgnoreOthers = Annotated[bool, typer.Option("--ignore-others", help="CSV: leave out columns that are no field.")]
Delimiter = Annotated[str, typer.Option(help="CSV: between cells; else comma, semicolon, tab or |.")]
FromLine = Annotated[int, typer.Option(min=1, help="Leave out what begins before this line.")]
Refused = Annotated[Path | None, typer.Option(help="Write refused items here as JSON lines, not to stderr.")]
Wait = Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for an API that is away or busy.")]
AsJson = Annotated[bool, typer.Option("--json", help="The counts as JSON.")]
