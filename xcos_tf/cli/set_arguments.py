"""The arguments that name a test set, and the set that they name."""

import argparse
import sys


def add_set_arguments(parser: argparse.ArgumentParser) -> None:
    """Add SET, PAIRS, --aligned, --draw and --select."""
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
    drawing = parser.add_argument_group("pairs drawn from a folder of people")
    drawing.add_argument(
        "--draw", type=int, metavar="N", help="draw N genuine and N impostor pairs"
    )
    drawing.add_argument(
        "--select",
        action="append",
        metavar="TAG",
        help="with --draw, take photos of this tag only, such as scarf; may be repeated",
    )


def check_set_arguments(args: argparse.Namespace) -> None:
    """Refuse options of drawing that say nothing, or would be passed over.

    Raises:
        XcosError: they do.
    """
    from xcos_tf.errors import XcosError

    if args.draw is not None and args.draw < 1:
        raise XcosError(f"--draw {args.draw} draws no pairs; give 1 or more")
    if args.select and args.draw is None:
        raise XcosError("--select is for --draw; leave it out or add --draw N")
    if args.seed is not None and args.seed < 0:
        raise XcosError(f"--seed {args.seed} is under 0; give 0 or more")


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
    )
    if vset.skipped:
        first = "; ".join(f"{name} ({reason})" for name, reason in vset.skipped[:3])
        rest = f"; and {len(vset.skipped) - 3:,} more" if len(vset.skipped) > 3 else ""
        print(f"xcos {args.command}: left out: {first}{rest}", file=sys.stderr)
    return vset
