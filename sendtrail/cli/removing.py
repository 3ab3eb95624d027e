"""What the commands that take something away have in common."""

import getpass
import sys
from typing import TYPE_CHECKING, Any

import typer

from sendtrail.removal.erasures import BY_COMMAND

if TYPE_CHECKING:
    from sendtrail.settings import Config


def advance(progress: Any, task: Any, left: int) -> None:
    """Show how many parts of tables are written anew of those there were to be."""
    total = max(progress.tasks[0].total or 0, left)
    progress.update(task, total=total or None, completed=total - left)


def who() -> str:
    """Who asks, as tables `deletions` and `erasures` keep it."""
    return f"{BY_COMMAND}{getpass.getuser()}"


def ask(question: str, yes: bool) -> None:
    """Ask a person whether to go on; ends the command where the answer is no, or nobody is there."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to ask: give --yes")
    typer.confirm(f"{question}. Go on?", abort=True)


def config() -> "Config":
    """The settings, those of a running `sendtrail up` among them."""
    from sendtrail.cli.config import load

    return load()


def tables(config: "Config") -> Any:
    """A client of the tracking database, to be used in `with`."""
    from sendtrail.clickhouse import connect
    from sendtrail.settings import ClickHouseSettings

    return connect(config.section(ClickHouseSettings))
