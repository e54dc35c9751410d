"""Enrolled faces, kept for many comparisons, and the verdict on a pair of them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Verification:
    """The verdict on a pair of faces, and its explanation. It is true if they are `same`.

    Attributes:
        same: whether the score reaches the threshold.
        score: xCos, in [−1, 1]; the plain cosine for a preset without a grid.
        threshold: what `score` was held against.
        attention: "patched", "correlated" or "learned"; "cosine" for a preset without a grid.
        similarity_map: S, float32 (h, w) in [−1, 1]; None for a preset without a grid.
        attention_map: W, float32 (h, w), which sums to 1; None likewise. score = Σ S·W.
        template_a, template_b: the two faces.
        whatif: computes `drops`, of one pair; None where nothing does.
    """

    same: bool
    score: float
    threshold: float
    attention: str
    similarity_map: np.ndarray | None
    attention_map: np.ndarray | None
    template_a: Template
    template_b: Template
    whatif: Callable[[], tuple[np.ndarray, np.ndarray]] | None = field(default=None, repr=False)

    def __bool__(self) -> bool:
        return self.same

    @cached_property
    def drops(self) -> tuple[np.ndarray, np.ndarray] | None:
        """How much the score would drop if one cell were covered, computed when asked for.

        One map of A and one of B, float32 (h, w); None for a preset without a model of that. A
        guess of the model, see `Verifier.score_drops`; its cells do not sum to the score.
        """
        return self.whatif and tuple(drops[0] for drops in self.whatif())

    @property
    def sentence(self) -> str:
        """What decided; of a preset that cannot tell, which parts of the faces agree."""
        if self.similarity_map is None:
            return "this preset gives a score without an explanation"
        from xcos_tf.explain.words import describe_drops, describe_maps

        if self.drops is not None:
            return describe_drops(*self.drops, self.same)
        return describe_maps(self.similarity_map, self.attention_map)

    def told(self) -> dict:
        """Return what explains the score, for JSON: `sentence`, and S and W as lists of rows.

        It is empty for a preset without a grid.
        """
        if self.similarity_map is None:
            return {}
        maps = {name: getattr(self, name).tolist() for name in ("similarity_map", "attention_map")}
        return {"sentence": self.sentence, **maps}


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
