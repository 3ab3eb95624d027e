"""Verified downloads, from a Maven repository served on this machine."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sendtrail.local.artifacts import Artifact, ArtifactError, Lock, ensure, format_lock, read_lock
from sendtrail.local.kafka_lock import KAFKA_VERSION, LOCK_PATH

CONTENTS = {"one": b"first jar" * 1000, "two": b"second jar"}


class Repository:
    """A Maven repository on the loopback interface; counts what is asked of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.asked: list[str] = []
        repository = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                repository.asked.append(self.path)

        handler = functools.partial(Handler, directory=str(directory))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def put(self, name: str, content: bytes) -> None:
        folder = self.directory / "org" / "example" / name / "1.0"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}-1.0.jar").write_bytes(content)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    repository = Repository(tmp_path / "remote")
    settings = tmp_path / "jgo.conf"
    settings.write_text(f"[repositories]\nhere = {repository.url}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    # No mvn: it would look elsewhere.
    monkeypatch.setenv("PATH", "")
    for name, content in CONTENTS.items():
        repository.put(name, content)
    yield repository
    repository.close()


@pytest.fixture
def lock() -> Lock:
    artifacts = [
        Artifact("org.example", name, "1.0", len(content), hashlib.sha256(content).hexdigest())
        for name, content in CONTENTS.items()
    ]
    return Lock("example", "1.0", tuple(artifacts))


def test_downloads_once(repository: Repository, lock: Lock, tmp_path: Path) -> None:
    paths = ensure(lock, tmp_path / "cache")
    assert [path.read_bytes() for path in paths] == list(CONTENTS.values())
    asked = len(repository.asked)
    assert asked > 0
    assert ensure(lock, tmp_path / "cache") == paths
    assert len(repository.asked) == asked


def test_another_file_than_the_lock_names_is_refused(repository: Repository, lock: Lock, tmp_path: Path) -> None:
    repository.put("two", b"secund jar")
    with pytest.raises(ArtifactError, match=r"two-1\.0\.jar"):
        ensure(lock, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_missing_file_is_named(repository: Repository, lock: Lock, tmp_path: Path) -> None:
    (repository.directory / "org" / "example" / "one" / "1.0" / "one-1.0.jar").unlink()
    with pytest.raises(ArtifactError, match=r"one-1\.0\.jar"):
        ensure(lock, tmp_path / "cache")


def test_a_damaged_cache_is_made_anew(repository: Repository, lock: Lock, tmp_path: Path) -> None:
    path = ensure(lock, tmp_path / "cache")[0]
    path.write_bytes(b"short")
    assert ensure(lock, tmp_path / "cache")[0].read_bytes() == CONTENTS["one"]


def test_the_right_file_in_the_local_repository_is_taken(repository: Repository, lock: Lock, tmp_path: Path) -> None:
    for name, content in (("one", CONTENTS["one"]), ("two", b"wrong")):
        folder = tmp_path / "m2" / "org" / "example" / name / "1.0"
        folder.mkdir(parents=True)
        (folder / f"{name}-1.0.jar").write_bytes(content)
    assert [path.read_bytes() for path in ensure(lock, tmp_path / "cache")] == list(CONTENTS.values())
    assert {path for path in repository.asked if "one" in path} == set()


def test_starts_that_race_get_the_same_files(repository: Repository, lock: Lock, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: ensure(lock, tmp_path / "cache"), range(4)))
    assert all(result == results[0] for result in results)
    assert [path.read_bytes() for path in results[0]] == list(CONTENTS.values())
    assert [path.name.startswith(".") for path in (tmp_path / "cache").iterdir()] == [False]


def test_a_lock_reads_back(lock: Lock, tmp_path: Path) -> None:
    path = tmp_path / "lock.toml"
    path.write_text(format_lock(lock, "a command"))
    assert read_lock(path) == lock


def test_kafka_s_lock_is_whole_and_names_no_address() -> None:
    lock = read_lock(LOCK_PATH)
    assert lock.version == KAFKA_VERSION
    names = {artifact.name: artifact for artifact in lock.artifacts}
    assert names["kafka_2.13"].version == names["kafka-clients"].version == KAFKA_VERSION
    assert "log4j-slf4j-impl" in names
    assert all(len(artifact.sha256) == 64 and artifact.size > 0 for artifact in lock.artifacts)
    assert "http" not in LOCK_PATH.read_text()
