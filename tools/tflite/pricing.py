"""Everything of the price list, measured on one set of faces."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tools.tflite.kept import Kept
from tools.tflite.rows import BASE, Price
from tools.tflite.running import Variant
from tools.tflite.timing import seconds_of
from xcos_tf.evaluation.metrics import fmr_fnmr, kfold_accuracy
from xcos_tf.evaluation.set_faces import SetFaces
from xcos_tf.evaluation.verification_set import VerificationSet

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
        cache: folder in which grid features are kept by the content of file and set.
        rounds: of timing.

    Raises:
        XcosError: a face cannot be read, or the cache not be written.
    """
    faces, pairs = SetFaces(vset), vset.pairs
    times = _times(folder, variants, faces.face(0)[np.newaxis], rounds)
    kept, base, rows = Kept(cache, vset.fingerprint), None, []
    for name in variants:
        variant = Variant(folder, name)
        grids = kept.grids(variant, faces, len(vset.photos))
        found = variant.compared(grids, pairs.first, pairs.second, MAPS)
        base = base or found
        accuracy = kfold_accuracy(found["xcos"], pairs.same, pairs.fold)
        about = variant.embed.metadata
        threshold = about["thresholds"][FMR]
        fmr, fnmr = fmr_fnmr(found["xcos"], pairs.same, threshold)
        correlations = [_correlation(found[key], base[key]) for key in (*MAPS[1:], MAPS[0])]
        rows.append(
            Price(
                name,
                *_sizes(folder, name),
                *times[name],
                accuracy.mean,
                accuracy.std,
                *correlations,
                fmr,
                fnmr,
                threshold,
                len(pairs),
                about["preset"],
                about["preset_sha256"],
                vset.fingerprint,
            )
        )
    return rows


def _sizes(folder: Path, variant: str) -> list[int]:
    contents = [_file(folder, model, variant).read_bytes() for model in ("embed", "verify")]
    return [size for x in contents for size in (len(x), len(gzip.compress(x, mtime=0)))]


def _times(folder, variants, face, rounds) -> dict[str, list[float]]:
    """Return {variant: [embed to float32's on 1 and 2 threads, verify to two embeds on 1, 2]}."""
    ratios = {variant: [[], []] for variant in variants}
    for threads in THREADS:
        files = [_file(folder, model, x) for x in variants for model in ("embed", "verify")]
        seconds = np.reshape(seconds_of(files, face, threads, rounds), (len(variants), 2))
        base = seconds[variants.index(BASE), 0]
        for variant, (embed, verify) in zip(variants, seconds, strict=True):
            ratios[variant][0].append(embed / base)
            ratios[variant][1].append(verify / (2 * embed))
    return {variant: [*to_base, *to_two] for variant, (to_base, to_two) in ratios.items()}


def _file(folder, model, variant) -> Path:
    return folder / f"{model}.{variant}.tflite"


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])
