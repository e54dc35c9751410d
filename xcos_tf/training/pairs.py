"""Pairs: of the faces in a batch, for P, and whether a run's people make those that it needs."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from xcos_tf.data.face_set import FaceSet
from xcos_tf.data.sampling import GroupSampler
from xcos_tf.errors import XcosError, counted
from xcos_tf.training.config import TrainingConfig

PEOPLE, FACES, PAIRS = 16, 4, 192  # of a group that P is measured on, at most


def pair_up(labels: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Give each face a partner, of the same person or of another by the toss of a coin.

    Where a batch has no partner of one kind, a face gets one of the other kind; the only face of a
    batch is its own.

    Args:
        labels: int (N,), whose the faces are.
        seed: int (2,); the same seed draws the same.

    Returns:
        int32 (N,), the place of each face's partner; and int32 (N,), 1 where it is the same
        person's, else 0.
    """
    count = tf.shape(labels)[0]
    draws = tf.random.stateless_uniform((count, count + 1), seed)
    coin, draws = draws[:, :1] < 0.5, draws[:, 1:]
    same = labels[:, tf.newaxis] == labels
    others = ~tf.eye(count, dtype=tf.bool)
    # Whom the coin asks for comes before anyone else, and anyone before the face itself.
    wanted = tf.cast((same == coin) & others, tf.float32) + tf.cast(others, tf.float32)
    partner = tf.argmax(draws + wanted, axis=1, output_type=tf.int32)
    return partner, tf.cast(tf.gather(labels, partner) == labels, tf.int32)


def in_groups(
    images: tf.Tensor, labels: tf.Tensor, seeds: Sequence[tuple], with_pairs: bool
) -> dict[str, tf.Tensor]:
    """Return a batch as `Trainer` takes it where pairs are drawn beforehand.

    It is of images float32 (N, H, W, 3) and labels int (N,), in a group for each of the seeds, by
    which its pairs are drawn; see `pair_up`.
    """
    labels = tf.reshape(tf.cast(labels, tf.int32), (len(seeds), -1))
    shape = tf.concat([tf.shape(labels), tf.shape(images)[1:]], axis=0)
    images = tf.ensure_shape(tf.reshape(images, shape), (None, None, *images.shape[1:]))
    batch = {"input": images, "label": labels}
    if with_pairs:
        pairs = map(pair_up, tf.unstack(labels), map(tf.stack, seeds))
        batch["second"], batch["same"] = (tf.stack(x) for x in zip(*pairs, strict=True))
        batch["first"] = tf.ones_like(labels) * tf.range(tf.shape(labels)[1])
    return batch


def joined(groups: tf.Tensor) -> tf.Tensor:
    """Return what is in groups (G, N, ...) one after another, (G·N, ...)."""
    return tf.reshape(groups, tf.concat([[-1], tf.shape(groups)[2:]], axis=0))


def places(faces: tf.Tensor, *ends: tf.Tensor) -> list[tf.Tensor]:
    """Return ends of pairs, int (G, P) in each group of faces (G, N, ...), as places in `joined`.

    These are int32 (G·P,).
    """
    offset = tf.range(tf.shape(faces)[0])[:, tf.newaxis] * tf.shape(faces)[1]
    return [tf.reshape(tf.cast(end, tf.int32) + offset, [-1]) for end in ends]


def cosines(embeddings: tf.Tensor, pairs: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return the cosine of each pair (P,) of embeddings (N, dimension) of unit length."""
    first, second = (tf.gather(embeddings, place) for place in pairs)
    return tf.reduce_sum(first * second, axis=-1)


def people_to_compare(
    faces: FaceSet, genuine: float, otherwise: str = "ask for impostor pairs alone"
) -> FaceSet:
    """Return the faces that pairs can be made of; people with one photo make no genuine pair.

    Args:
        genuine: share of genuine pairs, in [0, 1]; where it is 0, everybody stays.
        otherwise: what else than more photos helps where there are too few.

    Raises:
        XcosError: fewer than two people remain.
    """
    counts = np.bincount(faces.labels, minlength=len(faces.people))
    if np.sum(counts > 0) < 2:
        raise XcosError(
            f"correlations need faces of at least 2 people, and there are {np.sum(counts > 0)}; "
            "give more or larger sets"
        )
    kept = counts >= (2 if genuine else 1)
    if kept.sum() < 2:
        raise XcosError(
            f"genuine pairs need at least 2 people with two photos each, and there are "
            f"{kept.sum()}; give more photos, or {otherwise}"
        )
    return faces.select(kept)


def pair_sampler(labels: np.ndarray, genuine: float = 0.5, seed: int = 0) -> GroupSampler:
    """Return a sampler of groups that need few faces for many pairs, a share of them genuine.

    The labels, int (N,), are 0 to M − 1, M ≥ 2, each at least twice where that share is above 0.
    """
    counts = np.bincount(labels)
    people = min(PEOPLE, len(counts))
    faces = int(np.clip(np.median(counts), 2 if genuine else 1, FACES))
    pairs = float(PAIRS)
    if genuine:
        pairs = min(pairs, people * faces * (faces - 1) / 2 / genuine)
    if genuine < 1:
        pairs = min(pairs, people * (people - 1) / 2 * faces**2 / (1 - genuine))
    return GroupSampler(labels, people, faces, int(pairs), genuine, seed)


def some_positions(count: int, limit: int, seed: int) -> np.ndarray:
    """Return int64 (n,), some of `count` positions, ascending: n = min(count, limit)."""
    if limit >= count:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, limit, False))


def check_pairs(config: TrainingConfig, faces: FaceSet, held_out: FaceSet) -> None:
    """Refuse a run whose people make no genuine pairs to train on, or no pairs to validate on.

    Nobody need be held out. Raises XcosError.
    """
    if config.batch.pairs and config.batch.genuine and np.bincount(faces.labels).max() < 2:
        raise XcosError(
            f"batch: genuine {config.batch.genuine:g} needs genuine pairs, and of the "
            f"{counted(len(faces.people), 'person', 'people')} that train none has two photos; "
            "give more photos, or genuine: 0"
        )
    if not len(held_out):
        return
    limit = config.data.validation_faces
    labels = held_out.labels[some_positions(len(held_out), limit, config.seed)]
    _, photos = np.unique(labels, return_counts=True)
    for kind, there_are in (("genuine", (photos > 1).any()), ("impostor", len(photos) > 1)):
        if not there_are:
            raise XcosError(
                f"data: hold_out leaves {counted(len(labels), 'photo')} of "
                f"{counted(len(photos), 'person', 'people')} to validate on, which make no "
                f"{kind} pair; hold out more people with two photos or more, or nobody"
            )
