"""All TFLite files of a preset, written to a folder."""

from collections.abc import Sequence
from pathlib import Path

from xcos_tf.errors import XcosError
from xcos_tf.export.tflite.convert import convert, default_attention, preset_signature
from xcos_tf.export.tflite.metadata import append_metadata, describe
from xcos_tf.export.tflite.signatures import MODELS
from xcos_tf.export.tflite.thresholds import variant_thresholds
from xcos_tf.files import check_can_write, replace_file
from xcos_tf.models.presets import find_preset, load_preset

VARIANTS = ("float32", "float16", "dynamic")


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
        preset: name or folder of an xCos preset.
        folder: for the files; made if it is not there.
        variants: some of `VARIANTS`; all by default.
        representative: folder of aligned faces to calibrate int8 on; by default those that ship
            with the package.

    Returns:
        The files: of each variant embed, compare and verify, each for a batch of one face or pair
        and for one of any size.

    Raises:
        XcosError: there is no such variant or preset, the preset has no maps, or the folder cannot
            be written.
    """
    folder, variants = Path(folder), _known(variants)
    loaded = load_preset(preset)
    attention = default_attention(loaded)
    check_can_write(folder, within=folder)
    written = []
    for variant in variants:
        thresholds = variant_thresholds(find_preset(preset), loaded.config, attention, variant)
        for model in MODELS:
            signature = preset_signature(loaded, model)
            for batch in (1, None):
                content = append_metadata(
                    convert(loaded, model, variant, batch),
                    describe(
                        model, variant, batch, loaded.config, attention, signature, thresholds
                    ),
                )
                written.append(folder / file_name(model, variant, batch))
                _write(written[-1], content)
    return written


def _known(variants: Sequence[str] | None) -> tuple[str, ...]:
    if variants is None:
        return VARIANTS
    for variant in variants:
        if variant not in VARIANTS:
            raise XcosError(
                f"there is no TFLite variant {variant!r}; use some of {', '.join(VARIANTS)}"
            )
    if not variants:
        raise XcosError(f"no TFLite variant was named; use some of {', '.join(VARIANTS)}")
    return tuple(dict.fromkeys(variants))


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, lambda stream: stream.write(content))
    except OSError as error:
        raise XcosError(
            f"cannot write {path} ({error.strerror or error}); free some space or choose another "
            "folder"
        ) from None
