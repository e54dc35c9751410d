"""`xcos align SRC DST`: a folder tree of photos -> the same tree of aligned faces."""

import argparse

from xcos_tf.cli.arguments import add_ray_argument
from xcos_tf.cli.parser import add, whole_number
from xcos_tf.cli.paths import Paths
from xcos_tf.cli.streams import goes_on
from xcos_tf.errors import XcosError, counted, on_one_line
from xcos_tf.progress import log

HELP = "cut the faces out of a folder of photos"
DESCRIPTION = """Find a face in each photo of the folder tree SRC and write it, upright and 112×112,
under the same name in DST. Links to folders are followed. A run that was stopped goes on where it
was when started again; what failed, and why, is listed in DST/failures.csv. Exit code: 0 done, 2
error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add(parser, "source SRC", "folder of photos")
    add(parser, "destination DST", "folder for the aligned faces")
    parser.add_argument(
        "--face",
        default="largest-central",
        metavar="RULE",
        help="which face of a photo with several: largest-central (default), largest, "
        "most-confident, leftmost or rightmost (in the image); finished faces stay as they are",
    )
    add(parser, "--batch-size N", "the most photos that are worked on at once", whole_number, 16)
    add(parser, "--retry-failed", "try again what DST/failures.csv lists from an earlier run")
    add_ray_argument(parser)


def paths(args: argparse.Namespace) -> Paths:
    if args.batch_size < 1:
        raise XcosError(f"the batch size {args.batch_size} is under 1; give 1 or more")
    return Paths(
        folders={args.source: "there is no folder {}; check the path"}, filled=(args.destination,)
    )


def run(args: argparse.Namespace) -> int:
    from xcos_tf.data.align_folder import FAILURES, SEVERAL_FACES, align_folder

    with goes_on():
        summary = align_folder(
            args.source,
            args.destination,
            args.face,
            args.batch_size,
            args.retry_failed,
            args.ray,
        )
    if summary.several_faces:
        photos = counted(summary.several_faces, "photo shows", "photos show")
        log.warning(
            f"warning: {photos} several faces; the {args.face} one was used (choose with --face); "
            f"see {args.destination}/{SEVERAL_FACES}"
        )
    if summary.turned:
        were = counted(summary.turned, "photo was", "photos were")
        log.warning(f"warning: {were} turned to have the face upright")
    before = f" (and {summary.failed_before} before)" if summary.failed_before else ""
    rate = summary.aligned / summary.seconds
    print(
        f"{summary.aligned} aligned, {summary.already_done} already done, "
        f"{summary.failed} failed{before}, {summary.several_faces} with several faces, "
        f"{summary.seconds:.1f} s, {rate:.1f} faces/s"
    )
    if summary.failed or summary.failed_before:
        print(f"reasons: {on_one_line(args.destination)}/{FAILURES}")
    return 0
