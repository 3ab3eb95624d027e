"""Every text of ours that a page can say: what a catalogue has to translate.

`python -m dashboards.web.messages` brings the catalogues up to date: new texts stand there empty, old ones leave.
"""

import ast
import re
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2.ext import extract_from_ast

from dashboards.catalogue import REPORTS
from dashboards.definition import Definition
from dashboards.options import options_of
from dashboards.web.access.reader import ROLES
from dashboards.web.asking import LABELS, MENU
from dashboards.web.languages import LANGUAGES
from dashboards.web.templating import environment

#: Call -> places of its arguments that people read.
_SHOWN = {"Note": (0,), "Table": (1,), "Record": (1,), "Section": (0,), "Column": (1, 3), "Chart": ()}
_KEYWORDS = {"title", "help"}
_LETTER = re.compile(r"[^\W\d_]")


def messages() -> set[str]:
    """The texts, in English. What a program writes and nobody reads as words is none: texts without a letter."""
    found = {*_of_templates(), *_of_code(), *MENU, *LABELS.values(), *ROLES}
    for report in REPORTS.values():
        found.update(_of_report(report))
    return {text for text in found if _LETTER.search(text)}


def _of_report(report: Definition[Any]) -> Iterator[str]:
    yield from (report.title, report.answers)
    for columns in report.parts.values():
        for column in columns:
            yield from (column.title, column.help)
    for option in options_of(report.options):
        yield from (option.help, LABELS.get(option.name, option.name.replace("_", " ")))
        yield from (choice.replace("_", " ") for choice in option.choices)


def _of_templates() -> Iterator[str]:
    made = environment()
    for name in made.list_templates():
        source = made.loader.get_source(made, name)[0] if made.loader else ""
        for _, _, text in extract_from_ast(made.parse(source), ("_",)):
            if isinstance(text, str):
                yield text


def _of_code() -> Iterator[str]:
    with as_file(files("dashboards")) as folder:
        for path in sorted(Path(folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _SHOWN:
                    yield from _shown(node, _SHOWN[node.func.id])


def _shown(call: ast.Call, places: tuple[int, ...]) -> Iterator[str]:
    given = [call.args[place] for place in places if place < len(call.args)]
    given += [one.value for one in call.keywords if one.arg in _KEYWORDS]
    for each in given:
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def update(path: Path, language: str) -> tuple[int, int]:
    """Bring a catalogue up to date; how many texts are new and how many left."""
    with path.open("rb") as file:
        old = read_po(file, locale=language)
    kept = {str(one.id): str(one.string) for one in old if one.id}
    wanted = messages()
    new = Catalog(locale=language, project="Sendtrail", fuzzy=False, header_comment="")
    for text in sorted(wanted):
        new.add(text, kept.get(text, ""))
    with path.open("wb") as file:
        write_po(file, new, width=120, omit_header=False, sort_output=True)
    return len(wanted - kept.keys()), len(kept.keys() - wanted)


def main() -> None:
    """Update every catalogue of this source tree."""
    for language in LANGUAGES:
        if language != "en":
            path = Path(__file__).parent / "catalogue" / f"{language}.po"
            new, left = update(path, language)
            print(f"{path.name}: {new} new, {left} left out")


if __name__ == "__main__":
    main()
