"""What a search is worth, each face of a folder among all others: measured, and as tables."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from xcos_tf.errors import XcosError, counted, on_one_line
from xcos_tf.evaluation.results_text import about_faces, markdown_table
from xcos_tf.evaluation.templates import TemplateInfo, TemplateStore
from xcos_tf.metrics.intervals import format_rate, share
from xcos_tf.metrics.rates import Rate
from xcos_tf.progress import Bar
from xcos_tf.search.store import CANDIDATES, candidate_score, weights_of
from xcos_tf.search.thresholds import FPIR, needed_fmr
from xcos_tf.templates import Gallery, fixed_weight_scores
from xcos_tf.verifier import Verifier

GALLERIES = (100, 1_000, 10_000, 100_000)
"""Sizes that thresholds are stated for."""

_ROWS = 128


@dataclass(frozen=True)
class Identification:
    """Searches of N faces, each among the N − 1 others, by one score.

    Attributes:
        score: its name: "patched", "correlated", "learned" or "cosine". By "learned" the
            `CANDIDATES` nearest by P (or U) are compared, as `FaceStore.find` does.
        mates: float32 (M,), the greatest score with another face of the same person, of the M
            faces that have one; −∞ where none was a candidate.
        ranks: int64 (M,), of that face: 1 + the number of other people's faces that score as much
            or more, of those that were compared.
        strangers: float32 (N,), the greatest score with a face of another person.
        impostors: float32, the greatest scores of all with another person's face, descending.
        comparisons: how many there were with other people's faces.
    """

    score: str
    mates: np.ndarray
    ranks: np.ndarray
    strangers: np.ndarray
    impostors: np.ndarray
    comparisons: int

    def rank(self, most: int) -> Rate:
        """Return the share of faces with a mate whose mate is among the first `most`."""
        return share(int((self.ranks <= most).sum()), len(self.ranks))

    def threshold(self, fmr: float) -> float | None:
        """Return the least threshold at which no larger share of comparisons matches.

        It is None where fewer than one would: too few were made.
        """
        allowed = int(fmr * self.comparisons * (1 + 1e-9))
        if not 1 <= allowed < len(self.impostors):
            return None
        return float(np.nextafter(self.impostors[allowed], np.float32(np.inf)))

    def fpir(self, threshold: float) -> Rate:
        """Return the share of all searches that find another person.

        That is FPIR in a gallery of this size: a face counts as a stranger's if its own person's
        faces are left out.
        """
        return share(int((self.strangers >= threshold).sum()), len(self.strangers))

    def fnir(self, threshold: float) -> Rate:
        """Return the share of faces with a mate whose mate is not the first, or below."""
        missed = (self.ranks > 1) | (self.mates < threshold)
        return share(int(missed.sum()), len(missed))

    def thresholds(self) -> dict[str, float]:
        """Return {faces of a gallery: threshold} that keeps to `FPIR`, as a preset's `search` has.

        It lacks those for which too few comparisons were made.
        """
        found = {str(size): self.threshold(needed_fmr(size)) for size in GALLERIES}
        return {size: value for size, value in found.items() if value is not None}


def identify(store: TemplateStore, verifier: Verifier) -> Sequence[Identification]:
    """Search each face among all the others, by each score of the preset.

    All features are held in memory, 6 kB each of a grid of 7×7×32.

    Args:
        store: templates of a folder of people, by the verifier's preset.
        verifier: of the preset.

    Raises:
        XcosError: there are not two people, or nobody has two faces.
    """
    store.check_preset(verifier.config)
    labels = np.asarray(store.labels)
    if len(np.unique(labels)) < 2 or len(np.unique(labels)) == len(labels):
        raise XcosError(
            "a search is measured on faces of two people or more, one of whom has two; give a "
            "larger folder"
        )
    gallery = Gallery(store.read(0, len(store)))
    fixed = [x for x in verifier.attentions if x != "learned"]
    index = candidate_score(verifier)
    found = {score: _Tally(len(store)) for score in verifier.attentions}
    with Bar(total=len(store), desc="searching", unit="face") as bar:
        for start in range(0, len(store), _ROWS):
            rows = np.arange(start, min(start + _ROWS, len(store)))
            probes = Gallery(gallery.features[rows])
            scores = {
                x: fixed_weight_scores(probes, gallery, weights_of(verifier, x))
                for x in {*fixed, index}
            }
            if "learned" in found:
                scores["learned"] = _learned(verifier, probes, gallery, rows, scores[index])
            same = labels[rows, None] == labels
            for score, tally in found.items():
                tally.add(rows, scores[score], same)
            bar.update(len(rows))
    return [tally.result(score, labels) for score, tally in found.items()]


def _learned(verifier, probes, gallery, rows, by_index) -> np.ndarray:
    """Return L with the candidates, and −∞ with all others, float32 (n, N)."""
    by_index = by_index.copy()
    by_index[np.arange(len(rows)), rows] = -np.inf
    most = min(CANDIDATES, by_index.shape[1] - 1)
    nearest = np.argpartition(-by_index, most - 1, axis=1)[:, :most]
    scores = np.full(by_index.shape, -np.inf, np.float32)
    for i, candidates in enumerate(nearest):
        grids = gallery.features[candidates]
        probe = np.broadcast_to(probes.features[i], grids.shape)
        scores[i, candidates] = verifier.compare_pairs(probe, grids, "learned")
    return scores


def identification_document(
    title: str, results: Sequence[tuple[TemplateInfo, str, Sequence[Identification]]]
) -> dict:
    """Return {"set", "results"} of dictionaries, lists, numbers and names.

    Shares are in [0, 1], with the `low` and `high` of a 95 % confidence interval that takes the
    searches as independent.

    Args:
        title: of the set.
        results: at least one: of the templates, the preset as the user gave it, and its scores.
    """
    info, _, first = results[0]
    return {
        "set": about_faces(title, info, {"with a mate": len(first[0].ranks)}),
        "fpir": FPIR,
        "results": [
            {"preset": preset, "sha256": info.weights, **_as_row(found)}
            for info, preset, scores in results
            for found in scores
        ],
    }


def _as_row(found: Identification) -> dict:
    return {
        "score": found.score,
        "rank_1": asdict(found.rank(1)),
        "rank_5": asdict(found.rank(5)),
        "thresholds": {
            size: {"threshold": x, "fpir": asdict(found.fpir(x)), "fnir": asdict(found.fnir(x))}
            for size, x in found.thresholds().items()
        },
    }


def identification_tables(document: dict) -> str:
    """Return a document of `identification_document` as a headline and two tables."""
    facts, results = document["set"], document["results"]
    others = counted(facts["faces"] - 1, "other")
    headline = (
        f"{counted(facts['faces'], 'face')} of {counted(facts['people'], 'person', 'people')} in "
        f"{on_one_line(facts['name'])}, each searched among the {others}; "
        f"{facts['with a mate']:,} have a mate there"
    )
    ranks = [
        [x["preset"], x["score"], *(format_rate(Rate(**x[rank])) for rank in ("rank_1", "rank_5"))]
        for x in results
    ]
    limits = [
        [
            *(x["preset"], x["score"], f"{int(size):,}"),
            f"{at['threshold']:.3f}",
            *(format_rate(Rate(**at[kind])) for kind in ("fpir", "fnir")),
        ]
        for x in results
        for size, at in x["thresholds"].items()
    ]
    return "\n\n".join(
        [
            headline,
            markdown_table(["preset", "score", "rank 1", "rank 5"], ranks),
            f"Thresholds that keep FPIR to {100 * document['fpir']:g} % in galleries of up to so "
            "many faces, and FPIR and FNIR at them in this one:",
            markdown_table(["preset", "score", "gallery", "threshold", "FPIR", "FNIR"], limits),
        ]
    )


class _Tally:
    """Collects an `Identification`, some rows at a time."""

    def __init__(self, count: int):
        self._mates = np.full(count, -np.inf, np.float32)
        self._strangers = np.full(count, -np.inf, np.float32)
        self._ranks = np.zeros(count, np.int64)
        self._impostors = np.empty(0, np.float32)
        self._comparisons = 0
        # What the threshold for the smallest gallery takes, and one more.
        self._most = int(needed_fmr(GALLERIES[0]) * count * count) + 2

    def add(self, rows: np.ndarray, scores: np.ndarray, same: np.ndarray) -> None:
        mate = same.copy()
        mate[np.arange(len(rows)), rows] = False
        best = np.where(mate, scores, -np.inf).max(axis=1)
        others = np.where(same, -np.inf, scores)
        self._mates[rows], self._strangers[rows] = best, others.max(axis=1)
        lost = np.isneginf(best)
        self._ranks[rows] = 1 + (others >= best[:, None]).sum(axis=1)
        self._ranks[rows[lost]] = np.iinfo(np.int64).max
        self._comparisons += int((~same).sum())
        greatest = np.concatenate([self._impostors, others[np.isfinite(others)]])
        if len(greatest) > self._most:
            greatest = np.partition(greatest, -self._most)[-self._most :]
        self._impostors = greatest

    def result(self, score: str, labels: np.ndarray) -> Identification:
        mated = np.bincount(labels)[labels] > 1
        impostors = np.sort(self._impostors)[::-1]
        return Identification(
            score,
            self._mates[mated],
            self._ranks[mated],
            self._strangers,
            impostors,
            self._comparisons,
        )
