"""The faces of a set with a share of each covered by strokes."""

import hashlib
import json
from dataclasses import replace
from functools import cached_property

import numpy as np

from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.occluder import Occluder
from xcos_tf.evaluation.set_faces import FacesInMemory, SetFaces
from xcos_tf.evaluation.verification_set import VerificationSet


class CoveredFaces:
    """Covered when they are first asked for, and then kept in memory at 38 kB each."""

    def __init__(self, vset: VerificationSet, share: float, seed: int):
        """Take a set of aligned faces; see `Occluder`."""
        self._vset, self._occluder = vset, Occluder(share=share, seed=seed)

    @property
    def content(self) -> str:
        """All that the covers follow from, for a cache's key."""
        names = json.dumps([self._occluder.settings(), self._vset.pairs.photos])
        return hashlib.sha256(names.encode("ascii")).hexdigest()

    @cached_property
    def faces(self) -> SetFaces:
        """The faces.

        Raises:
            XcosError: one cannot be read.
        """
        photos, names = self._vset.photos, self._vset.pairs.photos
        covered = np.empty((len(photos), FACE_SIZE, FACE_SIZE, 3), np.uint8)
        for positions, batch in SetFaces(self._vset).batches(range(len(photos)), "covering"):
            for position, face in zip(positions, batch, strict=True):
                covered[position] = self._occluder.cover(face, names[position])
        return SetFaces(replace(self._vset, photos=FacesInMemory(photos.names, covered)))
