"""Measure the paper's Tables 1 and 2, Fig. 5 and its cost ratio, ours beside the paper's.

    python tools/reproduce_paper.py --data DATA --out docs/results [--readme README.md ...]

DATA holds whatever test sets there are, by their customary names: `lfw/` with `pairs.txt`, `ytf/`
with `splits.txt`, `agedb_30.bin`, `calfw.bin`, `cfp_ff.bin`, `cfp_fp.bin`, `vgg2_fp.bin` and `ar/`.
What is not there is a row that says "not run". Photos that are not 112×112 are aligned first, every
time; `xcos align` does it once. A run that was stopped goes on where it was: scores are kept by the
content that they were computed from.
"""

import argparse
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

PRESETS = (
    "mobilefacenet",
    "xcos-mobilefacenet",
    "mobilefacenet-occlusion",
    "xcos-mobilefacenet-occlusion",
)
PARTS = ("tables", "fig-5a", "fig-5b", "cost")


def build_parser() -> argparse.ArgumentParser:
    from tools.command import add_cache, add_out, add_readme

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the test sets")
    add_out(parser)
    parser.add_argument(
        "--presets",
        nargs="+",
        default=PRESETS,
        metavar="NAME",
        help=f"bundled presets or preset folders (default: {' '.join(PRESETS)})",
    )
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, help="parts to measure (default: all)"
    )
    add_cache(parser, "runs/scores", "scores")
    add_readme(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    from tools.command import run
    from xcos_tf.cli.quiet import import_tensorflow

    args = build_parser().parse_args(argv)
    import_tensorflow()
    return run("reproduce_paper", _measure, args)


def _measure(args) -> None:
    """Measure, print and write one part after the other."""
    from tools.paper.bench import Bench
    from tools.paper.cost import cost
    from tools.paper.part import write_part
    from tools.paper.tables import figure_5a, tables
    from tools.paper.under_cover import figure_5b
    from xcos_tf.files import check_can_write

    makers = {"tables": tables, "fig-5a": figure_5a, "fig-5b": figure_5b, "cost": cost}
    check_can_write(args.out, within=args.out)
    bench = Bench.of(args.data, args.presets, args.cache)
    for name in PARTS:
        if name in args.only:
            for part in makers[name](bench):
                write_part(part, args.out, _command(args))
                print(part.markdown(_command(args)))


def _command(args) -> str:
    """Return the command, without where this machine has its sets."""
    words = ["python", "tools/reproduce_paper.py", "--data", "DATA", "--out", args.out.as_posix()]
    if tuple(args.presets) != PRESETS:
        words += ["--presets", *args.presets]
    if tuple(args.only) != PARTS:
        words += ["--only", *args.only]
    return shlex.join(words)


if __name__ == "__main__":
    sys.exit(main())
