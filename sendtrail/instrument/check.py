"""Checks of a message before it is sent: what would make links wrong, keep recipients in, or make figures unclear.

Pure: a message in, findings out. Links are looked at as `compile` treats them, with keys made for the purpose.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sendtrail.deliveries import DeliveryUrl
from sendtrail.instrument.check_links import LookedAt, look, of_headers, of_links, of_placeholders
from sendtrail.instrument.findings import Code, Finding, finding
from sendtrail.instrument.found import Notice
from sendtrail.instrument.mime import bodies_of
from sendtrail.instrument.mime_tree import parse
from sendtrail.instrument.parts import CLIPPED_BYTES
from sendtrail.instrument.policy import Policy, kind_of
from sendtrail.instrument.template import Template, compile
from sendtrail.keyring import new_keyring

#: A tracking host of usual length, where none is given: it counts in sizes and lengths.
USUAL_BASE = "https://links.example.com"

_HEADERS: tuple[tuple[str, Code], ...] = (
    ("From", "no_from"), ("To", "no_to"), ("Subject", "no_subject"), ("Date", "no_date"),
    ("Message-ID", "no_message_id"),
)  # fmt: skip
_KEYRING = new_keyring()


def check(
    *,
    html: str | None = None,
    text: str | None = None,
    policy: Policy | None = None,
    values: Mapping[str, object] | None = None,
    base_url: str = USUAL_BASE,
) -> list[Finding]:
    """Check HTML, text, or both as one message, in order of place.

    `values`: one recipient's, where the message is to be sent with them; None: it is a template, whose placeholders may
    be open. Raises BadLink for a base URL that can't be one.
    """
    policy = replace(policy or Policy(), one_click=False)
    template = compile(html=html, text=text, delivery="check", keyring=_KEYRING, base_url=base_url, policy=policy)
    rendered = template.render("check", "check", values=values)
    parts = [look(name, source, policy) for name, source in (("html", html), ("text", text)) if source is not None]
    findings = list(_of_notices(template.warnings))
    outputs = {"html": rendered.html or "", "text": rendered.text or ""}
    for part in parts:
        findings += of_placeholders(part, policy)
        findings += of_links(part, base_url)
        findings += _opt_out(part, f"{base_url.rstrip('/')}/u/" in outputs[part.name])
    findings += _labels(template.urls, parts)
    findings += _values(template, values)
    size = len(outputs["html"].encode("utf-8", "replace"))
    if size > CLIPPED_BYTES and not any(notice.code == "clipped" for notice in template.warnings):
        findings.append(finding("clipped", "html", f"with tracked links the HTML has {size:,} bytes"))
    return _sorted(findings)


def check_message(
    data: bytes,
    *,
    policy: Policy | None = None,
    values: Mapping[str, object] | None = None,
    base_url: str = USUAL_BASE,
) -> list[Finding]:
    """Check a whole message: its headers, and the parts that people read as `check` does. Raises BadLink."""
    tree = parse(data)
    findings = [
        finding(code, "headers", f"there is no {name}") for name, code in _HEADERS if not tree.has(name)
    ]  # fmt: skip
    findings += of_headers(tree.headers)
    bodies, notices = bodies_of(data, tree)
    findings += _of_notices(notices)
    texts = {kind: "\n".join(body.text for body in bodies if body.kind == kind) for kind in ("html", "text")}
    if texts["html"] and not any(body.kind == "text" for body in bodies):
        findings.append(finding("no_text_part", "headers", "the message has HTML alone"))
    findings += check(
        html=texts["html"] or None, text=texts["text"] or None, policy=policy, values=values, base_url=base_url
    )
    return _sorted(findings)


def _of_notices(notices: Iterable[Notice]) -> Iterator[Finding]:
    return (finding(notice.code, "", notice.text) for notice in notices if notice.code != "unresolved_placeholder")


def _opt_out(part: LookedAt, has_ours: bool) -> Iterator[Finding]:
    if has_ours:
        return
    likely = next((link for link in part.links if link.looks_like_optout), None)
    if likely is None:
        yield finding("no_optout", part.name, "no link lets recipients unsubscribe")
    else:
        yield finding("optout_not_marked", part.name, likely.url, part.source, likely.at)


def _labels(urls: Iterable[DeliveryUrl], parts: list[LookedAt]) -> Iterator[Finding]:
    """Links whose label is missing, or another URL's."""
    places = {link.url: (part, link.at) for part in reversed(parts) for link in reversed(part.links)}
    named: dict[str, str] = {}
    for entry in urls:
        if kind_of(entry.mode) != "click":
            continue
        part, at = places.get(entry.url.partition(" ")[0], (None, None))  # items of a loop: `URL [2]`
        name, source = (part.name, part.source) if part else ("", "")
        if not entry.label and name != "text":  # in text the address itself is what people see
            yield finding("label_missing", name, entry.url, source, at)
        elif entry.label and named.setdefault(entry.label, entry.url) != entry.url:
            text = f"{entry.label!r} names {named[entry.label]} and {entry.url}"
            yield finding("same_label", name, text, source, at)


def _values(template: Template, values: Mapping[str, object] | None) -> Iterator[Finding]:
    if values is not None:
        for name in template.placeholders:
            if values.get(name) is None:
                yield finding("value_missing", "", f"{name!r} has no value")


def _sorted(findings: list[Finding]) -> list[Finding]:
    """Errors first, then by place; each once."""
    unique = dict.fromkeys(findings)
    return sorted(unique, key=lambda one: (one.severity, one.part, one.line, one.column, one.code))
