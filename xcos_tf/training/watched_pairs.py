"""A few pairs of people held out, whose S and W are drawn at each validation."""

from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from xcos_tf.data.face_set import FaceSet
from xcos_tf.data.sampling import draw_pairs
from xcos_tf.data.training_input import face_batches
from xcos_tf.drawing import default_look
from xcos_tf.training.model import Trainer

OF_EACH_KIND = 4


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
        """Return {"genuine pairs": picture, "impostor pairs": picture} in the present state.

        Args:
            attention: whose W to draw.

        Returns:
            uint8 (h, w, 3) RGB, of `picture_of`, with the score above each pair.
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
    colour-blind can tell apart; W from white at 0 to purple at its largest weight, or at twice
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
