"""What the tools that fill docs/results share: options, rows as CSV files, pages, and errors."""

import csv
import shlex
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from xcos_tf.cli.parser import add
from xcos_tf.errors import XcosError
from xcos_tf.files import check_can_write, replace_file, write_csv

if TYPE_CHECKING:  # a tool's --help waits for neither
    from matplotlib.figure import Figure

TEMPLATES = Path(__file__).with_name("templates")
WORDS = {"set", "source", "column", "status", "preset", "baseline", "score", "variant", "rule"}
WORDS |= {"store", "covered", "method", "other", "measure", "detail", "fill"}
"""The columns of CSV files that hold words, beside hashes; all others hold numbers."""
HIDDEN = ("out", "cache", "readme", "models", "work")
"""Options that are left out where options are told of."""


class Report(NamedTuple):
    """A page of results, as templates/NAME.md words it.

    `name` is that of its files, such as "table-2"; `rows` are {name of a CSV file: a kind of rows,
    which is a named tuple, and such rows}; `words` is what the template asks for by name.
    """

    name: str
    rows: Mapping[str, tuple[type, Sequence]]
    words: Mapping[str, object]
    figure: "Figure | None" = None

    def page(self, command: str) -> str:
        """Return it as Markdown, made by this command."""
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        options = {"undefined": StrictUndefined, "trim_blocks": True, "keep_trailing_newline": True}
        pages = Environment(loader=FileSystemLoader(TEMPLATES), **options)
        return pages.get_template(f"{self.name}.md").render(command=command, **self.words)

    def write(self, folder: Path, command: str) -> str:
        """Write NAME.md, NAME.png and the CSV files, each whole or not at all; return the page."""
        from xcos_tf.explain.canvas import save_figure

        folder.mkdir(parents=True, exist_ok=True)
        for name, (kind, rows) in self.rows.items():
            write_csv(folder / name, kind._fields, rows)
        if self.figure:
            save_figure(self.figure, folder / f"{self.name}.png")
        page = self.page(command)
        content = page.encode("utf-8", "surrogateescape")
        replace_file(folder / f"{self.name}.md", lambda stream: stream.write(content))
        return page


def read_rows(path: Path, kind: type, tool: str = "reproduce_paper") -> list:
    """Return the rows of a CSV file of `Report.write`, by a tool of this name.

    Raises:
        XcosError: the file is not there, or is another one.
    """
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            heading, *lines = csv.reader(stream)
            if tuple(heading) != kind._fields:
                raise ValueError(f"its columns are not {', '.join(kind._fields)}")
            return [kind(*map(_parse, heading, line)) for line in lines]
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise XcosError(
            f"{path} holds no results ({error}); make them by tools/{tool}.py"
        ) from None


def _parse(name: str, text: str) -> str | int | float | None:
    if name in WORDS or name.endswith("sha256"):
        return text
    if text == "":
        return None
    return int(text) if text.lstrip("-").isdigit() else float(text)


def table(rows: Iterable, columns: Mapping[str, Callable[..., str]]) -> str:
    """Return a Markdown table with a line for each row, of {heading: what a row has there}."""
    from xcos_tf.evaluation.results_text import markdown_table

    return markdown_table(list(columns), [[of(row) for of in columns.values()] for row in rows])


def pivot(cells: Sequence[tuple[str, str, str]], corner: str, empty: str) -> str:
    """Return a Markdown table of (row, column, text), in order of first appearance.

    `corner` is the heading of the first column, and `empty` stands where there is no text.
    """
    known = {(row, column): text for row, column, text in cells}
    rows, columns = (dict.fromkeys(place[i] for place in known) for i in (0, 1))
    of = {x: lambda row, column=x: known.get((row, column), empty) for x in columns}
    return table(rows, {corner: str, **of})


def minus(text: str) -> str:
    """Return a text of numbers with the sign that is printed in tables."""
    return text.replace("-", "−")


def parser_of(tool: str, words: str, cache: tuple[str, str] = ()) -> ArgumentParser:
    """Return a parser with --out, --readme and, given its folder and content, --cache."""
    parser = ArgumentParser(prog=tool, description=words.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    add(parser, "--readme FILE", "pages to fill tables of", Path, nargs="+")
    if cache:
        place, content = cache
        add(parser, "--cache CACHE", f"folder in which {content} are kept", Path, Path(place))
    return parser


def command_of(parser: ArgumentParser, args: Namespace) -> str:
    """Return the command that results follow from, without where this machine has its sets."""
    places, options = [], []
    for action in parser._actions:
        value = getattr(args, action.dest, None)
        value = tuple(value) if isinstance(value, list) else value
        if action.dest in HIDDEN or value is None or value == action.default:
            continue
        if (action.required and action.metavar) or not action.option_strings:
            places += [*action.option_strings, action.metavar]
        else:
            values = value if isinstance(value, tuple) else (value,) * (value is not True)
            options += [*action.option_strings, *map(str, values)]
    out = ["--out", args.out.as_posix()]
    return shlex.join(["python", f"tools/{parser.prog}.py", *places, *out, *options])


def run(
    parser: ArgumentParser, measure: Callable[[Namespace], Iterable[Report]], argv: list | None
) -> int:
    """Write and print what is measured, fill the pages of `--readme`, return the exit code."""
    from xcos_tf.quiet import import_tensorflow

    def whole(args: Namespace) -> None:
        from tools.pages import fill_page

        import_tensorflow()
        check_can_write(args.out, within=args.out)
        for report in measure(args):
            print(report.write(args.out, command_of(parser, args)))
        for page in args.readme or ():
            fill_page(page, args.out)

    goes_on = "; the same command goes on from here" if parser.get_default("cache") else ""
    return ended(parser, whole, argv, goes_on)


def ended(parser: ArgumentParser, do: Callable, argv: list | None, goes_on: str = "") -> int:
    """Do it with the arguments; return 0, 2 after an `XcosError` (printed), or 130 after Ctrl-C."""
    args = parser.parse_args(argv)
    try:
        do(args)
    except XcosError as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nstopped{goes_on}", file=sys.stderr)
        return 130
    return 0
