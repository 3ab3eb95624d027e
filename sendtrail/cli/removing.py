"""What the commands that take something away have in common."""

import getpass
import sys
from typing import Any

import typer


def advance(progress: Any, task: Any, left: int) -> None:
    """Show how many parts of tables are written anew of those there were to be."""
    total = max(progress.tasks[0].total or 0, left)
    progress.update(task, total=total or None, completed=total - left)


def who() -> str:
    """Who asks, as tables `deletions` and `erasures` keep it."""
    from sendtrail.removal.erasures import BY_COMMAND

    return f"{BY_COMMAND}{getpass.getuser()}"


def ask(question: str, yes: bool) -> None:
    """Ask a person whether to go on; ends the command where the answer is no, or nobody is there."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to ask: give --yes")
    typer.confirm(f"{question}. Go on?", abort=True)
