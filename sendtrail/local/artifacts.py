"""Verified downloads: a committed lock of Maven artifacts -> a directory of jars in the user's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import rich.progress
from rich.console import Console

if TYPE_CHECKING:
    from jgo.maven import MavenContext

_COMPLETE = ".complete"
_PARALLEL_DOWNLOADS = 4
_TIMEOUT_S = 60


class ArtifactError(RuntimeError):
    """An artifact could not be had, or is not the one the lock names."""


@dataclass(frozen=True)
class Artifact:
    """One jar: Maven coordinates, size in bytes and SHA-256 (hex) of the file."""

    group: str
    name: str
    version: str
    size: int
    sha256: str

    @property
    def filename(self) -> str:
        """File name in the cache."""
        return f"{self.name}-{self.version}.jar"


@dataclass(frozen=True)
class Lock:
    """What a lock file holds: the name of the set, its version and its artifacts."""

    name: str
    version: str
    artifacts: tuple[Artifact, ...]

    @property
    def fingerprint(self) -> str:
        """Short hash over all artifacts, so two locks never share a cache directory."""
        lines = "\n".join(f"{a.filename} {a.sha256}" for a in self.artifacts)
        return hashlib.sha256(lines.encode()).hexdigest()[:12]


def read_lock(path: Path) -> Lock:
    """Parse a lock file (TOML, see kafka.lock.toml)."""
    data = tomllib.loads(path.read_text())
    artifacts = tuple(Artifact(**entry) for entry in data["artifact"])
    return Lock(data["name"], data["version"], artifacts)


def format_lock(lock: Lock, made_by: str) -> str:
    """The text of a lock file; `made_by` is the command that wrote it."""
    parts = [f"# Written by `{made_by}`.", f'name = "{lock.name}"', f'version = "{lock.version}"']
    for artifact in lock.artifacts:
        parts.append(
            f'\n[[artifact]]\ngroup = "{artifact.group}"\nname = "{artifact.name}"\n'
            f'version = "{artifact.version}"\nsize = {artifact.size}\nsha256 = "{artifact.sha256}"'
        )
    return "\n".join(parts) + "\n"


def cache_root() -> Path:
    """Per-user cache of Sendtrail (XDG Base Directory specification)."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "sendtrail"


def ensure(lock: Lock, root: Path | None = None) -> list[Path]:
    """Paths of all jars of `lock`, downloading what is missing. ArtifactError if one can't be had.

    A directory is published by one rename after every file was verified: two processes may race, and a later
    start checks names and sizes only and needs no network.
    """
    target = (root or cache_root()) / f"{lock.name}-{lock.version}-{lock.fingerprint}"
    if not _is_complete(lock, target):
        _publish(lock, target)
    return [target / artifact.filename for artifact in lock.artifacts]


def _is_complete(lock: Lock, target: Path) -> bool:
    if not (target / _COMPLETE).exists():
        return False
    for artifact in lock.artifacts:
        path = target / artifact.filename
        if not path.is_file() or path.stat().st_size != artifact.size:
            return False
    return True


def _publish(lock: Lock, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        _download_all(lock, staging)
        if target.exists() and not _is_complete(lock, target):
            target.rename(staging / "damaged")
        try:
            (staging / "jars").rename(target)
        except OSError:
            if not _is_complete(lock, target):
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _download_all(lock: Lock, staging: Path) -> None:
    jars = staging / "jars"
    jars.mkdir()
    columns = (
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.DownloadColumn(),
        rich.progress.TransferSpeedColumn(),
    )
    with (
        rich.progress.Progress(*columns, console=Console(stderr=True)) as progress,
        ThreadPoolExecutor(_PARALLEL_DOWNLOADS, thread_name_prefix="download") as pool,
    ):
        total = sum(artifact.size for artifact in lock.artifacts)
        task = progress.add_task(f"{lock.name} {lock.version}", total=total)
        context = _maven(staging / "repository", lambda size: progress.advance(task, size))
        for downloaded, artifact in pool.map(lambda one: (_fetch(one, context, jars), one), lock.artifacts):
            if not downloaded:
                progress.advance(task, artifact.size)
    (jars / _COMPLETE).touch()


def _maven(repository: Path, advance: Callable[[int], None]) -> MavenContext:
    """How this machine reaches Maven artifacts: jgo's own settings; downloads go into `repository`."""
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext, PythonResolver

    @contextmanager
    def progress_of_one(_: str, __: int) -> Iterator[Callable[[int], None]]:
        yield advance

    return MavenContext(
        resolver=PythonResolver(progress_callback=progress_of_one),
        repo_cache=repository,
        remote_repos=GlobalSettings.load().repositories or None,
        timeout=_TIMEOUT_S,
    )


def _fetch(artifact: Artifact, context: MavenContext, jars: Path) -> bool:
    """Put one verified jar into `jars`; True if it was downloaded, False if this machine had it."""
    local = _in_user_repository(artifact)
    source = local or _download(artifact, context)
    if digest(source) != artifact.sha256:
        raise ArtifactError(f"{artifact.filename} is not the file the lock names (its SHA-256 differs)")
    shutil.copyfile(source, jars / artifact.filename)
    return local is None


def _in_user_repository(artifact: Artifact) -> Path | None:
    """The jar in Maven's local repository, if it is there and is the right one."""
    from jgo.constants import default_maven_repo

    folder = default_maven_repo().joinpath(*artifact.group.split("."), artifact.name, artifact.version)
    path = folder / artifact.filename
    return path if path.is_file() and digest(path) == artifact.sha256 else None


def _download(artifact: Artifact, context: MavenContext) -> Path:
    """Download by coordinates. Falls back to the `mvn` command, which knows mirrors that jgo does not."""
    import requests

    component = context.project(artifact.group, artifact.name).at_version(artifact.version)
    try:
        return component.artifact().resolve()
    except (requests.RequestException, RuntimeError, OSError) as error:
        path = _download_with_mvn(artifact, context.repo_cache)
        if path is None:
            raise ArtifactError(f"cannot download {artifact.filename}: {error}") from error
        return path


def _download_with_mvn(artifact: Artifact, repository: Path) -> Path | None:
    command = shutil.which("mvn")
    if command is None:
        return None
    coordinates = f"{artifact.group}:{artifact.name}:{artifact.version}"
    goal = ["dependency:get", "-Dtransitive=false", f"-Dartifact={coordinates}"]
    run = subprocess.run([command, "-B", "-q", f"-Dmaven.repo.local={repository}", *goal], check=False)
    folder = repository.joinpath(*artifact.group.split("."), artifact.name, artifact.version)
    path = folder / artifact.filename
    return path if run.returncode == 0 and path.is_file() else None


def digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
