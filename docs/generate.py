"""Writes the generated parts of the docs: the tables of topics, of ClickHouse tables and of commands' help.

python docs/generate.py           # write
python docs/generate.py --check   # exit 1 if a file is stale
"""

import re
import sys
from pathlib import Path

import schema
from typer.main import get_command

from sendtrail.topics import TOPICS, Topic

ROOT = Path(__file__).resolve().parent.parent


def topics_table() -> str:
    """The topics as a Markdown table."""
    rows = ["| topic | key | partitions | kept | written by | read by |", "|---|---|---|---|---|---|"]
    return "\n".join(rows + [_topic_row(topic) for topic in TOPICS])


def _topic_row(topic: Topic) -> str:
    partitions = "as configured" if topic.partitions is None else str(topic.partitions)
    kept = "compacted" if topic.policy == "compact" else f"{topic.retention_days} days"
    return f"| `{topic.name}` | {topic.key} | {partitions} | {kept} | {topic.producer} | {topic.consumer} |"


def command_help() -> str:
    """The help of every command, as a person sees it at 100 columns."""
    import os

    os.environ.update(COLUMNS="100", NO_COLOR="1", TERM="dumb")
    from sendtrail.cli.main import app

    group = get_command(app)
    texts = []
    for name, command in sorted(getattr(group, "commands", {}).items()):
        for path, leaf in _leaves(name, command):
            texts.append(f"## sendtrail {path}\n\n{_summary(leaf)}\n\n{_options(leaf)}".rstrip())
    return "\n\n".join(texts)


def _leaves(name, command):  # type: ignore[no-untyped-def]
    children = getattr(command, "commands", None)
    if not children:
        return [(name, command)]
    return [(f"{name} {child}", leaf) for child, leaf in sorted(children.items())]


def _summary(command) -> str:  # type: ignore[no-untyped-def]
    return re.sub(r"\n(?!\n)", " ", (command.help or "").strip()).replace("\n ", "\n\n")


def _options(command) -> str:  # type: ignore[no-untyped-def]
    rows = []
    for option in command.params:
        names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
        default = option.default if option.default not in (None, False, "") and not callable(option.default) else "–"
        rows.append(f"| {names} | {(getattr(option, 'help', '') or '').replace('|', '/')} | {default} |")
    return "\n".join(["| option | what it does | default |", "|---|---|---|", *rows]) if rows else ""


def report_columns() -> str:
    """Every report's parts and columns as Markdown tables."""
    from dashboards.catalogue import REPORTS

    texts = []
    for report in REPORTS.values():
        texts.append(f"### {report.name}")
        for part, columns in report.parts.items():
            rows = [f"| `{one.key}` | {one.title} | {one.kind} | {one.help} |" for one in columns]
            head = [f"Part `{part}`:", "", "| key | shown as | kind | what it is |", "|---|---|---|---|"]
            texts.append("\n".join([*head, *rows]))
    return "\n\n".join(texts)


PARTS = {
    "ARCHITECTURE.md": {"topics": topics_table, "tables": schema.overview},
    "docs/tables.md": {"views": schema.views, "tables": schema.reference},
    "docs/cli.md": {"commands": command_help},
    "docs/reports.md": {"columns": report_columns},
}

#: Files that are generated as a whole.
WHOLE = {"docs/dbt/sources.yml": schema.dbt_sources}


def filled(text: str, parts: dict[str, "object"]) -> str:
    """The text with what stands between `<!-- name -->` and `<!-- /name -->` made anew."""
    for name, make in parts.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = f"{before}{start}\n{make()}\n{end}{after}"  # type: ignore[operator]
    return text


def made() -> dict[str, str]:
    """File -> its text as it should be."""
    texts = {name: filled((ROOT / name).read_text(), dict(parts)) for name, parts in PARTS.items()}
    return texts | {name: make() for name, make in WHOLE.items()}


def main() -> int:
    """Write or check; 1 if a checked file is stale."""
    stale = 0
    for name, new in made().items():
        path = ROOT / name
        if path.exists() and path.read_text() == new:
            continue
        stale += 1
        if "--check" in sys.argv:
            print(f"{name} is stale: run `make docs`", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(new)
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
