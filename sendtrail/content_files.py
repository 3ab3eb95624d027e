"""A directory with the contents of deliveries: what the API keeps for edges that show the mirror page themselves.

`<delivery key>.html` and `<delivery key>.txt`, each written all or nothing; an empty part is no file.
"""

from collections.abc import Iterable
from pathlib import Path

from sendtrail import private_file
from sendtrail.contents import Content, Part

ENDINGS: dict[Part, str] = {"html": "html", "text": "txt"}


def path_of(directory: Path, delivery: int, part: Part) -> Path:
    """Where a part is."""
    return directory / f"{delivery}.{ENDINGS[part]}"


def write(directory: Path, contents: Iterable[Content]) -> None:
    """Keep these parts, in place of what was kept of them. Raises OSError."""
    for entry in contents:
        path = path_of(directory, entry.delivery, entry.part)
        if entry.content:
            private_file.write(path, entry.content.encode())
        else:
            path.unlink(missing_ok=True)
