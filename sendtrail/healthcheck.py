"""`python -m sendtrail.healthcheck URL`: exit 0 if the URL answers 200 within two seconds; for containers."""

import sys
import urllib.request


def main() -> int:
    """0 for a healthy process, 1 for any other answer or none."""
    try:
        with urllib.request.urlopen(sys.argv[1], timeout=2) as answer:
            return 0 if answer.status == 200 else 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
