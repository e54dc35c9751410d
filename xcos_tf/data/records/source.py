"""What a source of faces is to the writer of prepared sets, whatever it is stored as."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np


class Record(NamedTuple):
    """One face of a source, or the reason why there is none.

    Attributes:
        name: where it comes from: "person/file.jpg" or the record's key.
        label: whose it is, as a position in the source's `people`; for pair sets, which pair's.
        image: the encoded image, byte for byte as in the source; empty where `fault` is set.
        fault: why the record cannot be used; None if the source found nothing wrong with it.
    """

    name: str
    label: int
    image: bytes = b""
    fault: str | None = None


@dataclass(frozen=True)
class Pairs:
    """The pairs of a verification set.

    Attributes:
        first, second: int64 (P,), positions of images.
        same: bool (P,), whether the two show one person.
    """

    first: np.ndarray
    second: np.ndarray
    same: np.ndarray

    def __len__(self) -> int:
        return len(self.same)


class Source(Protocol):
    """An ordered list of records, of which any stretch can be read, by several threads at once.

    It holds numbers for each record, never the images' bytes (but see `insightface_bin`).

    Attributes:
        kind: "folder", "mxnet" or "insightface-bin".
        name: last part of its path.
        people: names; a label is a position among them. Empty for pair sets.
        pairs: of a pair set, in positions of records; None for all others.
        size: bytes of all images, about.
        fingerprint: hexadecimal; differs if records were added, removed, resized or relabelled.
    """

    kind: str
    name: str
    people: list[str]
    pairs: Pairs | None
    size: int
    fingerprint: str

    def __len__(self) -> int:
        """Return the number of records."""

    def read(self, start: int, stop: int) -> Iterator[Record]:
        """Yield the records from position `start` up to, not including, `stop`."""
