"""A preset's Keras network as a runtime."""

import numpy as np

from xcos_tf.environment import check_process, tf
from xcos_tf.models.normalisation import normalise_pixels
from xcos_tf.models.presets import Preset


class KerasRuntime:
    """See `Runtime`.

    Attributes:
        network: of the preset; a change of its weights is a change here.
    """

    def __init__(self, preset: Preset):
        """Wrap a loaded preset."""
        self.config, self.network, self.preset = preset.config, preset.network, preset.folder
        self.attentions = tuple(self.network.comparisons)
        self.face_shape = tuple(self.network.features.input_shape[1:])
        self.feature_shape = tuple(self.network.features.output_shape[1:])
        self._compiled = {}

    def embed(self, faces: np.ndarray) -> np.ndarray:
        return self._faces_through("features", faces)

    def compare(self, attention: str, a: np.ndarray, b: np.ndarray) -> dict[str, np.ndarray]:
        model = self.network.comparisons[attention]
        pair = (tf.constant(a, tf.float32), tf.constant(b, tf.float32))
        outputs = self._run(attention, lambda a, b: model([a, b]), *pair)
        return {name: value.numpy() for name, value in outputs.items()}

    def feature_maps(self, faces: np.ndarray) -> np.ndarray:
        return self._faces_through("backbone", faces)

    def head(self, feature_maps: np.ndarray) -> np.ndarray:
        return self._run("head", self.network.head, tf.constant(feature_maps)).numpy()

    def _faces_through(self, part: str, faces: np.ndarray) -> np.ndarray:
        model = getattr(self.network, part)
        return self._run(part, lambda x: model(normalise_pixels(x)), tf.constant(faces)).numpy()

    def _run(self, name, function, *tensors):
        """Call a function of batches, traced once whatever the batch size.

        A concrete function, unlike one that may be traced again, makes TensorFlow warn of nothing.
        """
        check_process()
        if name not in self._compiled:
            signature = [tf.TensorSpec((None, *x.shape[1:]), x.dtype) for x in tensors]
            traced = tf.function(function, input_signature=signature, autograph=False)
            self._compiled[name] = traced.get_concrete_function()
        run = self._compiled[name]
        if len(tensors[0]):
            return run(*tensors)
        # Not every operation takes an empty batch.
        outputs = run(*(tf.zeros((1, *x.shape[1:]), x.dtype) for x in tensors))
        return tf.nest.map_structure(lambda x: x[:0], outputs)
