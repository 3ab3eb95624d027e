"""The pages: readable, self-contained, and never led by what a link holds."""

from html.parser import HTMLParser

import pytest

from producers.edge import pages

PAGES = {
    "not found": pages.NOT_FOUND,
    "opt-out": pages.OPTOUT,
    "opt-out done": pages.OPTOUT_DONE,
    "revoked": pages.revoked(""),
    "revoked with destination": pages.revoked("https://example.com/"),
}


class Tags(HTMLParser):
    """Collects tags with their attributes, and text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_a_page_loads_nothing_and_runs_nothing(page: bytes) -> None:
    tags = Tags(page)
    assert not {"script", "img", "link", "iframe", "a"} & {tag for tag, _ in tags.found}
    assert not [attributes for _, attributes in tags.found if {"src", "href", "action"} & attributes.keys()]
    assert "http-equiv" not in page.decode()
    assert ("html", {"lang": "en"}) in tags.found
    assert "$" not in page.decode()


def test_only_the_optout_page_has_a_form_and_it_posts() -> None:
    forms = [attributes for page in PAGES.values() for tag, attributes in Tags(page).found if tag == "form"]
    assert forms == [{"method": "post"}]


def test_a_destination_is_shown_as_text() -> None:
    destination = "https://example.com/?a=1&b=\"><script>alert(1)</script>$title'"
    tags = Tags(pages.revoked(destination))
    assert destination in tags.text
    assert "script" not in {tag for tag, _ in tags.found}
