"""The price list of the TFLite variants: size, time, accuracy, and what becomes of S and W.

    python tools/benchmark_tflite.py DATA --out docs/results [--readme README.md docs/mobile.md]

DATA has LFW as tools/reproduce_paper.py takes it. Writes tflite.md, tflite.csv and, of faces that
are partly covered, tflite-covered.csv. A run that was stopped goes on where it was: grid features,
and the scores of all pairs within the set's folds, are kept by the content of the models and the
set.
"""

import argparse
import shlex
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

NAME = "tflite"
PRESET = "xcos-mobilefacenet"
ROUNDS = 300


def build_parser() -> argparse.ArgumentParser:
    from tools.command import add_cache, add_out, add_readme

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with LFW")
    add_out(parser)
    parser.add_argument("--preset", default=PRESET, help="(default: %(default)s)")
    parser.add_argument(
        "--variants", nargs="+", metavar="NAME", help="beside float32 (default: all it has)"
    )
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="of timing (default: %(default)s)"
    )
    add_cache(parser, "runs/tflite", "grid features and scores")
    add_readme(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    from tools.command import run
    from xcos_tf.cli.quiet import import_tensorflow

    args = build_parser().parse_args(argv)
    import_tensorflow()
    return run("benchmark_tflite", _measure, args)


def _measure(args) -> None:
    """Measure, print and write."""
    from tools.paper.data_folder import NotThere, open_paper_set
    from tools.tflite.page import write_page
    from tools.tflite.pricing import prices
    from tools.tflite.rows import BASE
    from tools.tflite.under_cover import covered_prices
    from xcos_tf.errors import XcosError
    from xcos_tf.evaluation.set_faces import align_in_memory
    from xcos_tf.export.tflite.export import export_tflite
    from xcos_tf.files import check_can_write

    check_can_write(args.out, within=args.out)
    try:
        vset = align_in_memory(open_paper_set(args.data, "LFW"))
    except NotThere as error:
        raise XcosError(f"{error} in {args.data}; put LFW there") from None
    wanted = args.variants and [BASE, *args.variants]
    with tempfile.TemporaryDirectory() as folder:
        files = export_tflite(args.preset, Path(folder), wanted)
        variants = list(dict.fromkeys(path.name.split(".")[1] for path in files))
        rows = prices(Path(folder), variants, vset, args.cache, args.rounds)
        under_cover = covered_prices(Path(folder), variants, vset, args.cache)
    print(write_page(rows, under_cover, vset, args.out, _command(args)))


def _command(args) -> str:
    """Return the command, without where this machine has its set."""
    words = ["python", "tools/benchmark_tflite.py", "DATA", "--out", args.out.as_posix()]
    if args.preset != PRESET:
        words += ["--preset", args.preset]
    if args.variants:
        words += ["--variants", *args.variants]
    if args.rounds != ROUNDS:
        words += ["--rounds", str(args.rounds)]
    return shlex.join(words)


if __name__ == "__main__":
    sys.exit(main())
