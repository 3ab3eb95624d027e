"""sendtrail feed: a file of events -> the feed API."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

import typer

from sendtrail.cli import feed_options as options

if TYPE_CHECKING:
    import io

    from rich.progress import Progress

    from sendtrail.feed import Feed
    from sendtrail.feed.batches import Batch
    from sendtrail.feed.files import Found

EXIT_UNREACHABLE = 4
EXIT_INTERRUPTED = 130
_MOST_WAITING = 10_000  # lines read and not yet told of, most of them no items


def register(app: typer.Typer) -> None:
    """Add the verbs of this file to the command."""
    app.command("feed", epilog="Example: sendtrail feed sent.csv.gz --map message=id --set delivery=june")(feed)


def feed(
    source: options.Source,
    api: options.ApiAddress = "",
    key_file: options.KeyFile = None,
    form: options.FormOption = None,
    columns: options.Columns = None,
    fixed: options.Fixed = None,
    ignore_others: options.IgnoreOthers = False,
    delimiter: options.Delimiter = "",
    from_line: options.FromLine = 1,
    refused: options.Refused = None,
    wait_s: options.Wait = 120,
    as_json: options.AsJson = False,
) -> None:
    """Feed a file of events: sent, delivered, bounced and so on, with the fields of docs/api.md.

    It may be interrupted and run again: an item's id comes from the item, so what was taken counts once. Refused items
    are told with their lines and reasons, the others are taken.

    Exit codes: 0 all taken, 1 some refused or the file is not as it must be, 3 settings, 4 the API does not answer,
    130 interrupted.
    """
    from sendtrail.cli.config import load
    from sendtrail.feed import Feed
    from sendtrail.settings import FeedSettings
    from sendtrail.settings.feed import read_key

    if len(delimiter) > 1:
        raise typer.BadParameter("a delimiter is one character")
    settings = load().section(FeedSettings)
    reading = _Reading(form, _pairs("--map", columns), _pairs("--set", fixed), ignore_others, delimiter, from_line)
    with (
        Feed(api or settings.url, read_key(key_file, "--key-file") or settings.secret(), retry_s=wait_s) as client,
        _opened(source) as raw,
        _refusals(refused) as told,
        _progress(source, raw) as progress,
    ):
        run = _Run(client, told, progress)
        _send_all(run, reading.items(source, raw), raw)
    run.summary(as_json)
    if run.refused:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Reading:
    """How a file is to be read."""

    form: options.Form | None
    named: dict[str, str]
    fixed: dict[str, str]
    ignore_others: bool
    delimiter: str
    from_line: int

    def items(self, name: str, raw: IO[bytes]) -> Iterator[Found]:
        """What begins on `from_line` or later. Raises FileUnreadable, BadColumns."""
        from sendtrail.errors import FileUnreadable
        from sendtrail.feed import files
        from sendtrail.feed.columns import Columns

        source: io.BufferedReader = files.unpacked(raw)
        try:
            form = self.form.value if self.form is not None else files.form_of(name, source)
            if form == "csv":
                make = partial(Columns, named=self.named, fixed=self.fixed, ignore_others=self.ignore_others)
                found = files.read_rows(source, make, self.delimiter)
            elif self.named or self.fixed or self.delimiter:
                raise typer.BadParameter("--map, --set and --delimiter are for CSV; JSON lines have fields")
            else:
                found = files.read_lines(source)
            yield from (one for one in found if one.line >= self.from_line)
        except (OSError, EOFError, *files.BROKEN) as error:
            raise FileUnreadable(f"{name} can't be read on: {error}") from error


class _Run:
    """Sends batches and counts what became of them."""

    def __init__(self, client: Feed, told: TextIO | None, progress: Progress | None) -> None:
        from sendtrail.feed.batches import Batcher

        self._client, self._told, self._progress = client, told, progress
        self._batcher = Batcher()
        self._waiting: list[Found] = []
        self._began = time.monotonic()
        self._line = 0  # everything that begins up to here is dealt with
        self.accepted = self.refused = 0

    def all(self, found: Iterator[Found], raw: IO[bytes]) -> None:
        """Every item of a file. Raises ApiError, FileUnreadable, BadColumns."""
        for one in found:
            if isinstance(one.item, bytes):
                self._post(self._batcher.add(one.item))
            self._waiting.append(one)
            if self._batcher.empty:
                self._tell_of_no_items()
            elif len(self._waiting) >= _MOST_WAITING:
                self._post(self._batcher.rest())
            self._show(raw)
        self._post(self._batcher.rest())
        self._tell_of_no_items()
        self._show(raw)

    def say_how_to_go_on(self) -> None:
        """After an interruption."""
        print(
            f"Stopped. Up to line {self._line:,} all is told: {self._counts()}. Run the same command again (what was "
            f"taken counts once), or add --from-line {self._line + 1} to save time.",
            file=sys.stderr,
        )

    def summary(self, as_json: bool) -> None:
        """The counts, on standard output."""
        seconds = time.monotonic() - self._began
        if as_json:
            print(json.dumps({"accepted": self.accepted, "refused": self.refused, "seconds": round(seconds, 3)}))
        else:
            print(f"{self._counts()} in {seconds:.1f} s")

    def _post(self, batch: Batch | None) -> None:
        if batch is None:
            return
        results = self._client.post(batch.items)
        sent, self._waiting = self._waiting, []
        self._settle(sent, results)

    def _tell_of_no_items(self) -> None:
        found, self._waiting = self._waiting, []
        self._settle(found, [])

    def _settle(self, found: Sequence[Found], results: Sequence[Any]) -> None:
        """Tell of lines in order: those that were no items, and those the API has judged."""
        judged = iter(results)
        for one in found:
            if isinstance(one.item, bytes):
                result = next(judged)
                reason, detail = result.reason, result.detail
            else:
                reason, detail = one.item
            if reason:
                self._refuse(one, reason, detail)
            else:
                self.accepted += 1
            self._line = max(self._line, one.line)

    def _refuse(self, one: Found, reason: str, detail: str) -> None:
        self.refused += 1
        if self._told is not None:
            told = {"line": one.line, "reason": reason, "detail": detail, "text": one.text}
            print(json.dumps(told, ensure_ascii=False), file=self._told)
        else:
            print(f"line {one.line}: {reason}: {detail}", file=sys.stderr)  # which is above the bar, while there is one

    def _show(self, raw: IO[bytes]) -> None:
        if self._progress is not None:
            text = f"{self.accepted:,} taken, {self.refused:,} refused"
            self._progress.update(self._progress.task_ids[0], completed=raw.tell(), description=text)

    def _counts(self) -> str:
        return f"{self.accepted:,} accepted, {self.refused:,} refused"


def _send_all(run: _Run, found: Iterator[Found], raw: IO[bytes]) -> None:
    """Every item of a file, or, where that ends early, how to go on and the exit code."""
    from sendtrail.errors import ApiError, ApiUnavailable

    try:
        run.all(found, raw)
    except ApiError as error:
        print(f"sendtrail: {error}", file=sys.stderr)
        run.say_how_to_go_on()
        raise typer.Exit(EXIT_UNREACHABLE if isinstance(error, ApiUnavailable) else 1) from None
    except KeyboardInterrupt:
        run.say_how_to_go_on()
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _pairs(option: str, given: list[str] | None) -> dict[str, str]:
    pairs = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise typer.BadParameter(f"{option} takes NAME=VALUE, unlike {text!r}")
        pairs[name.strip()] = value.strip()
    return pairs


@contextmanager
def _opened(source: str) -> Iterator[IO[bytes]]:
    from sendtrail.errors import FileUnreadable

    if source == "-":
        yield sys.stdin.buffer
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(source).open("rb"))
        except OSError as error:
            raise FileUnreadable(f"{source} can't be read: {error.strerror}") from error
        yield file


@contextmanager
def _refusals(path: Path | None) -> Iterator[TextIO | None]:
    """The file for refused items, if one is named."""
    from sendtrail.errors import FileUnreadable

    if path is None:
        yield None
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("w"))
        except OSError as error:
            raise FileUnreadable(f"{path} can't be written: {error.strerror}") from error
        yield file


@contextmanager
def _progress(source: str, raw: IO[bytes]) -> Iterator[Progress | None]:
    """A bar on a terminal, where the size of the file is known."""
    if source == "-" or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    shown = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*shown, console=Console(stderr=True)) as progress:
        progress.add_task("", total=os.fstat(raw.fileno()).st_size)
        yield progress
