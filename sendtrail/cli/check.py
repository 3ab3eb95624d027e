"""sendtrail check: what is wrong with a message, before it is sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from sendtrail.cli.instrument import As, Content, Encoding, PolicyFile, pairs, read_source

if TYPE_CHECKING:
    from sendtrail.instrument.findings import Finding


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("check", epilog="Exit code 1 where there are errors; warnings alone are 0.")(check)


def check(
    source: Annotated[str, typer.Argument(metavar="FILE", help="HTML, text or .eml file, `-` for standard input.")],
    content: As = Content.auto,
    policy: PolicyFile = None,
    value: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="Check with these values of one recipient: every placeholder needs one."
        ),
    ] = None,
    base: Annotated[
        str, typer.Option(help="Tracking host; else tracking.base_url (SENDTRAIL_TRACKING_BASE_URL).")
    ] = "",
    encoding: Encoding = "utf-8",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object: errors, warnings, findings.")] = False,
) -> None:
    """Look for links that lead nowhere or can't be told apart, a missing way out, open placeholders and more."""
    from sendtrail.cli.config import load
    from sendtrail.instrument import Policy, load_policy
    from sendtrail.instrument.check import check as check_parts
    from sendtrail.instrument.check import check_message
    from sendtrail.settings import TrackingSettings

    read = read_source(source, content, encoding)
    wanted = Policy() if policy is None else load_policy(policy)
    values = None if value is None else pairs("--value", value)
    base_url = base or load().section(TrackingSettings).base_url
    if read.content == "mime":
        findings = check_message(read.raw, policy=wanted, values=values, base_url=base_url)
    elif read.content == "html":
        findings = check_parts(html=read.text, policy=wanted, values=values, base_url=base_url)
    else:
        findings = check_parts(text=read.text, policy=wanted, values=values, base_url=base_url)
    errors = sum(found.severity == "error" for found in findings)
    if as_json:
        told = {"errors": errors, "warnings": len(findings) - errors, "findings": [one._asdict() for one in findings]}
        print(json.dumps(told, ensure_ascii=False))
    else:
        _print(findings, errors)
    if errors:
        raise typer.Exit(1)


def _print(findings: Sequence[Finding], errors: int) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    if not findings:
        console.print("nothing found")
        return
    table = Table("", "where", "what", "to do", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    colours = {"error": "red", "warning": "yellow"}
    for one in findings:
        where = f"{one.part} {one.line}:{one.column}" if one.line else one.part
        what = f"[bold]{one.code}[/bold]: {escape(one.text)}"
        table.add_row(f"[{colours[one.severity]}]{one.severity}[/]", where, what, escape(one.todo))
    console.print(table)
    console.print(f"{errors} errors, {len(findings) - errors} warnings")
