"""`xcos gallery PRESET SET [PAIRS]`: what a preset gets right and wrong, and where it looks."""

import argparse

from xcos_tf.cli.set_arguments import add_set_arguments, check_set_arguments, open_given_set


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Attach the subcommand's parser."""
    parser = subparsers.add_parser(
        "gallery",
        help="draw what an xCos preset gets right and wrong on a test set",
        description="Write five pictures to --out: true accepts, false accepts, true rejects and "
        "false rejects (the paper's true and false positives and negatives), each with the pairs "
        "that the preset is most and least sure of, and the mean attention map over all pairs; "
        "print the share of weight of each part of the face. SET and PAIRS are as in `xcos "
        "evaluate`. Exit code: 0 done, 2 error.",
    )
    parser.add_argument("preset", metavar="PRESET", help="bundled xCos preset or preset folder")
    add_set_arguments(parser)
    parser.add_argument("--seed", type=int, metavar="S", help="of --draw (default: 0)")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the pictures")
    return parser


def run(args: argparse.Namespace) -> int:
    """Measure, draw and print; returns the exit code."""
    from pathlib import Path

    from xcos_tf.errors import XcosError
    from xcos_tf.evaluation.subject import Subject
    from xcos_tf.files import check_can_write

    check_set_arguments(args)
    if args.seed is not None and args.draw is None:
        raise XcosError("--seed is for --draw; leave it out or add --draw N")
    out = Path(args.out)
    check_can_write(out, out)
    subject = Subject(args.preset)
    if not subject.verifier.network.explains:
        raise XcosError(f"the preset {args.preset!r} has no maps to draw; use an xCos preset")
    vset = open_given_set(args)

    from xcos_tf.explain.set_gallery import draw_gallery, gallery_text, make_gallery, save_gallery

    gallery = make_gallery(subject, vset)
    paths = save_gallery(draw_gallery(gallery), out)
    print(gallery_text(gallery))
    print("pictures: " + ", ".join(str(path) for path in paths))
    return 0
