"""The warning of a photo with several faces."""

import sys


def warn_of_several(command: str, path: str, faces_found: int, rule: str) -> None:
    """Say on standard error which of a photo's faces was used, if it shows several."""
    if faces_found > 1:
        print(
            f"xcos {command}: warning: {path} shows {faces_found} faces; the {rule} one was used "
            "(choose with --face)",
            file=sys.stderr,
        )
