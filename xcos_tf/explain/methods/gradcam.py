"""Class activation maps by gradients, as tf-keras-vis makes them, on the last feature map.

Sources: Grad-CAM, R. R. Selvaraju et al., ICCV 2017 (the paper's Fig. 4); Grad-CAM++,
A. Chattopadhay et al., WACV 2018; LayerCAM, P.-T. Jiang et al., IEEE TIP 2021. All keep what is
positive only, so a map may be all 0 where the faces differ.
"""

import numpy as np
import tensorflow as tf
from tf_keras_vis import ModelVisualization
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
from tf_keras_vis.layercam import Layercam

from xcos_tf.explain.embedding_score import FEATURE_LAYER, EmbeddingScore, cosine_of_logits
from xcos_tf.explain.methods.white_box import WhiteBoxMethod

# A value a cell: made as fine as the face by the library, cells would move towards the edges.
LAST_FEATURE_MAP = {
    "penultimate_layer": FEATURE_LAYER,
    "seek_penultimate_conv_layer": False,
    "expand_cam": False,
    "normalize_cam": False,
}


class GradCam(WhiteBoxMethod):
    """Grad-CAM: channels weighted by the mean of their gradient."""

    name = "gradcam"
    visualisation: type[ModelVisualization] = Gradcam

    def map_of(self, score: EmbeddingScore, image: tf.Tensor) -> np.ndarray:
        return self.visualisation(score.model)(cosine_of_logits, image, **LAST_FEATURE_MAP)

    def passes(self, score: EmbeddingScore) -> tuple[int, int]:
        return 1, 1


class GradCamPlusPlus(GradCam):
    """Grad-CAM++: places of a channel weighted by higher derivatives first."""

    name = "gradcam++"
    visualisation = GradcamPlusPlus


class LayerCam(GradCam):
    """LayerCAM: each place weighted by its own positive gradient."""

    name = "layercam"
    visualisation = Layercam
