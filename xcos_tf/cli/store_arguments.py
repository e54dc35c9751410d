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


def store_paths(store: str, **others) -> Paths:
    """Return what a command reads that opens a store which is there, and its other paths."""
    found = {} if is_url(store) else {store: "there is no store {}; make one with `xcos enroll`"}
    return Paths(folders=found, **others)
