"""Explainable face verification (xCos) for TensorFlow and Keras.

Lin et al., "xCos: An Explainable Cosine Metric for Face Verification Task", ACM TOMM 17(3s),
2021. What a name below needs is imported when it is first used, so `import xcos_tf` is instant.
"""

import importlib

from xcos_tf.keras_objects import announce

__version__ = "0.1.0"

_HOMES = {
    "Verifier": "xcos_tf.verifier",
    "Template": "xcos_tf.templates",
    "Verification": "xcos_tf.templates",
    "FaceStore": "xcos_tf.search.store",
    "XCos": "xcos_tf.models.network",
    "FaceEmbedder": "xcos_tf.models.network",
    "Trainer": "xcos_tf.training.model",
    "make_explainable": "xcos_tf.models.network",
    "NoFaceError": "xcos_tf.errors",
    "XcosError": "xcos_tf.errors",
}

_KERAS = ("XCos", "FaceEmbedder", "Trainer", "make_explainable")

__all__ = ["__version__", *_HOMES]

announce()


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module 'xcos_tf' has no attribute {name!r}")
    if name in _KERAS:
        importlib.import_module("xcos_tf.environment")  # says so where TensorFlow cannot be loaded
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__():
    return sorted(__all__)
