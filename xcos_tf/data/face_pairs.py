"""Pairs of faces, drawn at random from any number of people."""

import numpy as np

from xcos_tf.data.records.source import Pairs


def draw_pairs(labels: np.ndarray, genuine: int, impostor: int, seed: int) -> Pairs:
    """Draw pairs of different faces without repetition, fewer where there are not as many.

    Every genuine pair is as likely as any other, and so is every impostor pair. Time and memory
    grow with the faces and with the pairs that are asked for, not with those that there are.

    Args:
        labels: int (N,), whose each face is; 0 or above.
        genuine, impostor: how many of each.
        seed: of the draw.

    Returns:
        The genuine pairs, then the impostor pairs, by position among the faces.
    """
    random = np.random.default_rng(seed)
    counts = np.bincount(labels).astype(np.int64)
    ordered = np.argsort(labels, kind="stable")
    starts = np.cumsum(counts) - counts
    within = counts * (counts - 1) // 2

    def draw_genuine(size):
        person = random.choice(len(counts), size, p=within / within.sum())
        first = random.integers(counts[person])
        other = random.integers(counts[person] - 1)
        second = other + (other >= first)
        return ordered[starts[person] + first], ordered[starts[person] + second]

    def draw_impostor(size):
        first, second = random.integers(len(labels), size=(2, size))
        differ = labels[first] != labels[second]
        return first[differ], second[differ]

    everything = len(labels) * (len(labels) - 1) // 2
    parts = [
        _distinct(draw_genuine, genuine, int(within.sum()), labels, True, random),
        _distinct(draw_impostor, impostor, everything - int(within.sum()), labels, False, random),
    ]
    first, second = np.concatenate(parts, axis=1)
    return Pairs(first, second, labels[first] == labels[second])


def _distinct(draw, wanted, there_are, labels, same, random):
    """Return int64 (2, n) of n = min(wanted, there_are) different pairs, in random order."""
    wanted = min(wanted, there_are)
    if 2 * wanted > there_are:  # then drawing again and again would take long
        first, second = np.triu_indices(len(labels), k=1)
        candidates = np.flatnonzero((labels[first] == labels[second]) == same)
        kept = random.choice(candidates, wanted, replace=False)
        return np.stack([first[kept], second[kept]])
    codes = np.empty(0, np.int64)
    while len(codes) < wanted:
        first, second = draw(2 * (wanted - len(codes)) + 16)
        more = np.minimum(first, second) * len(labels) + np.maximum(first, second)
        codes = np.concatenate([codes, more])
        codes = codes[np.sort(np.unique(codes, return_index=True)[1])]
    return np.stack(np.divmod(codes[:wanted], len(labels)))
