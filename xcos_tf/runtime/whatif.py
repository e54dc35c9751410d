"""What a score would be if a cell of a face were covered, by a preset's model of covered cells."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from xcos_tf.errors import XcosError, shown
from xcos_tf.models.preset_folder import whatif_file
from xcos_tf.runtime.lite_model import LiteModel
from xcos_tf.runtime.loading import Runtime
from xcos_tf.runtime.model_file import ModelFile

MODEL = "whatif"
PAIRS_AT_ONCE = 16


def load_whatif(folder: Path | None, config: Mapping, shape: tuple[int, ...]) -> LiteModel:
    """Return a preset's model of covered cells.

    From grids (N, h, w, c) it guesses `covered` (N, h·w, h, w, c): what the grid would be with each
    cell covered, row by row.

    Args:
        folder: of the preset; None where there is none.
        config: of the preset.
        shape: (h, w, c) of the preset's grids.

    Raises:
        XcosError: it has none, or one that was made of other weights or cannot be run.
    """
    name = config["name"]
    given = shown(str(folder)) if folder and folder.name != name else name
    again = f"make it with `xcos fit-whatif {given} SET`"
    path = folder and whatif_file(folder)
    if path is None or not path.is_file():
        raise XcosError(
            f"the preset {name!r} has no model of what covering a cell does; {again}, from the "
            "people that the preset was trained on"
        )
    file = ModelFile.read(path, MODEL)
    of_others = XcosError(
        f"{path} was made of other weights than the preset {name!r} has now; {again}"
    )
    if file.metadata["preset_sha256"] != config["weights"]["sha256"]:
        raise of_others
    model, covered = LiteModel(file, at_once=PAIRS_AT_ONCE), (math.prod(shape[:-1]), *shape)
    if (model.inputs["grid"], model.outputs["covered"]) != (shape, covered):
        raise of_others
    return model


def score_drops(
    runtime: Runtime, model: LiteModel, attention: str, a: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how much each pair's score would drop if one cell of one face were covered.

    Each cell in turn: the grid becomes what the model guesses, and the score is computed anew, its
    attention map too.

    Args:
        model: from `load_whatif`; anything that gives `covered`.
        a, b: float32 (P, h, w, c), grids, one to one.

    Returns:
        Two maps of P pairs, float32 (P, h, w): the score less that with this cell of A covered, and
        less that with this cell of B covered.
    """
    of_a, of_b = np.split(model(np.concatenate([a, b]))["covered"], 2)
    pair = [np.broadcast_to(x[:, np.newaxis], of_a.shape) for x in (a, b)]
    # The pair as it is, then with each cell of A covered, then of B: all in one call.
    first = np.concatenate([pair[0][:, :1], of_a, pair[0]], axis=1)
    second = np.concatenate([pair[1][:, :1], pair[1], of_b], axis=1)
    shape = runtime.feature_shape
    grids = (x.reshape(-1, *shape) for x in (first, second))
    scores = runtime.compare(attention, *grids)["xcos"].reshape(first.shape[:2])
    drops = np.split(scores[:, :1] - scores[:, 1:], 2, axis=1)
    return tuple(x.reshape(-1, *shape[:2]) for x in drops)
