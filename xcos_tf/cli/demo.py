"""`xcos demo`: the page of `xcos serve`, in a browser, or as a folder for a static host."""

import argparse
from pathlib import Path

from xcos_tf.cli import serve
from xcos_tf.cli.parser import add
from xcos_tf.cli.paths import Paths
from xcos_tf.errors import XcosError, on_one_line

HELP = "open a page that compares two photos and shows why"
DESCRIPTION = """Do what `xcos serve` does, on a free port of this machine, and open its page in a
browser; or write the page to a folder. Exit code: 0 stopped or written, 2 error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    serve.add_what_is_served(parser)
    static = parser.add_argument_group("without a server")
    add(static, "--static DIR", "write a page that computes in the browser, for any static host")
    parser.set_defaults(host="127.0.0.1", port=0)


def paths(args: argparse.Namespace) -> Paths:
    if args.static is None:
        return serve.paths(args)
    if args.store is not None:
        raise XcosError("--static has nobody to search; leave --store out")
    return Paths(presets=(args.preset,), filled=(args.static,), also_read=(args.litert,))


def run(args: argparse.Namespace) -> int:
    if args.static is None:
        return serve.run(args, browse=True)
    from xcos_tf.web.site import write_site

    write_site(Path(args.static), args.preset, Path(args.litert))
    print(on_one_line(args.static))
    return 0
