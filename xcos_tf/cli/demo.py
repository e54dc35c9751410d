"""`xcos demo`: the page of `xcos serve`, in a browser."""

import argparse

from xcos_tf.cli import serve
from xcos_tf.cli.paths import Paths


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Attach the subcommand's parser."""
    parser = subparsers.add_parser(
        "demo",
        help="open a page that compares two photos and shows why",
        description="Do what `xcos serve` does, on a free port of this machine, and open its page "
        "in a browser. Exit code: 0 stopped, 2 error.",
    )
    serve.add_what_is_served(parser)
    parser.set_defaults(host="127.0.0.1", port=0)
    return parser


def paths(args: argparse.Namespace) -> Paths:
    """Return what is read."""
    return serve.paths(args)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    return serve.run(args, browse=True)
