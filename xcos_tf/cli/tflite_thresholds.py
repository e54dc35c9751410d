"""The thresholds of a preset's TFLite variants, each measured for itself.

By the protocol of the preset's own thresholds: of the people who were held out of its training, so
many impostor pairs are drawn, by the same seed.
"""

import tempfile
from pathlib import Path

import numpy as np

from xcos_tf.data.face_set import FaceSet, hold_out, join_sets
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.sampling import draw_pairs
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.thresholds import embed_faces
from xcos_tf.export.tflite.export import export_tflite
from xcos_tf.export.tflite.thresholds import FILE, MeasuredThresholds
from xcos_tf.metrics.rates import thresholds_at_fmrs
from xcos_tf.models.preset_config import read_config
from xcos_tf.models.preset_folder import find_preset
from xcos_tf.verifier import Verifier

PAIRS = 500_000
BLOCK = 1024  # pairs


def measure_variants(preset: str, data: Path, variants: list[str] | None) -> tuple[Path, list[str]]:
    """Export variants, compare pairs by them, and write the thresholds into the preset's folder.

    Variants that are not named keep what they have. From the file that is returned, `export_tflite`
    puts them into each model.

    Args:
        preset: that `xcos train` made, its name or folder.
        data: folder of the sets that it was trained on, as `xcos prepare` made them.
        variants: their names; None for all.

    Returns:
        The file, from where `export_tflite` puts them into each model; and the variants' names.

    Raises:
        XcosError: the preset does not say what it was trained on, its sets are not there, or the
            file cannot be written.
    """
    folder = find_preset(preset)
    config = read_config(folder)
    faces = faces_held_out(config, data)
    pairs = draw_pairs(faces.labels, 0, PAIRS, config["training"]["config"]["seed"] + 1)
    with tempfile.TemporaryDirectory() as place:
        written = export_tflite(preset, Path(place), variants)
        names = dict.fromkeys(path.name.split(".")[1] for path in written)
        models = {x: Verifier.from_export(place, f"{x}.batch", threads=2) for x in names}
        found = {x: thresholds_at_fmrs(_scores(models[x], faces, pairs)) for x in names}
        attention = next(iter(models.values())).attentions[-1]
    about = (
        f"measured on {len(pairs.first):,} impostor pairs of {len(faces.people)} people held out "
        "of training, by the .tflite files of this variant"
    )
    measured = MeasuredThresholds(config["weights"]["sha256"], attention, about, found)
    return measured.write(folder / FILE), list(names)


def faces_held_out(config: dict, data: Path) -> FaceSet:
    """Return the faces of the people who were held out of a preset's training.

    Args:
        config: of the preset.
        data: as of `measure_variants`.

    Raises:
        XcosError: the preset does not say whom, or its sets are not there.
    """
    try:
        trained = config["training"]["config"]
        sets, held, seed = trained["data"]["sets"], trained["data"]["hold_out"], trained["seed"]
    except KeyError:
        raise XcosError(
            f"the preset {config['name']!r} does not say whom its training held out; use one that "
            "`xcos train` made with hold_out"
        ) from None
    return hold_out(join_sets([PreparedSet(data / name) for name in sets]), held, seed)[1]


def _scores(model: Verifier, faces, pairs) -> np.ndarray:
    size, every = model.runtime.face_shape[0], np.arange(len(faces))
    grids = embed_faces(model, faces, every, size, model.config["variant"])
    ends = np.stack([pairs.first, pairs.second])
    blocks = [ends[:, i : i + BLOCK] for i in range(0, ends.shape[1], BLOCK)]
    return np.concatenate([model.compare_pairs(*grids[block]) for block in blocks])
