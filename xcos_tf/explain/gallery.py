"""The pairs of a gallery: which a score is most or least sure of, their faces, S and W."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.evaluation.matcher import Matcher
from xcos_tf.evaluation.measurement import ScoredPairs, at_default_fmr
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.explain.probing import embed_all
from xcos_tf.explain.words import describe_maps
from xcos_tf.metrics.rates import best_threshold
from xcos_tf.models.preset_threshold import PLAIN_COSINE

SHOWN = 4
_GROUPS = (
    ("True accepts", "one person, and recognised as such", True, True),
    ("False accepts", "two people, taken for one", False, True),
    ("True rejects", "two people, and recognised as such", False, False),
    ("False rejects", "one person, taken for two", True, False),
)


@dataclass(frozen=True)
class JudgedAlike:
    """Pairs that were judged alike: which, whether `right`ly, and how many of them the set has.

    Attributes:
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
    """One pair of photos or videos, explained.

    Attributes:
        frames: of videos, the names of the two frames that are shown, and their own score.
        faces: the two, uint8 (112, 112, 3) RGB.
        score: of the pair; of videos, the mean over their frames.
        similarity_map, attention_map: S and W of the faces, float32 (h, w).
    """

    names: tuple[str, str]
    frames: tuple[str, str, float] | None
    faces: tuple[np.ndarray, np.ndarray]
    score: float
    similarity_map: np.ndarray
    attention_map: np.ndarray
    sentence: str


@dataclass(frozen=True)
class Exhibit:
    """A group's pairs `shown` and, if it was asked for, its `least`, explained, in their order."""

    group: JudgedAlike
    most: Sequence[Case]
    least: Sequence[Case] = ()


@dataclass(frozen=True)
class PresetGallery:
    """What one preset, by its default score, is most sure of, and least: the four groups.

    `promised` is whether the threshold is the preset's own, for FMR 1e-3; otherwise it is the one
    that gets the most pairs of this set right.
    """

    preset: str
    score: str
    threshold: float
    promised: bool
    exhibits: Sequence[Exhibit]


def most_confident(values: np.ndarray, same: np.ndarray, threshold: float) -> list[JudgedAlike]:
    """Return true accepts, false accepts, true rejects and false rejects, in this order.

    A pair is accepted where its score in `values`, float (P,), reaches the threshold.
    """
    values = np.asarray(values, np.float64)
    accepted = values >= threshold
    groups = []
    for title, meaning, genuine, accept in _GROUPS:
        members = np.flatnonzero((same == genuine) & (accepted == accept))
        members = members[np.argsort(-np.abs(values[members] - threshold), kind="stable")]
        most, least = members[:SHOWN], members[SHOWN:][::-1][:SHOWN]
        groups.append(JudgedAlike(title, meaning, genuine == accept, len(members), most, least))
    return groups


def make_galleries(
    vset: VerificationSet, scores: Sequence[ScoredPairs], face: Callable[[int], np.ndarray]
) -> Iterator[PresetGallery]:
    """Make the gallery of each preset that has maps, by the last of its attentions in `scores`.

    `face` is as in `write_report`.

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
            yield gallery_of(matcher, vset, by_name[explained[-1]], face)


def gallery_of(
    matcher: Matcher,
    vset: VerificationSet,
    scored: ScoredPairs,
    face: Callable[[int], np.ndarray],
    least: bool = False,
) -> PresetGallery:
    """Explain the pairs that a score of a preset is most sure of, and the `least` if asked to.

    Raises:
        XcosError: as by `face`, or the preset is not the one whose scores these are.
    """
    if matcher.sha256 != scored.sha256:
        raise XcosError(
            f"the preset {scored.preset!r} has changed since it was measured; evaluate it again"
        )
    same, stated = vset.pairs.same, at_default_fmr(scored.thresholds)
    threshold = best_threshold(scored.values, same) if stated is None else stated
    case = partial(_case, matcher, vset, scored, face)
    exhibits = [
        Exhibit(
            group,
            [case(pair) for pair in group.shown],
            [case(pair) for pair in group.least if least],
        )
        for group in most_confident(scored.values, same, threshold)
    ]
    return PresetGallery(scored.preset, scored.score, threshold, stated is not None, exhibits)


def _case(matcher: Matcher, vset: VerificationSet, scored: ScoredPairs, face, pair: int) -> Case:
    """Explain the pair at this position of a set by a score of a preset."""
    ends = vset.pairs.first[pair], vset.pairs.second[pair]
    score, verifier = float(scored.values[pair]), matcher.verifier
    frames = [[end] if vset.videos is None else vset.videos[end] for end in ends]
    faces = [[face(int(frame)) for frame in of_end] for of_end in frames]
    grids = [embed_all(verifier, np.stack(of_end)) for of_end in faces]
    # Of videos, the pair of frames whose score is nearest the mean, the first of several.
    distances = np.abs(matcher.score_all(*grids, scored.score) - score)
    places = np.unravel_index(distances.argmin(), distances.shape)
    chosen = [grid[[place]] for grid, place in zip(grids, places, strict=True)]
    maps = verifier.explain_pairs(*chosen, scored.score)
    similarity, attention = maps["similarity_map"][0], maps["attention_map"][0]
    shown = [vset.photos.names[x[place]] for x, place in zip(frames, places, strict=True)]
    return Case(
        tuple(str(vset.pairs.photos[end]) for end in ends),
        None if vset.videos is None else (*map(str, shown), float(maps["xcos"][0])),
        tuple(x[place] for x, place in zip(faces, places, strict=True)),
        score,
        similarity,
        attention,
        describe_maps(similarity, attention),
    )
