"""Pairs of a validation as pictures for TensorBoard: two faces, S and W."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from xcos_tf.drawing import default_look

_GAP = 4  # pixels
_CAPTION = 14  # pixels
_PAPER = 216  # light grey, against which the white of an empty map shows
_UNKNOWN = "0.5"


def pair_picture(
    face_a: np.ndarray,
    face_b: np.ndarray,
    similarity_map: np.ndarray,
    attention_map: np.ndarray,
    caption: str = "",
) -> np.ndarray:
    """Put two faces and their maps side by side.

    S goes from red at −1 over white to blue at 1, as in the paper, in a red and a blue that the
    colour-blind can tell apart; W from white at 0 to purple at its largest weight, or at twice
    the even share if that is more. Both are as large as a face. A cell that is NaN is grey.

    Args:
        face_a, face_b: uint8 (H, W, 3) RGB, the aligned faces, of one size.
        similarity_map: S, float (h, w) in [−1, 1].
        attention_map: W, float (h, w), which sums to 1.
        caption: a line to print above, cut off where the picture ends.

    Returns:
        uint8 (H, 4 W + 12, 3) RGB; 14 rows more with a caption.

    Raises:
        ValueError: the faces or the maps are not of one shape, or not faces or maps.
    """
    face_a, face_b = np.asarray(face_a), np.asarray(face_b)
    if face_a.shape != face_b.shape or face_a.ndim != 3 or face_a.shape[2] != 3:
        raise ValueError(
            "Expected `face_a` and `face_b` to be of one shape (H, W, 3). Received: "
            f"face_a.shape={face_a.shape}, face_b.shape={face_b.shape}"
        )
    for name, face in (("face_a", face_a), ("face_b", face_b)):
        if face.dtype != np.uint8:
            raise ValueError(f"Expected `{name}` to be uint8. Received: {name}.dtype={face.dtype}")
    similarity, attention = np.asarray(similarity_map), np.asarray(attention_map)
    if similarity.shape != attention.shape or similarity.ndim != 2 or not similarity.size:
        raise ValueError(
            "Expected `similarity_map` and `attention_map` to be of one shape (h, w). Received: "
            f"similarity_map.shape={similarity.shape}, attention_map.shape={attention.shape}"
        )
    known = attention[np.isfinite(attention)]
    most = max(known.max(initial=0), 2 / attention.size)
    size = face_a.shape[:2]
    panels = [
        face_a,
        face_b,
        _enlarge(_coloured("RdBu", (similarity + 1) / 2), size),
        _enlarge(_coloured("Purples", attention / most), size),
    ]
    picture = _joined(panels, axis=1)
    if caption:
        picture = np.concatenate([_print(caption, picture.shape[1]), picture])
    return picture


def tile(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Put pictures below each other.

    Args:
        pictures: uint8 (h, w, 3) RGB, at least one, each of its own size.

    Returns:
        uint8 (sum of h and of 4 between any two, largest w, 3) RGB; light grey where there is
        nothing.

    Raises:
        ValueError: there are none.
    """
    if not len(pictures):
        raise ValueError("Expected `pictures` to hold at least one. Received: none")
    width = max(picture.shape[1] for picture in pictures)
    wide = [
        np.pad(
            picture,
            ((0, 0), (0, width - picture.shape[1]), (0, 0)),
            constant_values=_PAPER,
        )
        for picture in pictures
    ]
    return _joined(wide, axis=0)


def _joined(panels: Sequence[np.ndarray], axis: int) -> np.ndarray:
    shape = list(panels[0].shape)
    shape[axis] = _GAP
    gap = np.full(shape, _PAPER, np.uint8)
    spaced = [piece for panel in panels for piece in (gap, panel)]
    return np.concatenate(spaced[1:], axis)


def _coloured(colours: str, values: np.ndarray) -> np.ndarray:
    """Return uint8 (h, w, 3) of values in [0, 1]; those beyond get the colour of the end."""
    return matplotlib.colormaps[colours].with_extremes(bad=_UNKNOWN)(values, bytes=True)[..., :3]


def _enlarge(cells: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    rows, columns = (np.arange(n) * m // n for n, m in zip(size, cells.shape, strict=False))
    return cells[rows][:, columns]


@default_look()
def _print(text: str, width: int) -> np.ndarray:
    figure = Figure(figsize=(width / 100, _CAPTION / 100), dpi=100, facecolor=str(_PAPER / 255))
    canvas = FigureCanvasAgg(figure)
    line = " ".join(text.split())
    figure.text(2 / width, 0.25, line, fontsize=7, va="baseline", parse_math=False)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
