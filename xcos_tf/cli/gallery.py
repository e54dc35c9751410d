"""`xcos gallery PRESET SET [PAIRS]`: what a preset gets right and wrong, and where it looks."""

import argparse
import os

from xcos_tf.cli.arguments import add_set_arguments, check_set_arguments, open_given_set, set_paths
from xcos_tf.cli.parser import add, whole_number
from xcos_tf.cli.paths import Paths
from xcos_tf.errors import XcosError, on_one_line
from xcos_tf.explain.output_paths import GROUP_PICTURES, MEAN_ATTENTION

HELP = "draw what an xCos preset gets right and wrong on a test set"
DESCRIPTION = """Write five pictures to --out: true accepts, false accepts, true rejects and false
rejects (the paper's true and false positives and negatives), each with the pairs that the preset is
most and least sure of, and the mean attention map over all pairs; print the share of weight of each
part of the face. SET and PAIRS are as in `xcos evaluate`. Exit code: 0 done, 2 error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add(parser, "preset PRESET", "bundled xCos preset or preset folder")
    add_set_arguments(parser)
    add(parser, "--seed S", "of --draw (default: 0)", whole_number)
    add(parser, "--out DIR", "folder for the pictures", required=True)


def paths(args: argparse.Namespace) -> Paths:
    check_set_arguments(args)
    if args.seed is not None and args.draw is None:
        raise XcosError("--seed is for --draw; leave it out or add --draw N")
    pictures = [os.path.join(args.out, name) for name in (*GROUP_PICTURES, MEAN_ATTENTION)]
    return set_paths(args, (args.preset,), written=pictures)


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from xcos_tf.evaluation.matcher import Matcher
    from xcos_tf.files import check_can_write

    out = Path(args.out)
    check_can_write(out, out)
    matcher = Matcher(args.preset)
    if not matcher.verifier.explains:
        raise XcosError(f"the preset {args.preset!r} has no maps to draw; use an xCos preset")
    vset = open_given_set(args)

    from xcos_tf.explain.set_gallery import draw_gallery, gallery_text, make_gallery, save_gallery

    gallery = make_gallery(matcher, vset)
    pictures = save_gallery(draw_gallery(gallery), out)
    print(gallery_text(gallery))
    print("pictures: " + ", ".join(on_one_line(picture) for picture in pictures))
    return 0
