"""The templates, with escaping on and everything they may call."""

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, Response

from dashboards.catalogue import REPORTS
from dashboards.options import Option
from dashboards.web.asking import Question
from dashboards.web.languages import LANGUAGES
from dashboards.web.view import View, zones


@cache
def environment() -> Environment:
    """The templates of the pages."""
    made = Environment(
        loader=PackageLoader("dashboards.web"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"languages": LANGUAGES, "zones": zones(), "reports": REPORTS, "asset": asset}
    made.filters["sparkline"] = sparkline
    made.tests["set_in"] = set_in
    return made


def render(name: str, view: View, **values: Any) -> str:
    """A page as HTML. `_` in a template says our words in the reader's language."""
    return environment().get_template(name).render(view=view, formats=view.formats, _=view.formats.text, **values)


def page(name: str, view: View, status_code: int = 200, **values: Any) -> Response:
    """A page as an answer."""
    return HTMLResponse(render(name, view, **values), status_code)


@cache
def asset(name: str) -> str:
    """The address of a static file, another one when its content is: browsers may keep it for ever."""
    from hashlib import blake2b

    content = (files("dashboards") / "web" / "static" / name).read_bytes()
    return f"/static/{name}?v={blake2b(content, digest_size=6).hexdigest()}"


def set_in(option: Option, question: Question) -> bool:
    """Whether the address asks something of an option."""
    return question.is_set(option)


def sparkline(series: list[float]) -> str:
    """Points of a line 100 wide and 20 high through the numbers, for an SVG polyline."""
    largest = max(series, default=0) or 1
    step = 100 / max(len(series) - 1, 1)
    return " ".join(f"{index * step:.1f},{19 - 18 * value / largest:.1f}" for index, value in enumerate(series))
