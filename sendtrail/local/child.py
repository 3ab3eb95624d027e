"""Runs a stage of the line as a child that ends with its parent: `python -m sendtrail.local.child MODULE`."""

import os
import runpy
import sys

from sendtrail.local.process import PARENT_VARIABLE, die_with_parent


def main() -> None:
    """Tie this process to its parent, then become the module named on the command line."""
    die_with_parent()
    os.environ.pop(PARENT_VARIABLE, None)
    module = sys.argv[1]
    sys.argv = [module, *sys.argv[2:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
