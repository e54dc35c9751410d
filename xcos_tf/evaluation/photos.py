"""The photos of a verification set: files of a folder, encoded images, or pixels in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError
from xcos_tf.files import file_sha256


class Photos(Protocol):
    """Photos or aligned faces that can be read by position.

    Attributes:
        names: of each, as a user would look for it.
    """

    names: Sequence[str]

    def __len__(self) -> int:
        """Return how many there are."""

    def read(self, position: int) -> np.ndarray:
        """Return a photo, uint8 (H, W, 3) RGB.

        Raises:
            XcosError: it cannot be read; the sentence names it.
        """


@dataclass(frozen=True)
class FolderPhotos:
    """Photos in a folder, as `Photos`.

    Attributes:
        folder: that they are in.
        names: relative to it, with "/".
    """

    folder: Path
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)

    def read(self, position: int) -> np.ndarray:
        """Return a photo, uint8 (H, W, 3) RGB; see `read_photo`."""
        return read_photo(self.folder / self.names[position])

    def digest(self, position: int) -> bytes:
        """Return the SHA-256 of a file.

        Raises:
            XcosError: it cannot be read.
        """
        return file_digest(self.folder / self.names[position])


@dataclass(frozen=True)
class EncodedPhotos:
    """Encoded images in memory, as `Photos`.

    Attributes:
        source: what they come from, for sentences.
        names: of each.
        images: JPEG, PNG, ...
    """

    source: str
    names: Sequence[str]
    images: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.names)

    def read(self, position: int) -> np.ndarray:
        """Return a photo, uint8 (H, W, 3) RGB.

        Raises:
            XcosError: it is damaged; the sentence names it.
        """
        try:
            return read_photo(self.images[position])
        except XcosError as error:
            raise XcosError(f"{self.names[position]} of {self.source}: {error}") from None


@dataclass(frozen=True)
class DecodedPhotos:
    """Photos as pixels in memory, all of one size, as `Photos`."""

    names: Sequence[str]
    pixels: np.ndarray

    def __len__(self) -> int:
        return len(self.pixels)

    def read(self, position: int) -> np.ndarray:
        """Return a photo, uint8 (H, W, 3) RGB."""
        return self.pixels[position]


def file_digest(path: Path) -> bytes:
    """Return the SHA-256 of a file, read in parts.

    Raises:
        XcosError: it cannot be read.
    """
    try:
        return file_sha256(path).digest()
    except OSError as error:
        raise XcosError(f"{path} cannot be read ({error.strerror or error})") from None
