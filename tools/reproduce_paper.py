"""Measure the paper's Tables 1 and 2, Fig. 5 and its cost ratio, ours beside the paper's.

    python tools/reproduce_paper.py --data DATA --out docs/results [--readme docs/evaluation.md ...]

DATA holds whatever test sets there are, by their customary names: `lfw/` with `pairs.txt`, `ytf/`
with `splits.txt`, `agedb_30.bin`, `calfw.bin`, `cfp_ff.bin`, `cfp_fp.bin`, `vgg2_fp.bin` and `ar/`.
What is not there is a row that says "not run". Photos that are not 112×112 are aligned first, every
time; `xcos align` does it once. A run that was stopped goes on where it was: scores are kept by the
content that they were computed from.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import parser_of, run
from xcos_tf.cli.parser import add

PRESETS = (
    *("mobilefacenet", "xcos-mobilefacenet", "xcos-mobilefacenet-2"),
    *("mobilefacenet-occlusion", "xcos-mobilefacenet-occlusion"),
)
PARTS = ("tables", "fig-5a", "fig-5b", "cost")


def main(argv: list[str] | None = None) -> int:
    parser = parser_of("reproduce_paper", __doc__, ("runs/scores", "scores"))
    add(parser, "--data DATA", "folder of the test sets", Path, required=True)
    words = f"bundled presets or preset folders (default: {' '.join(PRESETS)})"
    add(parser, "--presets NAME", words, nargs="+")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="parts to measure (default: all)")
    return run(parser, _measure, argv)


def _measure(args):
    """Yield one report after the other."""
    from tools.paper.tables import Bench, cost, figure_5a, tables
    from tools.paper.under_cover import figure_5b

    bench = Bench(args.data, args.presets or PRESETS, args.cache)
    for name, make in zip(PARTS, (tables, figure_5a, figure_5b, cost), strict=True):
        if name in (args.only or PARTS):
            yield from make(bench)


if __name__ == "__main__":
    sys.exit(main())
