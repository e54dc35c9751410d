"""Score-CAM, as tf-keras-vis makes it: channels weighted by what the score is through them alone.

Source: H. Wang et al., "Score-CAM", CVPR Workshops 2020. A channel's weight is its increase of
confidence (Eq. 6), over a face of which nothing is left: grey, 0 in the backbone's terms.
"""

import numpy as np
import tensorflow as tf
from tf_keras_vis.scorecam import Scorecam

from xcos_tf.explain.embedding_score import (
    EmbeddingScore,
    cosine_of_logits,
    cosine_of_probabilities,
)
from xcos_tf.explain.methods.gradcam import LAST_FEATURE_MAP
from xcos_tf.explain.methods.white_box import WhiteBoxMethod
from xcos_tf.explain.probing import batch_size


class ScoreCam(WhiteBoxMethod):
    """See the module; each channel of the last feature map takes a forward pass."""

    name = "scorecam"

    def map_of(self, score: EmbeddingScore, image: tf.Tensor) -> np.ndarray:
        nothing = cosine_of_logits(score.model([tf.zeros_like(image)], training=False))
        return Scorecam(score.model)(
            lambda probabilities: cosine_of_probabilities(probabilities) - nothing,
            image,
            batch_size=batch_size(),
            **LAST_FEATURE_MAP,
        )

    def passes(self, score: EmbeddingScore) -> tuple[int, int]:
        # The face itself, and the one of which nothing is left.
        return score.channels + 2, 0
