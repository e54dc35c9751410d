"""Thresholds of a TFLite variant: measured for it, or the preset's own and said to be so."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from xcos_tf.errors import XcosError, explained, reason_of
from xcos_tf.files import read_json, write_json
from xcos_tf.models.preset_threshold import check_rates

FILE = "tflite-thresholds.json"


@dataclass(frozen=True)
class MeasuredThresholds:
    """What `FILE` of a preset's folder holds; `xcos export --measure` writes it.

    Attributes:
        preset_sha256: of the weights.
        attention: that was scored by.
        measured: on what, in words.
        variants: {variant: {false match rate: threshold}}.
    """

    preset_sha256: str  # of the weights
    attention: str  # that was scored by
    measured: str  # on what, in words
    variants: Mapping[str, dict[str, float]]  # {variant: {false match rate: threshold}}

    @classmethod
    def read(cls, path: Path) -> "MeasuredThresholds | None":
        """Return what a file holds; None if there is none.

        Raises:
            XcosError: it is damaged.
        """
        if not path.exists():
            return None
        advice = "get the preset again"
        with explained(f"{path} is damaged", advice, (TypeError, AttributeError)):
            found = cls(**read_json(path, "the thresholds", advice))
            for at in found.variants.values():
                check_rates(at, f"{path} is damaged", advice)
        return found

    def write(self, path: Path) -> Path:
        """Write a file; of what is there the other variants stay, if measured in the same way.

        Raises:
            XcosError: what is there is damaged, or the file cannot be written.
        """
        old = MeasuredThresholds.read(path)
        kept = old.variants if old and old.about == self.about else {}
        try:
            write_json(path, {**asdict(self), "variants": {**kept, **self.variants}})
        except OSError as error:
            raise XcosError(f"cannot write {path} ({reason_of(error)})") from None
        return path

    @property
    def about(self) -> tuple[str, str, str]:
        """All but the numbers."""
        return self.preset_sha256, self.attention, self.measured


def variant_thresholds(
    folder: Path, config: dict, attention: str, variant: str, own_faces: bool = False
) -> dict:
    """Return the thresholds to ship with a variant of a preset, for its file's metadata.

    These are `thresholds` {false match rate: threshold}, empty where there are none; and in words
    on what and for which variant they were measured, `thresholds_measured`.

    Args:
        folder: of the preset.
        config: of the preset.
        attention: that the score is by.
        variant: such as "int8".
        own_faces: whether the variant was calibrated on faces of the user's, so that what was
            measured with the default ones is not its own.

    Raises:
        XcosError: the preset's file of such thresholds is damaged.
    """
    found = MeasuredThresholds.read(folder / FILE)
    of_this = found and found.about[:2] == (config["weights"]["sha256"], attention)
    at = config["thresholds"].get(attention, {})
    if of_this and not own_faces and found.variants.get(variant):
        at, measured = found.variants[variant], f"{variant}: {found.measured}"
    elif at:
        own = "these are the preset's own, of its float32 network in Python"
        measured = f"not for {variant}: {own}"
    else:
        measured = f"not measured: the preset has none for {attention}"
    return {"thresholds": dict(at), "thresholds_measured": measured}
