"""A preset's model of covered cells as a TFLite file, which both runtimes run."""

from pathlib import Path

from tensorflow import keras

from xcos_tf.errors import explained
from xcos_tf.export.tflite.convert import convert_function
from xcos_tf.export.tflite.signatures import GRID_LAYOUT, Port, description_of
from xcos_tf.files import replace_file
from xcos_tf.models.presets import Preset
from xcos_tf.runtime.model_file import append_metadata
from xcos_tf.runtime.whatif import MODEL

VARIANT = "float16"


def write_whatif(path: Path, model: keras.Model, preset: Preset, facts: dict) -> None:
    """Write a model of covered cells, its weights as 16-bit floats.

    Args:
        path: of the file.
        model: from `covered_grids`.
        preset: that it is of.
        facts: how it came about, for its metadata.

    Raises:
        XcosError: the file cannot be written.
    """
    about = f"the grid of the face with each cell covered, row by row; {GRID_LAYOUT}"
    inputs = (Port("grid", model.input_shape[1:], GRID_LAYOUT),)
    signature = inputs, (Port("covered", model.output_shape[1:], about),)
    content = convert_function(lambda grid: {"covered": model(grid)}, inputs, None, VARIANT)
    none = {"thresholds": {}, "thresholds_measured": ""}
    described = description_of(preset, MODEL, VARIANT, None, signature, none)
    content = append_metadata(content, {**described, "fitted": facts})
    with explained(f"{path} cannot be written", "free some space or choose another place"):
        replace_file(path, lambda stream: stream.write(content))
