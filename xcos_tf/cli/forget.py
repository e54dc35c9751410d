"""`xcos forget PERSON --store STORE`: a person out of a store, for good."""

import argparse

from xcos_tf.cli.arguments import add_store_argument, store_paths
from xcos_tf.cli.parser import add
from xcos_tf.cli.paths import Paths
from xcos_tf.errors import counted, shown

HELP = "remove a person from a store"
DESCRIPTION = """Remove all faces of a person from a store: rows, index and files. Nothing brings
them back but another `xcos enroll`. Exit code: 0 done, 2 error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add(parser, "person PERSON", "their name, as `xcos find` prints it")
    add_store_argument(parser)


def paths(args: argparse.Namespace) -> Paths:
    return store_paths(args.store)


def run(args: argparse.Namespace) -> int:
    from xcos_tf.search.store import forget

    count = forget(args.store, args.person)
    print(f"{counted(count, 'face')} of {shown(args.person)} removed")
    return 0
