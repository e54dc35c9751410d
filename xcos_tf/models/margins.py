"""Margin heads for the identification branch: ArcFace and CosFace.

Cosines and margins are computed in float32 under any dtype policy: float16 cannot tell
cos 0.9996 from 1, and a scale of 64 would make that a visible step of the loss.
"""

import math

import tensorflow as tf

from xcos_tf.environment import keras
from xcos_tf.models.normalisation import unit_length


class MarginHead(keras.layers.Layer):
    """Scaled cosines between an embedding and one direction per class, with a margin.

    Call on (embedding, labels): float (N, dimension) of any norm and integer (N,) in
    [0, classes). Returns float32 logits (N, classes): `scale` times the cosine of the embedding
    with each class, the labelled class made harder by the margin. Give them to a softmax
    cross-entropy.

    With a third argument `rows`, float32 (K, dimension), these stand in for the kernel: the softmax
    is over their classes only, the logits are (N, K) and labels are places among them; see
    `xcos_tf.models.partial_fc`.

    The weight `kernel` is (classes, dimension); only the direction of its rows counts.
    An all-zero embedding has cosine 0 with every class. Subclasses say what the margin is.
    """

    def __init__(self, classes: int, margin: float, scale: float = 64.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if classes < 1:
            raise ValueError(f"Expected `classes` to be at least 1. Received: classes={classes}")
        if scale <= 0:
            raise ValueError(f"Expected `scale` to be positive. Received: scale={scale}")
        self.classes = int(classes)
        self.margin = float(margin)
        self.scale = float(scale)

    def build(self, embedding_shape):
        # Rows of unit length on average, so that the kernel's learning rate, which acts on
        # directions, does not depend on how many classes there are.
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.classes, embedding_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=embedding_shape[-1] ** -0.5),
        )
        super().build(embedding_shape)

    def call(self, embedding, labels, rows=None):
        embedding = unit_length(embedding)
        kernel = tf.cast(self.kernel if rows is None else rows, tf.float32)
        kernel = tf.math.l2_normalize(kernel, axis=1)
        # Rounding can carry a cosine past ±1, where its angle would be NaN.
        cosine = tf.clip_by_value(tf.matmul(embedding, kernel, transpose_b=True), -1.0, 1.0)
        labels = tf.cast(labels, tf.int32)
        target = tf.gather(cosine, labels, axis=1, batch_dims=1)
        is_target = labels[:, tf.newaxis] == tf.range(tf.shape(cosine)[1])
        harder = self.apply_margin(target)[:, tf.newaxis]
        return self.scale * tf.where(is_target, harder, cosine)

    def apply_margin(self, cosine: tf.Tensor) -> tf.Tensor:
        """Return what stands in for the labelled class's cosine, float32 (N,) to (N,)."""
        raise NotImplementedError

    def get_config(self):
        config = {"classes": self.classes, "margin": self.margin, "scale": self.scale}
        return {**super().get_config(), **config}


@keras.utils.register_keras_serializable(package="xcos_tf")
class ArcFaceHead(MarginHead):
    """Additive angular margin: cos θ becomes cos(θ + m) (Deng et al., CVPR 2019, Eq. 3).

    Where θ + m passes π, the cosine would rise again; there cos θ − m·sin m takes its place,
    as in the authors' code, and the logit keeps falling with θ.

    Args:
        margin: m in radians, in [0, π).

    Raises:
        ValueError: `classes`, `margin` or `scale` is out of range.
    """

    def __init__(self, classes: int, margin: float = 0.5, scale: float = 64.0, **kwargs):
        if not 0 <= margin < math.pi:
            raise ValueError(f"Expected `margin` to be in [0, π). Received: margin={margin}")
        super().__init__(classes, margin, scale, **kwargs)

    def apply_margin(self, cosine):
        squared_sine = (1.0 - cosine) * (1.0 + cosine)
        # The square root has no gradient at 0, that is at cos θ = ±1 exactly. Float32 has nothing
        # between that and 6e-8, so leaving the one point out is enough. Both `where` are needed:
        # a gradient of inf times 0 is NaN.
        positive = squared_sine > 0.0
        sine = tf.sqrt(tf.where(positive, squared_sine, tf.ones_like(squared_sine)))
        sine = tf.where(positive, sine, tf.zeros_like(sine))
        added = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        fallback = cosine - self.margin * math.sin(self.margin)
        return tf.where(cosine > math.cos(math.pi - self.margin), added, fallback)


@keras.utils.register_keras_serializable(package="xcos_tf")
class CosFaceHead(MarginHead):
    """Additive cosine margin: cos θ becomes cos θ − m (Wang et al., CVPR 2018, Eq. 4).

    Args:
        margin: m, in [0, 2].

    Raises:
        ValueError: `classes`, `margin` or `scale` is out of range.
    """

    def __init__(self, classes: int, margin: float = 0.35, scale: float = 64.0, **kwargs):
        if not 0 <= margin <= 2:
            raise ValueError(f"Expected `margin` to be in [0, 2]. Received: margin={margin}")
        super().__init__(classes, margin, scale, **kwargs)

    def apply_margin(self, cosine):
        return cosine - self.margin
