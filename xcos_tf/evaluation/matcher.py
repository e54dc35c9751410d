"""A preset under measurement: what it can score by, and its scores of pairs of features."""

import json
import math
import os
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.measurement import ScoredPairs
from xcos_tf.models.preset_config import read_config
from xcos_tf.models.preset_folder import find_preset
from xcos_tf.models.preset_threshold import PLAIN_COSINE
from xcos_tf.templates import Gallery
from xcos_tf.verifier import Verifier

FLATTENED = "flattened"


class Matcher:
    """A preset whose network is loaded when it is first needed.

    Attributes:
        name: bundled name or folder, as the user gave it.
        sha256: of its weights, as its configuration states it; loading checks it.
        model: the configuration's section from which the network is built, as JSON.
    """

    def __init__(self, name: str | os.PathLike):
        """Read the configuration alone; raises XcosError if there is none, or it cannot be used."""
        self.name = os.fspath(name)
        config = read_config(find_preset(name))
        self.sha256 = config["weights"]["sha256"]
        self.model = json.dumps(config["model"], sort_keys=True)
        self._thresholds = config["thresholds"]

    @cached_property
    def verifier(self) -> Verifier:
        """The loaded preset.

        Raises:
            XcosError: as by `load_preset`, or it takes faces of another size than 112×112.
        """
        verifier = Verifier.from_preset(self.name)
        height, width = verifier.runtime.face_shape[:2]
        if (height, width) != (FACE_SIZE, FACE_SIZE):
            raise XcosError(
                f"the preset {self.name!r} takes faces of {width}×{height} pixels, and aligned "
                f"faces are {FACE_SIZE}×{FACE_SIZE}; leave it out"
            )
        return verifier

    @property
    def scores(self) -> tuple[str, ...]:
        """What pairs are scored by: the attentions and the flattened grid, or the plain cosine."""
        attentions = self.verifier.attentions
        return attentions if attentions == (PLAIN_COSINE,) else (*attentions, FLATTENED)

    def score_pairs(self, first: np.ndarray, second: np.ndarray, score: str) -> np.ndarray:
        """Score P pairs of features one to one, float32 (P,), by one of `scores`.

        The features are float32 (P, h, w, c), or (P, dimension) of a plain preset.
        """
        if score == FLATTENED:
            return np.einsum("pci,pci->p", _flattened(first), _flattened(second))
        return self.verifier.compare_pairs(first, second, score)

    def score_all(self, first: np.ndarray, second: np.ndarray, score: str) -> np.ndarray:
        """Score each of N first features with each of M second ones, float32 (N, M); see above."""
        if score == FLATTENED:
            return _flattened(first)[:, 0] @ _flattened(second)[:, 0].T
        return self.verifier.compare(Gallery(first), Gallery(second), score)

    def scored(self, values: dict[str, np.ndarray]) -> list[ScoredPairs]:
        """Return {score: values} as the scores of this preset, with its thresholds."""
        return [
            ScoredPairs(self.name, self.sha256, score, of_pairs, self._thresholds.get(score, {}))
            for score, of_pairs in values.items()
        ]


def open_matchers(presets: Sequence[str | os.PathLike]) -> list[Matcher]:
    """Return each preset once, in order; see `Matcher` for errors."""
    return [Matcher(name) for name in dict.fromkeys(os.fspath(preset) for preset in presets)]


def _flattened(grids: np.ndarray) -> np.ndarray:
    """Return whole grids at unit length, float32 (N, 1, h·w·c)."""
    return Gallery(grids.reshape(len(grids), math.prod(grids.shape[1:]))).normalised
