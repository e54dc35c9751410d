import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from xcos_tf.models.comparison import (
    ATTENTIONS,
    PatchedCosine,
    TiltedSoftmax,
    comparison,
    plain_comparison,
)
from xcos_tf.models.normalisation import unit_length
from xcos_tf.templates import Gallery

SHAPE = (7, 7, 32)


def numpy_cosines(a, b):
    """S by its definition, a zero cell giving 0."""
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.where(norms > 0, (a * b).sum(-1) / np.where(norms > 0, norms, 1), 0)


@pytest.fixture
def grids(random):
    return [random.normal(size=(5, *SHAPE)).astype(np.float32) for _ in range(2)]


def randomise(model, random):
    """Weights that make the attention far from uniform, with statistics BatchNorm can invert."""
    for variable in model.weights:
        values = random.normal(0, 0.5, variable.shape)
        variable.assign(np.abs(values) + 0.5 if "variance" in variable.name else values)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_score_is_the_sum_of_the_maps(attention, grids, random):
    model = comparison(SHAPE, attention)
    if attention == "learned":
        randomise(model, random)
    outputs = {key: value.numpy() for key, value in model(grids).items()}
    assert set(outputs) == {"xcos", "similarity_map", "attention_map"}
    assert outputs["xcos"].shape == (5,)
    assert outputs["similarity_map"].shape == outputs["attention_map"].shape == (5, 7, 7)
    np.testing.assert_allclose(outputs["similarity_map"], numpy_cosines(*grids), atol=1e-6)
    product = outputs["similarity_map"].astype(np.float64) * outputs["attention_map"]
    np.testing.assert_allclose(outputs["xcos"], product.sum((1, 2)), atol=1e-6)
    np.testing.assert_allclose(outputs["attention_map"].sum((1, 2)), 1, atol=1e-6)
    if attention != "correlated":
        assert (outputs["attention_map"] >= 0).all()


@pytest.mark.parametrize("shape", [(7, 7), (2, 3)])
def test_patched_attention_is_uniform(grids, shape):
    height, width = shape
    outputs = comparison((*shape, 32), "patched")([grid[:, :height, :width] for grid in grids])
    weight = outputs["attention_map"].numpy()
    np.testing.assert_allclose(weight, np.full((5, *shape), 1 / (height * width)), rtol=1e-6)


def test_correlated_attention_is_the_normalised_correlation(grids, random):
    model = comparison(SHAPE, "correlated")
    raw = random.uniform(-0.2, 0.9, (7, 7)).astype(np.float32)
    model.get_layer("correlated_attention").correlation.assign(raw)
    outputs = model(grids)
    np.testing.assert_allclose(outputs["attention_map"].numpy()[3], raw / raw.sum(), rtol=1e-5)
    assert not model.trainable_weights


def convolve(x, kernel, bias):
    """3×3 convolution of (N, h, w, c) with one ring of zeros."""
    _, height, width, _ = x.shape
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return bias + sum(
        padded[:, i : i + height, j : j + width] @ kernel[i, j] for i, j in np.ndindex(3, 3)
    )


@pytest.mark.parametrize("symmetric", [True, False])
def test_learned_attention_is_that_of_the_paper(random, symmetric):
    model = comparison((2, 3, 5), "learned", symmetric)
    randomise(model, random)
    attention = model.get_layer("learned_attention")
    a, b = random.normal(size=(2, 4, 2, 3, 5)).astype(np.float32)

    def block(x, name):
        x = convolve(x, *attention.get_layer(f"{name}_conv").get_weights())
        gamma, beta, mean, variance = attention.get_layer(f"{name}_bn").get_weights()
        x = (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta
        slope = attention.get_layer(f"{name}_prelu").get_weights()[0].item()  # one for all channels
        return np.where(x > 0, x, slope * x)

    def weigh(first, second):
        joined = np.concatenate([block(first, "embed"), block(second, "embed")], axis=-1)
        return block(block(joined, "fuse"), "weight")[..., 0]

    logits = (weigh(a, b) + weigh(b, a)) / 2 if symmetric else weigh(a, b)
    expected = np.exp(logits) / np.exp(logits).sum((1, 2), keepdims=True)
    np.testing.assert_allclose(model([a, b])["attention_map"], expected, rtol=1e-3, atol=1e-5)


def test_learned_attention_depends_on_the_pair_and_not_on_its_order(grids, random):
    model = comparison(SHAPE, "learned")
    randomise(model, random)
    there, back = model(grids), model(grids[::-1])
    maps = there["attention_map"].numpy()
    assert np.abs(maps[0] - maps[1]).max() > 1e-3
    np.testing.assert_allclose(maps, back["attention_map"].numpy(), atol=1e-6)
    np.testing.assert_allclose(there["xcos"].numpy(), back["xcos"].numpy(), atol=1e-6)


def test_attention_with_context_is_as_described(random):
    model = comparison((2, 3, 5), "learned", context=7)
    randomise(model, random)
    attention = model.get_layer("learned_attention")
    attention.get_layer("tilted_softmax").set_weights([np.float32(2), np.float32(-1)])
    last = attention.get_layer("weight_conv")
    last.set_weights([0.02 * x for x in last.get_weights()])  # no cell has all the weight
    a, b = random.normal(size=(2, 4, 2, 3, 5)).astype(np.float32)

    def weights(name):
        return attention.get_layer(name).get_weights()

    def prelu(x, name):
        return np.where(x > 0, x, weights(name)[0] * x)

    def unit(x):
        return x / np.linalg.norm(x, axis=-1, keepdims=True)

    def whole(grid):
        kernel, bias = weights("context_conv")
        return unit(np.einsum("nhwc,hwck->nk", grid, kernel) + bias)

    def everywhere(x):
        return np.tile(x[:, np.newaxis, np.newaxis], (1, 2, 3, 1))

    first, second = (prelu(convolve(x, *weights("embed_conv")), "embed_prelu") for x in (a, b))
    product = whole(a) * whole(b)
    kernel, bias = weights("context_mix")
    seen = [
        first + second,
        first * second,
        everywhere(product @ kernel[0, 0] + bias),
        4 * np.sum(unit(a) * unit(b), axis=-1, keepdims=True),
        4 * everywhere(product.sum(axis=1, keepdims=True)),
    ]
    fused = prelu(convolve(np.concatenate(seen, -1), *weights("fuse_conv")), "fuse_prelu")
    logits = convolve(fused, *weights("weight_conv"))[..., 0]
    similar = numpy_cosines(a, b)
    gain, log_spread = weights("tilted_softmax")
    expected = tilted(logits, similar, product.sum(axis=1), gain, np.exp(log_spread))
    np.testing.assert_allclose(model([a, b])["attention_map"], expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(model([b, a])["attention_map"], expected, rtol=1e-3, atol=1e-5)


def tilted(logits, similar, cosine, gain, spread):
    tilt = np.zeros(len(cosine))

    def weights():
        return softmax(logits + tilt[:, np.newaxis, np.newaxis] * similar, axis=(1, 2))

    for _ in range(2):
        score = np.sum(weights() * similar, axis=(1, 2))
        variance = np.sum(weights() * similar**2, axis=(1, 2)) - score**2
        tilt = 8 * np.tanh((tilt + gain * (cosine - score) / (variance + spread)) / 8)
    return weights()


def test_a_tilted_softmax_brings_the_score_to_a_cosine_nearby(random):
    similar = random.uniform(-1, 1, (6, 7, 7)).astype(np.float32)
    logits = random.normal(size=(6, 7, 7, 1)).astype(np.float32)
    plain = np.sum(softmax(logits[..., 0], axis=(1, 2)) * similar, axis=(1, 2))
    layer = TiltedSoftmax()
    for aim in (plain + 0.1, plain - 0.1):
        cosine = aim.reshape(-1, 1, 1).astype(np.float32)
        layer([logits, similar, cosine])
        layer.set_weights([np.float32(1), np.float32(-20)])
        weight = np.asarray(layer([logits, similar, cosine]))
        np.testing.assert_allclose(np.sum(weight * similar, axis=(1, 2)), aim, atol=0.003)
        expected = tilted(logits[..., 0], similar, aim, 1, np.exp(-20))
        np.testing.assert_allclose(weight, expected, atol=1e-5)
        np.testing.assert_allclose(weight.sum((1, 2)), 1, atol=1e-6)


def test_a_tilted_softmax_is_finite_where_all_cells_are_alike():
    logits, similar = np.zeros((1, 7, 7, 1), np.float32), np.full((1, 7, 7), 0.5, np.float32)
    weight = np.asarray(TiltedSoftmax()([logits, similar, np.full((1, 1, 1), -1, np.float32)]))
    np.testing.assert_allclose(weight, np.full((1, 7, 7), 1 / 49), rtol=1e-5)


def test_context_has_no_order_of_the_faces():
    with pytest.raises(ValueError, match=r"Expected `symmetric`.*symmetric=False, context=7"):
        comparison(SHAPE, symmetric=False, context=7)


def test_authors_attention_is_not_symmetric(grids, random):
    model = comparison(SHAPE, "learned", symmetric=False)
    randomise(model, random)
    there, back = model(grids), model(grids[::-1])
    assert np.abs(there["attention_map"].numpy() - back["attention_map"].numpy()).max() > 1e-3


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_zero_cells_give_zero_cosine_and_no_nan(attention):
    zero = np.zeros((2, *SHAPE), np.float32)
    ones = np.ones((2, *SHAPE), np.float32)
    for pair in ([zero, ones], [zero, zero]):
        outputs = comparison(SHAPE, attention)(pair)
        assert (outputs["similarity_map"].numpy() == 0).all()
        assert (outputs["xcos"].numpy() == 0).all()
        assert np.isfinite(outputs["attention_map"].numpy()).all()


def test_same_grid_scores_one_at_any_scale(grids):
    outputs = comparison(SHAPE, "patched")([grids[0], 1e-3 * grids[0]])
    np.testing.assert_allclose(outputs["xcos"].numpy(), 1, atol=1e-5)


def test_unknown_attention_is_refused():
    with pytest.raises(ValueError, match=r"Expected `attention`.*Received: 'soft'"):
        comparison(SHAPE, "soft")


def test_a_plain_comparison_is_the_cosine(random):
    a, b = random.normal(size=(2, 5, 16)).astype(np.float32)
    model = plain_comparison(16)
    scores = model([a, b])["xcos"]
    expected = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert scores.shape == (5,)
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def tiny_cells(random):
    """A grid with a cell of norm 5e-7, one whose squares underflow, and one of zeros."""
    grid = random.normal(size=(1, *SHAPE)).astype(np.float32)
    for place, norm in (((0, 0), 5e-7), ((0, 1), 1e-30), ((0, 2), 0.0)):
        grid[(0, *place)] *= norm / np.linalg.norm(grid[(0, *place)])
    return grid


def test_short_cells_count_as_much_as_long_ones(random):
    grid = tiny_cells(random)
    found = PatchedCosine()([grid, grid]).numpy()
    expected = np.ones(SHAPE[:2])
    expected[0, 2] = 0
    np.testing.assert_allclose(found[0], expected, atol=1e-6)
    other = random.normal(size=grid.shape).astype(np.float32)
    expected = numpy_cosines(grid.astype(np.float64), other.astype(np.float64))
    np.testing.assert_allclose(PatchedCosine()([grid, other]).numpy(), expected, atol=1e-6)
    cells = Gallery(grid).normalised.reshape(grid.shape)
    np.testing.assert_allclose(cells, unit_length(grid), atol=1e-6)


def test_the_gradient_of_a_cosine_is_right_for_a_short_cell_and_zero_for_an_empty_one(random):
    grid, other = tiny_cells(random), random.normal(size=(1, *SHAPE)).astype(np.float32)
    x = tf.constant(grid)
    with tf.GradientTape() as tape:
        tape.watch(x)
        similarity = PatchedCosine()([x, tf.constant(other)])
    found = tape.gradient(similarity, x).numpy()[0, 0]
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found[2], 0)
    a, b = grid[0, 0, 0].astype(np.float64), other[0, 0, 0].astype(np.float64)
    size, b = np.linalg.norm(a), b / np.linalg.norm(b)
    expected = (b - (a / size) * (a / size @ b)) / size
    np.testing.assert_allclose(found[0], expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
