"""From templates and frames to yes or no."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.mobile.hints import hint_of
from xcos_tf.mobile.owner import Owner
from xcos_tf.verifier import Verifier

MAX_TEMPLATES = 5
MAX_FRAMES = 5
"""Of one try, which is one failure at most, however many faces it tries."""
NEAR_FMR = 1e-2
"""Of the threshold under which a score is an impostor's rather than the owner's."""
_BEST = 2


@dataclass(frozen=True)
class Decision:
    """The outcome of one try.

    Attributes:
        unlocked: whether enough frames match.
        scores: float32 (F,), of each frame; see `frame_scores`.
        needed: of how many frames the score must reach the threshold.
        threshold: the owner's, which was the variant's at FMR 1e-3 when they enrolled.
        hint: what might help, if it did not unlock; else empty.
        near: whether a frame's score reaches the variant's threshold at FMR 1e-2. Told a hint after
            less, an impostor would be shown the way to the owner's face.
    """

    unlocked: bool
    scores: np.ndarray
    needed: int
    threshold: float
    hint: str
    near: bool

    @property
    def matching(self) -> int:
        """How many frames match."""
        return int((self.scores >= self.threshold).sum())


def frame_scores(scores: np.ndarray) -> np.ndarray:
    """Return each frame's score: the mean of those with its two best templates.

    The best alone would let through as many more impostors as there are templates; the mean of
    all would keep out an owner who was enrolled in several moods. With up to five templates, the
    mean of two keeps the false match rate of a single pair at a single pair's threshold
    (docs/mobile.md).

    Args:
        scores: float (T, F), xCos of each template with each frame.

    Returns:
        float (F,).
    """
    return np.sort(scores, axis=0)[-_BEST:].mean(axis=0)


def needed_frames(frames: int) -> int:
    """Return how many of so many frames must match: more than half."""
    return frames // 2 + 1


def judge(verifier: Verifier, owner: Owner, faces: Sequence[np.ndarray]) -> Decision:
    """Decide whether the frames of one try, 1 to 5 uint8 (112, 112, 3) RGB, show the owner.

    The verifier is the one that they were enrolled by.

    Raises:
        XcosError: there are more.
    """
    check_frames(len(faces))
    compared = compare_each(verifier, owner.templates, verifier.embed(np.stack(faces)))
    shape = (len(owner.templates), len(faces))
    scores = frame_scores(compared["xcos"].reshape(shape))
    threshold, needed = owner.threshold, needed_frames(len(faces))
    unlocked = bool((scores >= threshold).sum() >= needed)
    maps = compared["similarity_map"]
    similarity = maps.reshape(*shape, *maps.shape[1:])
    missed = similarity[:, scores < threshold]
    hint = "" if unlocked else hint_of(missed.mean(axis=(0, 1)), owner.usual_similarity)
    near = bool(scores.max() >= verifier.threshold(fmr=NEAR_FMR))
    return Decision(unlocked, scores, needed, threshold, hint, near)


def check_frames(count: int) -> None:
    """Raise XcosError if so many photos are too many for one try."""
    if count > MAX_FRAMES:
        raise XcosError(
            f"{count} photos are too many for one try, which counts as one failure; give at most "
            f"{MAX_FRAMES}"
        )


def compare_each(
    verifier: Verifier, templates: np.ndarray, grids: np.ndarray
) -> dict[str, np.ndarray]:
    """Compare each of T templates with each of F grids; the first axis becomes T·F.

    Returns:
        See `Verifier.explain_pairs`.
    """
    return verifier.explain_pairs(
        np.repeat(templates, len(grids), axis=0), np.tile(grids, (len(templates), 1, 1, 1))
    )
