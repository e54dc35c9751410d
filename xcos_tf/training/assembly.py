"""From a configuration to the model that is trained, in its starting state."""

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
from xcos_tf.training.initialisation import has_linear_tail, start_from_linear_tail
from xcos_tf.training.model import Part, Trainer
from xcos_tf.training.optimizers import build_optimizer, try_optimizer
from xcos_tf.training.schedules import build_schedule

MARGIN_HEADS = {"arcface": ArcFaceHead, "cosface": CosFaceHead}
LOSSES = ("locality", *SCORES)


def assemble(config: TrainingConfig, people: int, steps: int, steps_per_epoch: float) -> Trainer:
    """Build the network with its starting weights, and its trainer; call in a strategy's scope.

    Args:
        config: of the run.
        people: to tell apart.
        steps: of the whole run.
        steps_per_epoch: in whose terms an `epochs` run's schedule is.

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
    weights = {name: getattr(config.loss, name) for name in LOSSES}
    weights["identification"] = config.loss.identification.weight
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
    trainer.compile(_parts(config, trainer.parts, steps, steps_per_epoch))
    if config.start.checkpoint:
        take_weights(trainer, config.start.checkpoint)
    return trainer


def try_optimizers(config: TrainingConfig) -> None:
    """Try every part's optimizer on a small kernel; call outside of a strategy's scope.

    Raises:
        XcosError: see `try_optimizer`.
    """
    for name in PARTS:
        if given := getattr(config.optimizers, name):
            try_optimizer(given.section, given.learning_rate)


def start_grid_head(config: TrainingConfig, trainer: Trainer, images: tf.data.Dataset) -> None:
    """Set the grid head by `start_from_linear_tail`, on feature maps of some training faces.

    Args:
        config: whose `start` has `grid_head: linear_tail`.
        trainer: of the run, not yet trained.
        images: batches float32 (n, h, w, 3), some 2,000 faces in all.

    """
    preset = load_preset(config.start.preset).network
    backbone = trainer.network.backbone
    run = tf.function(lambda x: backbone(x, training=False), reduce_retracing=True)
    features = np.concatenate([run(block).numpy() for block in images])
    start_from_linear_tail(trainer.network.head, preset.head, features)


def _take_over(name: str, preset: XCos | FaceEmbedder, network: XCos | FaceEmbedder) -> None:
    """Copy the weights that a preset shares with the network by path and shape."""
    own = read_arrays(network)
    theirs = {_plain(k): v for k, v in read_arrays(preset).items()}
    taken = {
        path: theirs[_plain(path)]
        for path, value in own.items()
        if _plain(path) in theirs and theirs[_plain(path)].shape == value.shape
    }
    backbone = {path for path in own if _plain(path).startswith("backbone/")}
    if not backbone <= taken.keys():
        missing = ", ".join(sorted(backbone - taken.keys())[:3])
        raise XcosError(
            f"the backbone of the preset {name} has other weights than the model's ({missing}, …); "
            "give model: backbone the preset's"
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
        built = build_optimizer(given.section, rate)
        parts.append(Part(layers[name], built.optimizer, built.l2))
    return parts
