"""All templates against all others, in blocks: however many pairs, the same memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.evaluation.matcher import Matcher
from xcos_tf.evaluation.measurement import FALSE_ACCEPT_RATES
from xcos_tf.evaluation.templates import TemplateStore
from xcos_tf.metrics import histogram
from xcos_tf.metrics.histogram import BINS
from xcos_tf.metrics.intervals import share
from xcos_tf.metrics.rates import Rate
from xcos_tf.progress import Bar

# Millions of impostor pairs show rates that a list of pairs cannot.
ALL_PAIRS_FALSE_ACCEPT_RATES = (*FALSE_ACCEPT_RATES, 1e-5, 1e-6)

# Rows and columns of a block: large for one matrix product, small for a network, for which the
# lower half of the blocks on the diagonal, computed in vain, costs more.
PRODUCT_BLOCK = 1024
NETWORK_BLOCK = 256


@dataclass(frozen=True)
class AllPairs:
    """One score of all N·(N − 1)/2 pairs of N templates, counted.

    Attributes:
        score: as in `ScoredPairs`.
        genuine, impostor: int64 (BINS,), numbers of scores in each bin of [−1, 1]; see `bin_of`.
        thresholds: {FMR: threshold} that the preset states.
        genuine_reaching, impostor_reaching: {FMR: number of scores ≥ that threshold}, exact.
    """

    score: str
    genuine: np.ndarray
    impostor: np.ndarray
    thresholds: dict[str, float]
    genuine_reaching: dict[str, int]
    impostor_reaching: dict[str, int]

    @property
    def genuine_pairs(self) -> int:
        return int(self.genuine.sum())

    @property
    def impostor_pairs(self) -> int:
        return int(self.impostor.sum())

    @property
    def auc(self) -> Rate | None:
        """The area under the ROC curve within the bins' bounds; None without pairs of a kind."""
        return self._of_both(histogram.auc)

    @property
    def eer(self) -> Rate | None:
        """The equal error rate within the bins' bounds; None without pairs of a kind."""
        return self._of_both(histogram.eer)

    def tar_at_far(self, far: float) -> Rate | None:
        """Return TAR within the bins' bounds; None with fewer than 1/far impostor pairs, or no
        genuine ones."""
        return self._of_both(histogram.tar_at_far, far)

    def fmr(self, promised: str) -> Rate | None:
        """Return the exact FMR at the threshold for a promised FMR; None without impostor pairs.

        The interval takes pairs as independent, which those that share a face are not: it is the
        least that is uncertain.
        """
        return _share(self.impostor_reaching[promised], self.impostor_pairs)

    def fnmr(self, promised: str) -> Rate | None:
        """Return the exact FNMR there, as `fmr` does; None without genuine pairs."""
        return _share(self.genuine_pairs - self.genuine_reaching[promised], self.genuine_pairs)

    def _of_both(self, measure: Callable, *arguments) -> Rate | None:
        if not (self.genuine.any() and self.impostor.any()):
            return None
        return measure(self.genuine, self.impostor, *arguments)


def compare_all(store: TemplateStore, matcher: Matcher, score: str) -> AllPairs:
    """Score all pairs of the templates, with a progress bar on standard error.

    U, P and the cosines are one matrix product for each block. The learned attention goes through
    its network pair by pair, several hundred times as slow. Of a pair, the template that comes
    first in the store is the first; it matters only for an attention that is not symmetric.

    Args:
        score: one of `matcher.scores`, whose thresholds are taken.

    Raises:
        XcosError: there are fewer than two templates, they are of another preset, or a score is
            not a finite number.
    """
    config = matcher.verifier.config
    store.check_preset(config)
    return count_pairs(
        store,
        lambda first, second: matcher.score_all(first, second, score),
        score,
        config["thresholds"].get(score, {}),
        NETWORK_BLOCK if score == "learned" else PRODUCT_BLOCK,
    )


def count_pairs(
    templates: TemplateStore,
    compare: Callable[[np.ndarray, np.ndarray], np.ndarray],
    score: str,
    thresholds: Mapping[str, float],
    block: int,
) -> AllPairs:
    """Score all pairs by any function of features, block by block, and count the scores.

    Args:
        templates: or anything that has `names`, `labels` and `read` as they have.
        compare: from the features of n and of m templates to scores, float (n, m).
        thresholds: {FMR: threshold}.
        block: rows and columns of scores that are held at once; all give the same counts, but for
            scores that lie within rounding of a threshold or of the edge of a bin.

    Raises:
        XcosError: there are fewer than two templates, or a score is not a finite number.
    """
    labels = templates.labels
    count = len(labels)
    if count < 2:
        raise XcosError("there is one face, and all against all takes two; give more faces")
    # Of all pairs, and of those of one person.
    bins = np.zeros((2, BINS), np.int64)
    reaching = np.zeros((2, len(thresholds)), np.int64)
    starts, pairs = range(0, count, block), count * (count - 1) // 2
    with Bar(total=pairs, desc=score, unit="pair", unit_scale=True) as bar:
        for row in starts:
            first = templates.read(row, row + block)
            for column in starts[row // block :]:
                second = first if column == row else templates.read(column, column + block)
                scores = compare(first, second)
                _check_finite(scores, templates.names, row, column)
                genuine = np.equal.outer(labels[row : row + block], labels[column : column + block])
                if column == row:  # each pair once, and no face with itself
                    upper = np.triu(np.ones(scores.shape, bool), k=1)
                    scores, genuine = scores[upper], genuine[upper]
                scores = scores.ravel()
                # Few, so that counting all and these is cheaper than counting both kinds.
                genuine = scores[np.flatnonzero(genuine)]
                for kind, values in enumerate((scores, genuine)):
                    bins[kind] += np.bincount(histogram.bin_of(values), minlength=BINS)
                    exact = values.astype(np.float64)  # NumPy would round a threshold to float32
                    for place, threshold in enumerate(thresholds.values()):
                        reaching[kind, place] += np.count_nonzero(exact >= threshold)
                bar.update(scores.size)
    (every, of_one), (all_reach, one_reach) = bins, reaching.tolist()
    return AllPairs(
        score,
        of_one,
        every - of_one,
        {rate: float(value) for rate, value in thresholds.items()},
        dict(zip(thresholds, one_reach, strict=True)),
        {rate: n - m for rate, n, m in zip(thresholds, all_reach, one_reach, strict=True)},
    )


def _check_finite(scores: np.ndarray, names: Sequence[str], row: int, column: int) -> None:
    finite = np.isfinite(scores)
    if finite.all():
        return
    a, b = np.unravel_index(np.argmin(finite), scores.shape)
    raise XcosError(
        f"the score of {names[row + a]} and {names[column + b]} is {scores[a, b]}; check the "
        "preset's weights and these faces"
    )


def _share(count: int, total: int) -> Rate | None:
    return share(count, total) if total else None
