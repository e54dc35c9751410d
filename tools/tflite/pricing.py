"""Everything of the price list, measured on one set of faces."""

import gzip
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from tools.tflite.bare_backbone import bare_backbone, running
from tools.tflite.changed import Judged, changed
from tools.tflite.fold_pairs import all_pairs_of_folds
from tools.tflite.kept import Kept
from tools.tflite.over_folds import mean_and_error
from tools.tflite.rows import BASE, Price
from tools.tflite.running import Variant
from tools.tflite.timing import seconds_of
from xcos_tf.evaluation.metrics import eer, fmr_fnmr, kfold_accuracy, tar_at_far
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.set_faces import SetFaces
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.mobile.lite_model import LiteModel
from xcos_tf.mobile.metadata import ModelFile

FMR = "0.001"
MAPS = ("xcos", "similarity_map", "attention_map")
THREADS = (1, 2)


def prices(
    folder: Path, variants: Sequence[str], vset: VerificationSet, cache: Path, rounds: int
) -> list[Price]:
    """Measure each variant.

    Args:
        folder: that `export_tflite` wrote them to.
        variants: float32 first.
        vset: of single photos.
        cache: folder in which grid features and scores are kept by the content of files and set.
        rounds: of timing.

    Raises:
        XcosError: a face cannot be read, or the cache not be written.
    """
    faces, pairs = SetFaces(vset), vset.pairs
    every = all_pairs_of_folds(pairs)
    times = _times(folder, variants, faces.face(0)[np.newaxis], rounds)
    kept, base, base_judged, rows = Kept(cache, vset.fingerprint), None, None, []
    for name in variants:
        variant = Variant(folder, name)
        grids = kept.grids(variant, faces, len(vset.photos))
        found = variant.compared(grids, pairs.first, pairs.second, MAPS)
        base = base or found
        accuracy = kfold_accuracy(found["xcos"], pairs.same, pairs.fold)
        about = variant.embed.metadata
        scores = kept.scores(variant, every, partial(_scores, variant, grids, every))
        judged = Judged(scores, kfold_accuracy(scores, every.same, every.fold, balanced=True))
        base_judged = base_judged or judged
        rows.append(
            Price(
                name,
                *_sizes(folder, name),
                *times[name],
                accuracy.mean,
                accuracy.std,
                *(_correlation(found[key], base[key]) for key in (*MAPS[1:], MAPS[0])),
                len(pairs),
                judged.folds.mean,
                *mean_and_error(base_judged.folds.per_fold - judged.folds.per_fold),
                *mean_and_error(changed(judged, base_judged, every)),
                *_on_all_pairs(scores, every, about["thresholds"][FMR]),
                about["preset"],
                about["preset_sha256"],
                vset.fingerprint,
            )
        )
    return rows


def _scores(variant: Variant, grids: np.ndarray, pairs: PairSet) -> np.ndarray:
    return variant.compared(grids, pairs.first, pairs.second, ("xcos",))["xcos"]


def _on_all_pairs(scores: np.ndarray, pairs: PairSet, threshold: float) -> tuple:
    """Return a `Price`'s fields from `eer` to `impostor`."""
    same = pairs.same
    rates = (eer(scores, same), tar_at_far(scores, same, 1e-3), tar_at_far(scores, same, 1e-4))
    genuine = int(same.sum())
    return *rates, *fmr_fnmr(scores, same, threshold), threshold, genuine, len(same) - genuine


def _sizes(folder: Path, variant: str) -> list[int]:
    contents = [_file(folder, model, variant).read_bytes() for model in ("embed", "verify")]
    return [size for x in contents for size in (len(x), len(gzip.compress(x, mtime=0)))]


def _times(folder, variants, face, rounds) -> dict[str, list[float]]:
    """Return {variant: ratios, those on one thread before those on two}.

    They are of `embed` to float32's, of `verify` to two runs of `embed`, and of `verify` to two of
    the bare backbone in float32.
    """
    ratios = {variant: [] for variant in variants}
    backbone = bare_backbone()
    for threads in THREADS:
        runs = [running(backbone, face, threads)]
        for variant in variants:
            for model in ("embed", "verify"):
                lite = LiteModel(ModelFile.read(_file(folder, model, variant), model), threads)
                runs.append(partial(lite, *[face] * len(lite.metadata["inputs"])))
        bare, *others = seconds_of(runs, rounds)
        seconds = dict(zip(variants, np.reshape(others, (len(variants), 2)), strict=True))
        for variant, (embed, verify) in seconds.items():
            base = seconds[BASE][0]
            ratios[variant].append((embed / base, verify / (2 * embed), verify / (2 * bare)))
    return {name: np.transpose(pairs).ravel().tolist() for name, pairs in ratios.items()}


def _file(folder, model, variant) -> Path:
    return folder / f"{model}.{variant}.tflite"


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])
