"""Verification sets as InsightFace hands them out: `lfw.bin`, `cfp_fp.bin`, ...

Such a file is a pickle of (images, same): 2·P encoded images, bytes or uint8 arrays, of which each
two in a row are a pair, and P truth values; `bin_pickle` reads it without running anything. Source:
insightface `recognition/arcface_torch/eval/verification.py`.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from xcos_tf.data.records.bin_pickle import load_bin
from xcos_tf.data.records.source import Pairs, Record
from xcos_tf.errors import XcosError
from xcos_tf.wording import counted


class BinSource:
    """The images of a `.bin` set, in their order; a label is the position of the image's pair.

    The whole file is in memory, since a pickle cannot be read in parts: about 100 MB for the sets
    that exist, 12,000 to 14,000 faces.
    """

    kind = "insightface-bin"

    def __init__(self, path: str | os.PathLike):
        """Read the file.

        Raises:
            XcosError: it cannot be read, is no such pickle, or asks for something dangerous.
        """
        self._path = Path(path)
        self.name = self._path.name
        self.people: list[str] = []
        self._images, truth = load_bin(self._path)
        if None in truth:
            raise XcosError(
                f"the truth value {truth.index(None)} of {path} is neither true nor false; get the "
                "file again"
            )
        if not truth or len(self._images) != 2 * len(truth):
            raise XcosError(
                f"{path} holds {counted(len(self._images), 'image')} and "
                f"{counted(len(truth), 'truth value')}, not two images for each; get the file again"
            )
        first = np.arange(0, len(self._images), 2, dtype=np.int64)
        self.pairs = Pairs(first, first + 1, np.array(truth, bool))
        self.size = sum(map(len, self._images))
        digest = hashlib.sha256(bytes(truth))
        # The same bytes may be there any number of times, at no cost to the file's size.
        of_image = {image: hashlib.sha256(image).digest() for image in dict.fromkeys(self._images)}
        for image in self._images:
            digest.update(of_image[image])
        self.fingerprint = digest.hexdigest()

    def __len__(self) -> int:
        return len(self._images)

    def read(self, start: int, stop: int) -> Iterator[Record]:
        """Yield the records from position `start` up to `stop`."""
        for i in range(start, stop):
            yield Record(str(i), i // 2, self._images[i])
