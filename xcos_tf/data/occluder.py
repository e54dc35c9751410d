"""What covers the faces of a set: one choice for all, and for each face what its name says."""

from dataclasses import dataclass

import numpy as np

from xcos_tf import __version__
from xcos_tf.data.occlusion import face_seed, occlude_face
from xcos_tf.data.worn_shapes import WORN, wear
from xcos_tf.errors import XcosError


@dataclass(frozen=True)
class Occluder:
    """Covers aligned faces, by free-form strokes or by something that is worn.

    Attributes:
        share: of the face that strokes cover, in (0, 1]; None where something is worn.
        worn: one of WORN, or None.
        seed: ≥ 0; with a photo's name, it says what covers the photo.

    Raises:
        XcosError: one of them is out of its range, or not one of share and worn is given.
    """

    share: float | None = None
    worn: str | None = None
    seed: int = 0

    def __post_init__(self):
        """Check."""
        if (self.share is None) == (self.worn is None):
            raise XcosError("give either a share of the face to cover or something to wear")
        if self.share is not None and not 0 < self.share <= 1:
            raise XcosError(f"a share of {self.share} cannot be covered; give one over 0, up to 1")
        if self.worn is not None and self.worn not in WORN:
            raise XcosError(f"there is no {self.worn!r} to wear; use one of {', '.join(WORN)}")
        if self.seed < 0:
            raise XcosError(f"the seed {self.seed} is under 0; give 0 or more")

    def cover(self, face: np.ndarray, name: str) -> np.ndarray:
        """Return a covered copy of a face.

        Args:
            face: uint8 (112, 112, 3) RGB, aligned.
            name: of its photo, relative to the folder of the set, with "/".
        """
        seed = face_seed(self.seed, name)
        if self.worn is None:
            return occlude_face(face, self.share, seed)
        return wear(face, self.worn, seed)

    def settings(self) -> dict:
        """Return all that covers follow from, for JSON; another version may cover otherwise."""
        how = {"share": self.share} if self.worn is None else {"wear": self.worn}
        return {"version": __version__, "seed": self.seed, **how}
