"""`xcos prepare SRC DST`: a set of faces, however it is stored -> sharded TFRecord files."""

import argparse

from xcos_tf.cli.arguments import add_ray_argument
from xcos_tf.cli.parser import add, whole_number
from xcos_tf.cli.paths import Paths
from xcos_tf.cli.streams import goes_on
from xcos_tf.errors import XcosError, counted, on_one_line

HELP = "turn a set of faces into records for training"
DESCRIPTION = """Write the faces of SRC into TFRecord files in DST, with an index of labels and
checksums. SRC is a folder with one sub-folder a person, a folder with MXNet's train.rec (and
train.idx, property) or an InsightFace .bin file; images keep their bytes. A run that was stopped
goes on where it was when started again; records that cannot be used are listed with reasons in
DST/skipped.csv. Exit code: 0 done, 2 error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add(parser, "source SRC", "folder or file of aligned faces")
    add(parser, "destination DST", "folder for the prepared set")
    add(parser, "--shards N", "number of files to deal the faces into", whole_number, 64)
    about = "files written at the same time (default: as many as there are processors)"
    many = parser.add_mutually_exclusive_group()
    add(many, "--jobs N", about, whole_number)
    add_ray_argument(many, "SRC and DST")


def paths(args: argparse.Namespace) -> Paths:
    for option, value in (("--shards", args.shards), ("--jobs", args.jobs)):
        if value is not None and value < 1:
            raise XcosError(f"{option} {value} is under 1; give 1 or more")
    if args.shards > 99_999:
        raise XcosError(f"--shards {args.shards} is over 99,999; give fewer")
    return Paths(
        folders={args.source: "there is no file or folder {}; check the path"},
        filled=(args.destination,),
    )


def run(args: argparse.Namespace) -> int:
    from xcos_tf.data.records.layout import SKIPPED
    from xcos_tf.data.records.writer import check_destination, open_source, prepare

    check_destination(args.destination)
    with goes_on():
        summary = prepare(
            open_source(args.source), args.destination, args.shards, args.jobs, args.ray
        )
    how = (
        f"{summary.seconds:.1f} s, {summary.checked / summary.seconds:.1f} images/s"
        if summary.checked
        else "all there already"
    )
    print(
        f"{counted(summary.images, 'image')}, {counted(summary.people, 'person', 'people')}, "
        f"{summary.skipped:,} skipped, {counted(summary.shards, 'shard')}, {how}"
    )
    if summary.skipped:
        print(f"reasons: {on_one_line(args.destination)}/{SKIPPED}")
    return 0
