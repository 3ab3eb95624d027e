"""The web tag's script as it is served, its entity tag, and how long browsers may keep it."""

import hashlib
import re
from pathlib import Path

MAX_AGE_S = 86_400

_COMMENT = re.compile(r"^\s*//.*\n", re.MULTILINE)
_INDENTATION = re.compile(r"^\s+", re.MULTILINE)
_TEXT = re.compile(r"""("[^"\n]*"|`[^`\n]*`)""")
_SPACED = re.compile(r" *(=>|[-=,:?+*{}()<>!&|;]) *")


def served(source: str) -> bytes:
    """The script without lines of comment, indentation and spaces around signs; lines stay, they end statements."""
    lines = _INDENTATION.sub("", _COMMENT.sub("", source)).strip()
    pieces = _TEXT.split(lines)  # texts of the script are the odd ones
    pieces[::2] = (_SPACED.sub(r"\1", piece) for piece in pieces[::2])
    return "".join(pieces).encode()


SCRIPT = served((Path(__file__).parent / "st.js").read_text())
ETAG = b'"%s"' % hashlib.blake2b(SCRIPT, digest_size=9).hexdigest().encode()
