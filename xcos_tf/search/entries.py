"""What a store keeps of a face, and what a place to keep it in can do."""

import io
import json
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple, Protocol

import numpy as np
from PIL import Image

from xcos_tf.data.alignment import check_aligned
from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError, shown
from xcos_tf.files import parse_json
from xcos_tf.templates import Gallery, Template

FORMAT = 1
"""Of what a store keeps; a store of a newer one is refused."""

LARGEST_FEATURE = 2**20
"""Numbers that a feature may have."""


class Entry(NamedTuple):
    """One enrolled face.

    Attributes:
        person: whose it is.
        photo: the name of its photo, one of this person's.
        feature: float32, grid feature (h, w, c), or the embedding (dimension,) of a plain preset.
        face: the aligned face, a JPEG of 112×112 RGB.
    """

    person: str
    photo: str
    feature: np.ndarray
    face: bytes

    @property
    def content(self) -> bytes:
        """The feature as a store keeps it: little-endian float32."""
        return np.ascontiguousarray(self.feature, "<f4").tobytes()


@dataclass(frozen=True)
class Settings:
    """What all faces of a store have in common.

    Attributes:
        preset: name or folder of the preset.
        weights: SHA-256 of the preset's weights.
        shape: of a feature.
        format: see `FORMAT`.
    """

    preset: str
    weights: str
    shape: tuple[int, ...]
    format: int = FORMAT

    @classmethod
    def read(cls, text: str, store: str) -> "Settings":
        """Return the settings that a store has kept.

        Args:
            text: as `write` made it.
            store: its name, for errors.

        Raises:
            XcosError: it is of a newer format, or something else than a store.
        """
        try:
            found = parse_json(text.encode("utf-8"), "it")
            preset, weights, shape, number = (
                found[x] for x in ("preset", "weights", "shape", "format")
            )
            settings = cls(preset, weights, tuple(shape), number)
            whole, words = (*settings.shape, number), (preset, weights)
            if len(shape) not in (1, 3) or not 1 <= math.prod(shape) <= LARGEST_FEATURE:
                raise ValueError
            if any(type(x) is not int or x < 1 for x in whole) or {*map(type, words)} != {str}:
                raise ValueError
        except (KeyError, TypeError, ValueError, XcosError):
            raise XcosError(
                f"the settings in {store} are damaged; enroll the people into a new store"
            ) from None
        if settings.format > FORMAT:
            raise XcosError(
                f"{store} is of format {settings.format} and this xcos_tf reads up to {FORMAT}; "
                "upgrade xcos_tf to use it"
            )
        return settings

    def write(self) -> str:
        """Return what `read` takes, in JSON."""
        return json.dumps(asdict(self))

    def feature(self, content: bytes, store: str) -> np.ndarray:
        """Return a feature that a store has kept.

        Args:
            content: little-endian float32.
            store: its name, for errors.

        Raises:
            XcosError: it is damaged.
        """
        if isinstance(content, bytes) and len(content) == 4 * math.prod(self.shape):
            array = np.frombuffer(content, "<f4")
            if np.isfinite(array).all():
                return array.reshape(self.shape)
        raise XcosError(f"a feature in {store} is damaged; enroll the people into a new store")

    def entries(self, rows: Iterable[tuple], numbers: Sequence[int], store: str) -> list[Entry]:
        """Return faces that a store has kept, in the order of `numbers`; see `Backend.read`.

        Args:
            rows: number, person, photo, feature and face of each that is there, in any order.
            numbers: that were asked for.
            store: its name, for errors.

        Raises:
            XcosError: a face or its feature is damaged.
        """
        found = {number: rest for number, *rest in rows}
        for person, photo, _, face in found.values():  # any column of SQLite may hold any kind
            if (type(person), type(photo), type(face)) != (str, str, bytes):
                raise XcosError(f"a face in {store} is damaged; enroll the people into a new store")
        return [
            Entry(person, photo, self.feature(feature, store), face)
            for person, photo, feature, face in (found[x] for x in numbers if x in found)
        ]


class Backend(Protocol):
    """Where a store's faces are.

    Attributes:
        name: what messages call it.
        settings: what its faces have in common.
    """

    name: str
    settings: Settings

    def __len__(self) -> int:
        """How many faces there are."""

    def people(self) -> Iterator[tuple[str, int]]:
        """Go through the people and how many faces each has, by name."""

    def known(self, photos: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those (person, photo) that are enrolled."""

    def add(self, entries: Sequence[Entry]) -> int:
        """Keep faces, all of them or, if this fails, none.

        Returns:
            How many are new: those whose person and photo are there already are left as they are.
        """

    def nearest(self, queries: np.ndarray, count: int) -> list[list[int]]:
        """Return the numbers of the faces whose `vectors` have the greatest inner products.

        Args:
            queries: float32 (Q, dimension).
            count: how many of each.
        """

    def read(self, numbers: Sequence[int]) -> list[Entry]:
        """Return faces by their numbers, in this order; those that are gone are left out."""

    def forget(self, person: str) -> int:
        """Remove all of a person for good, and return how many faces that were."""

    def finish(self) -> None:
        """Make ready for others what makes their searches fast, after many faces were added."""

    def close(self) -> None:
        """Let go of files and connections."""


def vectors(features: np.ndarray) -> np.ndarray:
    """Return what an index holds: cells of unit length, so that U is an inner product.

    Args:
        features: float32 (N, h, w, c) or (N, dimension).

    Returns:
        float32 (N, h·w·c) of unit length, whose inner products are U's xCos (or the cosine).
    """
    cells = Gallery(features).normalised
    return (cells / np.sqrt(cells.shape[1], dtype=np.float32)).reshape(len(cells), -1)


def queries(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return what to search with for an attention that is the same for every pair.

    Args:
        features: as those of `vectors`.
        weights: W, float (h, w), that sums to 1; one 1 for a plain preset.

    Returns:
        float32 (N, h·w·c), whose inner products with `vectors` are xCos by this attention.
    """
    cells = Gallery(features).normalised
    scaled = np.asarray(weights, np.float32).reshape(1, -1, 1) * np.sqrt(
        cells.shape[1], dtype=np.float32
    )
    return (cells * scaled).reshape(len(cells), -1)


def check_name(name: str, what: str) -> str:
    """Return the name of a person or a photo as every database can keep it.

    Args:
        name: bytes that are no text, which names of files may have, are written as Python would.
        what: it names, for the error.

    Raises:
        XcosError: it is empty, too long, or has a null byte.
    """
    text = name.encode("utf-8", "backslashreplace").decode("utf-8")
    if not text.strip() or len(text) > 1000 or "\0" in text:
        raise XcosError(f"{shown(repr(name))} is no name of {what}; give one of 1 to 1,000 letters")
    return text


def entry_of(person: str, photo: str, template: Template) -> Entry:
    """Return what a store keeps of a face; names are as by `check_name`."""
    stream = io.BytesIO()
    Image.fromarray(template.face).save(stream, "JPEG", quality=95, subsampling=0)
    return Entry(person, photo, template.feature, stream.getvalue())


def read_face(content: bytes) -> np.ndarray:
    """Return the aligned face of an entry, uint8 (112, 112, 3) RGB.

    Raises:
        XcosError: it is damaged, or no aligned face.
    """
    face = read_photo(content, "the stored face")
    check_aligned(face, "the stored face", "enroll the people into a new store")
    return face
