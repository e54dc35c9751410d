"""What covering each cell of a face does to its grid feature, measured on many faces."""

import math
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from xcos_tf.arrays import read_npz
from xcos_tf.data.face_set import FaceSet
from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError, explained
from xcos_tf.explain.faithfulness.fills import removed
from xcos_tf.files import replace_file
from xcos_tf.progress import Bar
from xcos_tf.runtime.loading import Runtime

FILLS = ("black", "blur")
"""What faces are covered by, in turn: the hardest edge and the softest."""
BLOCK = 64  # faces in a file
_LARGEST_BLOCK = 2**30


@dataclass(frozen=True)
class CoveredFaces:
    """Grid features of faces, and of the same faces with one cell covered.

    Attributes:
        labels: int (N,), whose each face is.
        grids: float32 (N, h, w, c).
        covered: float16 (N, h·w, h, w, c), of the face with each cell covered, row by row, all of
            a face by the same fill.
    """

    labels: np.ndarray
    grids: np.ndarray
    covered: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def cover_faces(
    runtime: Runtime, faces: FaceSet, positions: np.ndarray, state: Path, identity: str
) -> CoveredFaces:
    """Cover each cell of faces and run the backbone on all of it.

    Args:
        runtime: of an xCos preset.
        faces: whose, of the size that the preset takes.
        positions: int (n,), which of them.
        state: a folder that keeps what is done, in whole files of `BLOCK` faces each, so that a
            run that was stopped goes on from there. It stays, for the caller to remove.
        identity: of the preset and the faces; a state of another is refused.

    Raises:
        XcosError: a face cannot be read, or `state` cannot be written, or is damaged or of other
            faces.
    """
    with explained(f"cannot write to {state}", "choose another folder"):
        state.mkdir(parents=True, exist_ok=True)
    blocks, advice = [], "free some space or choose another place"
    with Bar(total=len(positions), desc="covering", unit="face") as bar:
        for start in range(0, len(positions), BLOCK):
            chosen = positions[start : start + BLOCK]
            path = state / f"{start:07d}.npz"
            shape = len(chosen), *runtime.feature_shape
            block = _read(path, identity, shape) if os.path.exists(path) else None
            if block is None:
                block = _covered(runtime, faces, chosen, start)
                content = partial(np.savez, identity=np.array(identity), **block)
                with explained(f"{path} cannot be written", advice):
                    replace_file(path, content)
            blocks.append(block)
            bar.update(len(chosen))
    labels = faces.labels[positions]
    return CoveredFaces(labels, *(np.concatenate([x[name] for x in blocks]) for name in _NAMES))


_NAMES = ("grids", "covered")


def _covered(runtime, faces, positions, start) -> dict[str, np.ndarray]:
    masks = _cells(runtime.face_shape[:2], runtime.feature_shape[:2])
    grids, covered = [], []
    for number, image in enumerate(map(read_photo, faces.read(positions)), start):
        variants = removed(image, masks, FILLS[number % len(FILLS)])
        features = runtime.embed(np.concatenate([image[np.newaxis], variants]))
        grids.append(features[0])
        covered.append(features[1:].astype(np.float16))
    return {"grids": np.stack(grids), "covered": np.stack(covered)}


def _cells(face: tuple[int, int], grid: tuple[int, int]) -> np.ndarray:
    """Return masks of a face (H, W), one for each cell of a grid (h, w): bool (h·w, H, W)."""
    rows, columns = (
        np.arange(pixels) * cells // pixels for pixels, cells in zip(face, grid, strict=True)
    )
    cell_of = rows[:, np.newaxis] * grid[1] + columns
    return cell_of == np.arange(grid[0] * grid[1])[:, np.newaxis, np.newaxis]


def _read(path, identity, shape) -> dict[str, np.ndarray] | None:
    """Return a block of grids of this shape, (n, h, w, c).

    It is None of one that has other faces, as the last of a shorter run.
    """
    errors = (OSError, ValueError, KeyError)
    with explained(f"{path} is damaged", "remove it to cover its faces again", errors):
        block = read_npz(path, _LARGEST_BLOCK)
        if str(block["identity"]) == identity:
            grids, covered = (block[x] for x in _NAMES)
            found = *grids.shape[1:], grids.dtype, covered.shape, covered.dtype
            whole = *grids.shape[:1], math.prod(shape[1:-1]), *shape[1:]
            if found != (*shape[1:], np.float32, whole, np.float16):
                raise ValueError("it is not what covering gives")
            return {x: block[x] for x in _NAMES} if len(grids) == shape[0] else None
    raise XcosError(
        f"{path.parent} is of an unfinished run with other faces or another preset; remove it to "
        "start from the beginning, or finish that one"
    )
