"""Thresholds of a TFLite variant: measured for it, or the preset's own and said to be so."""

import json
from dataclasses import dataclass
from pathlib import Path

from xcos_tf.errors import XcosError

FILE = "tflite-thresholds.json"


@dataclass(frozen=True)
class VariantThresholds:
    """Of one variant.

    Attributes:
        at: {false match rate: threshold}; empty where there are none.
        measured: on what, and for which variant, in words.
    """

    at: dict[str, float]
    measured: str


def variant_thresholds(
    folder: Path, config: dict, attention: str, variant: str, own_faces: bool = False
) -> VariantThresholds:
    """Return the thresholds to ship with a variant of a preset.

    Args:
        folder: of the preset; `tools/measure_tflite_thresholds.py` writes the file there.
        config: of the preset.
        attention: that the score is by.
        variant: such as "int8".
        own_faces: whether the variant was calibrated on faces of the user's, so that what was
            measured with the default ones is not its own.

    Raises:
        XcosError: the preset's file of such thresholds is damaged.
    """
    found = _read(folder / FILE)
    if found.get("preset_sha256") == config["weights"]["sha256"] and not own_faces:
        entry = found["variants"].get(variant)
        if entry and found["attention"] == attention:
            return VariantThresholds(entry, f"for {variant}: {found['measured']}")
    at = config["thresholds"].get(attention, {})
    if not at:
        return VariantThresholds({}, f"not measured: the preset has none for {attention}")
    return VariantThresholds(
        at, f"not for {variant}: these are the preset's own, of the float model in Python"
    )


def _read(path: Path) -> dict:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {key: found[key] for key in ("preset_sha256", "attention", "measured", "variants")}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise XcosError(f"{path} is damaged ({error!r}); get the preset again") from None
