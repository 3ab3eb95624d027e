"""Links minted and messages rendered per second, on one core.

    python -m bench.instrument [--seconds 5]

Links: a click with its own recipient, its token made and joined to the tracking host (as a compiled message does it,
and by `links.mint`, which checks the destination each time). Messages: 50 KB of HTML with 30 links and a text part with
ten, compiled once, rendered for a recipient by name, pixel and one-click header included; and the same with two values
of the recipient's in every destination, a parameter added, a name in the greeting and the signed id for the shop.
Figures are per second of CPU time, so what else runs on the machine hardly matters. Goals (DESIGN §10): 200 k links/s,
3 k messages/s.
"""

import json
import time
from collections.abc import Callable
from typing import Annotated

import typer

from sendtrail import links
from sendtrail.instrument import Policy, Template, compile
from sendtrail.keyring import new_keyring

BASE = "https://t.example.com"
KEYRING = new_keyring()
_BATCH = 200


def message(size: int = 50_000, count: int = 30) -> tuple[str, str]:
    """A newsletter of `size` characters with `count` links, and its text part."""
    urls = [f"https://shop.example.com/products/{n}?utm_source=newsletter&amp;ref={n * 7919}#top" for n in range(count)]
    paragraph = (
        "<p style='margin:0 0 12px;font:15px/1.5 Georgia,serif'>Leaf mould feeds the soil &amp; shelters hedgehogs.</p>"
    )
    filler = paragraph * ((size // count - 150) // len(paragraph))
    rows = [f'<tr><td><h2>Item {n}</h2>{filler}<a href="{url}">More on {n}</a></td></tr>' for n, url in enumerate(urls)]
    body = "\n".join(rows)
    padding = "." * max(0, size - len(body) - 90)
    html = f"<!DOCTYPE html><html><head><title>N</title></head><body>{padding}<table>{body}</table></body></html>"
    text = "\n".join(f"Item {n}: {url.replace('&amp;', '&')}" for n, url in enumerate(urls[:10]))
    return html, text


def personalised(html: str, text: str) -> Template:
    """The message with the recipient in it, as a sender's own template has it."""
    policy = Policy(
        placeholders="{{x}}",
        fill_body=True,
        parameters={"utm_content": "{{segment}}"},
        web_id="st",
        web_id_hosts=("shop.example.com",),
    )
    html = html.replace("?utm_source", "?c={{customer}}&amp;utm_source").replace(
        "<table>", "<p>Dear {{name}}</p><table>"
    )
    text = "Dear {{name}}\n" + text.replace("?utm_source", "?c={{customer}}&utm_source")
    return compile(html=html, text=text, delivery="spring", keyring=KEYRING, base_url=BASE, policy=policy)


def values(number: int) -> dict[str, str]:
    """One recipient's."""
    return {"name": f"Ann & Co {number}", "customer": f"c/{number}", "segment": "new customers"}


def rate(work: Callable[[int], object], seconds: float) -> float:
    """Calls per second of CPU time."""
    number, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        for _ in range(_BATCH):
            work(number)
            number += 1
    return number / (time.process_time() - start)


def figures(seconds: float) -> dict[str, float]:
    """Every figure of this file."""
    signer = links.Signer(KEYRING.active)
    place = links.place_bytes(7, 1, "https://shop.example.com/products/7?utm_source=newsletter&ref=55433#top")
    head = links.head_bytes(signer.key_id, "click", 0, True)

    def sealed(number: int) -> str:
        return f"{BASE}/c/{signer.seal(head + links.identity_bytes(12, number, number) + place)}"

    def minted(number: int) -> str:
        link = links.Link("click", 12, number, number, 7, 1, "https://shop.example.com/products/7?ref=55433#top")
        return links.url_of(BASE, "click", links.mint(KEYRING.active, link))

    html, text = message()
    template = compile(html=html, text=text, delivery="spring", keyring=KEYRING, base_url=BASE)
    personal = personalised(html, text)
    shown = personal.render(1, "r1@example.com", values=values(1))
    assert not shown.warnings
    compiles = rate(lambda n: compile(html=html, text=text, delivery=n, keyring=KEYRING, base_url=BASE), seconds / 5)
    return {
        "html_bytes": len(html),
        "links_per_message": len(template.urls) - 1 + 10 + 2,  # both parts, pixel and header
        "links_sealed_per_s": round(rate(sealed, seconds)),
        "links_minted_per_s": round(rate(minted, seconds)),
        "messages_per_s": round(rate(lambda n: template.render(n, f"r{n}@example.com"), seconds)),
        "personalised_per_s": round(rate(lambda n: personal.render(n, f"r{n}@example.com", values=values(n)), seconds)),
        "compile_ms": round(1000 / compiles, 2),
    }


def main(seconds: Annotated[float, typer.Option(help="CPU time per figure.")] = 5.0) -> None:
    """Print the figures as one JSON line."""
    print(json.dumps(figures(seconds)))


if __name__ == "__main__":
    typer.run(main)
