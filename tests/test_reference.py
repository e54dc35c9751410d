"""Presets load alike, and photos become the same faces, in every stack."""

import numpy as np
import pytest

from tests.reference import FILE, aligned_photos, preset_outputs
from xcos_tf.models.presets import find_preset, read_config

ATTENTIONS = ("patched", "correlated", "learned")


@pytest.fixture(scope="module")
def reference():
    with np.load(FILE) as arrays:
        return dict(arrays)


def test_presets_make_the_same_of_the_same_faces(reference):
    computed = preset_outputs(reference["faces"])
    outputs = ("xcos", "similarity_map", "attention_map")
    assert computed.keys() == {"embedding", *(f"{a}/{o}" for a in ATTENTIONS for o in outputs)}
    assert computed.keys() | {"faces", "landmarks"} == reference.keys()
    for name, value in computed.items():
        np.testing.assert_allclose(
            value, reference[name], rtol=0, atol=1e-5, equal_nan=False, err_msg=name
        )


def test_what_they_must_match_is_of_trained_presets(reference):
    thresholds = read_config(find_preset("xcos-mobilefacenet-2"))["thresholds"]
    for attention in ATTENTIONS:
        same, *different = reference[f"{attention}/xcos"]
        assert same > thresholds[attention]["0.001"] > max(different)
    assert reference["embedding"].shape == (3, 192)
    spread = [np.ptp(reference[f"{a}/attention_map"][0]) for a in ATTENTIONS]
    assert spread[0] < 1e-6 and min(spread[1:]) > 1e-2


def test_photos_become_the_same_faces(reference):
    for photo, landmarks, face in zip(
        aligned_photos(), reference["landmarks"], reference["faces"], strict=True
    ):
        np.testing.assert_allclose(photo.face.landmarks, landmarks, rtol=0, atol=1e-2)
        # A value that lies between two whole numbers may be rounded to either.
        assert np.abs(photo.image.astype(int) - face).max() <= 1
