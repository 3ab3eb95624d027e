"""What a file is that a sender gives: HTML, text, or a whole message."""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

from sendtrail.errors import BadSource
from sendtrail.instrument.found import Notice
from sendtrail.instrument.mime import MessageTemplate, compile_message, looks_like_mail
from sendtrail.instrument.policy import Policy
from sendtrail.instrument.providers import Provider
from sendtrail.instrument.template import Name, Template, compile
from sendtrail.keyring import Keyring

Content = Literal["html", "text", "mime"]
CONTENTS: tuple[Content, ...] = get_args(Content)

_MARKUP = re.compile(r"<(?:!doctype|html|head|body|table|div|span|p|a|br|img|h[1-6]|ul)\b", re.IGNORECASE)


class Output(NamedTuple):
    """One recipient's file, and what belongs on its message: headers, for `mime` those that were added."""

    data: bytes
    headers: list[tuple[str, str]]
    warnings: tuple[Notice, ...]


class Source:
    """A file's bytes and what they are. `encoding`: of HTML and text; a whole message says its own."""

    def __init__(self, raw: bytes, content: Content | None = None, encoding: str = "utf-8") -> None:
        """`content` None: told by what is in it. Raises BadSource for bytes that are not of the encoding."""
        self.raw = raw
        self.encoding = encoding
        if content == "mime" or (content is None and looks_like_mail(raw)):
            self.content: Content = "mime"
            return
        try:
            self.text = raw.decode(encoding)
        except (UnicodeDecodeError, LookupError) as error:
            raise BadSource(f"the message is not {encoding}: {error}") from error
        self.content = content or ("html" if _MARKUP.search(self.text) else "text")

    @property
    def parts(self) -> dict[str, str]:
        """The one part of HTML or text, as `compile` takes it."""
        return {self.content: self.text}

    def compile(
        self, *, delivery: Name, keyring: Keyring, base_url: str, account: str = "", policy: Policy | None = None
    ) -> "CompiledSource":
        """Find its links once. Raises what `sendtrail.instrument.compile` raises."""
        if self.content == "mime":
            mail = compile_message(
                self.raw, delivery=delivery, keyring=keyring, base_url=base_url, account=account, policy=policy
            )
            return CompiledSource(self, mail.template, mail)
        is_html = self.content == "html"
        template = compile(
            html=self.text if is_html else None, text=None if is_html else self.text,
            delivery=delivery, keyring=keyring, base_url=base_url, account=account, policy=policy,
        )  # fmt: skip
        return CompiledSource(self, template, None)


class CompiledSource:
    """A compiled file. `template` is None for a message that is left alone."""

    def __init__(self, source: Source, template: Template | None, mail: MessageTemplate | None) -> None:
        self.source = source
        self.template = template
        self._mail = mail

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
    ) -> Output:
        """One recipient's file. As `Template.render`; with `provider`, its headers come too. Raises BadName."""
        if self._mail is not None:
            mail = self._mail.render(
                message, recipient, values=values, consent=consent, seed=seed, proof=proof, provider=provider
            )
            return Output(mail.data, mail.headers, mail.warnings)
        if self.template is None:
            return Output(self.source.raw, [], ())
        rendered = self.template.render(
            message, recipient, values=values, consent=consent, seed=seed, proof=proof
        )  # fmt: skip
        text = rendered.html if self.source.content == "html" else rendered.text
        headers = rendered.headers
        if provider is not None:
            headers += self.template.headers_for(provider, message, recipient, seed=seed, proof=proof).headers
        errors = "xmlcharrefreplace" if self.source.content == "html" else "replace"
        return Output((text or "").encode(self.source.encoding, errors), headers, rendered.warnings)
