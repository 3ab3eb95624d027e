"""Nothing but links, pixel and hints is changed: the output is the input with exactly those places replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from sendtrail.gateways import resolve
from sendtrail.instrument import Policy, compile
from sendtrail.instrument.found import followed
from sendtrail.instrument.markup import decode_references
from sendtrail.instrument.placeholders import Values, parse
from sendtrail.links import ReadLink
from tests.instrument.odd import documents
from tests.support.golden import golden_keyring

KEYRING = golden_keyring()
BASE = "https://t.example"
TRACKED = re.compile(re.escape(BASE) + r"/([ocum])/([A-Za-z0-9_-]+)")
PIXEL = re.compile(r'<img src="' + re.escape(BASE) + r'/o/[A-Za-z0-9_-]+" width="1" height="1"[^>]*>')


def _statics(output: str) -> list[str]:
    """What stands between the tracked links."""
    return [output[start:end] for start, end in _between(TRACKED.finditer(output), len(output))]


def _between(matches: Iterator[re.Match[str]], end: int) -> Iterator[tuple[int, int]]:
    position = 0
    for match in matches:
        yield position, match.start()
        position = match.end()
    yield position, end


def _originals(source: str, output: str) -> list[str]:
    """What the links replaced, found by laying the output's fixed parts over the input. Fails if they don't fit."""
    statics = _statics(output)
    fits = re.fullmatch("(.*?)".join(map(re.escape, statics)), source, re.DOTALL)
    assert fits, f"{output!r} is not {source!r} with other links"
    return list(fits.groups())


@given(documents)
def test_html_is_the_same_but_for_its_links(source: str) -> None:
    policy = Policy(pixel=False, one_click=False)
    template = compile(html=source, delivery=1, keyring=KEYRING, base_url=BASE, policy=policy)
    output = template.render(2, 3).html
    assert output is not None
    originals = _originals(source, output)
    links = TRACKED.findall(output)
    assert len(originals) == len(links)
    for number, (letter, token) in enumerate(links):
        read = resolve(KEYRING, f"/{letter}/{token}")
        assert isinstance(read, ReadLink)
        assert (read.link.kind, read.link.delivery, read.link.message, read.link.recipient) == ("click", 1, 2, 3)
        followed_from_the_page = followed(decode_references(originals[number], in_attribute=True))
        assert read.link.destination.endswith(followed_from_the_page)
        assert 1 <= read.link.position <= source.count("<")


@given(documents, st.text(max_size=5), st.booleans())
def test_personalised_html_is_the_same_but_for_its_links(source: str, value: str, consent: bool) -> None:
    policy = Policy(pixel=False, one_click=False, placeholders="{{x}}")
    template = compile(html=source, delivery=1, keyring=KEYRING, base_url=BASE, policy=policy)
    values = {"id": value, "q": value}
    output = template.render(2, 3, values=values).html or ""
    originals = _originals(source, output)
    for original, (letter, token) in zip(originals, TRACKED.findall(output), strict=True):
        read = resolve(KEYRING, f"/{letter}/{token}")
        assert isinstance(read, ReadLink)
        written = parse(followed(decode_references(original, in_attribute=True)), "{{x}}")
        assert read.link.destination.endswith(Values(values, str).url(written))
    plain = template.render(2, 3, values=values, consent=False).html or ""
    assert BASE not in plain
    if "{{" not in source:
        assert plain == source


@given(documents)
def test_a_pixel_at_the_start_stands_before_what_people_see(source: str) -> None:
    policy = Policy(pixel_place="start", one_click=False)
    output = compile(html=source, delivery=1, keyring=KEYRING, base_url=BASE, policy=policy).render(2).html or ""
    plain = compile(html=source, delivery=1, keyring=KEYRING, base_url=BASE, policy=Policy(pixel=False)).render(2).html
    (pixel,) = PIXEL.finditer(output)
    assert output.replace(pixel[0], "") == plain
    before = output[: pixel.start()]
    assert not before or "<body" in before.lower() or re.search(r"(?i)<html|</head|<!doctype|^\ufeff$", before)


@given(documents)
def test_the_pixel_is_one_insertion(source: str) -> None:
    plain = compile(html=source, delivery=1, keyring=KEYRING, base_url=BASE, policy=Policy(pixel=False))
    with_pixel = compile(html=source, delivery=1, keyring=KEYRING, base_url=BASE)
    output = with_pixel.render(2).html or ""
    pixels = PIXEL.findall(output)
    assert len(pixels) == 1
    assert output.replace(pixels[0], "") == plain.render(2).html


@given(
    st.lists(st.sampled_from(["https://e.example/a.", " ", "(https://e.example/b)", "\n", "é", "x", "\r\n"])).map(
        "".join
    )
)
def test_text_is_the_same_but_for_its_links(source: str) -> None:
    template = compile(text=source, delivery=1, keyring=KEYRING, base_url=BASE)
    output = template.render(2).text
    assert output is not None
    originals = _originals(source, output)
    for original, (letter, token) in zip(originals, TRACKED.findall(output), strict=True):
        read = resolve(KEYRING, f"/{letter}/{token}")
        assert isinstance(read, ReadLink)
        assert read.link.destination == original
        assert read.link.position > 32768


#: Before, link, behind; without a link nothing is tracked.
PERSONAL = [
    ("", "https://e.example/{{ id }}", ""), ("", "https://e.example/a?{{q}}", "."), ("{{", "", ""), ("é ) .", "", ""),
    ("(", "https://e.example/{{id}}#x", ")"), ("{{id}}", "", ""), ("https://e.example/{{#if}}", "", ""),
    ("<", "https://e.example/{{id}}", ">"), ("see ", "https://e.example/", "..."), ("https://{{id}}.example/", "", ""),
]  # fmt: skip


@given(st.lists(st.sampled_from(PERSONAL)), st.text(max_size=5))
def test_personalised_text_is_the_same_but_for_its_links(lines: list[tuple[str, str, str]], value: str) -> None:
    values = {"id": value, "q": value}
    policy = Policy(one_click=False, placeholders="{{x}}")
    source = "\n".join(before + url + behind for before, url, behind in lines)
    template = compile(text=source, delivery=1, keyring=KEYRING, base_url=BASE, policy=policy)
    output = template.render(2, values=values).text or ""
    for line, (before, url, behind) in zip(output.split("\n"), lines or [("", "", "")], strict=True):
        assert line.startswith(before)
        assert line.endswith(behind)
        target = line[len(before) : len(line) - len(behind)].removeprefix(BASE)
        read = resolve(KEYRING, target) if url else None
        assert (read.link.destination if isinstance(read, ReadLink) else target) == (
            Values(values, str).url(parse(followed(url), "{{x}}"))
        )


hinted = st.lists(
    st.sampled_from(
        [
            '<a data-st-mode="optout" href="#">', '<a href="https://e.example/1"data-st-label="x y">',
            '<a data-st-label=x\n data-st-category=y href=https://e.example/2>', "<a data-st-mode=mirror>",
            '<a href="https://e.example/3" data-st-mode="never" title="t">', '<a data-st-label="l"href="https://e.example/4">',
            '<a data-st-mode="optout"/title=t>', "<a DATA-ST-MODE='nonsense' href='mailto:x'>", "</a>", "text", "<p>",
        ]
    ),
    max_size=8,
).map("".join)  # fmt: skip


@given(hinted)
def test_hints_are_gone_and_other_attributes_stay(source: str) -> None:
    output = compile(html=source, delivery=1, keyring=KEYRING, base_url=BASE).render(2).html or ""
    assert "data-st" not in output.lower()
    for kept in ('title="t"', "title=t", "mailto:x"):
        assert output.count(kept) == source.count(kept)
    assert output.count("<a") == source.count("<a")
    assert not re.search(r"<a[^ \t\n/>]", output)


@given(documents, st.sampled_from([1, 2]))
def test_instrumenting_twice_leaves_tracked_links_alone(source: str, delivery: int) -> None:
    once = compile(html=source, delivery=1, keyring=KEYRING, base_url=BASE).render(2).html or ""
    again = compile(html=once, delivery=delivery, keyring=KEYRING, base_url="https://other.example").render(3)
    assert _statics(again.html or "")[0].startswith(once[: once.find(BASE)])
    assert set(TRACKED.findall(once)) <= set(TRACKED.findall(again.html or ""))
