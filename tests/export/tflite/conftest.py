"""One export for all tests of TFLite files, and faces to show them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from xcos_tf.data.photo import read_photo
from xcos_tf.export.tflite import export
from xcos_tf.export.tflite.int8 import SHIPPED
from xcos_tf.verifier import Verifier

PRESET = "xcos-mobilefacenet-2"
# Of weights that are rounded in the file and computed with as floats, one kind for each.
BATCHES_OF = {
    "float32": export.BATCHES,
    "float16": (1,),
    "dynamic": (None,),
    "int8": export.BATCHES,
}


@pytest.fixture(scope="session")
def exported(lite_models, tmp_path_factory) -> Path:
    """The folder of all variants that are made without training; not to be changed.

    They are those of `BATCHES_OF`.
    """
    folder = tmp_path_factory.mktemp("tflite") / "new"
    shutil.copytree(lite_models, folder)
    with pytest.MonkeyPatch.context() as patch:
        for variant in ("float16", "dynamic", "int8"):
            patch.setattr(export, "BATCHES", BATCHES_OF[variant])
            export.export_tflite(PRESET, folder, [variant])
    return folder


@pytest.fixture(scope="session")
def faces() -> np.ndarray:
    """Aligned portraits of two people and their mirror images, uint8 (6, 112, 112, 3)."""
    portraits = np.stack([read_photo(path) for path in sorted(SHIPPED.glob("*.png"))])
    return np.concatenate([portraits, portraits[:, :, ::-1]])


@pytest.fixture(scope="session")
def verifier() -> Verifier:
    return Verifier.from_preset(PRESET)


@pytest.fixture(scope="session")
def truth(verifier, faces) -> dict[str, np.ndarray]:
    """What the Python API makes of the faces, each compared with the next."""
    grids = verifier.embed(faces)
    return {"grid": grids, **verifier.explain_pairs(grids, np.roll(grids, -1, axis=0))}
