"""`metrics.csv` of a run: a row for each validation."""

import csv
from pathlib import Path

from xcos_tf.errors import XcosError
from xcos_tf.files import write_csv
from xcos_tf.training.run_files import writing

_UNREADABLE = (
    OSError,
    ArithmeticError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    csv.Error,
)


class MetricsTable:
    """The rows of a file that is rewritten, whole, with each that is added.

    Attributes:
        path: of the file.
        rows: from the first step to the last; "step" is an int and the rest are floats. A row
            lacks what was not known of it; in the file that cell is empty.
    """

    def __init__(self, path: Path, last: int):
        """Read the rows, if the file is there, and forget those of steps after `last`.

        Raises:
            XcosError: it cannot be read, or holds something else.
        """
        self.path = path
        try:
            with open(path, newline="", encoding="utf-8") as file:
                rows = [_parse(cells) for cells in csv.DictReader(file)]
        except (FileNotFoundError, NotADirectoryError):
            rows = []
        except _UNREADABLE as error:
            raise XcosError(
                f"{path} cannot be read ({error!r}); move it away, or start a new folder"
            ) from None
        self.rows = [row for row in rows if row["step"] <= last]

    def add(self, row: dict[str, float]) -> None:
        """Append a row, in place of one of the same step. Its columns need not be the others'.

        Raises:
            XcosError: as by `save`.
        """
        self.rows = [old for old in self.rows if old["step"] != row["step"]] + [row]
        self.save()

    def save(self) -> None:
        """Replace the file by the rows; without any, remove it.

        Raises:
            XcosError: the file cannot be written; it is as it was before.
        """
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        cells = ([row.get(name) for name in columns] for row in self.rows)
        with writing(self.path):
            if columns:
                write_csv(self.path, columns, cells)
            else:
                self.path.unlink(missing_ok=True)


def _parse(cells: dict[str, str]) -> dict[str, float]:
    row = {name: float(cell) for name, cell in cells.items() if cell != ""}
    return {**row, "step": int(row["step"])}
