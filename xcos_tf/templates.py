"""Enrolled faces: what the backbone made of them, kept for many comparisons."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Template:
    """One enrolled face.

    Attributes:
        feature: float32, the grid feature (h, w, c) of an xCos preset, or the embedding
            (dimension,) of a plain one; None where a server compared the faces and kept it.
        face: uint8 (112, 112, 3) RGB, the aligned face it was made from.
        faces_found: how many faces the photo showed; 1 for a photo given as aligned.
    """

    feature: np.ndarray | None
    face: np.ndarray
    faces_found: int = 1


class Gallery:
    """Many templates' features, made ready once for fast comparison.

    Attributes:
        features: float32 (N, h, w, c) or (N, dimension).
        normalised: float32 (N, h·w, c) or (N, 1, dimension), every cell of unit length or zero.
    """

    def __init__(self, features: np.ndarray):
        self.features = np.asarray(features, np.float32)

    @classmethod
    def of(cls, templates: "Template | Sequence[Template] | Gallery") -> "Gallery":
        """Return a gallery of one template, of several, or the gallery itself."""
        if isinstance(templates, Gallery):
            return templates
        if isinstance(templates, Template):
            templates = [templates]
        return cls(np.stack([template.feature for template in templates]))

    @cached_property
    def normalised(self) -> np.ndarray:
        cells = self.features.reshape(len(self), -1, self.features.shape[-1])
        norms = np.linalg.norm(cells, axis=-1, keepdims=True)
        return np.divide(cells, norms, out=np.zeros_like(cells), where=norms > 1e-6)

    def __len__(self) -> int:
        return len(self.features)


def fixed_weight_scores(gallery_a: Gallery, gallery_b: Gallery, weights: np.ndarray) -> np.ndarray:
    """Return xCos of all pairs for an attention that is the same for every pair (U and P).

    Then Σ W·S is one matrix product of cell-normalised features, weighted on one side.

    Args:
        gallery_a, gallery_b: of N and M templates.
        weights: float (h, w), or any shape of as many elements as there are cells.

    Returns:
        float32 (N, M).
    """
    weighted = gallery_a.normalised * np.asarray(weights, np.float32).reshape(1, -1, 1)
    return weighted.reshape(len(gallery_a), -1) @ gallery_b.normalised.reshape(len(gallery_b), -1).T
