"""Everything of the price list, measured on one set of faces, plain and partly covered."""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from scipy.stats import sem
from tqdm import tqdm

from tools.benchmark import seconds_in_turns
from tools.paper.data_folder import SEED
from tools.tflite.tables import BASE, POST_TRAINING, CoveredPrice, Price
from xcos_tf.data.occlusion import Occluder
from xcos_tf.evaluation.aligned_faces import FaceReader
from xcos_tf.evaluation.occluded import SHARES
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.score_cache import ScoreCache, sha256_of
from xcos_tf.evaluation.verification_set import DecodedPhotos, VerificationSet
from xcos_tf.export.tflite.export import export_tflite
from xcos_tf.metrics.rates import KFoldAccuracy, eer, fmr_fnmr, kfold_accuracy, tar_at_far
from xcos_tf.runtime.lite_model import LiteModel
from xcos_tf.runtime.model_file import ModelFile
from xcos_tf.verifier import Verifier

FMR = "0.001"
BLOCK = 1024  # pairs
IMPOSTORS = 10  # of a covered genuine pair
MAPS = ("similarity_map", "attention_map", "xcos")
THREADS, WARM_UP = (1, 2), 5
BARE = "mobilefacenet"
"""The backbone without xCos, which the xCos presets took over."""


class Judged(NamedTuple):
    """A model's scores of pairs, float (P,), and what each fold of them was judged by."""

    scores: np.ndarray
    folds: KFoldAccuracy


class Bench:
    """A set's faces, and what variants made of them before, by the content of files and set."""

    def __init__(self, folder: Path, vset: VerificationSet, cache: Path):
        """Take the folder of `export_tflite`, a set of photos, and a folder to keep things in."""
        self.folder, self.vset, self._cache = folder, vset, ScoreCache(cache)
        self.every = all_pairs_of_folds(vset.pairs)
        self.covered = lru_cache(1)(partial(covered_faces, vset))  # the same for each variant

    def variant(self, name: str) -> Verifier:
        """Return a variant's models of free batch."""
        return Verifier.from_export(self.folder, f"{name}.batch", threads=2)

    def grids(self, variant: Verifier) -> np.ndarray:
        """Return the grid features of the set's faces, float32 (F, h, w, c)."""
        return self._kept(variant, lambda: grids_of(variant, self.vset))

    def judged(self, variant: Verifier, pairs: PairSet, occluder: Occluder | None = None):
        """Return what a variant makes of pairs, the first face covered if by an occluder."""

        def make():
            grids = self.grids(variant)
            covered = grids_of(variant, self.covered(occluder)) if occluder else grids
            return compared(variant, covered, grids, pairs, "xcos")[0]

        listed = sha256_of(pairs.first, pairs.second, *pairs.photos)
        cover = occluder and occluder.settings()
        scores = self._kept(variant, make, pairs=listed, cover=cover)
        return Judged(scores, kfold_accuracy(scores, pairs.same, pairs.fold, balanced=True))

    def _kept(self, variant: Verifier, make, **rest) -> np.ndarray:
        key = {"models": variant.runtime.identity, "set": self.vset.fingerprint, **rest}
        return self._cache.kept(key, lambda: {"array": make()})["array"]


def prices(bench: Bench, variants: Sequence[str], rounds: int) -> list[Price]:
    """Measure each variant, float32 first, in so many rounds of timing."""
    pairs, every = bench.vset.pairs, bench.every
    face = FaceReader(bench.vset).face(0)[np.newaxis]
    times = _times(bench.folder, variants, face, rounds)
    base, base_judged, rows = None, None, []
    for name in variants:
        variant = bench.variant(name)
        grids = bench.grids(variant)
        found = compared(variant, grids, grids, pairs, *MAPS)
        judged = bench.judged(variant, every)
        base, base_judged = base or found, base_judged or judged
        alike = (np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(found, base, strict=True))
        accuracy = kfold_accuracy(found[-1], pairs.same, pairs.fold)
        about, (scores, folds) = variant.config, judged
        threshold, genuine = variant.threshold(fmr=float(FMR)), int(every.same.sum())
        lost = mean_and_error(base_judged.folds.per_fold - folds.per_fold)
        rows.append(
            Price(
                *(name, *_sizes(bench.folder, name), *times[name], accuracy.mean, accuracy.std),
                *(*alike, len(pairs), folds.mean, *lost),
                *mean_and_error(changed(judged, base_judged, every)),
                *(eer(scores, every.same), tar_at_far(scores, every.same, 1e-3)),
                *(tar_at_far(scores, every.same, 1e-4), *fmr_fnmr(scores, every.same, threshold)),
                *(threshold, genuine, len(every) - genuine),
                *(about["name"], about["weights"]["sha256"], bench.vset.fingerprint),
            )
        )
    return rows


def covered_prices(bench: Bench, variants: Sequence[str]) -> list[CoveredPrice]:
    """Judge pairs with one face of each covered, where variants have more to lose.

    Returns:
        For each variant, float32 first, a row for each share, and one for the mean.
    """
    pairs, vset = covered_pairs(bench.every, SEED), bench.vset
    loaded = {name: bench.variant(name) for name in variants}
    judged: dict[str, list[Judged]] = {name: [] for name in variants}
    for share in SHARES:
        occluder = Occluder(share=share, seed=SEED) if share else None
        for name, variant in loaded.items():
            judged[name].append(bench.judged(variant, pairs, occluder))
    config = loaded[variants[0]].config
    about = config["name"], config["weights"]["sha256"], vset.fingerprint
    return covered_rows(judged, pairs, about)


def covered_rows(
    judged: Mapping[str, Sequence[Judged]], pairs: PairSet, about: tuple[str, str, str]
) -> list[CoveredPrice]:
    """Return what the variants lose, from what each made of the pairs at each of SHARES.

    `about` is the name and hash of the preset, and the hash of the set.
    """
    right = {name: _with_mean([x.folds.per_fold for x in judged[name]]) for name in judged}
    base, rival = right[BASE], right.get(POST_TRAINING)
    kinds = int(pairs.same.sum()), int((~pairs.same).sum())
    rows = []
    for name, own in right.items():
        both = zip(judged[name], judged[BASE], strict=True)
        differ = _with_mean([changed(*models, pairs) for models in both])
        for i, share in enumerate((*SHARES, None)):
            lost, more = base[i] - own[i], None if rival is None else rival[i] - own[i]
            means = [x for of in (lost, differ[i], more) for x in mean_and_error(of)]
            rows.append(CoveredPrice(name, share, float(own[i].mean()), *means, *kinds, *about))
    return rows


def changed(model: Judged, base: Judged, pairs: PairSet) -> np.ndarray:
    """Return the share of each fold's pairs that two models decide differently.

    Accuracy hides where they cancel out. Each decides by its own threshold for the fold. Genuine
    and impostor pairs count alike. Dutta et al., "Accuracy is Not All You Need" (NeurIPS 2024),
    name this share flips, and show that it tells compressed models apart where accuracy does not.

    Returns:
        float64 (folds,), in [0, 1], folds in ascending order of their number.
    """
    fold = np.unique(pairs.fold, return_inverse=True)[1]
    own, bases = (x.scores >= x.folds.thresholds[fold] for x in (model, base))
    shares = [
        np.bincount(fold[kind], (own != bases)[kind]) / np.bincount(fold[kind])
        for kind in (pairs.same, ~pairs.same)
    ]
    return np.mean(shares, axis=0)


def mean_and_error(values: np.ndarray | None) -> tuple[float | None, float | None]:
    """Return the mean over folds, float (folds,), and its standard error, or nothing of nothing."""
    return (None, None) if values is None else (float(values.mean()), float(sem(values)))


def grids_of(variant: Verifier, vset: VerificationSet) -> np.ndarray:
    """Return the grid features of a set's F faces, float32 (F, h, w, c)."""
    batches = FaceReader(vset).batches(range(len(vset.photos)), variant.config["variant"])
    return np.concatenate([variant.embed(faces) for _, faces in batches])


def compared(
    variant: Verifier, first: np.ndarray, second: np.ndarray, pairs: PairSet, *names: str
) -> list[np.ndarray]:
    """Return some outputs of `Verifier.explain_pairs` of pairs, whose faces have these grids."""
    parts, title = [], f"{variant.config['variant']}, pairs"
    for start in tqdm(range(0, len(pairs), BLOCK), title, unit="block", disable=None):
        block = slice(start, start + BLOCK)
        found = variant.explain_pairs(first[pairs.first[block]], second[pairs.second[block]])
        parts.append([found[name] for name in names])
    return [np.concatenate(x) for x in zip(*parts, strict=True)]


def _with_mean(of_shares: Sequence[np.ndarray]) -> np.ndarray:
    """Return float (folds,) of each of SHARES and of their mean above 0, (shares + 1, folds)."""
    return np.stack([*of_shares, np.mean(of_shares[1:], axis=0)])


def _sizes(folder: Path, variant: str) -> list[int]:
    files = (folder / f"{model}.{variant}.tflite" for model in ("embed", "verify"))
    contents = [file.read_bytes() for file in files]
    return [size for x in contents for size in (len(x), len(gzip.compress(x, mtime=0)))]


def _times(folder, variants, face, rounds) -> dict[str, list[float]]:
    """Return {variant: ratios of `latency_1`, `latency_2` and so on}; see `Price`."""
    paths = export_tflite(BARE, folder / BARE, [BASE])[:1]  # for one face
    paths += [folder / f"{model}.{x}.tflite" for x in variants for model in ("embed", "verify")]
    files, ratios = list(map(ModelFile.read, paths)), []
    for threads in THREADS:
        models = [LiteModel(file, threads) for file in files]
        runs = [partial(model, *[face] * len(model.inputs)) for model in models]
        # Other programs only ever add to a time, and to a long run's more often.
        bare, *others = seconds_in_turns(runs, rounds, WARM_UP).min(axis=0)
        embed, verify = np.reshape(others, (len(variants), 2)).T
        ratios.append((embed / embed[0], verify / (2 * embed), verify / (2 * bare)))
    each = np.transpose(ratios, (2, 1, 0)).reshape(len(variants), -1).tolist()
    return dict(zip(variants, each, strict=True))


def all_pairs_of_folds(pairs: PairSet) -> PairSet:
    """Return all pairs of photos that a fold's pairs are of, where a set lists only some.

    People differ between LFW's folds, so a threshold that is found on nine is still judged on
    people whom it has not seen. Photos are each in a folder of the person's.
    """
    people = np.unique([PurePosixPath(x).parent.name for x in pairs.photos], return_inverse=True)[1]
    ends, folds = [], np.unique(pairs.fold)
    for fold in folds:
        members = pairs.fold == fold
        photos = np.unique([pairs.first[members], pairs.second[members]])
        ends.append(photos[np.stack(np.triu_indices(len(photos), k=1))])
    counts = [len(second) for _, second in ends]
    first, second = np.concatenate(ends, axis=1)
    same = people[first] == people[second]
    return PairSet(pairs.photos, first, second, same, np.repeat(folds, counts))


def covered_pairs(pairs: PairSet, seed: int) -> PairSet:
    """Return pairs whose first photo is to be covered: each genuine pair, with either photo first.

    Of impostor pairs, of whom either photo may come first, ten times as many are drawn in each
    fold, or all that there are.
    """
    random = np.random.default_rng(seed)
    places, turned = [], []
    for fold in np.unique(pairs.fold):
        genuine, impostor = (
            np.flatnonzero((pairs.fold == fold) & (pairs.same == same)) for same in (True, False)
        )
        count = min(IMPOSTORS * 2 * len(genuine), len(impostor))
        places += [genuine, genuine, random.choice(impostor, count, replace=False)]
        turned += [np.repeat([False, True], len(genuine)), random.random(count) < 0.5]
    places, turned = np.concatenate(places), np.concatenate(turned)
    ends = np.stack([pairs.first, pairs.second])[:, places]
    first, second = np.where(turned, ends[::-1], ends)
    return PairSet(pairs.photos, first, second, pairs.same[places], pairs.fold[places])


def covered_faces(vset: VerificationSet, occluder: Occluder) -> VerificationSet:
    """Return a set of aligned faces with each covered, in memory at 38 kB each.

    Raises:
        XcosError: one cannot be read.
    """
    batches = FaceReader(vset).batches(range(len(vset.photos)), "covering")
    faces = (face for _, batch in batches for face in batch)
    covered = np.stack(list(map(occluder.cover, faces, vset.pairs.photos)))
    return replace(vset, photos=DecodedPhotos(vset.photos.names, covered))
