"""What is kept of an owner's face."""

import io
import json
from dataclasses import dataclass

import numpy as np

from xcos_tf.arrays import read_npz
from xcos_tf.errors import XcosError, reason_of
from xcos_tf.files import parse_json

_LARGEST = 2**24
_FACTS = ("threshold", "model", "variant", "models", "token", "attempts")


@dataclass(frozen=True)
class Owner:
    """An enrolled owner. There are no photos in it, but a face can be guessed from templates.

    Attributes:
        templates: float32 (T, 7, 7, 32), the grid features of the photos.
        usual_similarity: float32 (7, 7), S as it usually is where the owner meets himself.
        threshold: that a frame's score must reach, of the models that made the templates.
        model: `LiteRuntime.identity` of those.
        variant: of the models.
        models: folder in which they were.
        token: drawn at random when enrolled, in hexadecimal; it ties the record of attempts to it.
        attempts: the number of that record when this was written.
    """

    templates: np.ndarray
    usual_similarity: np.ndarray
    threshold: float
    model: str
    variant: str
    models: str
    token: str
    attempts: int = 0

    def as_bytes(self) -> bytes:
        """Return everything as the content of an .npz file."""
        stream = io.BytesIO()
        about = {x: getattr(self, x) for x in _FACTS}
        np.savez(
            stream,
            templates=self.templates,
            usual_similarity=self.usual_similarity,
            about=np.frombuffer(json.dumps(about).encode("ascii"), np.uint8),
        )
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Owner":
        """Return what `as_bytes` made the bytes of.

        Raises:
            ValueError: they are something else.
        """
        arrays = read_npz(io.BytesIO(content), _LARGEST)
        try:
            about = parse_json(arrays["about"].tobytes(), "the store")
            owner = cls(arrays["templates"], arrays["usual_similarity"], **about)
        except (XcosError, KeyError, TypeError) as error:
            raise ValueError(reason_of(error)) from None
        texts = (owner.model, owner.variant, owner.models, owner.token)
        is_sound = (
            owner.templates.ndim == 4
            and len(owner.templates) > 0
            and owner.usual_similarity.shape == owner.templates.shape[1:3]
            and all(
                array.dtype == np.float32 and np.isfinite(array).all()
                for array in (owner.templates, owner.usual_similarity)
            )
            and all(isinstance(text, str) for text in texts)
            and isinstance(owner.threshold, float)
            and type(owner.attempts) is int
        )
        if not is_sound:
            raise ValueError("what it says of an owner cannot be")
        return owner
