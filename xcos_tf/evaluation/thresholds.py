"""Thresholds of a fixed attention at given false match rates, measured on people of a set."""

from dataclasses import dataclass

import numpy as np

from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.face_set import FaceSet
from xcos_tf.data.training_input import decode_face, reading_problems
from xcos_tf.evaluation.aligned_faces import FACES_AT_ONCE
from xcos_tf.metrics.rates import thresholds_at_fmrs
from xcos_tf.progress import Bar
from xcos_tf.templates import Gallery
from xcos_tf.verifier import Verifier

MOST_FACES = 2000


@dataclass(frozen=True)
class Thresholds:
    """{FMR: threshold}, without rates that need more pairs, and how many there are of how many."""

    at: dict[str, float]
    impostor_pairs: int
    people: int


def fixed_attention_thresholds(
    verifier: Verifier,
    faces: FaceSet,
    attention: str,
    seed: int = 0,
    size: int = FACE_SIZE,
) -> Thresholds:
    """Score all impostor pairs of some faces of a set.

    Args:
        faces: of people who were not trained on, aligned.
        attention: "patched", "correlated" or, of a plain preset, "cosine".
        seed: of the draw of `MOST_FACES`, as equally many of each person as there are.
        size: of the square faces, pixels.

    Raises:
        XcosError: a face cannot be read, or is not of this size.
    """
    chosen = np.sort(spread_over_people(faces.labels, MOST_FACES, seed))
    labels = faces.labels[chosen]
    gallery = Gallery(embed_faces(verifier, faces, chosen, size, "thresholds"))
    first, second = np.triu_indices(len(chosen), k=1)
    differ = labels[first] != labels[second]
    scores = verifier.compare(gallery, gallery, attention)[first[differ], second[differ]]
    return Thresholds(thresholds_at_fmrs(scores), len(scores), len(np.unique(labels)))


def embed_faces(
    verifier: Verifier, faces: FaceSet, positions: np.ndarray, size: int, progress: str
) -> np.ndarray:
    """Return the features, see `Verifier.embed`, of the faces at int positions (n,), n ≥ 1.

    Raises:
        XcosError: a face cannot be read, or is not of this size, in pixels.
    """
    features = []
    with reading_problems():
        for start in Bar(range(0, len(positions), FACES_AT_ONCE), progress, unit="batch"):
            images = faces.read(positions[start : start + FACES_AT_ONCE])
            features.append(verifier.embed(np.stack([decode_face(x, size) for x in images])))
    return np.concatenate(features)


def spread_over_people(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return at most `count` positions of faces: one of each person, then a second, …

    Args:
        labels: int (N,).
        count: of faces.
        seed: of the draw; a greater count begins with the faces of a smaller one.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    by_person = order[np.argsort(labels[order], kind="stable")]
    turn = np.empty(len(labels), np.int64)
    sorted_labels = labels[by_person]
    turn[by_person] = np.arange(len(labels)) - np.searchsorted(sorted_labels, sorted_labels)
    return order[np.argsort(turn[order], kind="stable")][:count]
