"""What stands where a place of a face was removed.

A good fill takes away what was there and says nothing itself, neither by its own edges nor by
where it lies. Black and the mean colour draw the mask's outline; blur keeps the face's tones, and
with them something of its identity. Noisy linear imputation does neither: Y. Rong, T. Leemann,
V. Borisov, G. Kasneci and E. Kasneci, "A Consistent and Efficient Evaluation Strategy for
Attribution Methods", ICML 2022 (ROAD), section 4.3.
"""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageFilter
from scipy.sparse import coo_matrix, csr_matrix, diags, identity
from scipy.sparse.linalg import SuperLU, splu

from xcos_tf.errors import XcosError
from xcos_tf.explain.probing import cover

FILLS = ("imputed", "mean", "blur", "black")
BLUR_RADIUS = 10  # pixels of 112: eyes and mouth are smears, the face's tones remain
NOISE = 2.55  # standard deviation, of 255: as ROAD's 0.01 of an image in [0, 1]
DIRECT, DIAGONAL = 1 / 6, 1 / 12  # ROAD's weights of a pixel's neighbours


def removed(face: np.ndarray, masks: np.ndarray, fill: str, seed: int = 0) -> np.ndarray:
    """Return copies of a face, from each of which other pixels were removed.

    Args:
        face: uint8 (h, w, 3) RGB.
        masks: bool (N, h, w), true where removed.
        fill: what stands there. "imputed": each pixel is the weighted mean of its eight
            neighbours, removed ones too, with a little noise, so that it follows from what is left;
            where nothing is left, the mean colour. "mean": the face's mean colour. "blur": the face
            itself, blurred. "black".
        seed: of the noise.

    Returns:
        uint8 (N, h, w, 3).

    Raises:
        XcosError: there is no such fill.
    """
    if fill not in FILLS:
        raise XcosError(f"there is no fill {fill!r}; use one of {', '.join(FILLS)}")
    if fill == "black":
        return cover(face, masks, 0)
    if fill == "blur":
        blurred = Image.fromarray(face).filter(ImageFilter.GaussianBlur(BLUR_RADIUS))
        return cover(face, masks, np.array(blurred))
    mean = np.rint(face.mean(axis=(0, 1)))
    if fill == "mean":
        return cover(face, masks, np.broadcast_to(mean, face.shape))
    noise = np.random.default_rng(seed).normal(0, NOISE, face.shape)
    copies = np.tile(face, (len(masks), 1, 1, 1))
    for copy, mask in zip(copies, masks, strict=True):
        if mask.any():
            smooth = mean if mask.all() else _imputed(face, mask)
            copy[mask] = np.clip(np.rint(smooth + noise[mask]), 0, 255)
    return copies


def _imputed(face: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return float32 (K, 3), the K removed pixels as the means of their neighbours."""
    gone, of_gone, system = _system(mask.tobytes(), mask.shape)
    filled = np.where(mask[..., np.newaxis], np.float32(0), face).reshape(-1, 3)
    filled[gone] = system.solve(of_gone @ filled)
    return filled[mask.ravel()]


@lru_cache(maxsize=16)  # both faces may lose the same pixels, and several verifiers be asked
def _system(mask: bytes, shape: tuple[int, int]) -> tuple[np.ndarray, csr_matrix, SuperLU]:
    """Return which pixels are removed, what they take from each pixel, and what solves for them."""
    neighbours, order = _grid(*shape)
    gone = order[np.frombuffer(mask, bool)[order]]
    of_gone = neighbours[gone]
    system = (identity(len(gone), np.float32) - of_gone[:, gone]).tocsc()
    # Each row's own entry is no less than all others together, so nothing need be pivoted.
    options = {"diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
    return gone, of_gone, splu(system, permc_spec="NATURAL", **options)


@lru_cache(maxsize=1)
def _grid(height: int, width: int) -> tuple[csr_matrix, np.ndarray]:
    """Return the matrix of `_neighbour_means`, float32, and the order to eliminate pixels in."""
    places = np.arange(height * width).reshape(height, width)
    return _neighbour_means(places).astype(np.float32).tocsr(), np.array(_dissected(places))


def _dissected(places: np.ndarray) -> list[int]:
    """Return the places of a grid by nested dissection: halves first, and then what parts them.

    A system in this order fills up least (A. George, SIAM J. Numerical Analysis, 1973).
    """
    if max(places.shape) < 4:
        return places.ravel().tolist()
    long = places if places.shape[0] >= places.shape[1] else places.T
    half = len(long) // 2
    return [*_dissected(long[:half]), *_dissected(long[half + 1 :]), *long[half].tolist()]


def _neighbour_means(places: np.ndarray) -> csr_matrix:
    """Return the matrix (h·w, h·w) that takes pixels to the weighted means of their neighbours.

    At an edge the weights of the neighbours that are there sum to 1 all the same.
    """
    height, width = places.shape
    rows, columns, weights = [], [], []
    for down, right, weight in ((0, 1, DIRECT), (1, 0, DIRECT), (1, 1, DIAGONAL)):
        here = places[: height - down, : width - right].ravel()
        there = places[down:, right:].ravel()
        if down and right:
            here = np.concatenate([here, places[:-1, 1:].ravel()])
            there = np.concatenate([there, places[1:, :-1].ravel()])
        rows += [here, there]
        columns += [there, here]
        weights.append(np.full(2 * len(here), weight))
    ends = np.concatenate(rows), np.concatenate(columns)
    matrix = coo_matrix((np.concatenate(weights), ends), shape=(places.size,) * 2).tocsr()
    return diags(1 / matrix.sum(axis=1).A1) @ matrix
