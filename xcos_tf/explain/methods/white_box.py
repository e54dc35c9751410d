"""Maps that look into a plain preset's network: of each face, while the other stays as it is.

What tf-keras-vis has is its own. Class activation maps are of the last feature map and keep what
is positive only, so a map may be all 0 where the faces differ.
"""

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
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


Cosine = Callable[[tf.Tensor], tf.Tensor]
"""From embeddings (N, dimension) to their cosines (N,) with the one of the other face."""


def connected(verifier: Verifier) -> keras.Model:
    """Return a plain preset's network as a model whose layers are its own.

    The preset's holds its backbone as one layer, whose inside is not connected to the model's
    input. Layers are shared, so a change of their weights is a change here.

    Returns:
        From images float32 (N, H, W, 3) in [−1, 1] to embeddings; the output of its layer
        `FEATURE_LAYER` is the last feature map.
    """
    backbone, head = verifier.network.backbone, verifier.network.head
    feature_map = keras.layers.Identity(name=FEATURE_LAYER)(backbone.output)
    model = keras.Model(backbone.inputs, head(feature_map))
    # The library runs a model eagerly, layer by layer; a graph is several times faster.
    model.call = tf.function(model.call, reduce_retracing=True)
    return model


class WhiteBoxMethod(Method):
    """Explains the plain cosine of two faces by a map of A with B fixed, and one of B with A fixed.

    Maps are in [0, 1].
    """

    needs = "embedding"
    signed = False

    def __init__(self):
        # By verifier, as a model that has run once runs faster.
        self._models = WeakKeyDictionary()

    @abstractmethod
    def map_of(self, model: keras.Model, cosine: Cosine, image: tf.Tensor) -> np.ndarray:
        """Return the map of one face, float (1, h, w), ≥ 0, of any scale.

        Args:
            model: see `connected`.
            cosine: with the other face.
            image: float32 (1, 112, 112, 3) in [−1, 1].
        """

    def passes(self, model: keras.Model) -> tuple[int, int]:
        """Return how many faces one map takes through the backbone, and through a gradient."""
        return 1, 1

    def find(self, verifier, face_a, face_b) -> Findings:
        if verifier not in self._models:
            self._models[verifier] = connected(verifier)
        model = self._models[verifier]
        faces = np.stack([face_a, face_b])
        embeddings = verifier.embed(faces)
        images = normalise_pixels(faces)
        maps = []
        for i in range(2):
            cosine = partial(_cosines, unit_length(embeddings[1 - i]))
            maps.append(np.asarray(self.map_of(model, cosine, images[i : i + 1]))[0])
        [score] = verifier.compare_pairs(embeddings[:1], embeddings[1:])
        forward, backward = self.passes(model)
        return Findings(tuple(maps), score, 2 + 2 * forward, 2 * backward)


def _cosines(other: tf.Tensor, embeddings: tf.Tensor) -> tf.Tensor:
    return tf.linalg.matvec(unit_length(embeddings), other)


class GradCam(WhiteBoxMethod):
    """Channels weighted by the mean of their gradient (R. R. Selvaraju et al., ICCV 2017)."""

    name = "gradcam"
    visualisation: type[ModelVisualization] = Gradcam

    def map_of(self, model, cosine, image):
        return self.visualisation(model)(cosine, image, **LAST_FEATURE_MAP)


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

    def map_of(self, model, cosine, image):
        features = keras.Model(model.inputs, model.get_layer(FEATURE_LAYER).output)(image)
        masks = tf.image.resize(tf.transpose(features, (3, 1, 2, 0)), image.shape[1:3])
        low, high = (f(masks, axis=(1, 2), keepdims=True) for f in (tf.reduce_min, tf.reduce_max))
        masks = (masks - low) / (high - low + 1e-7)
        seen = tf.concat([tf.zeros_like(image), image * masks], axis=0)
        starts = range(0, len(seen), batch_size())
        nothing, *through = np.concatenate(
            [cosine(model(seen[x : x + batch_size()], training=False)) for x in starts]
        )
        return tf.nn.relu(tf.linalg.matvec(features, np.array(through) - nothing))

    def passes(self, model):
        # The face itself, the one of which nothing is left, and one for each channel.
        return 2 + model.get_layer(FEATURE_LAYER).output.shape[-1], 0


class VanillaSaliency(WhiteBoxMethod):
    """The greatest absolute gradient of a pixel's channels (K. Simonyan et al., ICLR W. 2014)."""

    name = "saliency"

    def map_of(self, model, cosine, image):
        return Saliency(model)(cosine, image, normalize_map=False)


class SmoothGrad(WhiteBoxMethod):
    """The mean of saliency over noisy copies of a face (D. Smilkov et al., ICML Workshops 2017).

    All faces have the same noise.
    """

    name = "smoothgrad"

    def map_of(self, model, cosine, image):
        # The library draws from NumPy's global generator, which belongs to the caller.
        kept = np.random.get_state()
        np.random.seed(0)
        noise = {"smooth_samples": SAMPLES, "smooth_noise": NOISE}
        try:
            return Saliency(model)(cosine, image, normalize_map=False, **noise)
        finally:
            np.random.set_state(kept)

    def passes(self, model):
        return SAMPLES, SAMPLES
