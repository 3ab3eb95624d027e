"""The pages: readable, self-contained, in four languages, and never led by what a link holds."""

import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.edge import pages
from producers.edge.languages import LANGUAGES, Language, language_of
from producers.edge.pages import PageSet, load
from producers.edge.replies import Reply
from sendtrail.errors import SettingsError

TEMPLATES = Path(pages.__file__).parent / "templates"


def every_page(found: PageSet) -> dict[str, Reply]:
    return {
        "not found": found.not_found("bad_mac"),
        "opt-out": found.optout,
        "opt-out done": found.optout_done,
        "revoked": found.revoked("click", ""),
        "revoked with destination": found.revoked("click", "https://example.com/"),
        "blocked": found.blocked["click"],
        "not done": found.not_done,
        **{f"privacy {state}": reply for state, reply in found.privacy.items()},
    }


SHOWN = {
    (language, name): reply
    for language in LANGUAGES
    for name, reply in every_page(load().of(language.encode())).items()
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


@pytest.mark.parametrize(("language", "name"), SHOWN)
def test_a_page_loads_nothing_and_runs_nothing(language: Language, name: str) -> None:
    reply = SHOWN[language, name]
    tags = Tags(reply.body)
    assert not {"script", "img", "link", "iframe", "a"} & {tag for tag, _ in tags.found}
    assert not [attributes for _, attributes in tags.found if {"src", "href", "action"} & attributes.keys()]
    assert "http-equiv" not in reply.body.decode()
    assert ("html", {"lang": language}) in tags.found
    assert "$" not in reply.body.decode()
    assert [tag for tag, _ in tags.found].count("h1") == 1
    assert f"Content-Language: {language}\r\n".encode() in reply.headers
    assert b"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src data:;" in reply.headers


def test_forms_post_to_their_own_page() -> None:
    forms = {
        name: [attributes for tag, attributes in Tags(reply.body).found if tag == "form"]
        for (_, name), reply in SHOWN.items()
    }
    assert {name for name, found in forms.items() if found} == {"opt-out", "privacy allowed", "privacy refused"}
    assert all(found in ([], [{"method": "post"}]) for found in forms.values())


def test_a_destination_is_shown_as_text() -> None:
    destination = "https://example.com/?a=1&b=\"><script>alert(1)</script>$title'"
    tags = Tags(load().of(None).revoked("click", destination).body)
    assert destination in tags.text
    assert "script" not in {tag for tag, _ in tags.found}


def test_every_language_says_everything_in_its_own_words() -> None:
    texts = {language: tomllib.loads((TEMPLATES / f"{language}.toml").read_text()) for language in LANGUAGES}
    keys = {(name, key) for name, table in texts["en"].items() for key in table}
    for language, tables in texts.items():
        assert {(name, key) for name, table in tables.items() for key in table} == keys
        said = [text for table in tables.values() for text in table.values()]
        assert all(text.strip() for text in said)
        if language != "en":
            english = {text for table in texts["en"].values() for text in table.values()}
            assert not english & set(said)
    used = {(page.stem, key) for page in TEMPLATES.glob("*.html") for key in _placeholders(page)}
    assert {(name, key) for name, key in keys if key != "title"} == {
        (name, key) for name, key in used if name != "page" and key != "destination"
    }


def _placeholders(path: Path) -> set[str]:
    from string import Template

    return set(Template(path.read_text()).get_identifiers())


# Languages


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "fr"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("ES-mx", "es"),
        ("it,pt;q=0.9,es;q=0.4,en;q=0.2", "es"),
        ("en;q=0.3, fr;q=0.7", "fr"),
        ("en, de", "en"),
        ("*", "fr"),
        ("it, *;q=0.5", "fr"),
        ("en;q=0", "fr"),
        ("en;q=x, de;q=0.1", "de"),
        ("en;q=2, de;q=0.1", "de"),
        ("en;q=nan, de;q=0.1", "de"),
        ("en;level=1, de;q=0.1", "de"),
        ("english, deutsch", "fr"),
        (";;;,,,=", "fr"),
        ("x" * 5000 + ",de", "fr"),
    ],
)
def test_the_language_a_reader_asks_for(header: str, language: Language) -> None:
    assert language_of(header.encode(), "fr") == language


@given(st.binary(max_size=400))
def test_any_header_gives_a_language(header: bytes) -> None:
    assert language_of(header, "de") in LANGUAGES


# The operator's own


def own(directory: Path, **files: str) -> Path:
    for name, text in files.items():
        (directory / name.replace("__", ".")).write_text(text)
    return directory


def test_templates_and_texts_of_the_operator(tmp_path: Path) -> None:
    directory = own(
        tmp_path,
        optout__html='<p>$ask $club</p><form method="post"><button>$button</button></form>',
        es__toml='[optout]\nask = "¿Ya no quiere <nada>?"\nclub = "Club"\n',
        en__toml='[optout]\nclub = "Club & Co"\n',
        fr__toml='[optout]\nclub = "Club"\n',
        de__toml='[optout]\nclub = "Verein"\n',
    )
    found = load("en", directory)
    spanish, english = found.of(b"es").optout.body.decode(), found.of(b"en").optout.body.decode()
    assert '<p>¿Ya no quiere &lt;nada&gt;? Club</p><form method="post"><button>Darme de baja</button></form>' in spanish
    assert "Press the button, and these messages stop. Club &amp; Co" in english
    assert found.of(b"de").optout_done.body == load().of(b"de").optout_done.body


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"optuot__html": "x"}, "optuot.html is no page's file"),
        ({"it__toml": ""}, "it.toml is no page's file"),
        ({"optout__html": "<p>$ask</p>"}, 'optout.html must hold <form method="post">'),
        ({"privacy_allowed__html": '<form method="post"></form>'}, "privacy_allowed.html must hold"),
        ({"revoked__html": "<p>$was</p>"}, r"revoked.html must hold \$destination"),
        ({"blocked__html": "<p>$nothing</p>"}, r"blocked.html uses \$nothing, but table \[blocked\] of en.toml"),
        ({"blocked__html": "costs 5 $"}, r"a \$ that begins no placeholder"),
        ({"blocked__html": "<SCRIPT src=x></SCRIPT>"}, "blocked.html holds <script"),
        ({"page__html": "<html>$content</html>"}, r"page.html holds \$content and \$title"),
        ({"page__html": "$title$content$more"}, r"page.html holds \$content and \$title"),
        ({"de__toml": "[optout\n"}, "de.toml can't be read"),
        ({"de__toml": "[optuot]\nask = 'x'\n"}, "de.toml: no page 'optuot'"),
        ({"de__toml": "ask = 'x'\n"}, "de.toml: no page 'ask'"),
        ({"de__toml": "[optout]\nask = 3\n"}, r"de.toml: ask in \[optout\] is not a text"),
        ({"de__toml": "[optout]\nasks = 'x'\n"}, r"de.toml: asks in \[optout\] is used by no template"),
        ({"blocked__html": "x" * 300_000}, "has more than"),
    ],
)
def test_what_does_not_fit_is_named_at_start(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=f"answers.templates_dir.*{said}"):
        load("en", own(tmp_path, **files))


def test_a_directory_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"answers.templates_dir.*can't be read"):
        load("en", tmp_path / "none")
    (tmp_path / "optout.html").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"answers.templates_dir.*can't be read"):
        load("en", tmp_path)
