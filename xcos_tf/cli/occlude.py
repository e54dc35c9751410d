"""`xcos occlude FACES OUT`: a masked copy of aligned faces, or of one face of each pair."""

import argparse

from xcos_tf.cli.parser import add, number, whole_number
from xcos_tf.cli.paths import Paths, given
from xcos_tf.cli.streams import goes_on
from xcos_tf.errors import on_one_line

HELP = "cover part of aligned faces"
DESCRIPTION = """Write the aligned faces of FACES to OUT, each covered in part, as PNG. With
--pairs, write a test set in which one face of each pair is covered: OUT/faces, OUT/covered and
OUT/pairs.csv, to be measured by `xcos evaluate OUT OUT/pairs.csv --aligned`. What covers a face
follows from the seed and the face's name. A run that was stopped goes on where it was when started
again. Exit code: 0 done, 2 error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add(parser, "source FACES", "folder that `xcos align` made")
    add(parser, "destination OUT", "folder for the copy")
    how = parser.add_mutually_exclusive_group(required=True)
    add(how, "--share X", "cover this share of each face, such as 0.3, by brush strokes", number)
    add(how, "--wear WHAT", "cover by sunglasses, scarf or hand")
    add(parser, "--pairs LIST", "LFW's pairs.txt or a CSV of pairs of the faces")
    add(parser, "--seed S", "another number covers otherwise", whole_number, 0)


def paths(args: argparse.Namespace) -> Paths:
    return Paths(
        lists=dict.fromkeys(given(args.pairs), "there is no list of pairs {}; check the path"),
        folders={args.source: "there is no folder {}; check the path"},
        filled=(args.destination,),
    )


def run(args: argparse.Namespace) -> int:
    from xcos_tf.data.align_folder import FAILURES
    from xcos_tf.data.occlude_folder import occlude_folder
    from xcos_tf.data.occlusion import Occluder
    from xcos_tf.evaluation.occluded import PAIRS, occlude_pairs

    occluder = Occluder(args.share, args.wear, args.seed)
    with goes_on():
        if args.pairs is None:
            summary = occlude_folder(args.source, args.destination, occluder)
        else:
            summary = occlude_pairs(args.source, args.pairs, args.destination, occluder)
    print(
        f"{summary.covered} covered, {summary.already_done} already done, {summary.failed} failed"
    )
    if summary.failed:
        print(f"reasons: {on_one_line(args.destination)}/{FAILURES}")
    if args.pairs is not None:
        print(f"pairs: {on_one_line(args.destination)}/{PAIRS}")
    return 0
