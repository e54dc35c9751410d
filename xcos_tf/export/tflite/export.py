"""All TFLite files of a preset, written to a folder."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from xcos_tf.errors import XcosError, explained
from xcos_tf.export.compression import COMPRESSED
from xcos_tf.export.compression.shipped import FOLDER, load_compressed
from xcos_tf.export.tflite.convert import convert_function, model_function
from xcos_tf.export.tflite.int8 import int8_grid, representative_faces
from xcos_tf.export.tflite.int8_layers import check_int8
from xcos_tf.export.tflite.signatures import (
    MODELS,
    PLAIN_MODELS,
    description_of,
    signature_of,
)
from xcos_tf.export.tflite.thresholds import variant_thresholds
from xcos_tf.files import check_can_write, replace_file
from xcos_tf.models.presets import Preset, load_preset
from xcos_tf.progress import log
from xcos_tf.runtime.keras import KerasRuntime
from xcos_tf.runtime.model_file import append_metadata

CONVERTED = ("float32", "float16", "dynamic", "int8")
VARIANTS = (*CONVERTED, *COMPRESSED)
BATCHES = (1, None)
"""One face or pair, and any number."""


def file_name(model: str, variant: str, batch: int | None) -> str:
    """Return the name of a file: MODEL.VARIANT.tflite, or MODEL.VARIANT.batch.tflite."""
    return f"{model}.{variant}{'' if batch else '.batch'}.tflite"


def export_tflite(
    preset: str,
    folder: Path,
    variants: Sequence[str] | None = None,
    representative: Path | None = None,
) -> list[Path]:
    """Write a preset's TFLite files; those that are there already are replaced, one by one.

    Args:
        preset: name or folder of a preset.
        folder: for the files; made if it is not there.
        variants: some of `VARIANTS`; `default_variants` by default.
        representative: folder of aligned faces to calibrate int8 on; by default those that ship
            with the package, see `representative_faces`.

    Returns:
        The files: of each variant embed, compare and verify, or embed and head of a plain preset,
        each for a batch of one face or pair and for one of any size.

    Raises:
        XcosError: there is no such variant or preset, the preset has not this variant, faces to
            calibrate on are not there, or the folder cannot be written.
    """
    folder = Path(folder)
    loaded = load_preset(preset)
    attention = loaded.network.attention
    models = MODELS if loaded.network.explains else PLAIN_MODELS
    variants = default_variants(loaded) if variants is None else _known(variants)
    if representative is not None and "int8" not in variants:
        raise XcosError("faces to calibrate on are for int8; name int8 too, or leave them out")
    check_can_write(folder, within=folder)
    makers = {x: model_maker(loaded, x, representative) for x in variants}  # fail early
    written = []
    for variant, make in makers.items():
        own_faces = variant == "int8" and representative is not None
        thresholds = variant_thresholds(loaded.folder, loaded.config, attention, variant, own_faces)
        for model, batch in ((model, batch) for model in models for batch in BATCHES):
            signature = signature_of(loaded, model)
            about = description_of(loaded, model, variant, batch, signature, thresholds)
            if model == "compare":
                about["fixed_attentions"] = _fixed_attentions(loaded)
            path, content = folder / file_name(model, variant, batch), make(model, batch)
            content = append_metadata(content, about)
            with explained(f"cannot write {path}", "free some space or choose another folder"):
                folder.mkdir(parents=True, exist_ok=True)
                replace_file(path, lambda stream, content=content: stream.write(content))
            written.append(path)
    return written


def _fixed_attentions(preset: Preset) -> dict[str, list]:
    """Return {attention: W} of those that are the same for every pair, but for the exported one."""
    runtime = KerasRuntime(preset)
    nothing = np.zeros((1, *runtime.feature_shape), np.float32)
    return {
        name: runtime.compare(name, nothing, nothing)["attention_map"][0].tolist()
        for name in runtime.attentions
        if name not in ("learned", preset.network.attention)
    }


def default_variants(preset: Preset) -> tuple[str, ...]:
    """Return all variants that a preset from a folder has, and log why int8 is not among them.

    It is if `check_int8` lets the network pass; and those of which there are compressed weights.
    """
    made = {*CONVERTED, *(path.stem for path in (preset.folder / FOLDER).glob("*.safetensors"))}
    try:
        check_int8(preset.network)
    except XcosError as error:
        log.warning("int8 is left out: %s", error)
        made.remove("int8")
    return tuple(x for x in VARIANTS if x in made)


def _known(variants: Sequence[str]) -> tuple[str, ...]:
    for variant in variants:
        if variant not in VARIANTS:
            raise XcosError(
                f"there is no TFLite variant {variant!r}; use some of {', '.join(VARIANTS)}"
            )
    if not variants:
        raise XcosError(f"no TFLite variant was named; use some of {', '.join(VARIANTS)}")
    return tuple(dict.fromkeys(variants))


def model_maker(
    preset: Preset, variant: str, representative: Path | None = None
) -> Callable[[str, int | None], bytes]:
    """Return what makes TFLite models of a variant, of builtin operations alone.

    The grids of "int8" and "qat" are int8 throughout but for their last 7×7×32 products and sums;
    their inputs are uint8 and their outputs float32. "pruned" and "clustered" are float32, smaller
    when packed. The comparison of all four is the float32 one.

    Args:
        preset: loaded from a folder.
        variant: one of `VARIANTS`.
        representative: as for `export_tflite`.

    Returns:
        A function from a model ("embed", "compare" or "verify") and the size of a batch (None where
        it is free) to the model's bytes.

    Raises:
        XcosError: the preset has no such variant, or it was made from other weights than it has.
    """
    arithmetic, grid = variant, None
    if variant in COMPRESSED:
        arithmetic = "int8" if variant == "qat" else "float32"
        grid = load_compressed(preset.folder, preset.config, variant).grid
    elif variant == "int8":
        grid = int8_grid(preset.network, representative_faces(representative))

    def make(model: str, batch: int | None) -> bytes:
        exact = arithmetic == "int8" and model == "compare"
        function = model_function(preset.network, model, grid)
        inputs, _ = signature_of(preset, model)
        return convert_function(function, inputs, batch, "float32" if exact else arithmetic)

    return make
