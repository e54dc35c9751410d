"""Measure how faithful explanations are: all methods, by all measures, on the same pairs.

    python tools/benchmark_explanations.py --set SET [PAIRS] [--set ...] --out docs/results

Each SET and its PAIRS are a folder of photos and a list of pairs, as `xcos evaluate` takes them, or
SET is a `.bin` file alone. Writes explanations.md, .csv and .png. A run that was stopped goes on
where it was: what was measured of a pair is kept by the content that it was computed from, the code
too.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import parser_of, run
from xcos_tf.cli.parser import add
from xcos_tf.models.preset_folder import DEFAULT_PRESET


def build_parser() -> ArgumentParser:
    from xcos_tf.explain.methods.registry import METHODS

    cache = "runs/explanations", "maps and measurements"
    parser = parser_of("benchmark_explanations", __doc__, cache)
    words = "folder of photos and list of its pairs, or a .bin file alone; may be given again"
    add(parser, "--set SET", words, Path, action="append", nargs="+", required=True)
    add(parser, "--pairs N", "are drawn of each set, half of them genuine", int, 500)
    words = "how many are checked for sanity, which takes four explanations"
    add(parser, "--sanity-pairs N", words, int, 30)
    words = f"those to measure, beside random maps (default: {' '.join(METHODS)})"
    add(parser, "--methods NAME", words, nargs="+")
    parser.set_defaults(methods=tuple(METHODS))
    words = "preset to explain, its name or folder"
    add(parser, "--baseline PRESET", f"the plain {words}", default="mobilefacenet")
    add(parser, "--xcos PRESET", f"the xCos {words}", default=DEFAULT_PRESET)
    return parser


def main(argv: list[str] | None = None) -> int:
    return run(build_parser(), _measure, argv)


def _measure(args):
    from tools.explanations.page import page
    from tools.paper.data_folder import is_aligned
    from xcos_tf.evaluation.drawn_pairs import draw_pairs
    from xcos_tf.evaluation.open_set import open_set
    from xcos_tf.evaluation.score_cache import ScoreCache
    from xcos_tf.explain.benchmark.measuring import contenders, measure_all

    who = contenders(args.methods, args.baseline, args.xcos)
    sets = [open_set(*x, aligned=is_aligned(x[0])) for x in args.set]
    drawn = [draw_pairs(vset, args.pairs) for vset in sets]
    found, cache = [], ScoreCache(args.cache)
    for number, pairs in enumerate(drawn):  # sanity is of methods, and one set tells
        checks = 0 if number else args.sanity_pairs
        found.append(measure_all(who, pairs, checks, cache, args.baseline))
    yield page(list(zip(sets, found, strict=True)))


if __name__ == "__main__":
    sys.exit(main())
