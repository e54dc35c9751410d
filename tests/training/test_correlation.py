import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.training.small import small_batches, small_network
from xcos_tf.errors import XcosError
from xcos_tf.training.correlation import StreamingCorrelation, fit_correlation

SHAPE = (2, 2)


def streamed(maps, cosines, *cuts):
    stream = StreamingCorrelation(maps.shape[1:])
    for start, stop in zip((0, *cuts), (*cuts, len(maps)), strict=True):
        stream.update(maps[start:stop], cosines[start:stop])
    return stream


def corrcoef(maps, cosines):
    flat = [np.corrcoef(cell, cosines)[0, 1] for cell in maps.reshape(len(maps), -1).T]
    return np.reshape(flat, maps.shape[1:])


@pytest.mark.parametrize("offset", [1e3, 1e6])
def test_blocks_agree_with_numpy_at_a_large_offset(random, offset):
    cosines = random.normal(size=1000) * 1e-3
    maps = random.normal(size=(1000, 2, 3)) * 1e-3
    maps[:, 0, 1] += 2 * cosines
    maps[:, 1, 2] -= cosines * 5
    expected = corrcoef(maps, cosines)
    stream = streamed(maps - offset, cosines + offset, 1, 400, 400)
    np.testing.assert_allclose(stream.result(), expected, atol=1e-6)
    assert stream.count == 1000
    assert stream.result()[0, 1] > 0.8 and stream.result()[1, 2] < -0.9


def test_a_constant_cell_gets_zero():
    # 0.1 cannot be written in binary, so that means of it are not quite it.
    maps = np.array([[[1.0, 0.1, x]] for x in (0.1, 0.2, 0.4)])
    stream = streamed(maps, maps[:, 0, 2], 1)
    np.testing.assert_allclose(stream.result(), [[0, 0, 1]], atol=1e-6)
    assert not streamed(maps, np.full(3, 0.1), 1).result().any()
    assert not StreamingCorrelation((1, 3)).result().any()


def test_a_state_of_other_maps_is_refused():
    with pytest.raises(ValueError, match=r"`mean_s` of shape \(2, 2\)"):
        StreamingCorrelation(SHAPE).restore(StreamingCorrelation((3, 2)).state())


def test_maps_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"Received: shapes \(3, 1, 2\) and \(3,\)"):
        StreamingCorrelation(SHAPE).update(np.zeros((3, 1, 2)), np.zeros(3))


class Models:
    """A grid and a teacher with random weights, and batches of pairs of noise."""

    def __init__(self, steps=12, groups=2, pairs=20):
        keras.utils.set_random_seed(3)
        self.grid = small_network().features
        image = keras.Input((8, 8, 3))
        features = keras.layers.Flatten()(self.grid(image))
        self.teacher = keras.Model(image, keras.layers.Dense(6)(features))
        self.batches = small_batches(steps, groups, pairs=pairs)
        self.pairs = steps * groups * pairs

    def batches_from(self, step):
        rest = {name: value[step:] for name, value in self.batches.items()}
        return tf.data.Dataset.from_tensor_slices(rest)

    def fit(self, pairs=None, batches_from=None, **changes):
        options = {"grid": self.grid, "teacher": self.teacher, "shape": SHAPE, **changes}
        batches_from = batches_from or self.batches_from
        return fit_correlation(batches_from=batches_from, pairs=pairs or self.pairs, **options)

    def expected(self):
        """Return p by NumPy, all pairs at once."""
        maps, cosines = [], []
        for index in np.ndindex(self.batches["first"].shape[:2]):
            images = self.batches["input"][index]
            grids, embeddings = (np.asarray(model(images)) for model in (self.grid, self.teacher))
            first, second = self.batches["first"][index], self.batches["second"][index]
            for values, into in ((grids, maps), (embeddings, cosines)):
                unit = values / np.linalg.norm(values, axis=-1, keepdims=True)
                into.append((unit[first] * unit[second]).sum(axis=-1))
        return corrcoef(np.concatenate(maps), np.concatenate(cosines))


@pytest.fixture(scope="module")
def models():
    return Models()


def test_a_pass_agrees_with_numpy(models):
    found = models.fit()
    np.testing.assert_allclose(found.raw, models.expected(), atol=1e-5)
    assert found.raw.dtype == found.normalised.dtype == np.float32
    np.testing.assert_allclose(found.normalised, found.raw / found.raw.sum(), rtol=1e-5)
    assert (found.pairs, found.genuine) == (models.pairs, models.pairs // 10)


def test_a_stem_comes_before_both(models):
    found = models.fit(stem=lambda images: 2.0 * images, grid=lambda x: models.grid(x / 2.0))
    doubled = models.fit(teacher=lambda images: models.teacher(2.0 * images))
    np.testing.assert_array_equal(found.raw, doubled.raw)


def test_the_last_batch_gives_as_many_pairs_as_are_needed(models):
    found = models.fit(pairs=60)  # a batch and a half
    assert (found.pairs, found.genuine) == (60, 6)


def test_of_the_last_batch_genuine_pairs_keep_their_share(models):
    def batches_from(step):
        for batch in models.batches_from(step):
            group = tf.ones_like(batch["same"][0])
            yield {**batch, "same": tf.stack([group, 0 * group])}

    assert models.fit(pairs=60, batches_from=batches_from).genuine == 30


class Interruption(Exception):
    pass


def test_a_pass_that_was_interrupted_ends_in_the_same_bits(models, tmp_path):
    state, begun = tmp_path / "state.npz", []

    def batches_from(step):
        begun.append(step)
        for number, batch in enumerate(models.batches_from(step)):
            if number == 5:
                raise Interruption
            yield batch

    options = {"batches_from": batches_from, "state": state, "identity": "a", "save_every": 2}
    for _ in range(2):
        with pytest.raises(Interruption):
            models.fit(**options)
    found = models.fit(**options)
    assert begun == [0, 4, 8]
    np.testing.assert_array_equal(found.raw, models.fit().raw)
    assert (found.pairs, found.genuine) == (models.pairs, models.pairs // 10)
    # A pass that is done needs no batches to say so again.
    np.testing.assert_array_equal(models.fit(**options).raw, found.raw)
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"] and len(begun) == 3
    with pytest.raises(XcosError, match="of an unfinished measurement with other pairs"):
        models.fit(**{**options, "identity": "b"})


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive"])
def test_a_damaged_state_is_one_sentence(models, tmp_path, content):
    state = tmp_path / "state.npz"
    state.write_bytes(content)
    with pytest.raises(XcosError, match=r"is damaged \(.*\); remove it") as caught:
        models.fit(state=state)
    assert "\n" not in str(caught.value)


def test_a_state_that_cannot_be_written(models, tmp_path):
    with pytest.raises(XcosError, match="cannot be written to"):
        models.fit(state=tmp_path / "nowhere" / "state.npz", save_every=1)


def test_correlations_that_cannot_be_weights(models, tmp_path):
    state = tmp_path / "state.npz"
    with pytest.raises(XcosError, match="sum to 0, so they cannot be made weights"):
        models.fit(teacher=lambda x: tf.ones((tf.shape(x)[0], 6)), state=state)
    assert not state.exists()


def test_maps_that_are_no_numbers(models):
    with pytest.raises(XcosError, match="NaN or infinity for faces of step 1"):
        models.fit(grid=lambda x: models.grid(x) * float("nan"))


def test_too_few_batches(models):
    with pytest.raises(ValueError, match=r"Expected batches of 1000 pairs\. Received: 480 pairs"):
        models.fit(pairs=1000)
