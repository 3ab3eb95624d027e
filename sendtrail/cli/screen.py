"""What commands show people: tables, and bars while something takes long."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn
    from rich.table import Table

Form = Literal["table", "json"]
TableOrLines = Annotated[Form, typer.Option(help="A table for people or JSON lines.")]
TableOrObject = Annotated[Form, typer.Option(help="A table for people or one JSON object.")]


def table(*headings: str, **looks: Any) -> "Table":
    """A table without rules but the one below its headings. `looks`: further arguments of rich's Table."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(*headings, box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), **looks)


def bars(*columns: "str | ProgressColumn") -> "Progress":
    """Bars on standard error, gone when the work is done; to be used in `with`. `columns`: rich's own without any."""
    from rich.console import Console
    from rich.progress import Progress

    return Progress(*columns, console=Console(stderr=True), transient=True)
