"""Golden files: what is frozen by mail that is out. Written only with `pytest --rewrite-golden`, else compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sendtrail.keyring import Keyring, load

GOLDEN = Path(__file__).parent.parent / "golden"


def golden_keyring() -> Keyring:
    """The key file the golden tokens are made with: key 1 active, 2 retired, 3 revoked. For tests only."""
    return load(GOLDEN / "keys.toml")


def golden_events() -> list[dict[str, Any]]:
    """Every golden event of every version: version, kind, name, line, reencoded, fields and partitions."""
    return [
        {"version": int(path.parent.name[1:]), "kind": path.stem, **example}
        for path in sorted(GOLDEN.glob("events/v*/*.json"))
        for example in json.loads(path.read_text())
    ]


class Golden:
    """Compares what this release makes with the files, or rewrites them when asked."""

    def __init__(self, rewrite: bool) -> None:
        self.rewrite = rewrite

    def check(self, name: str, produced: Any) -> None:
        """A JSON document, or JSON lines where the name ends in .jsonl."""
        path = GOLDEN / name
        if path.suffix == ".jsonl":
            text = "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in produced)
        else:
            text = json.dumps(produced, indent=1, ensure_ascii=True) + "\n"
        if self.rewrite:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert path.exists(), f"{path} is missing: write it with --rewrite-golden, once, and look at it"
        assert path.read_text() == text, f"{path} differs from what this release makes"
