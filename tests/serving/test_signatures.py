import numpy as np
import pytest

from tests.export.conftest import SIGNATURES
from xcos_tf.errors import XcosError
from xcos_tf.serving.signatures import INPUTS, OUTPUTS, check_inputs, check_outputs

FACES = np.zeros((2, 112, 112, 3), np.uint8)
GRIDS = np.zeros((2, 7, 7, 32), np.float32)
BYTES = np.array([b"a", b"b"], object)
REFUSED = {
    "no batch axis": (
        "embed",
        {"image": FACES[0]},
        r"image is uint8 \(112, 112, 3\) and must be uint8 \(N, 112, 112, 3\) with N ≥ 1; give",
    ),
    "none": (
        "embed",
        {"image": FACES[:0]},
        r"is uint8 \(0, 112, 112, 3\) and must be .*≥ 1$",
    ),
    "size": ("embed", {"image": FACES[:, :96]}, r"image is uint8 \(2, 96, 112, 3\)"),
    "floats": ("embed", {"image": FACES / 255}, "image is float64 .* must be uint8"),
    "numbers": (
        "verify_encoded",
        {"encoded_a": BYTES, "encoded_b": np.array([1, "x"], object)},
        r"encoded_b is int/str \(2,\) and must be bytes \(N,\)",
    ),
    "counts": (
        "verify",
        {"image_a": FACES, "image_b": FACES[:1]},
        "image_a and image_b have 2 and 1 rows; give as many of one as of the other",
    ),
    "two to one": (
        "compare",
        {"grid_a": GRIDS, "grid_b": GRIDS[:1]},
        "grid_a and grid_b have 2 and 1 rows",
    ),
    "double": ("compare", {"grid_a": GRIDS, "grid_b": GRIDS.astype(float)}, "grid_b is float64"),
    "other model": (
        "compare",
        {"grid_a": GRIDS, "grid_b": GRIDS[..., :8]},
        r"shapes \(7, 7, 32\) and \(7, 7, 8\); compare grids of one model",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_it_is_sent(case):
    signature, inputs, sentence = REFUSED[case]
    with pytest.raises(XcosError, match=sentence):
        check_inputs(signature, inputs)


def test_how_many_answers_there_will_be():
    assert check_inputs("verify", {"image_a": FACES, "image_b": FACES}) == 2
    assert check_inputs("verify_encoded", {"encoded_a": BYTES, "encoded_b": BYTES}) == 2
    assert check_inputs("compare_one_to_many", {"grid_a": GRIDS[:1], "grid_b": GRIDS}) == 2


def test_they_are_those_of_an_export(servables):
    """Names, types and ranks, for each signature of the model."""
    import tensorflow as tf

    (served,) = servables.loaded["xcos-mobilefacenet-2"].values()
    assert set(INPUTS) == set(OUTPUTS) == set(SIGNATURES) - {"serving_default"}
    for name in INPUTS:
        for ours, theirs in (
            (INPUTS[name], served.signatures[name].inputs),
            (OUTPUTS[name], served.signatures[name].outputs),
        ):
            assert set(ours) == set(theirs)
            for key, (kind, shape) in ours.items():
                dtype = tf.dtypes.as_dtype(theirs[key].dtype)
                assert dtype == (tf.string if kind == "bytes" else kind)
                sizes = [dim.size for dim in theirs[key].tensor_shape.dim]
                assert len(sizes) == 1 + len(shape)
                assert all(w in (None, h) for w, h in zip(shape, sizes[1:], strict=True))


def test_outputs_of_another_model():
    good = {"grid": GRIDS}
    assert check_outputs("embed", {**good, "more": GRIDS}, 2, "here") == good
    for bad in ({}, {"grid": GRIDS[0]}, {"grid": GRIDS[:1]}, {"grid": GRIDS.astype(float)}):
        with pytest.raises(XcosError, match="the model at here is not one that `xcos export`"):
            check_outputs("embed", bad, 2, "here")
