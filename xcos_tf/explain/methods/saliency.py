"""Saliency: how much a small change of a pixel would change the score, as tf-keras-vis makes it.

Sources: K. Simonyan et al., "Deep Inside Convolutional Networks", ICLR Workshops 2014; SmoothGrad,
D. Smilkov et al., ICML Workshops 2017. A pixel's value is the greatest absolute gradient of its
channels, whichever way the score would go.
"""

import numpy as np
import tensorflow as tf
from tf_keras_vis.saliency import Saliency

from xcos_tf.explain.embedding_score import EmbeddingScore, cosine_of_logits
from xcos_tf.explain.methods.white_box import WhiteBoxMethod

SAMPLES = 20
NOISE = 0.2  # standard deviation as a share of the image's range, within SmoothGrad's 10 to 20 %


class VanillaSaliency(WhiteBoxMethod):
    """The gradient at the face as it is."""

    name = "saliency"

    def map_of(self, score: EmbeddingScore, image: tf.Tensor) -> np.ndarray:
        return Saliency(score.model)(cosine_of_logits, image, normalize_map=False)

    def passes(self, score: EmbeddingScore) -> tuple[int, int]:
        return 1, 1


class SmoothGrad(WhiteBoxMethod):
    """The mean over noisy copies of a face, with the same noise for all faces."""

    name = "smoothgrad"

    def map_of(self, score: EmbeddingScore, image: tf.Tensor) -> np.ndarray:
        # The library draws from NumPy's global generator, which belongs to the caller.
        kept = np.random.get_state()
        np.random.seed(0)
        try:
            return Saliency(score.model)(
                cosine_of_logits,
                image,
                smooth_samples=SAMPLES,
                smooth_noise=NOISE,
                normalize_map=False,
            )
        finally:
            np.random.set_state(kept)

    def passes(self, score: EmbeddingScore) -> tuple[int, int]:
        return SAMPLES, SAMPLES
