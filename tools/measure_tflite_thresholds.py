"""Measure the thresholds of a preset's TFLite variants, each for itself.

    python tools/measure_tflite_thresholds.py xcos-mobilefacenet --data PREPARED

By the protocol of the preset's own thresholds: PREPARED holds the sets that the preset was trained
on, as `xcos prepare` made them; of the people who were held out of training so many impostor pairs
are drawn, by the same seed. Each variant is exported, embeds their faces and compares the pairs.
Writes tflite-thresholds.json into the preset's folder, from where `xcos export` puts them into each
file. Variants that are not named keep what they have.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

PAIRS = 500_000


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset", metavar="PRESET", help="xCos preset that `xcos train` made")
    parser.add_argument("--data", type=Path, required=True, help="folder of prepared sets")
    parser.add_argument("--variants", nargs="+", metavar="NAME", help="default: all it has")
    parser.add_argument(
        "--pairs", type=int, default=PAIRS, metavar="N", help="at the most (default: %(default)s)"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    from xcos_tf.cli.quiet import import_tensorflow
    from xcos_tf.errors import XcosError

    import_tensorflow()
    try:
        print(measure(args.preset, args.data, args.variants, args.pairs))
    except XcosError as error:
        print(f"measure_tflite_thresholds: error: {error}", file=sys.stderr)
        return 2
    return 0


def measure(preset: str, data: Path, variants: list[str] | None, pairs: int) -> Path:
    """Measure, write and return the file.

    Raises:
        XcosError: the preset does not say what it was trained on, its sets are not there, or the
            file cannot be written.
    """
    from tools.tflite.running import Variant
    from xcos_tf.data.face_pairs import draw_pairs
    from xcos_tf.evaluation.metrics import preset_thresholds
    from xcos_tf.export.tflite.export import export_tflite
    from xcos_tf.export.tflite.thresholds import FILE, MeasuredThresholds
    from xcos_tf.models.presets import find_preset, read_config

    folder = find_preset(preset)
    config = read_config(folder)
    faces, seed = _held_out(config, data)
    drawn = draw_pairs(faces.labels, 0, pairs, seed + 1)
    measured = (
        f"measured on {len(drawn.first):,} impostor pairs of {len(faces.people)} people held out "
        "of training, by the .tflite files of this variant"
    )
    with tempfile.TemporaryDirectory() as place:
        written = export_tflite(preset, Path(place), variants)
        found = {}
        for name in dict.fromkeys(path.name.split(".")[1] for path in written):
            variant = Variant(Path(place), name)
            attention = variant.embed.metadata["attention"]
            grids = variant.grids(_batches(faces, variant.embed.metadata["inputs"][0]["shape"][1]))
            scores = variant.compared(grids, drawn.first, drawn.second, ("xcos",))["xcos"]
            found[name] = preset_thresholds(scores)
            print(name, json.dumps(found[name]), flush=True)
    return MeasuredThresholds(config["weights"]["sha256"], attention, measured, found).write(
        folder / FILE
    )


def _held_out(config: dict, data: Path):
    """Return the faces of the people held out of a preset's training, and the training's seed."""
    from xcos_tf.data.face_set import hold_out, join_sets
    from xcos_tf.data.records.reader import RecordSet
    from xcos_tf.errors import XcosError

    try:
        trained = config["training"]["config"]
        sets, held, seed = trained["data"]["sets"], trained["data"]["hold_out"], trained["seed"]
    except KeyError:
        raise XcosError(
            f"the preset {config['name']!r} does not say whom its training held out; use one that "
            "`xcos train` made with hold_out"
        ) from None
    everyone = join_sets([RecordSet.open(data / name) for name in sets])
    return hold_out(everyone, held, seed)[1], seed


def _batches(faces, size: int, count: int = 32):
    import numpy as np
    from tqdm import tqdm

    from xcos_tf.data.reading_faults import reading_faults
    from xcos_tf.data.training_input import decode_face

    with reading_faults():
        for start in tqdm(range(0, len(faces), count), desc="faces", unit="batch", disable=None):
            images = faces.read(np.arange(start, min(start + count, len(faces))))
            yield np.stack([decode_face(image, size) for image in images])


if __name__ == "__main__":
    sys.exit(main())
