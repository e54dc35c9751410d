"""What Keras finds by name in a saved model, from `import xcos_tf` on and without importing Keras.

Keras is told when it arrives, whoever imports it, and a class is imported when a model needs it.
"""

import importlib
import sys

PACKAGE = "xcos_tf"  # what the classes' `register_keras_serializable` says
HOMES = {
    "XCos": "xcos_tf.models.network",
    "FaceEmbedder": "xcos_tf.models.network",
    "CellAffine": "xcos_tf.models.heads",
    "PatchedCosine": "xcos_tf.models.comparison",
    "FrobeniusProduct": "xcos_tf.models.comparison",
    "PatchedAttention": "xcos_tf.models.comparison",
    "CorrelatedAttention": "xcos_tf.models.comparison",
    "CellSoftmax": "xcos_tf.models.comparison",
    "TiltedSoftmax": "xcos_tf.models.comparison",
    "ChangedGrids": "xcos_tf.models.whatif",
    "ArcFaceHead": "xcos_tf.models.margins",
    "CosFaceHead": "xcos_tf.models.margins",
    "Warmup": "xcos_tf.training.schedules",
    "Trainer": "xcos_tf.training.model",
}
_KERAS = ("keras", "tf_keras")


def announce() -> None:
    """Register a stand-in for each class, at once or as soon as Keras has been imported."""
    for name in _KERAS:
        if name in sys.modules:
            _register(sys.modules[name])
    sys.meta_path.insert(0, _Watch())


class _Watch:
    """A finder that finds nothing itself, and acts when Keras has been imported."""

    def find_spec(self, name, path=None, target=None):
        if name not in _KERAS:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(name, path, target) for finder in others)
        spec = next(filter(None, found), None)
        if spec and spec.loader:
            execute = spec.loader.exec_module

            def execute_and_register(module):
                execute(module)
                _register(module)

            spec.loader.exec_module = execute_and_register
        return spec


def _register(keras) -> None:
    for name in HOMES:
        # The class itself takes this place when its module is imported.
        keras.utils.register_keras_serializable(PACKAGE, name)(_stand_in(name))


def _stand_in(name: str) -> type:
    def from_config(config, **options):
        return getattr(importlib.import_module(HOMES[name]), name).from_config(config, **options)

    def get_config(self):  # Keras registers no class without one
        raise NotImplementedError

    return type(name, (), {"from_config": staticmethod(from_config), "get_config": get_config})
