"""`xcos prepare SRC DST`: a set of faces, however it is stored -> sharded TFRecord files."""

import argparse
import sys


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Attach the subcommand's parser."""
    parser = subparsers.add_parser(
        "prepare",
        help="turn a set of faces into records for training",
        description="Write the faces of SRC into TFRecord files in DST, with an index of labels "
        "and checksums. SRC is a folder with one sub-folder a person, a folder with MXNet's "
        "train.rec (and train.idx, property) or an InsightFace .bin file; images keep their bytes. "
        "A run that was stopped goes on where it was when started again; records that cannot be "
        "used are listed with reasons in DST/skipped.csv. Exit code: 0 done, 2 error.",
    )
    parser.add_argument("source", metavar="SRC", help="folder or file of aligned faces")
    parser.add_argument("destination", metavar="DST", help="folder for the prepared set")
    parser.add_argument(
        "--shards",
        type=int,
        default=64,
        metavar="N",
        help="number of files to deal the faces into (default: %(default)s)",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="files written at the same time (default: as many as there are processors)",
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Prepare, with a progress bar on standard error, and print a summary line."""
    from pathlib import Path

    from xcos_tf.data.records.detect import open_source
    from xcos_tf.data.records.layout import SKIPPED
    from xcos_tf.data.records.writer import check_writable, prepare
    from xcos_tf.errors import XcosError

    for option, value in (("--shards", args.shards), ("--jobs", args.jobs)):
        if value is not None and value < 1:
            raise XcosError(f"{option} {value} is under 1; give 1 or more")
    if args.shards > 99_999:
        raise XcosError(f"--shards {args.shards} is over 99,999; give fewer")
    source, destination = Path(args.source).resolve(), Path(args.destination).resolve()
    if source == destination or source in destination.parents:
        raise XcosError(
            f"the set {args.destination} would lie in its own source; choose a folder apart from it"
        )
    check_writable(args.destination)
    try:
        summary = prepare(
            open_source(args.source), args.destination, shards=args.shards, jobs=args.jobs
        )
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        raise
    how = (
        f"{summary.seconds:.1f} s, {summary.checked / summary.seconds:.1f} images/s"
        if summary.checked
        else "all there already"
    )
    print(
        f"{summary.images} images, {summary.people} people, {summary.skipped} skipped, "
        f"{summary.shards} shards, {how}"
    )
    if summary.skipped:
        print(f"reasons: {args.destination}/{SKIPPED}")
    return 0
