"""The correlated attention P: Pearson correlation of each cell's cosine with the teacher's."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf

from xcos_tf.arrays import read_npz
from xcos_tf.errors import XcosError, explained
from xcos_tf.files import replace_file
from xcos_tf.models.comparison import PatchedCosine
from xcos_tf.models.normalisation import unit_length
from xcos_tf.progress import Bar
from xcos_tf.training.pairs import cosines, joined, places

Batch = Mapping[str, tf.Tensor]
_LARGEST_STATE = 2**24
_ROUNDING = 1e-13  # of a mean, in float64
_NOISE = 1e-6  # standard deviation of float32 cosines that are really all the same, at most


@dataclass(frozen=True)
class Correlation:
    """P, as measured.

    Attributes:
        raw: p (Eq. 5 to 7), float32 (h, w) in [−1, 1]; 0 where a cell's cosine never varied, and
            negative where it goes down when the teacher's goes up. Its sum is positive.
        pairs: how many it was measured on.
        genuine: how many of these were of one person.
    """

    raw: np.ndarray
    pairs: int
    genuine: int

    @property
    def normalised(self) -> np.ndarray:
        """W as the correlated attention has it: float32 (h, w), `raw` scaled to sum to 1."""
        return (self.raw / self.raw.sum(dtype=np.float64)).astype(np.float32)

    def facts(self) -> dict:
        """Return what the section `correlation` of a preset's configuration has of it, rounded."""
        return {
            "raw": [[round(float(p), 4) for p in row] for row in self.raw],
            "normalised": [[round(float(w), 5) for w in row] for row in self.normalised],
            "pairs": self.pairs,
            "genuine": round(self.genuine / self.pairs, 4),
        }


class StreamingCorrelation:
    """Pearson correlation of every cell with one value, over any number of pairs in one pass.

    Means and co-moments are merged block by block (Chan et al., 1983), in float64, so the answer
    does not suffer from cancellation however many pairs there are.
    """

    def __init__(self, shape: tuple[int, int]):
        """Start empty, for maps of this (h, w)."""
        self.count, self._shape = 0, shape
        shapes = {"mean_s": shape, "mean_c": (), "m_ss": shape, "m_cc": (), "m_sc": shape}
        self._moments = {name: np.zeros(own) for name, own in shapes.items()}

    def update(self, similarity_maps: np.ndarray, teacher_cosines: np.ndarray) -> None:
        """Take in a block of pairs: S (P, h, w) and the teacher's cosines (P,)."""
        s = np.asarray(similarity_maps, np.float64)
        c = np.asarray(teacher_cosines, np.float64)
        if s.shape != (*c.shape, *self._shape):
            raise ValueError(
                f"Expected maps (P, *{self._shape}) and cosines (P,). "
                f"Received: shapes {s.shape} and {c.shape}"
            )
        if not len(c):
            return
        mean_s, mean_c = s.mean(axis=0), c.mean()
        centred_s, centred_c = s - mean_s, c - mean_c
        total = self.count + len(c)
        share = self.count * len(c) / total
        moments = self._moments
        delta_s, delta_c = mean_s - moments["mean_s"], mean_c - moments["mean_c"]
        moments["m_ss"] += (centred_s**2).sum(axis=0) + share * delta_s**2
        moments["m_cc"] += (centred_c**2).sum() + share * delta_c**2
        moments["m_sc"] += np.tensordot(centred_c, centred_s, axes=1) + share * delta_s * delta_c
        moments["mean_s"] += delta_s * len(c) / total
        moments["mean_c"] += delta_c * len(c) / total
        self.count = total

    def result(self, noise: float = 0.0) -> np.ndarray:
        """Return p (Eq. 5 to 7), float32 (h, w) in [−1, 1].

        It is 0 where a cell, or the teacher, has a standard deviation of `noise` or less.
        """
        mean_s, mean_c, m_ss, m_cc, m_sc = self._moments.values()
        varies = [
            squares > self.count * np.maximum(noise, _ROUNDING * np.abs(mean)) ** 2
            for squares, mean in ((m_ss, mean_s), (m_cc, mean_c))
        ]
        scale = np.sqrt(m_ss) * np.sqrt(m_cc)
        p = np.divide(m_sc, scale, out=np.zeros_like(scale), where=varies[0] & varies[1])
        return np.clip(p, -1, 1).astype(np.float32)

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `restore` needs, as arrays."""
        return {"count": np.int64(self.count), **self._moments}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from what `state` returned, to the same bits as if there had been no break.

        Raises ValueError if it is of maps of another shape, or of no pairs that there can be.
        """
        moments = {name: np.array(state[name]) for name in self._moments}
        for name, moment in moments.items():
            shape = self._moments[name].shape
            if moment.shape != shape or moment.dtype != np.float64:
                raise ValueError(
                    f"Expected the state's `{name}` of shape {shape} in float64. "
                    f"Received: dtype={moment.dtype}, shape={moment.shape}"
                )
            least = 0 if name in ("m_ss", "m_cc") else -np.inf
            if not (np.isfinite(moment) & (moment >= least)).all():
                raise ValueError(f"Expected `{name}` to be finite, and squares 0 or more.")
        if state["count"] < 0:
            raise ValueError(f"Expected a count of 0 or more. Received: {state['count']}")
        self.count, self._moments = int(state["count"]), moments


def fit_correlation(
    grid: Callable[[tf.Tensor], tf.Tensor],
    teacher: Callable[[tf.Tensor], tf.Tensor],
    batches_from: Callable[[int], Iterable[Batch]],
    pairs: int,
    shape: tuple[int, int],
    state: Path | None = None,
    identity: str = "",
    save_every: int = 10,
    stem: Callable[[tf.Tensor], tf.Tensor] = tf.identity,
) -> Correlation:
    """Measure P over training pairs, in one pass and constant memory.

    p[i, j] is the Pearson correlation, over pairs (C, D), of cos(F_C[i, j], F_D[i, j]) with
    cos(f_C, f_D), where F are grid features and f another model's embeddings (Eq. 5 to 7).

    Args:
        grid, teacher: from what `stem` gives to grid features, any float (N, h, w, c), and to
            embeddings, any float (N, dimension) of any length; in inference mode.
        batches_from: called with a step, to give the batches of that step and those after it, the
            same for the same step every time. A batch is as `training_dataset` makes it: "input"
            (G, N, ...), "first", "second" and "same" int (G, P).
        pairs: to measure on. Of the last batch, as many as are still needed are taken, evenly.
        shape: (h, w) of the maps.
        state: a file that keeps how far the pass has come, always whole. If it is there, the pass
            goes on from it and ends in the same bits as one without a break. It stays when the
            pass is done, for the caller to remove once P is safe.
        identity: of the models and of what `batches_from` gives; a state of another is refused.
        save_every: steps between two writings of `state`.
        stem: from inputs (N, ...), such as a frozen trunk.

    Raises:
        XcosError: the correlations sum to 0 or less, so that they cannot become weights; a map is
            not finite; or `state` cannot be written, or is damaged or of another measurement.
        ValueError: the batches end too soon, or the maps are not of this shape.
    """
    stream, step, genuine = StreamingCorrelation(shape), 0, 0
    if state and state.exists():
        step, genuine = _read_state(state, stream, identity)
    compare = tf.function(partial(_compare, grid, teacher, stem), reduce_retracing=True)
    with Bar(total=pairs, initial=stream.count, desc="correlation", unit="pair") as bar:
        for batch in batches_from(step) if stream.count < pairs else ():
            tensors = [tf.convert_to_tensor(batch[name]) for name in ("input", "first", "second")]
            maps, values = (x.numpy() for x in compare(*tensors))
            if not (np.isfinite(maps).all() and np.isfinite(values).all()):
                raise XcosError(
                    f"the models gave NaN or infinity for faces of step {step + 1}; use weights "
                    "that give numbers"
                )
            wanted = min(len(values), pairs - stream.count)
            # Evenly, so that genuine pairs keep their share.
            kept = np.arange(wanted) * len(values) // wanted
            stream.update(maps[kept], values[kept])
            genuine += int(np.ravel(batch["same"])[kept].sum())
            step += 1
            bar.update(len(kept))
            done = stream.count == pairs
            if state and (done or step % save_every == 0):
                _write_state(state, stream, step, genuine, identity)
            if done:
                break
    if stream.count < pairs:
        raise ValueError(f"Expected batches of {pairs} pairs. Received: {stream.count} pairs")
    raw = stream.result(_NOISE)
    total = raw.sum(dtype=np.float64)
    if total <= 0:
        if state:
            state.unlink(missing_ok=True)  # it would lead here again
        raise XcosError(
            f"the correlations of the cells with the teacher's cosine sum to {total:.3g}, so they "
            "cannot be made weights that sum to 1; take more pairs, other faces or another teacher"
        )
    return Correlation(raw, stream.count, genuine)


def _compare(grid, teacher, stem, inputs, first, second):
    """Return S (G·P, h, w) and the teacher's cosines (G·P,) of a batch's pairs."""
    pairs, start = places(inputs, first, second), stem(joined(inputs))
    grids, embeddings = grid(start), unit_length(teacher(start))
    return PatchedCosine()([tf.gather(grids, place) for place in pairs]), cosines(embeddings, pairs)


def _write_state(path, stream, step, genuine, identity) -> None:
    arrays = {"step": np.int64(step), "genuine": np.int64(genuine), "identity": np.array(identity)}
    what = f"the state of the measurement cannot be written to {path}"
    with explained(what, "free some space or choose another place"):
        replace_file(path, lambda file: np.savez(file, **arrays, **stream.state()))


def _read_state(path, stream, identity) -> tuple[int, int]:
    """Set the stream; returns the steps made and the genuine pairs among them."""
    errors = (OSError, ValueError, KeyError, TypeError, OverflowError)
    with explained(f"{path} is damaged", "remove it to measure from the beginning", errors):
        arrays = read_npz(path, _LARGEST_STATE)
        if str(arrays["identity"]) == identity:
            stream.restore(arrays)
            step, genuine = int(arrays["step"]), int(arrays["genuine"])
            if not (step >= 0 and 0 <= genuine <= stream.count):
                raise ValueError("its counts cannot be")
            return step, genuine
    raise XcosError(
        f"{path} is of an unfinished measurement with other pairs or other models; remove it to "
        "start from the beginning, or finish that one"
    )
