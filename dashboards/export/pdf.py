"""A page of ours -> PDF, printed by Chromium without a way to anywhere."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from dashboards.queries import ReportError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_TIMEOUT_S = 60
#: No address resolves and every request goes to a proxy that is not there: a page can load nothing.
_ALONE = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:1",
    "--proxy-bypass-list=<-loopback>",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
)


class NoChromium(ReportError):
    """PDF is made by Chromium, and there is none."""


def chromium(configured: Path | None = None) -> Path:
    """The Chromium to print with. Raises NoChromium saying what to do."""
    if configured is not None:
        if configured.is_file():
            return configured
        raise NoChromium(f"reports.chromium: there is no {configured}")
    for name in _NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    raise NoChromium("PDF is printed by Chromium, and none is installed: install it, or set reports.chromium")


def as_pdf(html: str, program: Path) -> bytes:
    """Print a page that has everything in it. Raises ReportError where Chromium fails or takes over a minute."""
    with tempfile.TemporaryDirectory(prefix="sendtrail-pdf-", ignore_cleanup_errors=True) as folder:
        page, printed = Path(folder) / "page.html", Path(folder) / "page.pdf"
        page.write_text(html, encoding="utf-8")
        _print([str(program), *_options(Path(folder), printed), page.as_uri()], folder)
        try:
            return printed.read_bytes()
        except FileNotFoundError as error:
            raise ReportError("Chromium ended without a PDF") from error


def _options(folder: Path, printed: Path) -> list[str]:
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # root has no sandbox to enter; the page is ours
    return [
        "--headless=new", *sandbox, *_ALONE, "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
        "--no-pdf-header-footer", "--virtual-time-budget=5000", f"--user-data-dir={folder}/profile",
        f"--print-to-pdf={printed}",
    ]  # fmt: skip


def _print(command: list[str], folder: str) -> None:
    """Run it in a process group of its own, which ends with it whatever happens."""
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            said = process.communicate(timeout=_TIMEOUT_S)[1]
        except subprocess.TimeoutExpired as error:
            raise ReportError(f"Chromium took longer than {_TIMEOUT_S} s to print") from error
        finally:
            _end(process)
    if process.returncode:
        last = said.decode(errors="replace").strip().splitlines()[-1:]
        raise ReportError(f"Chromium ended with code {process.returncode}: {''.join(last)[:300]}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End what is left of the group: Chromium has children."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
