"""What each TFLite model takes and gives, for its graph and for what its file says of itself."""

from typing import NamedTuple

from xcos_tf.models.presets import PREPROCESSING, Preset
from xcos_tf.runtime.model_file import FORMAT

MODELS = ("embed", "compare", "verify")
PLAIN_MODELS = ("embed", "head")
"""Of a preset without a grid."""
IMAGE_LAYOUT = "NHWC, RGB, aligned by five landmarks"
GRID_LAYOUT = "NHWC, one feature for each cell of the face, row by row from the upper left"
EMBEDDING = "what faces are compared by, by the cosine of two; not of unit length"


class Port(NamedTuple):
    """An input or an output.

    Attributes:
        name: in the signature "serving_default".
        shape: without the batch.
        about: what it is: the layout of an input, the meaning of an output.
        dtype: "uint8" or "float32".
        range: smallest and largest value; None where there is no bound.
        normalisation: what the graph does to it first; None if nothing.
    """

    name: str
    shape: tuple[int, ...]
    about: str
    dtype: str = "float32"
    range: tuple[int, int] | None = None
    normalisation: str | None = None


Signature = tuple[tuple[Port, ...], tuple[Port, ...]]
"""The inputs and the outputs of one model."""


def signature_of(preset: Preset, model: str) -> Signature:
    """Return what one of `MODELS` takes and gives, or of `PLAIN_MODELS` for a plain preset."""
    network = preset.network
    face_shape, grid_shape = network.features.input_shape[1:], network.features.output_shape[1:]
    pixels = f"in the graph: {PREPROCESSING['normalisation']}"

    def face(name):
        return Port(name, face_shape, IMAGE_LAYOUT, "uint8", (0, 255), pixels)

    if not network.explains:
        embedding = Port("embedding", grid_shape, EMBEDDING)
        last = Port("feature_map", network.backbone.output_shape[1:], GRID_LAYOUT)
        return {
            "embed": ((face("image"),), (embedding, last)),
            "head": ((last,), (embedding,)),
        }[model]
    grid, grid_a, grid_b = (
        Port(name, grid_shape, GRID_LAYOUT) for name in ("grid", "grid_a", "grid_b")
    )
    about_s, about_w = "S, the cosine of each pair of cells", "W, how much each cell counts"
    verdict = (
        Port("xcos", (), "the score; the same person from the threshold on", range=(-1, 1)),
        Port("similarity_map", grid_shape[:2], about_s, range=(-1, 1)),
        Port("attention_map", grid_shape[:2], f"{about_w}; sums to 1", range=(0, 1)),
    )
    return {
        "embed": ((face("image"),), (grid,)),
        "compare": ((grid_a, grid_b), verdict),
        "verify": ((face("image_a"), face("image_b")), verdict),
    }[model]


def description_of(
    preset: Preset,
    model: str,
    variant: str,
    batch: int | None,
    signature: Signature,
    thresholds: dict,
) -> dict:
    """Return the metadata of a preset's file.

    Its batch is None where the size is free; thresholds are as by `variant_thresholds`.
    """

    inputs, outputs = signature

    def shared(port):
        shape = [batch, *port.shape]
        return {"name": port.name, "shape": shape, "dtype": port.dtype, "range": port.range}

    return {
        "format": FORMAT,
        "model": model,
        "variant": variant,
        "batch": batch,
        "preset": preset.config["name"],
        "preset_sha256": preset.config["weights"]["sha256"],
        "inputs": [
            {**shared(port), "layout": port.about, "normalisation": port.normalisation}
            for port in inputs
        ],
        "outputs": [{**shared(port), "meaning": port.about} for port in outputs],
        "attention": preset.network.attention,
        **thresholds,
    }
