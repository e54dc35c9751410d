"""The pairs of a gallery: which a score is most or least sure of, their faces, S and W."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.evaluation.matcher import Matcher
from xcos_tf.evaluation.measurement import ScoredPairs
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.explain.words import describe_maps
from xcos_tf.metrics.rates import best_threshold
from xcos_tf.models.comparison import PLAIN_COSINE
from xcos_tf.verifier import DEFAULT_FMR

BLOCK = 64
SHOWN = 4
_GROUPS = (
    ("True accepts", "one person, and recognised as such", True, True),
    ("False accepts", "two people, taken for one", False, True),
    ("True rejects", "two people, and told apart", False, False),
    ("False rejects", "one person, taken for two", True, False),
)


@dataclass(frozen=True)
class JudgedAlike:
    """Pairs that were judged alike.

    Attributes:
        title: such as "False accepts".
        meaning: of the title, for whoever is new to it.
        right: whether that is how they should be judged.
        count: of such pairs in the set.
        shown: int64 (at most `SHOWN`,), the pairs farthest beyond the threshold, the farthest
            first; of equal ones the first of the set first.
        least: int64 (at most `SHOWN`,), of the others those nearest to the threshold, the nearest
            first.
    """

    title: str
    meaning: str
    right: bool
    count: int
    shown: np.ndarray
    least: np.ndarray


@dataclass(frozen=True)
class Case:
    """One pair, explained.

    Attributes:
        names: of the two photos, or videos.
        frames: of videos, the names of the two frames that are shown, and their own score.
        faces: the two, uint8 (112, 112, 3) RGB.
        score: of the pair; of videos, the mean over their frames.
        similarity_map, attention_map: S and W of the faces, float32 (h, w).
        sentence: about them.
    """

    names: tuple[str, str]
    frames: tuple[str, str, float] | None
    faces: tuple[np.ndarray, np.ndarray]
    score: float
    similarity_map: np.ndarray
    attention_map: np.ndarray
    sentence: str


@dataclass(frozen=True)
class PresetGallery:
    """What one preset is most sure of.

    Attributes:
        preset: its name, as the user gave it.
        score: its default score.
        threshold: what the scores are held against.
        promised: whether that is the preset's own, for FMR 1e-3; otherwise it is the one that
            gets the most pairs of this set right.
        groups: each with its cases.
    """

    preset: str
    score: str
    threshold: float
    promised: bool
    groups: Sequence[tuple[JudgedAlike, Sequence[Case]]]


def stated_threshold(scored: ScoredPairs) -> float | None:
    """Return the threshold that a preset states for FMR 1e-3, if it does."""
    for rate, threshold in scored.thresholds.items():
        if np.isclose(float(rate), DEFAULT_FMR, rtol=1e-6):
            return float(threshold)
    return None


def gallery_threshold(scored: ScoredPairs, same: np.ndarray) -> tuple[float, bool]:
    """Return what a gallery's scores are held against, and whether it is the preset's own."""
    threshold = stated_threshold(scored)
    if threshold is None:
        return best_threshold(scored.values, same), False
    return threshold, True


def most_confident(
    values: np.ndarray, same: np.ndarray, threshold: float, shown: int = SHOWN
) -> list[JudgedAlike]:
    """Return true accepts, false accepts, true rejects and false rejects, in this order.

    Args:
        values: float (P,), scores.
        same: bool (P,).
        threshold: a pair is accepted where its score reaches it.
        shown: how many of each to show at most.
    """
    values = np.asarray(values, np.float64)
    accepted = values >= threshold
    groups = []
    for title, meaning, genuine, accept in _GROUPS:
        members = np.flatnonzero((same == genuine) & (accepted == accept))
        members = members[np.argsort(-np.abs(values[members] - threshold), kind="stable")]
        most, others = members[:shown], members[shown:]
        groups.append(
            JudgedAlike(title, meaning, genuine == accept, len(members), most, others[::-1][:shown])
        )
    return groups


def make_galleries(
    vset: VerificationSet, scores: Sequence[ScoredPairs], face: Callable[[int], np.ndarray]
) -> Iterator[PresetGallery]:
    """Make the gallery of each preset that has maps, by the last of its attentions in `scores`.

    Args:
        vset: the set.
        scores: of its pairs.
        face: see `write_report`.

    Raises:
        XcosError: as by `Matcher` and `face`, or a preset is another by now.
    """
    for preset in dict.fromkeys(scored.preset for scored in scores):
        by_name = {scored.score: scored for scored in scores if scored.preset == preset}
        if set(by_name) == {PLAIN_COSINE}:
            continue
        matcher = Matcher(preset)
        explained = [name for name in matcher.verifier.attentions if name in by_name]
        if explained:
            yield _gallery(matcher, vset, by_name[explained[-1]], face)


def _gallery(matcher, vset, scored, face) -> PresetGallery:
    if matcher.sha256 != scored.sha256:
        raise XcosError(
            f"the preset {scored.preset!r} has changed since it was measured; evaluate it again"
        )
    threshold, promised = gallery_threshold(scored, vset.pairs.same)
    explainer = Explainer(matcher, vset, scored, face)
    groups = [
        (group, [explainer.case(pair) for pair in group.shown])
        for group in most_confident(scored.values, vset.pairs.same, threshold)
    ]
    return PresetGallery(scored.preset, scored.score, threshold, promised, groups)


class Explainer:
    """Explains pairs of one set by one score of one preset.

    Args:
        matcher: the preset.
        vset: the set.
        scored: of its pairs.
        face: see `write_report`.
    """

    def __init__(self, matcher: Matcher, vset: VerificationSet, scored: ScoredPairs, face):
        self.matcher, self.vset, self.scored, self.face = matcher, vset, scored, face

    def case(self, pair: int) -> Case:
        """Return the pair at this position of the set, explained."""
        pairs = self.vset.pairs
        ends = pairs.first[pair], pairs.second[pair]
        names = tuple(str(pairs.photos[end]) for end in ends)
        score = float(self.scored.values[pair])
        if self.vset.videos is None:
            faces = [self.face(int(end)) for end in ends]
            maps = self._explain(self._embed([faces[0]]), self._embed([faces[1]]))
            frames = None
        else:
            positions = [self.vset.videos[end] for end in ends]
            frames, faces, maps = self._typical_frames(*positions, score)
        similarity, attention = maps["similarity_map"][0], maps["attention_map"][0]
        sentence = describe_maps(similarity, attention)
        return Case(names, frames, tuple(faces), score, similarity, attention, sentence)

    def _typical_frames(self, first: np.ndarray, second: np.ndarray, mean: float):
        """Return the pair of frames whose score is nearest the mean, the first of several."""
        grids = [self._embed([self.face(int(k)) for k in frames]) for frames in (first, second)]
        scores = self.matcher.score_all(*grids, self.scored.score)
        row, column = np.unravel_index(np.abs(scores - mean).argmin(), scores.shape)
        positions = int(first[row]), int(second[column])
        maps = self._explain(grids[0][[row]], grids[1][[column]])
        names = [str(self.vset.photos.names[k]) for k in positions]
        frames = (*names, float(maps["xcos"][0]))
        return frames, [self.face(k) for k in positions], maps

    def _embed(self, faces: list[np.ndarray]) -> np.ndarray:
        blocks = [
            self.matcher.verifier.embed(np.stack(faces[start : start + BLOCK]))
            for start in range(0, len(faces), BLOCK)
        ]
        return np.concatenate(blocks)

    def _explain(self, grid_a: np.ndarray, grid_b: np.ndarray) -> dict[str, np.ndarray]:
        return self.matcher.verifier.explain_pairs(grid_a, grid_b, self.scored.score)
