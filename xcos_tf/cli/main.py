"""Dispatch of the `xcos` command to its subcommands, and the one place where a command ends.

Each subcommand is a module of this package with what its help says, HELP and DESCRIPTION, and
three functions:

- `add_arguments(parser)` attaches what is given to it on the command line;
- `paths(args) -> Paths` says which files the command reads and which it writes, and refuses what
  the command line alone shows to be wrong;
- `run(args) -> int` does the work and returns the exit code.

The first two import nothing heavy, so that `--help` and a typing error take no time. `args.words`
is the command line as it was given.
"""

import argparse
import contextlib
import errno
import importlib
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from xcos_tf import __version__
from xcos_tf.cli.parser import Parser, PrintCompletion
from xcos_tf.cli.paths import check_paths, lists_at_hand
from xcos_tf.cli.streams import give_up, ready_streams
from xcos_tf.errors import XcosError, as_message, reason_of, shown
from xcos_tf.progress import log
from xcos_tf.quiet import import_tensorflow, quiet_libraries, ready_environment

_HEAVY = ("prepare", "train", "fit-correlation", "fit-whatif", "export", "convert")
COMMANDS = (
    *("verify", "explain", "align", "occlude", "evaluate", "gallery", *_HEAVY),
    *("unlock", "enroll", "find", "forget", "store", "serve", "demo"),
)
LIGHT = tuple(name for name in COMMANDS if name not in _HEAVY)
"""Those that import TensorFlow only where they must."""
ERROR, INTERRUPTED, READER_GONE = 2, 130, 141  # the last two as a shell reports the signals

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of `xcos` with every subcommand attached."""
    parser = Parser(
        prog="xcos", description="Explainable face verification (xCos) for TensorFlow and Keras."
    )
    parser.add_argument("--version", action="version", version=f"xcos {__version__}")
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        choices=("bash", "zsh", "tcsh"),
        help="print a script for a shell that completes words by Tab, and exit",
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"xcos_tf.cli.{name.replace('-', '_')}")
        command = subparsers.add_parser(name, help=module.HELP, description=module.DESCRIPTION)
        module.add_arguments(command)
        command.set_defaults(run=module.run, paths=module.paths)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command line `argv` (default: the process's own) and return its exit code.

    Codes are the subcommand's own, which a verdict may be, except: 2 for anything that went wrong,
    with one sentence on standard error; 130 for an interruption by the user; and 141, in silence,
    if nobody reads the output any more.
    """
    args = argparse.Namespace(words=sys.argv[1:] if argv is None else argv, command=None)
    with ready_streams(args), _interrupts() as interrupted:
        try:
            try:
                code = _run(args)
            finally:
                if sys.stdout is not None:
                    sys.stdout.flush()  # or fail: the disk is full, or the reader is gone
        except SystemExit:  # from the parser
            raise
        except BaseException as error:
            code = _end(args, error, interrupted())
        else:
            if interrupted():  # and a library made nothing of it
                code = _end(args, KeyboardInterrupt(), True)
    return code


@contextlib.contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Give a function that says whether SIGINT came while the block ran.

    It raises KeyboardInterrupt as always. A library may turn that into an error of its own, and
    Python passes over it in a finalizer: then it is raised again. A command that handles SIGINT
    itself for a while, and a process that ignores it, are left alone.
    """
    came = threading.Event()
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield came.is_set
        return

    def interrupt(number, frame):
        came.set()
        raise KeyboardInterrupt

    def passed_over(unraisable):
        if unraisable.exc_type is KeyboardInterrupt:
            # Not at once, or it would be raised in here and be passed over again.
            again.append(threading.Timer(0.1, signal.pthread_kill, (thread, signal.SIGINT)))
            again[-1].start()
        else:
            before(unraisable)

    again, thread = [], threading.get_ident()
    before, sys.unraisablehook = sys.unraisablehook, passed_over
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield came.is_set
    finally:
        for timer in again:
            timer.cancel()
            timer.join()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = before


def _run(args: argparse.Namespace) -> int:
    build_parser().parse_args(args.words, args)
    log.setLevel(getattr(args, "level", logging.INFO))
    with quiet_libraries("debug" in args):
        try:
            paths = args.paths(args)
            check_paths(paths)
            if args.command in LIGHT:
                ready_environment()
            else:
                import_tensorflow()
                log.debug("TensorFlow is loaded")
            with lists_at_hand(args, paths):
                code = args.run(args)
            log.debug("done")
            return code
        except SystemExit as error:  # a library's, whose code could be taken for a verdict
            raise RuntimeError(f"something ended the program ({error})") from error


def _end(args: argparse.Namespace, error: BaseException, interrupted: bool) -> int:
    """Say what went wrong, and return the exit code, which is never that of a verdict."""
    if interrupted or isinstance(error, KeyboardInterrupt):
        code, line = INTERRUPTED, "interrupted"
    elif isinstance(error, BrokenPipeError):
        code, line = READER_GONE, None
    else:
        code, line = ERROR, f"error: {as_message(_sentence(error), args.words)}"
    give_up()
    if line:
        log.error(line, exc_info=error if "debug" in args else None)
    return code


def _sentence(error: BaseException) -> str:
    """Return what the user can do about an error."""
    if isinstance(error, XcosError):
        return error.sentence
    if isinstance(error, MemoryError):
        return "there is not enough memory for this; close other programs or give less at once"
    reason = reason_of(error, 200)
    if isinstance(error, ImportError):
        return (
            f"a package that xcos_tf needs cannot be imported ({reason}); install xcos_tf again, "
            "with all that it needs"
        )
    if isinstance(error, OSError) and error.errno is not None:
        path = error.filename
        if path is not None and not isinstance(path, int):
            path = path.decode(errors="replace") if isinstance(path, bytes) else path
            return f"{shown(path)} cannot be used ({reason}); check the path and its permissions"
        if error.errno in _FULL:
            return f"the output cannot be written ({reason}); make room and start again"
        return f"the system refused something ({reason}); see to it and start again"
    return (
        f"this is a bug in xcos_tf ({type(error).__name__}: {reason}); please report it to where "
        "you have xcos_tf from, with what the same command says with --debug"
    )


if __name__ == "__main__":
    sys.exit(main())
