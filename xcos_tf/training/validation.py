"""How a network in training does on people held out, in numbers and pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from xcos_tf.arrays import unit_length
from xcos_tf.data.augmentation import draw_strokes
from xcos_tf.data.face_set import FaceSet
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.records.source import Pairs
from xcos_tf.data.sampling import draw_pairs
from xcos_tf.data.training_input import RECORDS_AT_ONCE, face_batches, normalise_faces
from xcos_tf.drawing import default_look
from xcos_tf.metrics.rates import auc, eer, kfold_accuracy, tar_at_far, tenths
from xcos_tf.models.network import FaceEmbedder, XCos
from xcos_tf.progress import Bar
from xcos_tf.training.model import Trainer
from xcos_tf.training.pairs import some_positions

BLOCK = 2048
KEPT_BYTES = 2**30
OF_EACH_KIND = 4


class HeldOut:
    """Faces of people who are not trained on, and the teacher's embeddings of them.

    Attributes:
        labels: int32 (N,), whose they are.
        covered: N where there is a second, partly covered copy of each face behind all others,
            N places on; else 0.
        teacher: float32 (N + covered, dimension), of unit length, of the faces as they are; None
            without a teacher.
    """

    def __init__(
        self, faces: FaceSet, trainer: Trainer, limit: int, seed: int, strokes: bool = False
    ):
        """Pass `limit` faces at most, drawn at random, through what stays frozen.

        With `strokes` there are covered copies, see `draw_strokes`.
        """
        positions = some_positions(len(faces), limit, seed)
        self.labels = faces.labels[positions]
        self._faces, self._positions, self._trainer = faces, positions, trainer
        self.covered, self._seed = len(positions) * strokes, seed
        self.teacher, self._stems = None, None
        # Kept, so that each validation does not trace them anew.
        self._stem = tf.function(trainer.stem, reduce_retracing=True)
        self._run = tf.function(lambda x: _features(trainer, x), reduce_retracing=True)
        ask = tf.function(trainer.ask_teacher, reduce_retracing=True)
        stems, embeddings, kept, seen = [], [], 0, 0
        for images in _with_progress(self._images(), len(positions) + self.covered, "held out"):
            stem = self._stem(images)
            if trainer.teacher is not None and seen < len(positions):
                embeddings.append(ask(stem).numpy())
            stems.append(stem.numpy())
            kept += stems[-1].nbytes
            seen += len(images)
            if kept > KEPT_BYTES:
                stems.clear()
        if embeddings:
            self.teacher = np.concatenate(embeddings * (2 if strokes else 1))
        self._stems = stems if kept <= KEPT_BYTES else None

    def _images(self):
        images = face_batches(self._faces, self._positions, self._trainer.size)
        if not self.covered:
            return images
        numbers = tf.data.Dataset.range(len(self._positions)).batch(RECORDS_AT_ONCE)
        covered = tf.data.Dataset.zip((images, numbers)).map(self._cover)
        return images.concatenate(covered)

    def _cover(self, images, numbers):
        seeds = tf.stack([tf.fill(tf.shape(numbers), self._seed), tf.cast(numbers, tf.int32)], 1)
        pixels = tf.cast(tf.round(images * 128 + 127.5), tf.uint8)
        cover = lambda face: draw_strokes(*face)  # noqa: E731
        shape = tf.TensorSpec(images.shape[1:], tf.uint8)
        return normalise_faces(tf.map_fn(cover, (pixels, seeds), fn_output_signature=shape))

    def embed(self) -> np.ndarray:
        """Return what the network makes of the faces now, float32 (N + covered, ...)."""
        stems = map(tf.constant, self._stems) if self._stems else map(self._stem, self._images())
        return np.concatenate([self._run(stem).numpy() for stem in stems])


def _features(trainer, stem):
    """Return float32 features of the stem's output, whatever precision they are computed in."""
    return tf.cast(trainer.features(stem, training=False), tf.float32)


def _with_progress(batches, faces: int, what: str) -> Iterator:
    with Bar(total=faces, desc=what, unit="face", disable=None, leave=False) as bar:
        for images in batches:
            yield images
            bar.update(len(images))


def pair_scores(
    network: XCos | FaceEmbedder, features: np.ndarray, pairs: Pairs, score: str
) -> np.ndarray:
    """Return a score of each pair, float32 (P,): by an attention, or "cosine".

    The pairs are by position in `features`, grid features float32 (N, h, w, c), or embeddings.
    """
    if score == "cosine":
        return cosines(features, pairs)
    scores = [np.empty(0, np.float32)]
    for start in range(0, len(pairs.first), BLOCK):
        block = slice(start, start + BLOCK)
        inputs = [features[pairs.first[block]], features[pairs.second[block]]]
        outputs = network.comparisons[score](inputs, training=False)  # tracing would take longer
        scores.append(np.asarray(outputs["xcos"]))
    return np.concatenate(scores)


def cosines(embeddings: np.ndarray, pairs: Pairs) -> np.ndarray:
    """Return the cosine of each pair, (P,), of embeddings (N, dimension)."""
    unit = unit_length(embeddings)
    return np.einsum("pd,pd->p", unit[pairs.first], unit[pairs.second])


def summarise(scores: np.ndarray, same: np.ndarray) -> dict[str, float]:
    """Return AUC, EER and TAR at FAR 1e-3 of one score; nothing where a class is missing."""
    if same.all() or not same.any():
        return {}
    return {
        "auc": float(auc(scores, same)),
        "eer": float(eer(scores, same)),
        "tar_at_far_1e-3": float(tar_at_far(scores, same, 1e-3)),
    }


class Validation:
    """Measures a network in training, always on the same pairs."""

    def __init__(
        self,
        trainer: Trainer,
        held_out: HeldOut | None,
        verification: Sequence[PreparedSet],
        genuine: int,
        impostor: int,
        seed: int,
    ):
        """Draw the pairs; see `ValidationConfig`."""
        self._trainer, self._held_out, self._verification = trainer, held_out, verification
        self.pairs = held_out and draw_pairs(held_out.labels, genuine, impostor, seed)
        self._run = tf.function(
            lambda images: _features(trainer, trainer.stem(images)), reduce_retracing=True
        )

    def measure(self, scores: Sequence[str]) -> dict[str, float]:
        """Return the metrics of each score as {"score/metric": value}, shares in [0, 1].

        On people held out, where the second face of each pair may be covered in part: `auc`,
        `eer`, `tar_at_far_1e-3` and, with a teacher, `rmse`, the root mean square difference from
        its cosine, genuine and impostor pairs each half of it; the teacher's own go by "teacher/…".
        On a verification set: "score/accuracy NAME", the mean of ten folds.
        """
        results = {}
        network = self._trainer.network
        if self._held_out:
            features, same = self._held_out.embed(), self.pairs.same
            pairs = replace(self.pairs, second=self.pairs.second + self._held_out.covered)
            teacher = self._held_out.teacher
            if teacher is not None:
                teacher = cosines(teacher, pairs)
                results |= _named("teacher", summarise(teacher, same))
            for score in scores:
                values = pair_scores(network, features, pairs, score)
                results |= _named(score, summarise(values, same))
                if teacher is not None and same.any() and not same.all():
                    squared = (values - teacher) ** 2
                    balanced = 0.5 * squared[same].mean() + 0.5 * squared[~same].mean()
                    results[f"{score}/rmse"] = float(np.sqrt(balanced))
        for records in self._verification:
            features, pairs = self._embed(records), records.pairs()
            fold = tenths(len(pairs))
            for score in scores:
                values = pair_scores(network, features, pairs, score)
                accuracy = kfold_accuracy(values, pairs.same, fold).mean
                results[f"{score}/accuracy {records.folder.name}"] = float(accuracy)
        return results

    def _embed(self, records: PreparedSet) -> np.ndarray:
        images = face_batches(records, np.arange(len(records)), self._trainer.size)
        blocks = _with_progress(images, len(records), records.folder.name)
        return np.concatenate([self._run(block).numpy() for block in blocks])


def _named(score: str, metrics: dict[str, float]) -> dict[str, float]:
    return {f"{score}/{name}": value for name, value in metrics.items()}


class WatchedPairs:
    """Four genuine and four impostor pairs, the same for the whole run."""

    def __init__(self, faces: FaceSet, trainer: Trainer, seed: int):
        """Draw the pairs from people held out, and read their faces."""
        self._trainer = trainer
        self._pairs = draw_pairs(faces.labels, OF_EACH_KIND, OF_EACH_KIND, seed)
        positions = np.concatenate([self._pairs.first, self._pairs.second])
        (images,) = face_batches(faces, positions, trainer.size, len(positions))
        self._images = images.numpy()

    def draw(self, attention: str) -> dict[str, np.ndarray]:
        """Return {"genuine pairs": picture, "impostor pairs": picture}, see `picture_of`.

        Above each pair is the score of the network in its present state.
        """
        stem, features = self._trainer.stem, self._trainer.features
        grids = np.asarray(features(stem(self._images), training=False), np.float32)
        count = len(self._pairs)
        outputs = self._trainer.network.comparisons[attention]([grids[:count], grids[count:]])
        scores, *maps = (
            np.asarray(outputs[name]) for name in ("xcos", "similarity_map", "attention_map")
        )
        faces = np.round(self._images * 128.0 + 127.5).astype(np.uint8)
        captions = [f"xCos {score:.3f}" for score in scores]
        rows = list(zip(captions, faces[:count], faces[count:], *maps, strict=True))
        kinds = {"genuine pairs": self._pairs.same, "impostor pairs": ~self._pairs.same}
        return {
            name: picture_of([rows[i] for i in np.flatnonzero(kind)])
            for name, kind in kinds.items()
            if kind.any()
        }


@default_look()
def picture_of(rows: Sequence[tuple]) -> np.ndarray:
    """Draw pairs below each other: two faces, S and W side by side.

    S goes from red at −1 over white to blue at 1, as in the paper, in a red and a blue that the
    colour-blind can distinguish; W from white at 0 to purple at its largest weight, or at twice
    the even share if that is more. A cell that is NaN is grey.

    Args:
        rows: of each pair a caption, the faces uint8 (H, W, 3) RGB, S float (h, w) in [−1, 1], and
            W float (h, w), which sums to 1.

    Returns:
        uint8 (130 · len(rows), 480, 3) RGB.
    """
    figure = Figure(figsize=(4.8, 1.3 * len(rows)), dpi=100, facecolor="0.85", layout="tight")
    canvas = FigureCanvasAgg(figure)
    for row, (caption, face_a, face_b, similarity, attention) in zip(
        figure.subplots(len(rows), 4, squeeze=False), rows, strict=True
    ):
        most = max(attention[np.isfinite(attention)].max(initial=0), 2 / attention.size)
        row[0].imshow(face_a)
        row[1].imshow(face_b)
        row[2].imshow(similarity, "RdBu", vmin=-1, vmax=1)
        row[3].imshow(attention, "Purples", vmin=0, vmax=most)
        row[0].set_title(caption, fontsize=7, loc="left", parse_math=False)
        for axes in row:
            axes.set(xticks=[], yticks=[], facecolor="0.5")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
