"""What the variants lose where faces are partly covered: there they have more to lose."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from tools.paper.data_folder import SEED
from tools.tflite.changed import Judged, changed
from tools.tflite.covered_faces import CoveredFaces
from tools.tflite.covered_pairs import covered_pairs
from tools.tflite.fold_pairs import all_pairs_of_folds
from tools.tflite.kept import Kept
from tools.tflite.over_folds import mean_and_error
from tools.tflite.rows import BASE, POST_TRAINING, CoveredPrice
from tools.tflite.running import Variant
from xcos_tf.evaluation.metrics import kfold_accuracy
from xcos_tf.evaluation.occluded import SHARES
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.set_faces import SetFaces
from xcos_tf.evaluation.verification_set import VerificationSet


def covered_prices(
    folder: Path, variants: Sequence[str], vset: VerificationSet, cache: Path
) -> list[CoveredPrice]:
    """Judge pairs with one face of each covered, at each share.

    Args:
        folder: that `export_tflite` wrote the variants to.
        variants: float32 first.
        vset: of single photos, aligned.
        cache: folder in which grid features and scores are kept by the content of files and set.

    Returns:
        For each variant a row for each share, and one for the mean.

    Raises:
        XcosError: a face cannot be read, or the cache not be written.
    """
    pairs = covered_pairs(all_pairs_of_folds(vset.pairs), SEED)
    loaded = [Variant(folder, name) for name in variants]
    judged = _judged(loaded, vset, pairs, Kept(cache, vset.fingerprint))
    about = loaded[0].embed.metadata
    return covered_rows(judged, pairs, (about["preset"], about["preset_sha256"], vset.fingerprint))


def covered_rows(
    judged: Mapping[str, Sequence[Judged]], pairs: PairSet, about: tuple[str, str, str]
) -> list[CoveredPrice]:
    """Return what the variants lose, from what each made of the pairs at each of SHARES.

    Args:
        judged: {variant: of each share}.
        pairs: that were judged.
        about: name and hash of the preset, and hash of the set.
    """
    right = {name: _with_mean([x.folds.per_fold for x in judged[name]]) for name in judged}
    base, rival = right[BASE], right.get(POST_TRAINING)
    kinds = int(pairs.same.sum()), int((~pairs.same).sum())
    rows = []
    for name, own in right.items():
        both = zip(judged[name], judged[BASE], strict=True)
        differ = _with_mean([changed(*models, pairs) for models in both])
        for i, share in enumerate((*SHARES, None)):
            rows.append(
                CoveredPrice(
                    name,
                    share,
                    float(own[i].mean()),
                    *mean_and_error(base[i] - own[i]),
                    *mean_and_error(differ[i]),
                    *mean_and_error(None if rival is None else rival[i] - own[i]),
                    *kinds,
                    *about,
                )
            )
    return rows


def _judged(
    variants: Sequence[Variant], vset: VerificationSet, pairs: PairSet, kept: Kept
) -> dict[str, list[Judged]]:
    """Return what each variant makes of the pairs at each share."""
    judged: dict[str, list[Judged]] = {variant.name: [] for variant in variants}
    plain = SetFaces(vset)
    for share in SHARES:
        covered = CoveredFaces(vset, share, SEED) if share else None
        for variant in variants:
            make = partial(_scores, kept, variant, plain, covered, pairs)
            scores = kept.scores(variant, pairs, make, covered.content if covered else "")
            folds = kfold_accuracy(scores, pairs.same, pairs.fold, balanced=True)
            judged[variant.name].append(Judged(scores, folds))
    return judged


def _scores(
    kept: Kept, variant: Variant, plain: SetFaces, covered: CoveredFaces | None, pairs: PairSet
) -> np.ndarray:
    """Return xCos of pairs whose first face is covered, or none, float32 (P,)."""
    count, first = len(pairs.photos), pairs.first
    grids = kept.grids(variant, plain, count)
    if covered:
        grids = np.concatenate([grids, variant.grids_of(covered.faces, count)])
        first = first + count
    return variant.compared(grids, first, pairs.second, ("xcos",))["xcos"]


def _with_mean(of_shares: Sequence[np.ndarray]) -> np.ndarray:
    """Return what each share gives on each fold, and the mean of those above 0.

    Args:
        of_shares: for each of SHARES, of which the first is 0, float (folds,).

    Returns:
        float (shares + 1, folds).
    """
    return np.stack([*of_shares, np.mean(of_shares[1:], axis=0)])
