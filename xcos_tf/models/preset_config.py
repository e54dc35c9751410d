"""A preset's `config.json`: read, and held against what it must hold, whoever made it."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from xcos_tf.errors import XcosError
from xcos_tf.files import read_json
from xcos_tf.models.preset_threshold import check_rates
from xcos_tf.schemas import Strict, check_ours, plain

FORMAT = 1
ADVICE = "get the preset again"
LARGEST_SIZE = 2**14
"""Of what a model's description asks for: channels, pixels, units."""


def _with_name(file: str) -> str:
    if not Path(file).name:
        raise ValueError("must name a file")
    return file


class WeightsFacts(Strict):
    """Of the weights file; of its path, the name alone counts."""

    model_config = ConfigDict(extra="allow")

    file: Annotated[str, AfterValidator(_with_name)]
    sha256: str


class PresetFacts(Strict):
    """All but `format`."""

    model_config = ConfigDict(extra="allow")

    name: Annotated[str, Field(min_length=1)]
    model: Annotated[dict[str, plain(LARGEST_SIZE)], Field(min_length=1)]
    thresholds: dict[str, dict[str, object]]
    search: dict[str, dict[Annotated[str, Field(pattern=r"^[1-9]\d{0,11}$")], float]] = Field(
        default_factory=dict
    )
    weights: WeightsFacts


def read_config(folder: Path) -> dict:
    """Return the configuration of the preset in `folder`.

    Raises XcosError if it is not readable JSON, of a newer format, or lacks a section.
    """
    path = folder / "config.json"
    config = read_json(path, "the configuration", ADVICE)
    version = config.get("format") if isinstance(config, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise XcosError(f"{path} is not a preset's configuration: it has no whole number `format`")
    if version > FORMAT:
        raise XcosError(
            f"{path} is of format {version} and this xcos_tf reads up to {FORMAT}; "
            "upgrade xcos_tf to use it"
        )
    check_ours(config, PresetFacts, f"the configuration {path}", ADVICE)
    for score, rates in config["thresholds"].items():
        check_rates(rates, f"{path} has no proper thresholds of {score!r}", ADVICE)
    return config
