"""`sendtrail reclassify` that takes fresh hits for old ones, and dies where it is told to.

`python -m tests.line.reclassifier MOMENT ARGS…`: it kills itself at that moment of the run.
"""

import os
import signal
import sys
from functools import partial

from sendtrail.cli import main, reclassifying


def _die(wanted: str, moment: str) -> None:
    if moment == wanted:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    reclassifying.AGE_MS = 0
    reclassifying.Job = partial(reclassifying.Job, observe=partial(_die, sys.argv[1]))  # type: ignore[misc,assignment]
    sys.argv[:] = ["sendtrail", "reclassify", *sys.argv[2:]]
    main.main()
