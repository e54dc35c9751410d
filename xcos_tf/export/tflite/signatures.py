"""What each TFLite model takes and gives, for its graph and for its metadata alike."""

from dataclasses import dataclass

MODELS = ("embed", "compare", "verify")
PLAIN_MODELS = ("embed", "head")
"""Of a preset without a grid."""
IMAGE_LAYOUT = "NHWC, RGB, aligned by five landmarks"
GRID_LAYOUT = "NHWC, one feature for each cell of the face, row by row from the upper left"
EMBEDDING = "what faces are compared by, by the cosine of two; not of unit length"


@dataclass(frozen=True)
class Port:
    """An input or an output.

    Attributes:
        name: in the signature "serving_default".
        shape: without the batch.
        dtype: "uint8" or "float32".
        range: smallest and largest value; None where there is no bound.
        about: what it is: the layout of an input, the meaning of an output.
        normalisation: what the graph does to it first; None if nothing.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    range: tuple[int, int] | None
    about: str
    normalisation: str | None = None


@dataclass(frozen=True)
class Signature:
    """Of one model."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def signature_of(
    model: str,
    face_shape: tuple[int, int, int],
    grid_shape: tuple[int, ...],
    pixels: str,
    feature_map: tuple[int, int, int] | None = None,
) -> Signature:
    """Return what a model takes and gives.

    Args:
        model: "embed", "compare" or "verify"; "embed" or "head" of a plain preset.
        face_shape: (H, W, 3) of an aligned face.
        grid_shape: (h, w, c) of a grid feature, or (dimension,) of a plain preset's embedding.
        pixels: how the graph normalises pixels.
        feature_map: (h, w, c) of a plain preset's backbone; None of another preset.
    """

    def face(name):
        return Port(name, face_shape, "uint8", (0, 255), IMAGE_LAYOUT, f"in the graph: {pixels}")

    def grid(name):
        return Port(name, grid_shape, "float32", None, GRID_LAYOUT)

    if feature_map:
        embedding = Port("embedding", grid_shape, "float32", None, EMBEDDING)
        last = Port("feature_map", feature_map, "float32", None, GRID_LAYOUT)
        return {
            "embed": Signature((face("image"),), (embedding, last)),
            "head": Signature((last,), (embedding,)),
        }[model]
    maps = grid_shape[:2]
    verdict = (
        Port("xcos", (), "float32", (-1, 1), "the score; the same person from the threshold on"),
        Port("similarity_map", maps, "float32", (-1, 1), "S, the cosine of each pair of cells"),
        Port("attention_map", maps, "float32", (0, 1), "W, how much each cell counts; sums to 1"),
    )
    return {
        "embed": Signature((face("image"),), (grid("grid"),)),
        "compare": Signature((grid("grid_a"), grid("grid_b")), verdict),
        "verify": Signature((face("image_a"), face("image_b")), verdict),
    }[model]
