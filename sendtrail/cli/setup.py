"""sendtrail setup: keys, topics, tables and users, before the stages of an installation start."""

import typer


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("setup", rich_help_panel="Processes")(setup)


def setup() -> None:
    """Make what is missing of keys, topics, tables, users file and the pages' API key; again, it changes nothing.

    `sendtrail up` does this by itself; containers run it once before the stages.
    """
    from rich.console import Console

    from sendtrail.local.prepare import make_keys, make_pages_key, make_topics_and_tables, make_users_file
    from sendtrail.settings import load

    console = Console(stderr=True)

    def say(text: str) -> None:
        console.print(text, highlight=False)

    config = load()
    make_keys(config, say)
    make_topics_and_tables(config, say)
    make_users_file(config, say)
    make_pages_key(config, say)
    say("keys, topics and tables are there")
