"""Small generated photos, and a stand-in for MTCNN that knows them by their colour."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from xcos_tf.data.aligner import AlignedFace

BLACK = (0, 0, 0)


def colour(number: int) -> tuple[int, int, int]:
    """Return another colour for each number below 16 million; never black."""
    return tuple((number + 1).to_bytes(3, "big"))


def photo(number: int | None, side: int = 112, kind: str = "PNG") -> bytes:
    """Return an encoded photo of one colour; without a number, a black one."""
    stream = io.BytesIO()
    shade = BLACK if number is None else colour(number)
    Image.new("RGB", (side, side), shade).save(stream, kind)
    return stream.getvalue()


def write_photos(folder: Path, photos: dict[str, bytes]) -> Path:
    """Write photos by their names in a folder, and return the folder."""
    for name, content in photos.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


class ByColour:
    """Stands in for `FaceAligner`: a face is its photo's colour, and black photos have none."""

    def align(self, photos):
        """Return a face or None of each."""
        return [self._align(photo) for photo in photos]

    def _align(self, photo: np.ndarray) -> AlignedFace | None:
        if not photo.any():
            return None
        return AlignedFace(np.broadcast_to(photo[0, 0], (112, 112, 3)).copy(), None, 1)
