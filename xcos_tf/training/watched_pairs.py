"""A few pairs of people held out, whose S and W are drawn at each validation."""

import numpy as np

from xcos_tf.data.face_batches import face_batches
from xcos_tf.data.face_pairs import draw_pairs
from xcos_tf.data.face_set import FaceSet
from xcos_tf.training.model import Trainer
from xcos_tf.training.pictures import pair_picture, tile

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
            uint8 (h, w, 3) RGB; a line for each pair: the faces, S and W, with the score above.
        """
        stem, features = self._trainer.stem, self._trainer.features
        grids = np.asarray(features(stem(self._images), training=False), np.float32)
        count = len(self._pairs)
        outputs = self._trainer.network.comparisons[attention]([grids[:count], grids[count:]])
        scores, similarity, weights = (
            np.asarray(outputs[name]) for name in ("xcos", "similarity_map", "attention_map")
        )
        faces = np.round(self._images * 128.0 + 127.5).astype(np.uint8)
        pictures = {}
        for name, kind in (("genuine pairs", True), ("impostor pairs", False)):
            lines = [
                pair_picture(
                    faces[i], faces[count + i], similarity[i], weights[i], f"xCos {scores[i]:.3f}"
                )
                for i in np.flatnonzero(self._pairs.same == kind)
            ]
            if lines:
                pictures[name] = tile(lines)
        return pictures
