"""What is said of work that goes on: by one logger, and by bars, both on standard error."""

import logging
import sys

from tqdm import tqdm

log = logging.getLogger("xcos_tf")
"""Of notes and warnings. The `xcos` command shows them, see `xcos_tf.cli.streams`; a program that
uses the package configures it as any other."""


class Bar(tqdm):
    """A bar of what is worked on; there is none where `log` lets through errors alone."""

    def __init__(self, *args, disable: bool | None = False, **options):
        if not log.isEnabledFor(logging.WARNING):
            disable = True
        # In a log file, a line now and then is enough.
        interval = 0.5 if getattr(sys.stderr, "isatty", bool)() else 10.0
        super().__init__(*args, disable=disable, **{"mininterval": interval, **options})
