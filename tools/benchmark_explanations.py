"""Measure how faithful explanations are: all methods, by all measures, on the same pairs.

    python tools/benchmark_explanations.py SET PAIRS --out docs/results [--readme PAGE]

SET and PAIRS are a folder of photos and a list of pairs, as `xcos evaluate` takes them, or SET is a
`.bin` file alone. Writes explanations.md, .csv and .png. A run that was stopped goes on where it
was: what was measured of a pair is kept by the content that it was computed from, the code too.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import parser_of, run


def build_parser() -> ArgumentParser:
    from xcos_tf.explain.methods.registry import METHODS

    cache = "runs/explanations", "maps and measurements"
    parser = parser_of("benchmark_explanations", __doc__, cache)
    parser.add_argument("set", type=Path, metavar="SET", help="folder of photos, or a .bin file")
    parser.add_argument("list", type=Path, nargs="?", metavar="PAIRS", help="list of its pairs")
    words = "are drawn, half of them genuine (default: %(default)s)"
    parser.add_argument("--pairs", type=int, default=500, metavar="N", help=words)
    words = f"those to measure, beside random maps (default: {' '.join(METHODS)})"
    parser.add_argument("--methods", nargs="+", default=tuple(METHODS), metavar="NAME", help=words)
    words = "to explain, its name or folder (default: %(default)s)"
    for option, default, what in (
        ("--baseline", "mobilefacenet", "plain preset"),
        ("--xcos", "xcos-mobilefacenet", "xCos preset"),
    ):
        parser.add_argument(option, default=default, metavar="PRESET", help=f"the {what} {words}")
    return parser


def main(argv: list[str] | None = None) -> int:
    return run(build_parser(), _measure, argv)


def _measure(args):
    from tools.explanations.contenders import contenders
    from tools.explanations.drawn_pairs import draw_pairs
    from tools.explanations.page import page
    from tools.explanations.run import measure_all
    from tools.paper.data_folder import is_aligned
    from xcos_tf.evaluation.open_set import open_set
    from xcos_tf.evaluation.score_cache import ScoreCache

    who = contenders(args.methods, args.baseline, args.xcos)
    vset = open_set(args.set, args.list, aligned=is_aligned(args.set))
    pairs = draw_pairs(vset, args.pairs)
    yield page(measure_all(who, pairs, ScoreCache(args.cache), args.baseline), vset)


if __name__ == "__main__":
    sys.exit(main())
