"""The command line's parser: one line for each mistake, and values that say what they should be."""

import argparse
import contextlib
import logging
import math
import sys
from collections.abc import Callable

from xcos_tf.errors import as_message, shown


class Parser(argparse.ArgumentParser):
    """A parser of `xcos` or of one of its commands, each with `--quiet`, `--verbose`, `--debug`."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.add_argument(
            "--debug",
            action="store_true",
            default=argparse.SUPPRESS,
            help="when something fails, also say where in the program, for a report",
        )
        for option, level, what in (
            ("--quiet", logging.ERROR, "print results and errors alone, and no bars of progress"),
            ("--verbose", logging.DEBUG, "also say how long the parts of the work take"),
        ):
            self.add_argument(
                option,
                action="store_const",
                dest="level",
                const=level,
                default=argparse.SUPPRESS,
                help=what,
            )

    def parse_known_args(self, args=None, namespace=None):
        self._words = args or ()
        return super().parse_known_args(args, namespace)

    def error(self, message: str):
        """Print usage and the mistake, and leave with exit code 2."""
        super().error(as_message(message, self._words))

    def _print_message(self, message, file=None):
        # argparse would pass over an output that cannot be written.
        if file is not None and file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)


class PrintCompletion(argparse.Action):
    """Print a script that lets a shell complete the command's words, and leave."""

    def __call__(self, parser, namespace, values, option_string=None):
        import shtab  # for this alone

        _complete_files(parser, shtab.FILE)
        print(shtab.complete(parser, values))
        parser.exit()


def _complete_files(parser: argparse.ArgumentParser, how: dict[str, str]) -> None:
    """Have each value that is not one of a few completed by the names of files."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                _complete_files(each, how)
        elif action.nargs != 0 and not action.choices:
            action.complete = how


def add(
    parser, usage: str, help: str = "", kind: Callable | None = None, default=None, **more
) -> None:
    """Add an argument to a parser or to a group of one.

    Its usage is `source SRC` of what has a place, `--seed S` of an option with a value, `--to
    {a,b}` of one with a few values, and `--json` of a switch. A default is told after the help.
    The rest is as of `ArgumentParser.add_argument`.
    """
    name, _, metavar = usage.partition(" ")
    if not metavar:
        parser.add_argument(name, action="store_true", help=help)
        return
    if metavar.startswith("{"):
        more["choices"] = metavar[1:-1].split(",")
    if default is not None:
        help = f"{help} (default: %(default)s)" if help else "default: %(default)s"
    parser.add_argument(name, metavar=metavar, help=help, type=kind, default=default, **more)


def number(text: str, finite: bool = False) -> float:
    """Return a number, for `type=`."""
    with contextlib.suppress(ValueError):
        if math.isfinite(value := float(text)) or not finite:
            return value
    raise argparse.ArgumentTypeError(f"{shown(text)!r} is not a number; give one such as 0.7")


def finite_number(text: str) -> float:
    """Return a number, for `type=`, that is neither NaN nor infinite."""
    return number(text, finite=True)


def whole_number(text: str) -> int:
    """Return a whole number, for `type=`."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{shown(text)!r} is not a whole number; give one such as 7"
        ) from None
