"""From a configuration to the model that is trained, in its starting state.

With a grid head that already verifies faces before the first step, from an embedding head that is
linear.
"""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf
from tensorflow import keras

from xcos_tf.environment import default_settings
from xcos_tf.errors import XcosError, reason_of
from xcos_tf.models.builder import build_network, describe
from xcos_tf.models.margins import ArcFaceHead, CosFaceHead
from xcos_tf.models.network import FaceEmbedder, XCos
from xcos_tf.models.presets import load_preset
from xcos_tf.models.weights import assign_arrays, read_arrays
from xcos_tf.training.checkpoints import take_weights
from xcos_tf.training.config import PARTS, SCORES, TrainingConfig
from xcos_tf.training.model import Part, Trainer
from xcos_tf.training.optimizers import build_optimizer
from xcos_tf.training.schedules import build_schedule

PENALTY = 1e-3
MARGIN_HEADS = {"arcface": ArcFaceHead, "cosface": CosFaceHead}


def assemble(config: TrainingConfig, people: int, steps: int, steps_per_epoch: float) -> Trainer:
    """Build the network with its starting weights, and its trainer; call in a strategy's scope.

    Raises:
        XcosError: a preset or a checkpoint cannot be used, or the model, a layer's name or an
            optimizer is wrong.
    """
    keras.utils.set_random_seed(config.seed)  # of the weights that start at random
    with default_settings(config.devices.precision):
        try:
            network = build_network(config.model.section, trusted=True)
            describe(network)  # for the preset, which would fail after the run otherwise
        except Exception as error:  # Keras's own are of any kind
            raise XcosError(f"model describes no network: {reason_of(error, 300)}") from None
        whole = network.features
        margin_head = MARGIN_HEADS[config.loss.head](
            people, margin=config.loss.margin, scale=config.loss.scale, name="margin_head"
        )
        margin_head.build((None, int(np.prod(whole.output_shape[1:]))))
    if config.start.preset:
        preset = load_preset(config.start.preset).network
        _take_over(config.start.preset, preset, network)
        if config.start.grid_head and not has_linear_tail(network.head, preset.head):
            raise XcosError(
                "start.grid_head: linear_tail needs a preset with a linear embedding head, such as "
                "mobilefacenet, and model.xcos with cell_affine: true, batch_norm: false and no "
                "more channels than that embedding has"
            )
    weights = {name: getattr(config.loss, name) for name in SCORES}
    weights["identification"] = config.loss.identification.weight
    if config.loss.covering:
        weights["covering"] = config.loss.covering.weight
    try:
        trainer = Trainer(
            network,
            margin_head,
            weights,
            _load_teacher(config, whole) if config.teacher else None,
            config.start.frozen_until,
            config.loss.identification.feature,
            config.loss.balance,
            config.loss.sample,
            config.batch.accumulate,
            config.optimizers.clip_norm,
            seed=config.seed,
        )
    except ValueError as error:
        raise XcosError(f"the trainer cannot be built: {error}") from None
    if config.optimizers.context:
        context_conv(network).trainable = False
        wanted = trainer.teacher.output_shape[-1]
        if config.model.xcos.context != wanted:
            raise XcosError(
                f"optimizers.context: ridge needs model.xcos.context {wanted}, the length of its "
                f"embeddings; it is {config.model.xcos.context}"
            )
    trainer.compile(_parts(config, trainer.parts, steps, steps_per_epoch))
    if config.start.checkpoint:
        take_weights(trainer, config.start.checkpoint)
    return trainer


def start_grid_head(config: TrainingConfig, trainer: Trainer, images: tf.data.Dataset) -> None:
    """Set the grid head by `start_from_linear_tail`, on feature maps of some 2,000 training faces.

    These come in batches float32 (n, h, w, 3).
    """
    preset = load_preset(config.start.preset).network
    backbone = trainer.network.backbone
    run = tf.function(lambda x: backbone(x, training=False), reduce_retracing=True)
    features = np.concatenate([run(block).numpy() for block in images])
    start_from_linear_tail(trainer.network.head, preset.head, features)


def context_conv(network: XCos) -> keras.layers.Layer:
    """Return what makes one embedding of a grid in an `attention_with_context`."""
    return network.comparisons["learned"].get_layer("learned_attention").get_layer("context_conv")


def fit_context(trainer: Trainer, faces: Iterable[tuple[np.ndarray, np.ndarray]]) -> None:
    """Set the context to the affine map from grids that comes nearest to the teacher's embeddings.

    That is ridge regression, whose penalty is a thousandth of the mean square of the grids.

    Args:
        faces: blocks of what `Trainer.stem` gives and of the teacher's embeddings, float (n, h, w,
            c) and (n, dimension).
    """
    run = tf.function(lambda x: trainer.features(x, training=False), reduce_retracing=True)
    gram = product = 0.0
    for stem, embeddings in faces:
        grids = run(tf.cast(stem, tf.float32)).numpy().astype(np.float64)
        rows = np.concatenate([grids.reshape(len(grids), -1), np.ones((len(grids), 1))], axis=1)
        gram, product = gram + rows.T @ rows, product + rows.T @ embeddings
    penalty = np.eye(len(gram)) * PENALTY * np.trace(gram) / len(gram)
    penalty[-1, -1] = 0
    found = np.linalg.solve(gram + penalty, product)
    kernel = found[:-1].reshape(*grids.shape[1:], -1)
    context_conv(trainer.network).set_weights([kernel, found[-1]])


def _take_over(name: str, preset: XCos | FaceEmbedder, network: XCos | FaceEmbedder) -> None:
    """Copy the weights that a preset shares with the network by path and shape."""
    own = read_arrays(network)
    theirs = {_plain(k): v for k, v in read_arrays(preset).items()}
    taken = {
        path: theirs[_plain(path)]
        for path, value in own.items()
        if _plain(path) in theirs and theirs[_plain(path)].shape == value.shape
    }
    missing = [x for x in own if _plain(x).startswith("backbone/") and x not in taken]
    if missing:
        raise XcosError(
            f"the backbone of the preset {name} has other weights than the model's "
            f"({', '.join(sorted(missing)[:3])}, …); give model: backbone the preset's"
        )
    assign_arrays(network, {**own, **taken}, str(name))


def _plain(path: str) -> str:
    """Return a weight's path without the model that holds the backbone in an xCos network."""
    return path.removeprefix("grid/")


def _load_teacher(config: TrainingConfig, whole: keras.Model) -> FaceEmbedder:
    teacher = load_preset(config.teacher).network
    if teacher.explains:
        raise XcosError(
            f"the teacher {config.teacher} is an xCos preset; give one with an embedding, such as "
            "mobilefacenet"
        )
    if teacher.input_shape != whole.input_shape:
        raise XcosError(
            f"the teacher {config.teacher} takes images of {teacher.input_shape[1:]} and the "
            f"model {whole.input_shape[1:]}; give another teacher"
        )
    return teacher


def _parts(config, layers, steps, steps_per_epoch) -> list[Part]:
    parts = []
    for name in PARTS:
        given = getattr(config.optimizers, name)
        if given is None:
            continue
        if name not in layers:
            raise XcosError(f"optimizers: {name} has an optimizer, and the model has no such part")
        peak = given.learning_rate * config.batch.times
        rate = build_schedule(config.schedule, peak, steps, steps_per_epoch, bool(config.epochs))
        parts.append(build_optimizer(given.section, rate, layers[name]))
    return parts


def has_linear_tail(grid_head: keras.Model, embedding_head: keras.Model) -> bool:
    """Return whether `start_from_linear_tail` can set a grid head by an embedding head."""
    own, tail = ({x.name: x for x in head.layers} for head in (grid_head, embedding_head))
    return (
        {"depthwise", "mix", "project"} <= tail.keys()
        and not {"depthwise_bn", "bn"} & (tail.keys() | own.keys())
        and "cell_affine" in own
        and grid_head.input_shape == embedding_head.input_shape
        and grid_head.output_shape[-1] <= embedding_head.output_shape[-1]
    )


def start_from_linear_tail(
    grid_head: keras.Model, embedding_head: keras.Model, feature_maps: np.ndarray
) -> float:
    """Set a grid head with `cell_affine` to the main directions of the cells' contributions.

    Each cell's contribution to the embedding is centred over `feature_maps`, and the 1×1
    convolution projects onto the principal components of all cells' contributions.

    Args:
        grid_head: built with cell_affine=True and batch_norm=False.
        embedding_head: a folded `depthwise_head` on the same feature map.
        feature_maps: float32 (N, h, w, c), of training faces.

    Returns:
        The share of the contributions' variance that the grid feature keeps, in [0, 1].
    """
    # There is no non-linearity in it: the embedding is a constant plus the sum over cells of
    # `matrix.T @ (scale[i, j] * x[i, j])`.
    names = ("depthwise", "mix", "project")
    kernels = (np.asarray(embedding_head.get_layer(name).weights[0]) for name in names)
    depthwise, mix, project = kernels
    scale, matrix = depthwise[..., 0], mix[0, 0] @ project[0, 0]
    mean = feature_maps.mean(axis=0)
    contributions = ((feature_maps - mean) * scale).reshape(-1, matrix.shape[0]) @ matrix
    covariance = contributions.T @ contributions / len(contributions)
    values, vectors = np.linalg.eigh(covariance)
    conv = grid_head.get_layer("conv")
    channels = conv.weights[0].shape[-1]
    kernel = matrix @ vectors[:, ::-1][:, :channels]
    # Cells of about unit length suit the attention's convolutions.
    kernel /= np.sqrt(values.sum())
    conv.set_weights([kernel[np.newaxis, np.newaxis].astype(np.float32), np.zeros(channels)])
    grid_head.get_layer("cell_affine").set_weights([scale, -scale * mean])
    return float(values[::-1][:channels].sum() / values.sum())
