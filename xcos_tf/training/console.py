"""What a run shows while it goes on: a progress bar on a terminal, lines anywhere else."""

import sys
from contextlib import suppress

from tqdm import tqdm


class Console:
    """Standard error. A terminal that has been closed does not end the run."""

    def __init__(self, steps: int, start: int):
        """Show the bar, if there is a terminal.

        Args:
            steps: of the whole run.
            start: steps made before.
        """
        self._stream = sys.stderr
        self._bar = None
        if self._stream.isatty():
            self._bar = tqdm(
                total=steps,
                initial=start,
                desc="train",
                file=self._stream,
                dynamic_ncols=True,
                bar_format="{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]",
            )

    def advance(self, note: str) -> None:
        """Move the bar by a step, and change the note beside it."""
        if self._bar is not None:
            with suppress(OSError):
                self._bar.set_postfix_str(note, refresh=False)
                self._bar.update()

    def line(self, text: str, over_bar: bool) -> None:
        """Print a line; where there is a bar, only if `over_bar`, and then above it."""
        with suppress(OSError):
            if self._bar is None:
                print(text, file=self._stream, flush=True)
            elif over_bar:
                self._bar.write(text, file=self._stream)

    def close(self) -> None:
        """Leave the bar as it is now."""
        if self._bar is not None:
            with suppress(OSError):
                self._bar.close()
