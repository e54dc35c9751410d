"""The arguments that commands with a store of people share."""

import argparse

from xcos_tf.cli.paths import Paths


def add_store_argument(parser: argparse.ArgumentParser) -> None:
    """Attach `--store`."""
    parser.add_argument(
        "--store",
        required=True,
        metavar="STORE",
        help="a folder, or postgresql://USER@HOST/DATABASE of a server with pgvector",
    )


def is_url(store: str) -> bool:
    """Whether a store is not a folder."""
    return "://" in store


def store_paths(store: str | None, **others) -> Paths:
    """Return what a command reads that opens a store which is there, if any, and other paths."""
    if store is None or is_url(store):
        return Paths(**others)
    return Paths(folders={store: "there is no store {}; make one with `xcos enroll`"}, **others)
