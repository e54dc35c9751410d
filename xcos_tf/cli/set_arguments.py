"""The arguments that name a test set, and the set that they name."""

import argparse
import csv

from xcos_tf.cli.parser import whole_number
from xcos_tf.cli.paths import Paths, given
from xcos_tf.errors import XcosError, shown
from xcos_tf.progress import log


def add_set_arguments(parser: argparse.ArgumentParser) -> None:
    """Add SET, PAIRS and the options that say how they are read."""
    parser.add_argument("folder", metavar="SET", help="folder of photos, or NAME.bin")
    parser.add_argument(
        "pairs",
        metavar="PAIRS",
        nargs="?",
        help="LFW's pairs.txt, a CSV of pairs, or YouTube Faces' splits.txt",
    )
    parser.add_argument(
        "--aligned", action="store_true", help="the folder was made by `xcos align`"
    )
    parser.add_argument(
        "--columns",
        type=_names,
        metavar="A,B,SAME",
        help="the columns of a CSV that hold the two photos and whether they show one person, and "
        "a fourth for the fold, if there is one",
    )
    parser.add_argument(
        "--skip-faceless",
        action="store_true",
        help="leave out photos of PAIRS that cannot be read or show no face, with their pairs",
    )
    drawing = parser.add_argument_group("pairs drawn from a folder of people")
    drawing.add_argument(
        "--draw", type=whole_number, metavar="N", help="draw N genuine and N impostor pairs"
    )
    drawing.add_argument(
        "--select",
        action="append",
        metavar="TAG",
        help="with --draw, take photos of this tag only, such as scarf; may be repeated",
    )


def _names(text: str) -> list[str]:
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        raise argparse.ArgumentTypeError(
            f"{shown(text)!r} is no list of columns; give their names with commas between"
        ) from None


def check_set_arguments(args: argparse.Namespace) -> None:
    """Refuse options of drawing that say nothing, or would be passed over.

    Raises:
        XcosError: they do.
    """
    for option, value in (("--columns", args.columns), ("--skip-faceless", args.skip_faceless)):
        if value and args.pairs is None:
            raise XcosError(f"{option} is for a list of PAIRS; leave it out or give the list")
    if args.skip_faceless and args.aligned:
        raise XcosError("--skip-faceless is for photos that are not --aligned; leave one out")
    if args.draw is not None and args.draw < 1:
        raise XcosError(f"--draw {args.draw} draws no pairs; give 1 or more")
    if args.select and args.draw is None:
        raise XcosError("--select is for --draw; leave it out or add --draw N")
    if args.seed is not None and args.seed < 0:
        raise XcosError(f"--seed {args.seed} is under 0; give 0 or more")


def set_paths(args: argparse.Namespace, presets, written) -> Paths:
    """Return what a command reads that measures presets on a set, and what it writes."""
    return Paths(
        files=dict.fromkeys(given(args.pairs), "there is no list of pairs {}; check the path"),
        folders={args.folder: "there is no {}; give a folder of photos or a .bin file"},
        presets=presets,
        written=written,
    )


def open_given_set(args: argparse.Namespace):
    """Open the set, and name on standard error what of it had to be left out.

    Raises:
        XcosError: as by `open_set`.
    """
    from xcos_tf.evaluation.open_set import open_set

    vset = open_set(
        args.folder,
        args.pairs,
        aligned=args.aligned,
        draw=(args.draw, args.draw) if args.draw else None,
        seed=args.seed or 0,
        select=args.select or (),
        columns=args.columns,
        skip_faceless=args.skip_faceless,
    )
    if vset.skipped:
        first = "; ".join(f"{name} ({reason})" for name, reason in vset.skipped[:3])
        rest = f"; and {len(vset.skipped) - 3:,} more" if len(vset.skipped) > 3 else ""
        log.warning(f"left out: {first}{rest}")
    return vset
