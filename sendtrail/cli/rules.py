"""sendtrail rules check: do the rules on machine traffic do what their examples say?"""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    group = typer.Typer(no_args_is_help=True, help="The rules that tell machines from people.")
    group.command("check")(check)
    app.add_typer(group, name="rules")


def check(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="A folder of *.toml, or one such file; else as streams.rules_dir says."),
    ] = None,
    format: Annotated[Literal["table", "json"], typer.Option(help="Lines for people or one JSON object.")] = "table",
) -> None:
    """Read rules as the worker would, and send the examples of each through its steps.

    Prints the version that events judged by them will name. Exit code 1 if an example does not hold, 3 if a file can't
    be read: then its name and the key are told.
    """
    from sendtrail.cli.config import load
    from sendtrail.settings import StreamSettings
    from streams.check_rules import failures
    from streams.rules import load_rules

    named = folder or load().section(StreamSettings).rules_dir
    rules = load_rules(named)
    failed = failures(rules)
    if format == "json":
        print(json.dumps({"version": rules.version, "rules": len(rules.tested), "failed": failed}))
    else:
        for text in failed:
            print(text)
        verdict = f"{len(failed)} examples do not hold" if failed else "all examples hold"
        print(f"rules {rules.version} ({named or 'built-in'}): {len(rules.tested)} rules, {verdict}")
    raise typer.Exit(1 if failed else 0)
