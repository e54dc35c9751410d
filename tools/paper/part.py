"""One table or figure of the paper, measured: what is written of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from tools.paper.bench import Bench
from tools.paper.published import SOURCE
from tools.paper.rows import write_rows
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.results_text import markdown_table
from xcos_tf.explain.figure import save_figure
from xcos_tf.files import replace_file


@dataclass(frozen=True)
class Part:
    """A table or figure.

    Attributes:
        name: of its files, such as "table-2".
        title: a headline.
        body: what it shows, in Markdown.
        notes: how it came about, in sentences.
        rows: {name of a CSV file: a dataclass and rows of it}.
        figure: the picture.
    """

    name: str
    title: str
    body: str
    notes: Sequence[str]
    rows: Mapping[str, tuple[type, Sequence]]
    figure: Figure

    def markdown(self, command: str) -> str:
        """Return everything as one page, with the command that made it."""
        notes = [*self.notes, f"Paper: {SOURCE}.", f"Made by `{command}`."]
        return (
            f"# {self.title}\n\n{self.body}\n\n![{self.title}]({self.name}.png)\n\n"
            + "\n".join(f"- {note}" for note in notes)
            + "\n"
        )


def write_part(part: Part, folder: Path, command: str) -> None:
    """Write NAME.md, NAME.png and the CSV files, each whole or not at all.

    Raises:
        XcosError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, (kind, rows) in part.rows.items():
            write_rows(folder / name, kind, rows)
        save_figure(part.figure, folder / f"{part.name}.png")
        page = part.markdown(command).encode("utf-8", "surrogateescape")
        replace_file(folder / f"{part.name}.md", lambda stream: stream.write(page))
    except OSError as error:
        raise XcosError(
            f"{folder} cannot be written ({error.strerror or error}); choose another folder"
        ) from None


def of_presets(bench: Bench) -> list[str]:
    """Return a note on each preset."""
    hashes = [f"Preset `{name}`: weights SHA-256 {digest}." for name, digest in bench.hashes()]
    return [*hashes, *(f"Not run: {reason}." for reason in bench.missing.values())]


def pivot(cells: Sequence[tuple[str, str, str]], corner: str, empty: str) -> str:
    """Return a Markdown table of (row, column, text), in order of first appearance.

    Args:
        cells: what is known.
        corner: the heading of the first column.
        empty: what to write where there is no text.
    """
    rows = list(dict.fromkeys(row for row, _, _ in cells))
    columns = list(dict.fromkeys(column for _, column, _ in cells))
    known = {(row, column): text for row, column, text in cells}
    lines = [[row, *(known.get((row, column), empty) for column in columns)] for row in rows]
    return markdown_table([corner, *columns], lines)
