"""A whole message (RFC 5322, MIME) in, the same message with tracked links out.

Every part that people read is instrumented in its own charset and transfer encoding. Attachments, AMP parts and
attached messages are left alone, and so is a signed or encrypted message as a whole: a change breaks its signature.
Outside the bodies of changed parts and the headers added, the output is the input byte for byte.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import NamedTuple

from sendtrail.deliveries import DeliveryUrl
from sendtrail.events import MailFormat
from sendtrail.instrument.found import Notice
from sendtrail.instrument.mime_body import Form, read, write
from sendtrail.instrument.mime_tree import Part, parse
from sendtrail.instrument.policy import Policy
from sendtrail.instrument.providers import Provider
from sendtrail.instrument.template import Name, Template, compile
from sendtrail.keyring import Keyring

_SEALED_TYPES = frozenset((
    "multipart/signed", "multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime",
    "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-encrypted",
    "application/pgp-signature",
))  # fmt: skip
_PGP = ("-----BEGIN PGP SIGNED MESSAGE-----", "-----BEGIN PGP MESSAGE-----")
_USUAL = ("From", "Received", "Return-Path", "MIME-Version", "Content-Type", "Message-ID")
#: A URL before a line break that a mail program takes out (RFC 3676, DelSp).
_CUT_URL = re.compile(r"https?://\S+ \r?\n", re.IGNORECASE)
#: Between two parts of one kind while they are one document: nothing that a link could begin or end in.
_BETWEEN = {"html": "<!--sendtrail:next-part{}-->", "text": "\n\x1e{}\n"}


class RenderedMessage(NamedTuple):
    """One recipient's message as bytes. `headers`: those that were added."""

    data: bytes
    headers: list[tuple[str, str]]
    warnings: tuple[Notice, ...]

    def message(self) -> EmailMessage:
        """The message as Python's `email` reads it, for `smtplib`'s `send_message`."""
        parsed = message_from_bytes(self.data, policy=policy.SMTP)
        if not isinstance(parsed, EmailMessage):
            raise TypeError(parsed)
        return parsed


class Body(NamedTuple):
    """A part to instrument: where it stands, and its text."""

    part: Part
    text: str
    form: Form

    @property
    def kind(self) -> str:
        return "html" if self.part.type == "text/html" else "text"


class MessageTemplate:
    """A compiled message of one delivery. Made by `compile_message`; safe to share between threads.

    `template` holds what its HTML and text parts have in common: URLs, contents, warnings, the `prepared` item. It is
    None for a message that is left alone.
    """

    def __init__(
        self, data: bytes, tree: Part, warnings: list[Notice], template: Template | None = None,
        bodies: tuple[Body, ...] = (),
    ) -> None:  # fmt: skip
        self.template = template
        self.warnings = tuple(dict.fromkeys([*warnings, *(template.warnings if template else ())]))
        self._data = data
        self._tree = tree
        self._bodies = bodies
        self._line_break = _line_break(data)

    @property
    def format(self) -> MailFormat:
        """Which parts the message shows."""
        kinds = {part.type for part in _shown(self._tree)}
        return "multipart" if kinds == {"text/html", "text/plain"} else "html" if "text/html" in kinds else "text"

    def render(
        self,
        message: Name,
        recipient: Name | None = None,
        *,
        values: Mapping[str, object] | None = None,
        consent: bool = True,
        seed: bool = False,
        proof: bool = False,
        provider: Provider | None = None,
    ) -> RenderedMessage:
        """One recipient's message. As `Template.render`; with `provider`, its headers are added. Raises BadName."""
        if self.template is None:
            return RenderedMessage(self._data, [], self.warnings)
        rendered = self.template.render(message, recipient, values=values, consent=consent, seed=seed, proof=proof)
        headers = rendered.headers
        if provider is not None:
            headers += self.template.headers_for(provider, message, recipient, seed=seed, proof=proof).headers
        texts = {
            "html": _parted(rendered.html, [body.text for body in self._bodies if body.kind == "html"], "html"),
            "text": _parted(rendered.text, [body.text for body in self._bodies if body.kind == "text"], "text"),
        }
        notices = [notice for notice in rendered.warnings if notice not in self.warnings]
        added = self._added(headers)
        kept = [name for name, _ in headers if self._tree.has(name) and not name.startswith("List-Unsubscribe")]
        notices += [Notice("header_kept", f"the message has {name}: it stays, ours is not added") for name in kept]
        edits = [(self._tree.fields_end, self._tree.fields_end, self._header_lines(added))]
        for body in self._bodies:
            edits += self._edits(body, next(texts[body.kind]), notices)
        return RenderedMessage(_edited(self._data, edits), added, (*self.warnings, *dict.fromkeys(notices)))

    def _added(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The headers that the message does not have. A List-Unsubscribe of its own excludes both fields of ours."""
        if not self._tree.fields:
            return []
        own = self._tree.has("List-Unsubscribe") or self._tree.has("List-Unsubscribe-Post")
        return [
            (name, value)
            for name, value in headers
            if not self._tree.has(name) and not (own and name.lower().startswith("list-unsubscribe"))
        ]

    def _header_lines(self, headers: list[tuple[str, str]]) -> bytes:
        lines = [f"{name}: {value}".encode() + self._line_break for name, value in headers]
        at = self._tree.fields_end
        unfinished = at and not self._data.endswith(b"\n", 0, at)
        return (self._line_break if unfinished and lines else b"") + b"".join(lines)

    def _edits(self, body: Body, text: str, notices: list[Notice]) -> Iterator[tuple[int, int, bytes]]:
        """The new body of a part, and its transfer encoding where that has to change."""
        if text == body.text:
            return
        part, before = body.part, self._data[body.part.body : body.part.end]
        written = write(text, body.form, body.kind == "html", before)
        if written.lost:
            notices.append(Notice("not_in_charset", f"{body.form.charset} can't hold all of the {body.kind} part: `?`"))
        if written.encoding != body.form.encoding:
            why = "its lines would be too long, or it would be 8-bit"
            notices.append(Notice("reencoded", f"the {body.kind} part is quoted-printable now: {why}"))
            line = b"Content-Transfer-Encoding: quoted-printable" + self._line_break
            old = [field for field in part.fields if field.name == "content-transfer-encoding"]
            yield (old[0].start, old[0].end, line) if old else (part.fields_end, part.fields_end, line)
        yield part.body, part.end, written.body


def looks_like_mail(data: bytes) -> bool:
    """Whether a file begins as a message does: header fields, one of them as every mail has, then a blank line."""
    tree = parse(data)
    return tree.body > tree.fields_end > 0 and any(tree.has(name) for name in _USUAL)


def compile_message(
    source: bytes | EmailMessage,
    *,
    delivery: Name,
    keyring: Keyring,
    base_url: str,
    account: str = "",
    policy: Policy | None = None,
    registered: Iterable[DeliveryUrl] = (),
) -> MessageTemplate:
    """Find the links of a message once. The arguments are those of `compile`.

    Raises what `compile` raises; no message is refused. One that is signed or encrypted, or shows nothing that can be
    read, is left alone, and `warnings` says so.
    """
    data = source if isinstance(source, bytes) else source.as_bytes()
    tree = parse(data)
    bodies, warnings = bodies_of(data, tree)
    if not bodies:
        return MessageTemplate(data, tree, warnings)
    if tree.has("List-Unsubscribe") or tree.has("List-Unsubscribe-Post"):
        warnings.append(Notice("header_kept", "the message has List-Unsubscribe: it stays, ours is not added"))
    joined = {kind: _joined([body.text for body in bodies if body.kind == kind], kind) for kind in ("html", "text")}
    template = compile(
        html=joined["html"], text=joined["text"], delivery=delivery, keyring=keyring, base_url=base_url,
        account=account, policy=policy, registered=registered,
    )  # fmt: skip
    return MessageTemplate(data, tree, warnings, template, tuple(bodies))


def bodies_of(data: bytes, tree: Part) -> tuple[list[Body], list[Notice]]:
    """The parts of a message to instrument; none for one that is left alone, and why."""
    sealed = _sealed(data, tree)
    if sealed:
        return [], [Notice("sealed", f"{sealed}: the message is left as it is")]
    bodies, notices = [], list(_left(tree))
    for part in _shown(tree):
        got = _read(data, part)
        if isinstance(got, Notice):
            notices.append(got)
        else:
            bodies.append(got)
    if not bodies:
        notices.append(Notice("nothing_to_track", "the message has no text or HTML part that can be read"))
    return bodies, notices


def _shown(tree: Part) -> Iterator[Part]:
    """The parts that people read: HTML and text that is no attachment, nor a resource of another part."""
    for part in tree.walk():
        is_resource = bool(part.of) and part.of[-1] == "multipart/related" and not part.is_root
        if part.type in ("text/html", "text/plain") and not part.is_attachment and not is_resource:
            yield part


def _read(data: bytes, part: Part) -> Body | Notice:
    charset = part.headers.get_content_charset() or "us-ascii"
    encoding = str(part.headers.get("content-transfer-encoding", ""))
    got = read(data[part.body : part.end], encoding, charset, _line_break(data))
    if got is None:
        return Notice("undecodable_part", f"a {part.type} part ({charset[:40]}, {encoding[:40]}) can't be read: left")
    if part.headers.get_param("delsp") == "yes" and _CUT_URL.search(got[0]):
        return Notice("undecodable_part", "a text part cuts its URLs over lines (DelSp=yes): left as it is")
    return Body(part, *got)


def _sealed(data: bytes, tree: Part) -> str:
    """What a change would break: empty for a message that is neither signed nor encrypted."""
    for field in ("DKIM-Signature", "ARC-Message-Signature"):
        if tree.has(field):
            return f"it has a {field} (sign after instrumenting)"
    for part in tree.walk():
        if part.type in _SEALED_TYPES:
            return f"it is signed or encrypted ({part.type})"
        if part.type == "text/plain" and _holds_pgp(data, part):
            return "it is signed or encrypted (PGP)"
    return ""


def _holds_pgp(data: bytes, part: Part) -> bool:
    """Whether a text is signed or encrypted inside; its transfer encoding may hide the words that say so."""
    body = data[part.body : part.end]
    if any(mark.encode() in body for mark in _PGP):
        return True
    got = _read(data, part)
    return isinstance(got, Body) and any(mark in got.text for mark in _PGP)


def _left(tree: Part) -> Iterator[Notice]:
    """What stays as it is and may hold links."""
    shown = set(map(id, _shown(tree)))
    for part in tree.walk():
        if part.type in ("text/x-amp-html", "message/rfc822") or (
            part.type in ("text/html", "text/plain") and id(part) not in shown
        ):
            yield Notice("part_left", f"{part.type} {part.headers.get_filename() or ''}".rstrip() + " is left as it is")


def _line_break(data: bytes) -> bytes:
    end = data.find(b"\n")
    return b"\r\n" if end == -1 or data[end - 1 : end] == b"\r" else b"\n"


def _between(texts: list[str], kind: str) -> str:
    """A separator that none of the texts holds."""
    number = 0
    while any(_BETWEEN[kind].format(number or "") in text for text in texts):
        number += 1
    return _BETWEEN[kind].format(number or "")


def _joined(texts: list[str], kind: str) -> str | None:
    return _between(texts, kind).join(texts) if texts else None


def _parted(text: str | None, originals: list[str], kind: str) -> Iterator[str]:
    return iter(() if text is None else text.split(_between(originals, kind)))


def _edited(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    pieces, position = [], 0
    for start, end, instead in sorted(edits, key=lambda edit: edit[:2]):
        pieces += [data[position:start], instead]
        position = end
    return b"".join((*pieces, data[position:]))
