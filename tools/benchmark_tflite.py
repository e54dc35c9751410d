"""The price list of the TFLite variants: size, time, accuracy, and what becomes of S and W.

    python tools/benchmark_tflite.py DATA --out docs/results [--readme docs/mobile.md]

DATA has LFW as tools/reproduce_paper.py takes it. Writes tflite.md, tflite.csv and, of faces that
are partly covered, tflite-covered.csv. A run that was stopped goes on where it was: grid features,
and the scores of all pairs within the set's folds, are kept by the content of the models and the
set.
"""

import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import parser_of, run
from xcos_tf.cli.parser import add
from xcos_tf.models.preset_folder import DEFAULT_PRESET


def main(argv: list[str] | None = None) -> int:
    cache = "runs/tflite", "grid features and scores"
    parser = parser_of("benchmark_tflite", __doc__, cache)
    add(parser, "data DATA", "folder with LFW", Path)
    parser.add_argument("--preset", default=DEFAULT_PRESET, help="(default: %(default)s)")
    add(parser, "--variants NAME", "beside float32 (default: all it has)", nargs="+")
    add(parser, "--rounds ROUNDS", "of timing", int, 300)
    return run(parser, _measure, argv)


def _measure(args):
    from tools.paper.data_folder import NotThere, open_paper_set
    from tools.tflite.pricing import Bench, covered_prices, prices
    from tools.tflite.tables import BASE, report
    from xcos_tf.errors import XcosError
    from xcos_tf.evaluation.aligned_faces import align_in_memory
    from xcos_tf.export.tflite.export import export_tflite

    try:
        vset = align_in_memory(open_paper_set(args.data, "LFW"))
    except NotThere as error:
        raise XcosError(f"{error} in {args.data}; put LFW there") from None
    wanted = args.variants and [BASE, *args.variants]
    with tempfile.TemporaryDirectory() as folder:
        files = export_tflite(args.preset, Path(folder), wanted)
        variants = list(dict.fromkeys(path.name.split(".")[1] for path in files))
        bench = Bench(Path(folder), vset, args.cache)
        rows = prices(bench, variants, args.rounds)
        yield report(rows, covered_prices(bench, variants), vset)


if __name__ == "__main__":
    sys.exit(main())
