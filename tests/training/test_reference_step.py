"""Losses and gradients beside those of the authors' step, rebuilt in PyTorch from the formulas."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from xcos_tf.models.comparison import comparison
from xcos_tf.models.margins import ArcFaceHead, CosFaceHead
from xcos_tf.training.model import Trainer

torch = pytest.importorskip("torch")  # the addons stack is tested without it
from torch.nn import functional  # noqa: E402

from tests.models.pytorch_twin import Attention, randomise  # noqa: E402

SHAPE, PEOPLE, FACES = (7, 7, 32), 9, 8
FIRST, SECOND = np.array([0, 1, 2, 3, 4, 6, 7]), np.array([1, 2, 0, 5, 6, 7, 3])
LAYERS = {
    "embed_conv": "embedding_net.0",
    "embed_bn": "embedding_net.1",
    "embed_prelu": "embedding_net.2",
    "fuse_conv": "attention.0",
    "fuse_bn": "attention.1",
    "fuse_prelu": "attention.2",
    "weight_conv": "attention.3",
    "weight_bn": "attention.4",
    "weight_prelu": "attention.5",
}


def margin_logits(flat, kernel, labels, head, scale, margin):
    """ArcFace's (Eq. 3) or CosFace's (Eq. 4) logits, by the angle itself."""
    cosine = functional.normalize(flat, dim=1) @ functional.normalize(kernel, dim=0)
    target = cosine[torch.arange(len(labels)), labels]
    if head is CosFaceHead:
        harder = target - margin
    else:
        angle = torch.acos(target)
        easy = torch.cos(angle + margin)
        harder = torch.where(angle + margin < math.pi, easy, target - margin * math.sin(margin))
    return scale * torch.where(functional.one_hot(labels, PEOPLE) > 0, harder[:, None], cosine)


def reference(grid, labels, kernel, teacher, attention, head, margin):
    """Return L_id, L_cos (Eq. 10) and the gradients of each, of grids (N, h, w, c)."""
    grid = torch.tensor(grid.transpose(0, 3, 1, 2), requires_grad=True)
    columns = torch.tensor(kernel).reshape(PEOPLE, *SHAPE).permute(0, 3, 1, 2).flatten(1).T
    labels, teacher = torch.tensor(labels), torch.tensor(teacher)
    logits = margin_logits(grid.flatten(1), columns, labels, head, 30.0, margin)
    identification = functional.cross_entropy(logits, labels)
    a, b = grid[FIRST], grid[SECOND]
    similarity = functional.cosine_similarity(a, b, dim=1)
    weight = attention(a, b) if attention else torch.full_like(similarity, 1 / 49)
    xcos = (similarity * weight).sum(dim=(1, 2))
    target = (teacher[FIRST] * teacher[SECOND]).sum(dim=1)
    losses = identification, functional.mse_loss(xcos, target)
    gradients = [torch.autograd.grad(loss, grid, retain_graph=True)[0] for loss in losses]
    return [loss.item() for loss in losses], [x.permute(0, 2, 3, 1).numpy() for x in gradients]


def take_over(comparison, attention):
    """Give the learned attention the weights of the PyTorch one."""
    state = {name: value.numpy() for name, value in attention.state_dict().items()}
    for layer in comparison.get_layer("learned_attention").layers:
        if layer.name not in LAYERS or not layer.weights:
            continue
        theirs = LAYERS[layer.name]
        for variable in layer.weights:
            name = variable.name.split("/")[-1].split(":")[0]
            kind = {"kernel": "weight", "alpha": "weight", "gamma": "weight", "beta": "bias"}
            kind |= {"moving_mean": "running_mean", "moving_variance": "running_var"}
            value = state[f"{theirs}.{kind.get(name, name)}"]
            if name == "kernel":
                value = value.transpose(2, 3, 1, 0)
            variable.assign(value.reshape(variable.shape))


@pytest.mark.parametrize("score", ["learned", "patched"])
@pytest.mark.parametrize(("head", "margin"), [(ArcFaceHead, 0.5), (CosFaceHead, 0.35)])
def test_losses_and_gradients_are_the_authors(random, score, head, margin):
    grid = random.normal(size=(FACES, *SHAPE)).astype(np.float32)
    labels = random.integers(PEOPLE, size=FACES)
    teacher = random.normal(size=(FACES, 16)).astype(np.float32)
    teacher /= np.linalg.norm(teacher, axis=1, keepdims=True)
    ours = comparison(SHAPE, score, symmetric=False)
    attention = None
    if score == "learned":
        torch.manual_seed(0)
        attention = randomise(Attention(), seed=3).train()
        take_over(ours, attention)
    image = keras.Input(SHAPE)
    features = keras.Model(image, keras.layers.Activation("linear")(image))
    network = SimpleNamespace(features=features, comparisons={score: ours})
    margin_head = head(PEOPLE, margin=margin, scale=30.0)
    trainer = Trainer(network, margin_head, {"identification": 1.0, score: 1.0})
    kernel = np.array(margin_head.kernel)
    expected = reference(grid, labels, kernel, teacher, attention, head, margin)

    inputs = tf.constant(grid[np.newaxis])
    batch = {
        "input": inputs,
        "label": tf.constant(labels[np.newaxis], tf.int32),
        "first": tf.constant(FIRST[np.newaxis], tf.int32),
        "second": tf.constant(SECOND[np.newaxis], tf.int32),
        "same": tf.zeros((1, len(FIRST)), tf.int32),
        "teacher": tf.constant(teacher[np.newaxis]),
    }
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        losses = trainer.losses_of(batch)
    for name, loss, gradient in zip(("identification", score), *expected, strict=True):
        assert float(losses[name]) == pytest.approx(loss, rel=1e-4), name
        found = tape.gradient(losses[name], inputs)[0].numpy()
        scale = np.abs(gradient).max()
        assert scale > 0
        np.testing.assert_allclose(found / scale, gradient / scale, atol=1e-4, err_msg=name)
    assert np.abs(expected[1][1]).max() > 1e-4  # L_cos moves the grid
