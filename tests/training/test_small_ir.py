"""An IR backbone trains, in both branches, in both precisions, on one replica and on two."""

import subprocess
import sys

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.both_stacks]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    out = tmp_path_factory.mktemp("ir") / "out.npz"
    words = [sys.executable, "-m", "tests.training.small_ir", str(out)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(out) as arrays:
        return {name.replace("|", "/"): value for name, value in arrays.items()}


def part(found, prefix):
    return {k.removeprefix(prefix): v for k, v in found.items() if k.startswith(prefix)}


@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_every_weight_is_trained(found, policy, replicas):
    where = f"{policy}/{replicas}/"
    assert found[f"{where}dtype"] == policy.removeprefix("mixed_")
    losses = [part(found, f"{where}{step}/") for step in range(3)]
    for step in losses:
        assert step.keys() == {"identification", "learned", "total"}
        assert step["total"] == pytest.approx(step["identification"] + step["learned"], rel=1e-5)
    assert all(np.isfinite(value) for step in losses for value in step.values())
    before, after = part(found, f"{where}before/"), part(found, f"{where}after/")
    assert before.keys() == after.keys()
    for name, old in before.items():
        # The attention's last bias goes into a batch normalisation, which takes it out again.
        if name.startswith("model/") and "bias" not in name:
            assert np.abs(after[name] - old).max() > 0, name


def test_two_replicas_with_half_the_batch_make_the_same(found):
    one, two = (part(found, f"float32/{replicas}/after/") for replicas in (1, 2))
    for name, value in one.items():
        np.testing.assert_allclose(two[name], value, atol=1e-5, err_msg=name)
    for policy, tolerance in (("float32", 1e-5), ("mixed_float16", 3e-2)):
        for step in range(3):
            one, two = (part(found, f"{policy}/{replicas}/{step}/") for replicas in (1, 2))
            assert float(one["total"]) == pytest.approx(float(two["total"]), rel=tolerance)


def test_float16_comes_close_to_float32(found):
    exact, rounded = (part(found, f"{p}/1/0/") for p in ("float32", "mixed_float16"))
    assert float(exact["total"]) == pytest.approx(float(rounded["total"]), rel=3e-2)
    assert float(exact["total"]) != float(rounded["total"])
