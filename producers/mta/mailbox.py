"""Mailboxes of bounces: a Maildir, or IMAP over TLS. A mail is seen to only after what it says has been taken."""

import imaplib
import os
import re
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from producers.mta.reports import MAX_MAIL_BYTES
from sendtrail.errors import SendtrailError
from sendtrail.settings import MtaSettings

_TIMEOUT_S = 60.0


class MailboxError(SendtrailError):
    """The mailbox can't be read, or does not let mails be marked."""


class Mail(NamedTuple):
    """A mail and how its mailbox calls it."""

    handle: str
    content: bytes


class Mailbox(Protocol):
    """Gives mails that nobody has seen to yet. Methods raise MailboxError."""

    def unseen(self) -> Iterator[Mail]:
        """Each once; what is not marked comes again at the next call."""
        ...

    def mark(self, handle: str, matched: bool) -> None:
        """Seen to: it does not come again. One that told nothing is flagged besides, for a person to look at."""
        ...


class Maildir:
    """A Maildir: mails in `new`, and those in `cur` that are not marked as seen."""

    def __init__(self, path: Path) -> None:
        if not (path / "new").is_dir() or not (path / "cur").is_dir():
            raise MailboxError(f"{path} is no Maildir: it has no directories new and cur")
        self._path = path

    def unseen(self) -> Iterator[Mail]:
        try:
            waiting = [
                f"{folder}/{name}"
                for folder in ("new", "cur")
                for name in sorted(os.listdir(self._path / folder))
                if not name.startswith(".") and "S" not in _flags(name)
            ]
        except OSError as error:
            raise MailboxError(f"{self._path} can't be read: {error}") from error
        for handle in waiting:
            with suppress(FileNotFoundError):  # somebody else has moved it
                yield Mail(handle, _read(self._path / handle))

    def mark(self, handle: str, matched: bool) -> None:
        name = handle.partition("/")[2]
        flags = "".join(sorted({*_flags(name), "S", *("" if matched else "F")}))
        try:
            os.rename(self._path / handle, self._path / "cur" / f"{name.partition(':2,')[0]}:2,{flags}")
        except FileNotFoundError:
            return
        except OSError as error:
            raise MailboxError(f"{self._path / handle} can't be moved: {error}") from error


def _flags(name: str) -> str:
    return name.partition(":2,")[2]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_MAIL_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise MailboxError(f"{path} can't be read: {error}") from error


class Imap:
    """A folder over IMAP. Certificates are verified; a context manager, since it holds a connection."""

    def __init__(self, settings: MtaSettings) -> None:
        if not settings.imap_host:
            raise MailboxError("mta.imap_host is not set")
        try:
            trusted = ssl.create_default_context(cafile=settings.imap_ca_file)
            self._client = imaplib.IMAP4_SSL(
                settings.imap_host, settings.imap_port, ssl_context=trusted, timeout=_TIMEOUT_S
            )
        except (OSError, imaplib.IMAP4.error) as error:
            raise MailboxError(f"mailbox {settings.imap_user} at {settings.imap_host}: {error}") from error
        try:
            self._client.login(settings.imap_user, settings.imap_password.get_secret_value())
            state, answer = self._client.select(_quoted(settings.imap_folder))
            if state != "OK":
                raise MailboxError(f"folder {settings.imap_folder} at {settings.imap_host}: {answer!r}")
        except (OSError, imaplib.IMAP4.error) as error:
            self._client.shutdown()
            raise MailboxError(f"mailbox {settings.imap_user} at {settings.imap_host}: {error}") from error
        except MailboxError:
            self._client.shutdown()
            raise

    def __enter__(self) -> "Imap":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError, imaplib.IMAP4.error):
            self._client.logout()

    def unseen(self) -> Iterator[Mail]:
        self._command("noop")
        for uid in self._command("uid", "SEARCH", "UNSEEN")[0].split():
            fetched = self._command("uid", "FETCH", uid.decode(), f"(BODY.PEEK[]<0.{MAX_MAIL_BYTES + 1}>)")
            content = next((part[1] for part in fetched if isinstance(part, tuple)), None)
            if content is not None:
                yield Mail(uid.decode(), content)

    def mark(self, handle: str, matched: bool) -> None:
        self._command("uid", "STORE", handle, "+FLAGS.SILENT", "(\\Seen)" if matched else "(\\Seen \\Flagged)")

    def _command(self, name: str, *arguments: str) -> list[Any]:
        try:
            state, answer = getattr(self._client, name)(*arguments)
        except (OSError, imaplib.IMAP4.error) as error:
            raise MailboxError(f"the mailbox does not answer: {error}") from error
        if state != "OK":
            raise MailboxError(f"the mailbox refuses {' '.join((name, *arguments[:1]))}: {answer!r}")
        found: list[Any] = answer
        return found


def _quoted(folder: str) -> str:
    return '"' + re.sub(r'([\\"])', r"\\\1", folder) + '"'
