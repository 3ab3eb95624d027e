"""What the demo shows of a delivery: its indicators in both cuts, and its top links."""

from clickhouse_driver import Client
from rich.console import Console
from rich.table import Table

from dashboards.indicators import Indicators, Rate
from dashboards.reports import indicators, top_links
from dashboards.terminal import part

_TOP = 5


def show_delivery(console: Console, client: Client, delivery: int, label: str) -> None:
    """Print the indicators of a delivery, people beside all, and its most clicked links."""
    people, everybody = (indicators(client, delivery, cut) for cut in ("people", "all"))
    table = Table("", "people", "all, machines too", title=label, title_justify="left", title_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, one, other in zip(_names(), _values(people), _values(everybody), strict=True):
        table.add_row(name, one, other)
    console.print(table)
    console.print(part(top_links(client, delivery, top=_TOP)))


def _names() -> tuple[str, ...]:
    return ("sent or delivered", "opened (messages)", "open rate", "opens", "clicked (messages)", "click rate",
            "clicks", "unsubscribed", "machine share of hits")  # fmt: skip


def _values(counted: Indicators) -> tuple[str, ...]:
    return (
        str(counted.success), str(counted.recipient_open), _percent(counted.open_rate), str(counted.total_open),
        str(counted.recipient_click), _percent(counted.click_rate), str(counted.total_click),
        str(counted.unsubscribed), _percent(counted.machine_share),
    )  # fmt: skip


def _percent(rate: Rate) -> str:
    return "–" if rate is None else f"{float(rate) * 100:.2f} %"
