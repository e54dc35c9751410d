"""Enrolled faces: what the backbone made of them, kept for many comparisons."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from xcos_tf.arrays import unit_length
from xcos_tf.errors import XcosError

if TYPE_CHECKING:
    from xcos_tf.data.detection import DetectedFace


@dataclass(frozen=True)
class Template:
    """One enrolled face.

    Attributes:
        feature: float32, the grid feature (h, w, c) of an xCos preset, or the embedding
            (dimension,) of a plain one; None where a server compared the faces and kept it.
        face: uint8 (112, 112, 3) RGB, the aligned face it was made from.
        faces_found: how many faces the photo showed; 1 for a photo given as aligned.
        preset: digest of the preset that made the feature, see `Preset.digest`; None if unknown.
        turned: degrees by which the photo had to be turned, clockwise, to have the face upright.
        place: where the face is in the photo; None for a photo given as aligned.
    """

    feature: np.ndarray | None
    face: np.ndarray
    faces_found: int = 1
    preset: str | None = None
    turned: int = 0
    place: "DetectedFace | None" = None

    @property
    def box_and_landmarks(self) -> dict[str, list | None]:
        """`box`, [x, y, width, height], and `landmarks`, five [x, y], in pixels of the photo.

        The photo is as it is shown, upright by what its EXIF data say. Both are None of a photo
        given as aligned.
        """
        if self.place is None:
            return {"box": None, "landmarks": None}
        found = {"box": self.place.box, "landmarks": self.place.landmarks}
        return {name: np.asarray(x, float).round(1).tolist() for name, x in found.items()}


class Gallery:
    """Many templates' features, made ready once for fast comparison.

    Attributes:
        features: float32 (N, h, w, c) or (N, dimension); (0,) for a gallery of no templates.
        preset: digest of the preset that made all of them; None if unknown.
        normalised: float32 (N, h·w, c) or (N, 1, dimension), every cell of unit length or zero.
    """

    def __init__(self, features: np.ndarray, preset: str | None = None):
        """Take features, and say which preset they are of where that is to be checked."""
        self.features = as_float32(features, "features")
        self.preset = preset

    @classmethod
    def of(cls, templates: "Template | Sequence[Template] | Gallery") -> "Gallery":
        """Return a gallery of one template, of several or of none, or the gallery itself.

        Raises:
            XcosError: the templates are of different presets, or one has no feature.
        """
        if isinstance(templates, Gallery):
            return templates
        if isinstance(templates, Template):
            templates = [templates]
        templates = list(templates)
        features = [template.feature for template in templates]
        if any(feature is None for feature in features):
            raise XcosError(
                "a template has no feature, since a server compared the faces and kept it; make "
                "it by `Verifier.enroll`"
            )
        presets = {template.preset for template in templates} - {None}
        if len(presets) > 1 or len({feature.shape for feature in features}) > 1:
            raise XcosError(
                "the templates were made by different presets and cannot be compared; enroll the "
                "photos with one preset"
            )
        return cls(np.stack(features) if features else np.empty(0), *presets)

    @cached_property
    def normalised(self) -> np.ndarray:
        shape = self.features.shape
        cells = self.features.reshape(len(self), math.prod(shape[1:-1]), shape[-1])
        return unit_length(cells)

    def __len__(self) -> int:
        return len(self.features)


def fixed_weight_scores(gallery_a: Gallery, gallery_b: Gallery, weights: np.ndarray) -> np.ndarray:
    """Return xCos of all pairs for an attention that is the same for every pair (U and P).

    Then Σ W·S is one matrix product of cell-normalised features, weighted on one side by float
    (h, w), or any shape of as many elements as there are cells.

    Returns:
        float32 (N, M).
    """
    if not len(gallery_a) or not len(gallery_b):
        return np.empty((len(gallery_a), len(gallery_b)), np.float32)
    weights = np.asarray(weights, np.float32).reshape(1, -1, 1)
    with np.errstate(all="ignore"):
        weighted = (gallery_a.normalised * weights).reshape(len(gallery_a), -1)
        return weighted @ gallery_b.normalised.reshape(len(gallery_b), -1).T


def as_float32(values: npt.ArrayLike, name: str) -> np.ndarray:
    """Return numbers as float32; those too large for it become infinite.

    Raises:
        ValueError: they are no real numbers.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise ValueError(
            f"Expected `{name}` to hold real numbers. Received: {name}.dtype={array.dtype}"
        )
    with np.errstate(over="ignore"):
        return np.asarray(array, np.float32)
