"""Measure how faithful explanations are: all methods, by all measures, on the same pairs.

    python tools/benchmark_explanations.py SET PAIRS --out docs/results [--readme README.md ...]

SET and PAIRS are a folder of photos and a list of pairs, as `xcos evaluate` takes them, or SET is a
`.bin` file alone. Writes explanations.md, .csv and .png. A run that was stopped goes on where it
was: what was measured of a pair is kept by the content that it was computed from, the code too.
"""

import argparse
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

PAIRS = 500
BASELINE, XCOS = "mobilefacenet", "xcos-mobilefacenet"


def build_parser() -> argparse.ArgumentParser:
    from tools.command import add_cache, add_out, add_readme
    from xcos_tf.explain.methods.registry import METHODS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", type=Path, metavar="SET", help="folder of photos, or a .bin file")
    parser.add_argument("list", type=Path, nargs="?", metavar="PAIRS", help="list of its pairs")
    add_out(parser)
    parser.add_argument(
        "--pairs",
        type=int,
        default=PAIRS,
        metavar="N",
        help="how many are drawn, half of them genuine (default: %(default)s)",
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        default=tuple(METHODS),
        metavar="NAME",
        help=f"those to measure, beside random maps (default: {' '.join(METHODS)})",
    )
    for option, default, what in (
        ("--baseline", BASELINE, "plain preset"),
        ("--xcos", XCOS, "xCos preset"),
    ):
        parser.add_argument(
            option,
            default=default,
            metavar="PRESET",
            help=f"the {what} to explain, its name or folder (default: %(default)s)",
        )
    add_cache(parser, "runs/explanations", "maps and measurements")
    add_readme(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    from tools.command import run
    from xcos_tf.cli.quiet import import_tensorflow

    args = build_parser().parse_args(argv)
    import_tensorflow()
    return run("benchmark_explanations", _measure, args)


def _measure(args) -> None:
    """Measure, print and write."""
    from tools.explanations.contenders import contenders
    from tools.explanations.drawn_pairs import draw_pairs
    from tools.explanations.page import page
    from tools.explanations.run import measure_all
    from tools.paper.data_folder import is_aligned
    from tools.paper.part import write_part
    from xcos_tf.evaluation.open_set import open_set
    from xcos_tf.evaluation.score_cache import ScoreCache
    from xcos_tf.files import check_can_write

    check_can_write(args.out, within=args.out)
    who = contenders(args.methods, args.baseline, args.xcos)
    vset = open_set(args.set, args.list, aligned=is_aligned(args.set))
    pairs = draw_pairs(vset, args.pairs)
    part = page(measure_all(who, pairs, ScoreCache(args.cache), args.baseline), vset)
    write_part(part, args.out, _command(args))
    print(part.markdown(_command(args)))


def _command(args) -> str:
    """Return the command, without where this machine has its set."""
    words = ["python", "tools/benchmark_explanations.py", "SET", *(["PAIRS"] if args.list else [])]
    words += ["--out", args.out.as_posix()]
    if args.pairs != PAIRS:
        words += ["--pairs", str(args.pairs)]
    if tuple(args.methods) != build_parser().get_default("methods"):
        words += ["--methods", *args.methods]
    for option, preset, default in (
        ("--baseline", args.baseline, BASELINE),
        ("--xcos", args.xcos, XCOS),
    ):
        words += [option, preset] * (preset != default)
    return shlex.join(words)


if __name__ == "__main__":
    sys.exit(main())
