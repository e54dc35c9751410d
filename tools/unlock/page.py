"""A measurement of the prototype as a page and a CSV file."""

from collections.abc import Sequence
from pathlib import Path

from tools.paper.rows import write_rows
from xcos_tf.files import replace_file


def write_page(
    folder: Path, name: str, rows: Sequence, title: str, table: str, notes: list[str]
) -> None:
    """Write NAME.md and NAME.csv, each whole or not at all, and print the page.

    Args:
        folder: made if it is not there.
        name: of the files.
        rows: of one dataclass.
        title, table: of the page.
        notes: sentences below the table.
    """
    page = f"# {title}\n\n{table}\n\n" + "\n".join(f"- {note}" for note in notes) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / f"{name}.csv", type(rows[0]), rows)
    replace_file(folder / f"{name}.md", lambda stream: stream.write(page.encode("utf-8")))
    print(page)
