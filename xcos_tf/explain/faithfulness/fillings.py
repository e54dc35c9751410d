"""What stands where a place of a face was removed.

A good filling takes away what was there and says nothing itself, neither by its own edges nor by
where it lies. Black and the mean colour draw the mask's outline; blur keeps the face's tones, and
with them something of its identity. Noisy linear imputation does neither: Y. Rong, T. Leemann,
V. Borisov, G. Kasneci and E. Kasneci, "A Consistent and Efficient Evaluation Strategy for
Attribution Methods", ICML 2022 (ROAD), section 4.3.
"""

import numpy as np
from PIL import Image, ImageFilter
from scipy.sparse import coo_matrix, csr_matrix, diags, identity
from scipy.sparse.linalg import splu

from xcos_tf.errors import XcosError
from xcos_tf.explain.probing import cover

FILLINGS = ("imputed", "mean", "blur", "black")
BLUR_RADIUS = 10  # pixels of 112: eyes and mouth are smears, the face's tones remain
NOISE = 2.55  # standard deviation, of 255: as ROAD's 0.01 of an image in [0, 1]
DIRECT, DIAGONAL = 1 / 6, 1 / 12  # ROAD's weights of a pixel's neighbours


def removed(face: np.ndarray, masks: np.ndarray, filling: str, seed: int = 0) -> np.ndarray:
    """Return copies of a face, from each of which other pixels were removed.

    Args:
        face: uint8 (h, w, 3) RGB.
        masks: bool (N, h, w), true where removed.
        filling: what stands there. "imputed": each pixel is the weighted mean of its eight
            neighbours, removed ones too, with a little noise, so that it follows from what is left;
            where nothing is left, the mean colour. "mean": the face's mean colour. "blur": the face
            itself, blurred. "black".
        seed: of the noise.

    Returns:
        uint8 (N, h, w, 3).

    Raises:
        XcosError: there is no such filling.
    """
    if filling not in FILLINGS:
        raise XcosError(f"there is no filling {filling!r}; use one of {', '.join(FILLINGS)}")
    if filling == "black":
        return cover(face, masks, 0)
    if filling == "blur":
        blurred = Image.fromarray(face).filter(ImageFilter.GaussianBlur(BLUR_RADIUS))
        return cover(face, masks, np.array(blurred))
    mean = np.rint(face.mean(axis=(0, 1)))
    if filling == "mean":
        return cover(face, masks, np.broadcast_to(mean, face.shape))
    neighbours = _neighbour_means(*face.shape[:2])
    noise = np.random.default_rng(seed).normal(0, NOISE, face.shape)
    copies = np.tile(face, (len(masks), 1, 1, 1))
    for copy, mask in zip(copies, masks, strict=True):
        if mask.any():
            smooth = mean if mask.all() else _imputed(face, mask, neighbours)
            copy[mask] = np.clip(np.rint(smooth + noise[mask]), 0, 255)
    return copies


def _imputed(face: np.ndarray, mask: np.ndarray, neighbours: csr_matrix) -> np.ndarray:
    """Return float64 (K, 3), the K removed pixels as the means of their neighbours."""
    gone = mask.ravel()
    of_gone = neighbours[gone]
    known = of_gone[:, ~gone] @ face.reshape(-1, 3)[~gone].astype(np.float64)
    system = (identity(len(known)) - of_gone[:, gone]).tocsc()
    # Each row's own entry is no less than all others together, so nothing need be pivoted.
    options = {"diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
    return splu(system, permc_spec="MMD_AT_PLUS_A", **options).solve(known)


def _neighbour_means(height: int, width: int) -> csr_matrix:
    """Return the matrix (h·w, h·w) that takes pixels to the weighted means of their neighbours.

    At an edge the weights of the neighbours that are there sum to 1 all the same.
    """
    places = np.arange(height * width).reshape(height, width)
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
