"""Mirror pages: a message's content as its reader got it, harmless, with links that count."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.edge import mirror as shown
from producers.edge.mirror import Contents, compile_content, page_of
from sendtrail import content_files, instrument, mirror
from sendtrail.contents import Content
from sendtrail.errors import BadLink
from sendtrail.events import FLAG_NO_COOKIE, FLAG_SEED
from sendtrail.gateways import resolve
from sendtrail.instrument import Policy
from sendtrail.links import Link, ReadLink, url_id_of
from tests.producers.edge.asking import KEYS, Edge

BASE = "https://t.example.com"
HTML = (
    '<html><head><title>June</title></head><body>Dear {{name}},<a href="https://shop.example/?u={{id}}&amp;x=1">Shop</a>'
    '<a href="https://shop.example/">All</a><p>%name% ${other} {{missing}}!</p>'
    '<a data-st-mode="optout" href="https://shop.example/out">Out</a></body></html>'
)
VALUES = {"name": "<Ana> & {{id}}", "id": "7/8 é"}


def content_of(html: str | None = HTML, text: str | None = None) -> dict[str, str]:
    template = instrument.compile(
        delivery=1, keyring=KEYS, base_url=BASE, html=html, text=text, policy=Policy(placeholders="{{x}}")
    )
    return template.contents()


def edge(tmp_path: Path, **parts: str) -> Edge:
    content_files.write(
        tmp_path,
        [Content(delivery=1, part=part, content=text) for part, text in parts.items()],  # type: ignore[arg-type]
    )
    return Edge({"answers": {"contents_dir": tmp_path}})


def links_in(page: str) -> list[Link]:
    found = [resolve(KEYS, url.removeprefix(BASE)) for url in re.findall(rf'{BASE}/[a-z]/[^"<]+', page)]
    assert all(isinstance(read, ReadLink) for read in found)
    return [read.link for read in found if isinstance(read, ReadLink)]


def test_the_page_is_the_message_of_its_reader(tmp_path: Path) -> None:
    host = edge(tmp_path, **content_of())
    asked = host.ask(host.path("mirror", mirror.destination_with(VALUES), flags=FLAG_SEED))
    assert asked.status == 200
    assert "Dear &lt;Ana&gt; &amp; {{id}}," in asked.body  # a value is not looked at for placeholders
    assert "<p>&lt;Ana&gt; &amp; {{id}} ${other} !</p>" in asked.body
    first, second, out = links_in(asked.body)
    assert first == Link(
        "click", 1, 2, 3, url_id_of("https://shop.example/?u={{id}}&x=1"), 1,
        "https://shop.example/?u=7%2F8%20%C3%A9&x=1", FLAG_SEED,
    )  # fmt: skip
    assert (second.destination, second.position, out.kind) == ("https://shop.example/", 2, "optout")
    assert (asked.hit.kind, asked.hit.message, asked.hit.destination) == ("mirror", 2, "")


def test_looking_at_it_is_no_open(tmp_path: Path) -> None:
    content = content_of()
    assert "/o/" in content["html"]
    host = edge(tmp_path, **content)
    page = host.ask(host.path("mirror")).body
    assert "/o/" not in page
    assert 'src="data:image/gif;base64,' in page


def test_a_click_on_the_page_is_a_click_of_the_message(tmp_path: Path) -> None:
    host = edge(tmp_path, **content_of())
    page = host.ask(host.path("mirror", flags=FLAG_NO_COOKIE)).body
    (_, url, _) = re.findall(rf'{BASE}(/[a-z]/[^"<]+)', page)
    asked = host.ask(url)
    assert (asked.status, asked.header("Location")) == (302, "https://shop.example/")
    assert (asked.hit.kind, asked.hit.message, asked.hit.recipient, asked.hit.flags) == ("click", 2, 3, FLAG_NO_COOKIE)


def test_nothing_runs_in_it_and_images_do_not_learn_its_address(tmp_path: Path) -> None:
    host = edge(tmp_path, html='<script>alert(1)</script><img src="https://img.example/a.png">')
    asked = host.ask(host.path("mirror"))
    policy = asked.header("Content-Security-Policy")
    assert policy is not None
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert "sandbox" in rules
    assert not {"allow-scripts", "allow-same-origin", "allow-forms", "allow-top-navigation"} & set(
        rules["sandbox"].split()
    )
    assert (rules["default-src"], rules["form-action"], rules["base-uri"]) == ("'none'", "'none'", "'none'")
    assert (rules["img-src"], rules["style-src"]) == ("https: http: data:", "'unsafe-inline'")
    assert (asked.header("Referrer-Policy"), asked.header("X-Content-Type-Options")) == ("no-referrer", "nosniff")


def test_a_message_in_text_is_shown_as_text(tmp_path: Path) -> None:
    text = "Dear {{name}}, <see> https://shop.example/a and bye\n"
    host = edge(tmp_path, **content_of(None, text))
    asked = host.ask(host.path("mirror", mirror.destination_with(VALUES)))
    assert "<pre>Dear &lt;Ana&gt; &amp; {{id}}, &lt;see&gt; <a href=" in asked.body
    assert links_in(asked.body)[0].destination == "https://shop.example/a"


def test_a_link_to_the_page_in_the_page_leads_to_the_same_page(tmp_path: Path) -> None:
    host = edge(tmp_path, **content_of('<a data-st-mode="mirror" href="#view">In a browser</a>'))
    asked = host.ask(host.path("mirror", mirror.destination_with({"name": "Ana"})))
    (link,) = links_in(asked.body)
    assert (link.kind, mirror.values_in(link.destination)) == ("mirror", {"name": "Ana"})


@pytest.mark.parametrize("parts", [{}, {"html": ""}])
def test_without_content_there_is_no_page_and_no_hit(tmp_path: Path, parts: dict[str, str]) -> None:
    host = edge(tmp_path, **parts)
    asked = host.ask(host.path("mirror"), accept_language="de")
    assert (asked.status, asked.reason, asked.event) == (404, "no_content", None)
    assert '<html lang="de">' in asked.body
    assert Edge().ask(host.path("mirror")).reason == "no_content"


def test_other_deliveries_and_other_peoples_links_are_left_alone(tmp_path: Path) -> None:
    foreign = Edge().path("click", "https://a.example/", delivery=1, message=9)
    unsigned = content_of()["html"]
    compiled = compile_content(f'<a href="{BASE}{foreign}">', "html", 1)
    assert compiled.slots == []
    assert compile_content(unsigned, "html", 2).slots == []
    assert len(compile_content(unsigned, "html", 1).slots) == 4


def test_content_is_read_again_when_it_changes_and_not_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    real = shown.compile_content

    def counted(content: str, part: Any, delivery: int) -> shown.Compiled:
        compiled.append(content)
        return real(content, part, delivery)

    monkeypatch.setattr(shown, "compile_content", counted)
    contents = Contents(tmp_path)
    assert contents.of(1) is None
    for text in ("one", "two"):
        content_files.write(tmp_path, [Content(delivery=1, part="html", content=text)])
        for _ in range(3):
            found = contents.of(1)
            assert found is not None
            assert found.pieces == (text,)
    assert compiled == ["one", "two"]
    content_files.write(tmp_path, [Content(delivery=1, part="html", content="")])
    assert contents.of(1) is None


def test_what_is_kept_has_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "MAX_CONTENTS", 3)
    contents = Contents(tmp_path)
    for delivery in range(9):
        content_files.write(tmp_path, [Content(delivery=delivery, part="html", content="x" * 100)])
        assert contents.of(delivery) is not None
    assert contents.kept == 3
    monkeypatch.setattr(shown, "MAX_BYTES_KEPT", 150)
    assert contents.of(0) is not None
    assert contents.kept == 1


def test_a_file_that_is_no_content(tmp_path: Path) -> None:
    (tmp_path / "1.html").write_bytes(b"\xff\xfe")
    (tmp_path / "2.html").write_bytes(b"x" * 1_100_000)
    (tmp_path / "3.html").mkdir()
    assert [Contents(tmp_path).of(delivery) for delivery in (1, 2, 3)] == [None] * 3


# Values


def test_a_kilobyte_of_values_fits_and_more_is_refused() -> None:
    assert mirror.values_in(mirror.destination_with(VALUES)) == VALUES
    assert mirror.destination_with({}) == ""
    with pytest.raises(BadLink, match="1024 bytes"):
        mirror.destination_with({"name": "x" * 1024})
    assert mirror.values_in(mirror.PREFIX + "name=" + "x" * 1024) == {}


@pytest.mark.parametrize(
    ("destination", "stored"),
    [("", True), (mirror.PREFIX, True), (mirror.PREFIX + "a=b", True), ("https://a.example/?a=b", False),
     ("https://mirror.invalid.example/?a=b", False), ("https://mirror.invalid/x?a=b", False)],
)  # fmt: skip
def test_which_mirror_links_show_stored_content(destination: str, stored: bool) -> None:
    assert mirror.is_stored(destination) is stored


def test_a_revoked_mirror_link_does_not_show_values() -> None:
    host = Edge(keys=KEYS.with_state(KEYS.active.key_id, "revoked"))
    asked = host.ask(Edge().path("mirror", mirror.destination_with({"name": "Ana"})))
    assert (asked.status, asked.event) == (200, None)
    assert "Ana" not in asked.body


@given(st.text(max_size=300), st.binary(max_size=300), st.sampled_from(["html", "text"]))
def test_any_content_with_any_values_is_a_page(content: str, query: bytes, part: Any) -> None:
    compiled = compile_content(content, part, 1)
    link = Link("mirror", 1, 2, 3, 5, 1, mirror.PREFIX + query.decode("latin-1"))
    page_of(compiled, link, KEYS.active).encode("utf-8", "replace")


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=60), max_size=4))
def test_values_never_bring_markup(values: dict[str, str]) -> None:
    content = "".join(f"<p>{{{{{name}}}}}</p>" for name in ("a", "b")) + '<a href="{{a}}" title="{{b}}">'
    link = Link("mirror", 1, 2, 3, 5, 1, mirror.destination_with({"a": '"><b>', **values}))
    page = page_of(compile_content(content, "html", 1), link, KEYS.active)
    assert (page.count("<"), page.count(">"), page.count('"')) == (5, 5, 4)


@pytest.mark.parametrize(
    ("content", "page"),
    [
        ("<p>{{v}}", "<p>&#x27; onload=x y&amp;z=1 "),
        ('<img alt="{{v}}">', '<img alt="&#x27; onload=x y&amp;z=1 ">'),
        ("<img alt={{v}}>", "<img alt=>"),  # not in quotes: the value would be attributes
        ("<img {{v}}>", "<img >"),
        (
            '<img src="https://i.example/{{v}}.png">',
            '<img src="https://i.example/%27%20onload%3Dx%20y%26z%3D1%20.png">',
        ),
        ('<a href="mailto:{{v}}">', '<a href="mailto:%27%20onload%3Dx%20y%26z%3D1%20">'),
        ("<style>p{color:{{v}} }</style>", "<style>p{color: }</style>"),
        ("<script>f('*|v|*')</script>", "<script>f('')</script>"),
        ("<!-- {{v}} -->", "<!--  -->"),
        ("<style>%v% ${v}</style>", "<style>%v% ${v}</style>"),
    ],
)
def test_values_are_written_as_it_is_safe_where_they_stand(content: str, page: str) -> None:
    link = Link("mirror", 1, 2, 3, 5, 1, mirror.destination_with({"v": "' onload=x y&z=1 "}))
    assert page_of(compile_content(content, "html", 1), link, KEYS.active) == page


def test_from_template_to_page(tmp_path: Path) -> None:
    template = instrument.compile(
        delivery=1,
        keyring=KEYS,
        base_url=BASE,
        html='<p>Dear {{name}}</p><a data-st-mode="mirror" href="https://mirror.invalid/?name={{name}}">View</a>',
        policy=Policy(placeholders="{{x}}", fill_body=True),
    )
    rendered = template.render(2, 3, values={"name": "Ana & é"})
    assert rendered.html is not None
    (sent,) = re.findall(rf'{BASE}(/m/[^"<]+)', rendered.html)
    asked = edge(tmp_path, **template.contents()).ask(sent)
    assert "<p>Dear Ana &amp; é</p>" in asked.body
    assert f"{BASE}{sent}" in asked.body  # the page leads to itself
