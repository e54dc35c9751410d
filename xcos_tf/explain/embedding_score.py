"""The plain cosine of a face with a fixed other one, as a Keras model that libraries can look into.

A preset's own model holds its backbone as one layer, whose inside is not connected to the model's
input; here the backbone's layers are the model's own.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow import keras

from xcos_tf.errors import XcosError
from xcos_tf.models.normalisation import unit_length
from xcos_tf.verifier import Verifier

FEATURE_LAYER = "last_feature_map"


class SameOrDifferent(keras.layers.Layer):
    """From embeddings (N, dimension) to logits of "same" and "different", float32 (N, 2).

    That of "same" is the cosine with `other`, that of "different" is 0. Two rather than one,
    because Score-CAM in tf-keras-vis passes on what a softmax makes of them: their difference is
    the cosine, before and, in logarithms, after it.

    Attributes:
        other: float32 (dimension,), the embedding to compare with; zeros until it is assigned.
    """

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.other = self.add_weight(
            name="other", shape=shape, initializer="zeros", trainable=False
        )
        super().build(input_shape)

    def call(self, inputs):
        unit, other = (unit_length(x) for x in (inputs, self.other))
        cosine = tf.reduce_sum(unit * other, axis=-1, keepdims=True)
        return tf.concat([cosine, tf.zeros_like(cosine)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 2)


class EmbeddingScore:
    """The cosine of faces' embeddings with one that is fixed.

    It shares the preset's layers, so a change of their weights is a change here.

    Attributes:
        model: functional, from images float32 (N, H, W, 3) in [−1, 1] to logits (N, 2); see
            `SameOrDifferent`. The output of its layer `FEATURE_LAYER` is the last feature map.
        channels: of the last feature map.
    """

    def __init__(self, verifier: Verifier, method: str):
        """Take apart a plain preset.

        Args:
            verifier: of the preset.
            method: what needs it, for the error's sentence.

        Raises:
            XcosError: the preset is not a plain one.
        """
        backbone, head = backbone_and_head(verifier, method)
        feature_map = keras.layers.Identity(name=FEATURE_LAYER)(backbone.output)
        self._compare = SameOrDifferent(name="same_or_different")
        self.model = keras.Model(backbone.inputs, self._compare(head(feature_map)))
        # Libraries run the model eagerly, layer by layer, or by a `predict` that starts anew and
        # draws a bar each time; a graph is several times faster.
        self.model.call = tf.function(self.model.call, reduce_retracing=True)
        self.model.predict = self._predict
        self.channels = int(feature_map.shape[-1])

    def compare_with(self, embedding: np.ndarray) -> None:
        """Fix the other face by its embedding, float32 (dimension,)."""
        self._compare.other.assign(embedding)

    def _predict(self, inputs: Sequence[np.ndarray], batch_size: int) -> np.ndarray:
        """Return the logits of images (N, H, W, 3), as Keras's own `predict`."""
        [images] = inputs
        starts = range(0, len(images), batch_size)
        batches = (tf.constant(images[x : x + batch_size], tf.float32) for x in starts)
        return np.concatenate([self.model(batch, training=False).numpy() for batch in batches])


def cosine_of_logits(logits: tf.Tensor) -> tf.Tensor:
    """Return the cosines (N,) that logits (N, 2) of `EmbeddingScore` stand for."""
    return logits[:, 0] - logits[:, 1]


def cosine_of_probabilities(probabilities: tf.Tensor) -> tf.Tensor:
    """Return the cosines (N,), where a softmax has made probabilities (N, 2) of the logits."""
    return cosine_of_logits(tf.math.log(probabilities))


def backbone_and_head(verifier: Verifier, method: str) -> tuple[keras.Model, keras.Model]:
    """Return the two models that a plain preset consists of.

    Raises:
        XcosError: the preset is not a plain one; the sentence names `method`.
    """
    if verifier.network.explains:
        raise XcosError(
            f"{method!r} explains the cosine of two embeddings and the preset "
            f"{verifier.config['name']!r} has a grid; use a plain preset such as 'mobilefacenet'"
        )
    return verifier.network.backbone, verifier.network.head
