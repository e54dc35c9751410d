"""What the tests of exports share: the exported model, and faces of the sample photos."""

from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

from xcos_tf.verifier import Verifier

SIGNATURES = (
    "serving_default",
    "verify",
    "verify_encoded",
    "embed",
    "compare",
    "compare_one_to_many",
)
PAIRS = (("obama", "obama2"), ("obama", "biden"), ("biden", "biden"))


@dataclass(frozen=True)
class Expected:
    """Pairs of aligned faces, and what `Verifier` makes of them.

    Attributes:
        faces_a, faces_b: uint8 (3, 112, 112, 3).
        grids_a, grids_b: float32 (3, 7, 7, 32).
        answers: {output: value} of the pairs.
    """

    faces_a: np.ndarray
    faces_b: np.ndarray
    grids_a: np.ndarray
    grids_b: np.ndarray
    answers: dict[str, np.ndarray]


@pytest.fixture(scope="session")
def verifier():
    return Verifier.from_preset()


@pytest.fixture(scope="session")
def expected(verifier, photos):
    names = sorted({name for pair in PAIRS for name in pair})
    templates = {name: verifier.enroll(photos / f"{name}.jpg") for name in names}
    verdicts = [verifier.verify(*(templates[name] for name in pair)) for pair in PAIRS]
    answers = {
        "xcos": [verdict.score for verdict in verdicts],
        "similarity_map": [verdict.similarity_map for verdict in verdicts],
        "attention_map": [verdict.attention_map for verdict in verdicts],
        "same": [verdict.same for verdict in verdicts],
    }
    faces, grids = (
        [np.stack([getattr(templates[pair[side]], part) for pair in PAIRS]) for side in (0, 1)]
        for part in ("face", "feature")
    )
    return Expected(*faces, *grids, {key: np.array(value) for key, value in answers.items()})


@pytest.fixture(scope="session")
def version_folder(served_folder):
    return served_folder / "xcos-mobilefacenet-2" / "1"


@pytest.fixture(scope="session")
def signatures(version_folder):
    """{name: function} of the model, loaded."""
    loaded = tf.saved_model.load(str(version_folder))
    return dict(loaded.signatures.items())
