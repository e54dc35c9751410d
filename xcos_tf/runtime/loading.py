"""What a runtime is, and which one a preset gets."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from xcos_tf.errors import XcosError, shown
from xcos_tf.models.preset_folder import find_preset, lite_folder

RUNTIMES = ("auto", "litert", "tensorflow")


@runtime_checkable
class Runtime(Protocol):
    """A preset's network, ready to compute.

    Attributes:
        config: of the preset: its `name`, `thresholds` {attention: {FMR: threshold}}, and
            `weights` with their `sha256`.
        attentions: what pairs can be scored by; the last is the default.
        face_shape: (H, W, 3) of an aligned face.
        feature_shape: (h, w, c) of a grid feature, or (dimension,) of a plain preset's embedding.
        preset: folder of the preset; None where there is none.
    """

    config: dict
    attentions: tuple[str, ...]
    face_shape: tuple[int, ...]
    feature_shape: tuple[int, ...]
    preset: Path | None

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Return the features, float32, of aligned faces, uint8 (N, H, W, 3) RGB, N ≥ 1."""

    def compare(self, attention: str, a: np.ndarray, b: np.ndarray) -> dict[str, np.ndarray]:
        """Compare grid features, float32 (P, h, w, c), one to one; P may be 0.

        Returns:
            float32 `xcos` (P,), `similarity_map` (P, h, w) and `attention_map` (P, h, w).
        """

    def feature_maps(self, faces: np.ndarray) -> np.ndarray:
        """Return the last feature maps, float32 (N, h, w, c), of faces; of a plain preset."""

    def head(self, feature_maps: np.ndarray) -> np.ndarray:
        """Return the embeddings, float32 (N, dimension), of feature maps; of a plain preset."""


def load_runtime(name_or_folder: str | os.PathLike, runtime: str = "auto") -> Runtime:
    """Load a preset.

    Args:
        name_or_folder: see `find_preset`.
        runtime: "litert", which needs the preset's TFLite files; "tensorflow"; or "auto", which is
            LiteRT where there are such files and no GPU, and else TensorFlow.

    Raises:
        XcosError: there is no such runtime or preset, or it cannot be used.
    """
    if runtime not in RUNTIMES:
        raise XcosError(f"there is no runtime {shown(runtime)!r}; use one of {', '.join(RUNTIMES)}")
    folder = find_preset(name_or_folder)
    if runtime == "auto":
        there = lite_folder(folder).is_dir() and find_spec("ai_edge_litert") is not None
        runtime = "litert" if there and not has_gpu() else "tensorflow"
    if runtime == "litert":
        from xcos_tf.runtime.litert import LiteRuntime

        return LiteRuntime.from_preset(folder)
    from xcos_tf.models.presets import load_preset
    from xcos_tf.runtime.keras import KerasRuntime

    return KerasRuntime(load_preset(folder))


def has_gpu() -> bool:
    """Whether TensorFlow may find an NVIDIA GPU, told without importing it."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    there = not hidden and os.path.exists("/dev/nvidia0")
    return there and find_spec("tensorflow") is not None
