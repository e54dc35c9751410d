"""What a preset's `config.json` must hold, whoever made it; more may be in it."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from xcos_tf.schemas import Strict, plain

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
    weights: WeightsFacts
