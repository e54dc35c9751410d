"""From a configuration to the model that is trained, in its starting state."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from tensorflow import keras

from xcos_tf.environment import default_settings
from xcos_tf.errors import XcosError
from xcos_tf.models.builder import build_network, describe
from xcos_tf.models.margins import ArcFaceHead, CosFaceHead
from xcos_tf.models.network import FaceEmbedder, XCos
from xcos_tf.models.presets import load_preset
from xcos_tf.models.weights import assign_arrays, named_weights, read_arrays
from xcos_tf.training.config import PARTS, SCORES, TrainingConfig
from xcos_tf.training.initialisation import start_from_linear_tail
from xcos_tf.training.model import Part, Trainer
from xcos_tf.training.optimizers import build_optimizer
from xcos_tf.training.schedules import build_schedule

MARGIN_HEADS = {"arcface": ArcFaceHead, "cosface": CosFaceHead}
LOSSES = ("locality", *SCORES)
Images = Callable[[tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class Assembly:
    """What a run trains, and what it is made of.

    Attributes:
        network: the network of the preset to be.
        trainer: compiled.
        stem: from images float32 (N, h, w, 3) in [−1, 1] to what `features` and `teacher` take.
        features: from the stem's output to the grid feature or the embedding.
        teacher: from the stem's output to the teacher's embedding; None for a baseline.
    """

    network: XCos | FaceEmbedder
    trainer: Trainer
    stem: Images
    features: keras.Model
    teacher: Images | None

    @property
    def size(self) -> int:
        """Side of the square images, pixels."""
        return self.network.features.input_shape[1]


def assemble(config: TrainingConfig, people: int, steps: int, steps_per_epoch: float) -> Assembly:
    """Build the network with its starting weights, and its trainer; call in a strategy's scope.

    Args:
        config: of the run.
        people: to tell apart.
        steps: of the whole run.
        steps_per_epoch: in whose terms an `epochs` run's schedule is.

    Raises:
        XcosError: a preset cannot be used, the model or a layer's name is wrong, or an optimizer.
    """
    keras.utils.set_random_seed(config.seed)  # of the weights that start at random
    with default_settings(config.devices.precision):
        try:
            network = build_network(config.model, trusted=True)
            describe(network)  # for the preset, which would fail after the run otherwise
        except (KeyError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise XcosError(f"model describes no network: {reason}") from None
        whole = network.features
        margin_head = MARGIN_HEADS[config.loss.head](
            people, margin=config.loss.margin, scale=config.loss.scale, name="margin_head"
        )
        margin_head.build((None, int(np.prod(whole.output_shape[1:]))))
    if config.start.preset:
        _take_over(config.start.preset, network)
    teacher = _load_teacher(config, whole) if config.teacher else None
    trunk, tail, features = _cut(network, config)
    shared = trunk is not None and (teacher is None or _same_trunk(trunk, teacher))
    if shared:
        stem = lambda images: trunk(images, training=False)  # noqa: E731
        teacher = teacher and _after(teacher, config.start.frozen_until)
    else:
        stem, features = None, whole
    ask_teacher = teacher and (lambda inputs: teacher(inputs, training=False))
    trainer = Trainer(
        features,
        margin_head,
        {
            "identification": config.loss.identification.weight,
            **{name: getattr(config.loss, name) for name in LOSSES},
        },
        network.comparisons,
        ask_teacher,
        stem,
        config.loss.sample,
        config.batch.accumulate,
        config.optimizers.clip_norm,
        config.devices.precision == "mixed_float16",
        config.seed,
        config.loss.identification.feature,
        config.loss.balance,
    )
    layers = {"backbone": tail, "head": network.head, "margin_head": margin_head}
    if "learned" in network.comparisons:
        layers["attention"] = network.comparisons["learned"]
    trainer.compile(_parts(config, layers, steps, steps_per_epoch), jit_compile=config.devices.xla)
    return Assembly(
        network,
        trainer,
        stem or (lambda images: images),
        features,
        ask_teacher,
    )


def start_grid_head(config: TrainingConfig, assembly: Assembly, images: tf.data.Dataset) -> None:
    """Set the grid head by `start_from_linear_tail`, on feature maps of some training faces.

    Args:
        config: whose `start` has `grid_head: linear_tail`.
        assembly: of the run, not yet trained.
        images: batches float32 (n, h, w, 3), some 2,000 faces in all.

    Raises:
        XcosError: the start's preset has no linear embedding head, or the grid head no
            `cell_affine`.
    """
    preset = load_preset(config.start.preset).network
    if preset.explains or not config.model["xcos"].get("cell_affine"):
        raise XcosError(
            "start: grid_head: linear_tail needs a preset with a linear embedding head, such as "
            "mobilefacenet, and model: xcos: cell_affine: true"
        )
    backbone = assembly.network.backbone
    run = tf.function(lambda x: backbone(x, training=False), reduce_retracing=True)
    features = np.concatenate([run(block).numpy() for block in images])
    start_from_linear_tail(assembly.network.head, preset.head, features)


def _take_over(name: str, network: XCos | FaceEmbedder) -> None:
    """Copy the weights that a preset shares with the network by path and shape."""
    own = read_arrays(network)
    theirs = {_plain(k): v for k, v in read_arrays(load_preset(name).network).items()}
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
    teacher.trainable = False
    return teacher


def _cut(network: XCos | FaceEmbedder, config: TrainingConfig):
    """Return the backbone's frozen start or None, the rest, and the features from the cut on."""
    backbone = network.backbone
    name = config.start.frozen_until
    if not name:
        return None, backbone, network.features
    names = [layer.name for layer in backbone.layers]
    if name not in names:
        raise XcosError(
            f"start: frozen_until names {name!r}, which is no layer of the backbone; its last are "
            f"{', '.join(names[-8:])}"
        )
    trunk = keras.Model(backbone.input, backbone.get_layer(name).output, name="trunk")
    tail = keras.Model(backbone.get_layer(name).output, backbone.output, name="backbone")
    trunk.trainable = False
    return trunk, tail, _after(network, name)


def _after(network: XCos | FaceEmbedder, name: str) -> keras.Model:
    """Return a network's features from a layer of the backbone on, sharing its weights."""
    cut = network.backbone.get_layer(name).output
    tail = keras.Model(cut, network.backbone.output)
    start = keras.Input(cut.shape[1:], name="stem")
    return keras.Model(start, network.head(tail(start)), name="features")


def _same_trunk(trunk: keras.Model, teacher: FaceEmbedder) -> bool:
    """Return whether a teacher's backbone starts with the same layers, with the same weights."""
    theirs = named_weights(teacher.backbone)
    return all(
        path in theirs and np.array_equal(np.asarray(value), np.asarray(theirs[path]))
        for path, value in named_weights(trunk).items()
    )


def _parts(config, layers, steps, steps_per_epoch) -> list[Part]:
    parts = []
    for name in PARTS:
        section = getattr(config.optimizers, name)
        if not section:
            continue
        if name not in layers:
            raise XcosError(f"optimizers: {name} has an optimizer, and the model has no such part")
        section = dict(section)
        peak = section.pop("learning_rate", None)
        if isinstance(peak, bool) or not isinstance(peak, (int, float)) or peak <= 0:
            raise XcosError(
                f"optimizers: {name}: learning_rate must be a number above 0; it is {peak!r}"
            )
        peak *= config.batch.times
        rate = build_schedule(config.schedule, peak, steps, steps_per_epoch, bool(config.epochs))
        built = build_optimizer(section, rate)
        parts.append(Part(layers[name], built.optimizer, built.l2))
    return parts
