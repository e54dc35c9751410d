"""Dispatch of the `xcos` command to its subcommands.

Each subcommand is a module of this package with `add_parser(subparsers)`, which imports nothing
heavy so that `--help` is instant, and `run(args) -> int`, which does the work and returns the
exit code; `args.words` is the command line as it was given. A module whose command may do without
TensorFlow also has `needs_tensorflow(args) -> bool`.
"""

import argparse
import importlib
import sys

from xcos_tf import __version__
from xcos_tf.cli.quiet import import_tensorflow
from xcos_tf.errors import XcosError

COMMANDS = (
    "verify",
    "explain",
    "align",
    "occlude",
    "evaluate",
    "gallery",
    "prepare",
    "train",
    "fit-correlation",
    "export",
    "unlock",
)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of `xcos` with every subcommand attached."""
    parser = argparse.ArgumentParser(
        prog="xcos", description="Explainable face verification (xCos) for TensorFlow and Keras."
    )
    parser.add_argument("--version", action="version", version=f"xcos {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"xcos_tf.cli.{name.replace('-', '_')}")
        needs = getattr(module, "needs_tensorflow", lambda args: True)
        module.add_parser(subparsers).set_defaults(run=module.run, needs_tensorflow=needs)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command line `argv` (default: the process's own) and return its exit code.

    Codes are the subcommand's own, except 2 for any bad input (one sentence on standard error)
    and 130 for an interruption by the user.
    """
    argv = sys.argv[1:] if argv is None else argv
    args = build_parser().parse_args(argv, argparse.Namespace(words=argv))
    try:
        if args.needs_tensorflow(args):
            import_tensorflow()
        return args.run(args)
    except XcosError as error:
        print(f"xcos {args.command}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"xcos {args.command}: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
