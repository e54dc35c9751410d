"""Presets on a pair set: each photo through each backbone once, then every score of every pair."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from xcos_tf.data.aligner import FaceAligner
from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError
from xcos_tf.evaluation import metrics
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.verifier import DEFAULT_FMR, Verifier

BLOCK = 64


def read_faces(
    pairs: PairSet, folder: str | os.PathLike, start: int, stop: int, aligner: FaceAligner | None
) -> np.ndarray:
    """Return the faces of some photos of a pair set, aligned if an aligner is given.

    Returns:
        uint8 (stop − start, 112, 112, 3) RGB.

    Raises:
        XcosError: a photo cannot be read, shows no face, or is not 112×112 without an aligner.
    """
    paths = [Path(folder) / name for name in pairs.photos[start:stop]]
    photos = [read_photo(path) for path in paths]
    if aligner is None:
        for path, photo in zip(paths, photos, strict=True):
            if photo.shape[:2] != (FACE_SIZE, FACE_SIZE):
                raise XcosError(
                    f"{path} is not a {FACE_SIZE}×{FACE_SIZE} face; run `xcos align` first or "
                    "leave out --aligned"
                )
        return np.stack(photos)
    faces = aligner.align(photos)
    for path, face in zip(paths, faces, strict=True):
        if face is None:
            raise XcosError(f"no face was found in {path}; take its pairs out of the list")
    return np.stack([face.image for face in faces])


def evaluate_presets(
    presets: Sequence[str], pairs: PairSet, folder: str | os.PathLike, aligned: bool = False
) -> list[dict]:
    """Measure every score of every preset on a pair set.

    Args:
        presets: bundled names or preset folders.
        pairs: the pair set, relative to `folder`.
        folder: of photos, or of faces that `xcos align` made.
        aligned: which of the two.

    Returns:
        One dictionary for each preset and score: `preset`, `score`, `accuracy`, `accuracy_std`,
        `auc`, `eer`, `tar_at_far_1e-3`, and `threshold`, `fmr` and `fnmr` at the preset's own
        threshold; all but names are shares in [0, 1]. The last three are None where the preset has
        no threshold.
    """
    verifiers = {name: Verifier.from_preset(name) for name in presets}
    thresholds = {
        (name, attention): _threshold(verifier, attention)
        for name, verifier in verifiers.items()
        for attention in verifier.attentions
    }
    aligner = None if aligned else FaceAligner()
    features = {name: [] for name in verifiers}
    for start in tqdm(range(0, len(pairs.photos), BLOCK), desc="faces", unit="block"):
        stop = min(start + BLOCK, len(pairs.photos))
        faces = read_faces(pairs, folder, start, stop, aligner)
        for name, verifier in verifiers.items():
            features[name].append(verifier.embed(faces))
    results = []
    for name, verifier in verifiers.items():
        grids = np.concatenate(features[name])
        for attention in verifier.attentions:
            scores = verifier.compare_pairs(grids[pairs.first], grids[pairs.second], attention)
            threshold = thresholds[name, attention]
            results.append({"preset": name, **measure(scores, pairs, attention, threshold)})
    return results


def _threshold(verifier: Verifier, attention: str) -> float | None:
    try:
        return verifier.threshold(attention, DEFAULT_FMR)
    except XcosError:  # such as of a P measured anew
        return None


def measure(scores: np.ndarray, pairs: PairSet, score: str, threshold: float | None) -> dict:
    """Return the metrics of one score; see `evaluate_presets`."""
    kfold = metrics.kfold_accuracy(scores, pairs.same, pairs.fold)
    fmr = fnmr = None
    if threshold is not None:
        threshold = float(threshold)
        fmr, fnmr = map(float, metrics.fmr_fnmr(scores, pairs.same, threshold))
    return {
        "score": score,
        "accuracy": float(kfold.mean),
        "accuracy_std": float(kfold.std),
        "auc": float(metrics.auc(scores, pairs.same)),
        "eer": float(metrics.eer(scores, pairs.same)),
        "tar_at_far_1e-3": float(metrics.tar_at_far(scores, pairs.same, 1e-3)),
        "threshold": threshold,
        "fmr": fmr,
        "fnmr": fnmr,
    }
