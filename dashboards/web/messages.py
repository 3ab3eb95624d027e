"""Every text of ours that a page can say: what a catalogue has to translate.

`python -m dashboards.web.messages` brings the catalogues up to date: new texts stand there empty, old ones leave. What
a catalogue says at its top about itself stays.
"""

import ast
import io
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
from dashboards.roles import ROLES
from dashboards.shape import Note
from dashboards.web.asking import LABELS, MENU
from dashboards.web.languages import BETWEEN, LANGUAGES, key_of
from dashboards.web.templating import environment
from dashboards.words import MODES

#: Call -> places of its arguments that people read.
_SHOWN = {"Note": (0,), "Table": (1,), "Record": (1,), "Section": (0,), "Column": (1, 3), "text": (0,)}
_KEYWORDS = {"title", "help"}
_LETTER = re.compile(r"[^\W\d_]")


def messages() -> set[str]:
    """The texts in English, as `languages.key_of` writes them. Signs and single letters are none."""
    modes = (mode.replace("_", " ") for mode in MODES)
    found = {*_of_templates(), *_of_code(), *MENU, *LABELS.values(), *ROLES, *modes}
    for report in REPORTS.values():
        found.update(_of_report(report))
    return {text for text in found if len(text) > 1 and _LETTER.search(text)}


def _of_report(report: Definition[Any]) -> Iterator[str]:
    yield from (report.title, report.answers)
    for columns in report.parts.values():
        for column in columns:
            yield from (_key(column.title), _key(column.help))
    for option in options_of(report.options):
        yield from (option.help, LABELS.get(option.name, option.name.replace("_", " ")))
        yield from (choice.replace("_", " ") for choice in option.choices)


def _key(text: str) -> str:
    return key_of(text.template, text.context) if isinstance(text, Note) else text


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
                if isinstance(node, ast.Call):
                    yield from _shown(node)


def _shown(call: ast.Call) -> Iterator[str]:
    """The texts in a call of `_SHOWN`, or of `Formats.text`."""
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if name not in _SHOWN or (name == "text") != isinstance(call.func, ast.Attribute):
        return
    texts = [_constant(each) for each in call.args]
    if name == "Note":
        yield key_of(*texts[:2])
        return
    yield from (texts[place] for place in _SHOWN[name] if place < len(texts))
    yield from (_constant(one.value) for one in call.keywords if one.arg in _KEYWORDS)


def _constant(node: ast.expr) -> str:
    """The text that stands there, "" for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def update(path: Path, language: str) -> tuple[int, int]:
    """Bring a catalogue up to date; how many texts are new and how many left. Its head, up to a blank line, stays."""
    head, _, _ = path.read_bytes().partition(b"\n\n")
    old = read_po(io.BytesIO(path.read_bytes()), locale=language)
    kept = {key_of(str(one.id), one.context or ""): str(one.string) for one in old if one.id}
    wanted = messages()
    new = Catalog(locale=language)
    for key in sorted(wanted):
        context, _, text = key.rpartition(BETWEEN)
        new.add(text, kept.get(key, ""), context=context or None)
    entries = io.BytesIO()
    write_po(entries, new, width=120, omit_header=True, sort_output=True)
    path.write_bytes(head + b"\n\n" + entries.getvalue().strip() + b"\n")
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
