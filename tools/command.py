"""What the tools that fill docs/results share: options, an error's one sentence, Ctrl-C."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path


def add_out(parser: ArgumentParser) -> None:
    """Add --out, a folder."""
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")


def add_cache(parser: ArgumentParser, folder: str, what: str) -> None:
    """Add --cache, a folder in which something is kept that would take long to make again."""
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(folder),
        help=f"folder in which {what} are kept (default: %(default)s)",
    )


def add_readme(parser: ArgumentParser) -> None:
    """Add --readme, pages with tables of the results; see `run`."""
    parser.add_argument(
        "--readme",
        type=Path,
        nargs="+",
        default=(),
        metavar="FILE",
        help="pages whose marked tables are made anew",
    )


def run(name: str, measure: Callable[[Namespace], None], args: Namespace) -> int:
    """Measure, make the tables of `args.readme` anew from `args.out`, and return the exit code.

    Args:
        name: of the tool, for its errors.
        measure: writes results into `args.out`.
        args: with `out` and `readme`.

    Returns:
        0; 2 after an `XcosError`, whose sentence is printed; 130 after Ctrl-C.
    """
    from tools.paper.readme import fill_page
    from xcos_tf.errors import XcosError

    try:
        measure(args)
        for page in args.readme:
            fill_page(page, args.out)
    except XcosError as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        goes_on = "; the same command goes on from here" if hasattr(args, "cache") else ""
        print(f"\nstopped{goes_on}", file=sys.stderr)
        return 130
    return 0
