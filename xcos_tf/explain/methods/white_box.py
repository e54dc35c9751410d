"""Maps that look into a plain preset's network: of each face, while the other stays as it is.

What tf-keras-vis has is its own. Class activation maps are of the last feature map and keep what
is positive only, so a map may be all 0 where the faces differ.
"""

from abc import abstractmethod
from weakref import WeakKeyDictionary

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tf_keras_vis import ModelVisualization
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
from tf_keras_vis.layercam import Layercam
from tf_keras_vis.saliency import Saliency

from xcos_tf.explain.explanation import Findings, Method
from xcos_tf.explain.probing import batch_size
from xcos_tf.models.normalisation import normalise_pixels, unit_length
from xcos_tf.verifier import Verifier

FEATURE_LAYER = "last_feature_map"
# A value a cell: made as fine as the face by the library, cells would move towards the edges.
LAST_FEATURE_MAP = {
    "penultimate_layer": FEATURE_LAYER,
    "seek_penultimate_conv_layer": False,
    "expand_cam": False,
    "normalize_cam": False,
}
SAMPLES = 20
NOISE = 0.2  # standard deviation as a share of the image's range, within SmoothGrad's 10 to 20 %


class CosineWith(keras.layers.Layer):
    """From embeddings (N, dimension) to their cosines (N,) with `other`, (dimension,)."""

    def build(self, input_shape):
        self.other = self.add_weight(
            name="other", shape=(input_shape[-1],), initializer="zeros", trainable=False
        )
        super().build(input_shape)

    def call(self, inputs):
        unit, other = (unit_length(x) for x in (inputs, self.other))
        return tf.reduce_sum(unit * other, axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape[:1]


class EmbeddingScore:
    """The cosine of faces' embeddings with one that is fixed.

    A preset's own model holds its backbone as one layer, whose inside is not connected to the
    model's input; here the backbone's layers are the model's own. They are shared with the preset,
    so a change of their weights is a change here.

    Attributes:
        model: functional, from images float32 (N, H, W, 3) in [−1, 1] to cosines (N,); the output
            of its layer `FEATURE_LAYER` is the last feature map.
        features: a function from such images to the last feature map.
    """

    def __init__(self, verifier: Verifier):
        backbone, head = verifier.network.backbone, verifier.network.head
        feature_map = keras.layers.Identity(name=FEATURE_LAYER)(backbone.output)
        self._compare = CosineWith(name="cosine_with")
        self.model = keras.Model(backbone.inputs, self._compare(head(feature_map)))
        # The library runs the model eagerly, layer by layer; a graph is several times faster.
        self.model.call = tf.function(self.model.call, reduce_retracing=True)
        self.features = tf.function(backbone, reduce_retracing=True)

    def compare_with(self, embedding: np.ndarray) -> None:
        """Fix the other face by its embedding, float32 (dimension,)."""
        self._compare.other.assign(embedding)


class WhiteBoxMethod(Method):
    """Explains the plain cosine of two faces by a map of A with B fixed, and one of B with A fixed.

    Maps are in [0, 1].
    """

    needs = "embedding"
    signed = False

    def __init__(self):
        # By verifier, as a model that has run once runs faster.
        self._scores = WeakKeyDictionary()

    @abstractmethod
    def map_of(self, score: EmbeddingScore, image: tf.Tensor) -> np.ndarray:
        """Return the map of one face, float (1, h, w), ≥ 0, of any scale.

        Args:
            score: with the other face fixed.
            image: float32 (1, 112, 112, 3) in [−1, 1].
        """

    def passes(self, score: EmbeddingScore) -> tuple[int, int]:
        """Return how many faces one map takes through the backbone, and through a gradient."""
        return 1, 1

    def find(self, verifier, face_a, face_b) -> Findings:
        if verifier not in self._scores:
            self._scores[verifier] = EmbeddingScore(verifier)
        score = self._scores[verifier]
        faces = np.stack([face_a, face_b])
        embeddings = verifier.embed(faces)
        images = normalise_pixels(faces)
        maps = []
        for i in range(2):
            score.compare_with(embeddings[1 - i])
            maps.append(np.asarray(self.map_of(score, images[i : i + 1]))[0])
        [cosine] = verifier.compare_pairs(embeddings[:1], embeddings[1:])
        forward, backward = self.passes(score)
        return Findings(tuple(maps), cosine, 2 + 2 * forward, 2 * backward)


class GradCam(WhiteBoxMethod):
    """Channels weighted by the mean of their gradient (R. R. Selvaraju et al., ICCV 2017)."""

    name = "gradcam"
    visualisation: type[ModelVisualization] = Gradcam

    def map_of(self, score, image):
        return self.visualisation(score.model)(tf.identity, image, **LAST_FEATURE_MAP)


class GradCamPlusPlus(GradCam):
    """Places of a channel weighted by higher derivatives first (A. Chattopadhay, WACV 2018)."""

    name = "gradcam++"
    visualisation = GradcamPlusPlus


class LayerCam(GradCam):
    """Each place weighted by its own positive gradient (P.-T. Jiang et al., IEEE TIP 2021)."""

    name = "layercam"
    visualisation = Layercam


class ScoreCam(WhiteBoxMethod):
    """Channels weighted by the score of the face seen through them alone.

    Source: H. Wang et al., "Score-CAM", CVPR Workshops 2020. A channel's weight is its increase of
    confidence (Eq. 6), over a face of which nothing is left: grey, 0 in the backbone's terms. A
    channel becomes a mask with its cells where they are, as other maps do; tf-keras-vis would move
    the outer cells' centres to the edges of the face.
    """

    name = "scorecam"

    def map_of(self, score, image):
        features = score.features(image)
        masks = tf.image.resize(tf.transpose(features, (3, 1, 2, 0)), image.shape[1:3])
        low, high = (f(masks, axis=(1, 2), keepdims=True) for f in (tf.reduce_min, tf.reduce_max))
        masks = (masks - low) / (high - low + 1e-7)
        seen = tf.concat([tf.zeros_like(image), image * masks], axis=0)
        starts = range(0, len(seen), batch_size())
        cosines = [score.model(seen[x : x + batch_size()], training=False) for x in starts]
        nothing, *through = np.concatenate(cosines)
        return tf.nn.relu(tf.linalg.matvec(features, np.array(through) - nothing))

    def passes(self, score):
        # The face itself, the one of which nothing is left, and one for each channel.
        return 2 + score.model.get_layer(FEATURE_LAYER).output.shape[-1], 0


class VanillaSaliency(WhiteBoxMethod):
    """The greatest absolute gradient of a pixel's channels (K. Simonyan et al., ICLR W. 2014)."""

    name = "saliency"

    def map_of(self, score, image):
        return Saliency(score.model)(tf.identity, image, normalize_map=False)


class SmoothGrad(WhiteBoxMethod):
    """The mean of saliency over noisy copies of a face (D. Smilkov et al., ICML Workshops 2017).

    All faces have the same noise.
    """

    name = "smoothgrad"

    def map_of(self, score, image):
        # The library draws from NumPy's global generator, which belongs to the caller.
        kept = np.random.get_state()
        np.random.seed(0)
        noise = {"smooth_samples": SAMPLES, "smooth_noise": NOISE}
        try:
            return Saliency(score.model)(tf.identity, image, normalize_map=False, **noise)
        finally:
            np.random.set_state(kept)

    def passes(self, score):
        return SAMPLES, SAMPLES
