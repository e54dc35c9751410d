"""From a configuration to the model that is trained, in its starting state."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from tensorflow import keras

from xcos_tf.errors import XcosError
from xcos_tf.models.builder import build_network
from xcos_tf.models.comparison import PLAIN_COSINE, plain_comparison
from xcos_tf.models.margins import ArcFaceHead, CosFaceHead
from xcos_tf.models.network import EmbeddingNetwork, XCosNetwork
from xcos_tf.models.presets import load_preset
from xcos_tf.models.weights import assign_arrays, named_weights, read_arrays
from xcos_tf.training.config import PARTS, SCORES, TrainingConfig
from xcos_tf.training.devices import precision
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

    network: XCosNetwork | EmbeddingNetwork
    trainer: Trainer
    stem: Images
    features: keras.Model
    teacher: Images | None

    @property
    def size(self) -> int:
        """Side of the square images, pixels."""
        network = self.network
        whole = network.grid if isinstance(network, XCosNetwork) else network.whole
        return whole.input_shape[1]


def assemble(config: TrainingConfig, people: int, steps: int, steps_per_epoch: int) -> Assembly:
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
    with precision(config.devices.precision):
        try:
            network = build_network(config.model)
        except (KeyError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise XcosError(f"model describes no network: {reason}") from None
        whole = network.grid if config.explains else network.whole
        margin_head = MARGIN_HEADS[config.loss.head](
            people, margin=config.loss.margin, scale=config.loss.scale, name="margin_head"
        )
        margin_head.build((None, int(np.prod(whole.output_shape[1:]))))
    if config.start.preset:
        _take_over(config.start.preset, network)
    teacher = _load_teacher(config, whole) if config.teacher else None
    trunk, tail, features = _cut(whole, config)
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
        _comparisons(network),
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
    head = "grid_head" if config.explains else "embedding_head"
    layers = {"backbone": tail, "head": whole.get_layer(head), "margin_head": margin_head}
    if config.explains and "learned" in network.comparisons:
        layers["attention"] = network.comparisons["learned"]
    trainer.compile(_parts(config, layers, steps, steps_per_epoch), jit_compile=config.devices.xla)
    return Assembly(
        network,
        trainer,
        stem or (lambda images: images),
        features,
        ask_teacher,
    )


def _comparisons(network: XCosNetwork | EmbeddingNetwork) -> dict[str, keras.Model]:
    """Return what compares two faces, for each score whose L_cos could be wanted."""
    if isinstance(network, XCosNetwork):
        return network.comparisons
    return {PLAIN_COSINE: plain_comparison(network.whole.output_shape[-1])}


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
    heads = [layer.name for layer in preset.whole.layers]
    if "embedding_head" not in heads or not config.model["xcos"].get("cell_affine"):
        raise XcosError(
            "start: grid_head: linear_tail needs a preset with a linear embedding head, such as "
            "mobilefacenet, and model: xcos: cell_affine: true"
        )
    backbone = assembly.network.grid.get_layer("backbone")
    run = tf.function(lambda x: backbone(x, training=False), reduce_retracing=True)
    features = np.concatenate([run(block).numpy() for block in images])
    start_from_linear_tail(
        assembly.network.grid.get_layer("grid_head"),
        preset.whole.get_layer("embedding_head"),
        features,
    )


def _take_over(name: str, network: XCosNetwork | EmbeddingNetwork) -> None:
    """Copy the weights that a preset shares with the network by path and shape."""
    own = read_arrays(network.whole)
    theirs = {_plain(k): v for k, v in read_arrays(load_preset(name).network.whole).items()}
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
    assign_arrays(network.whole, {**own, **taken}, str(name))


def _plain(path: str) -> str:
    """Return a weight's path without the model that holds the backbone in an xCos network."""
    return path.removeprefix("grid/")


def _load_teacher(config: TrainingConfig, whole: keras.Model) -> keras.Model:
    teacher = load_preset(config.teacher).network
    if isinstance(teacher, XCosNetwork):
        raise XcosError(
            f"the teacher {config.teacher} is an xCos preset; give one with an embedding, such as "
            "mobilefacenet"
        )
    if teacher.whole.input_shape != whole.input_shape:
        raise XcosError(
            f"the teacher {config.teacher} takes images of {teacher.whole.input_shape[1:]} and the "
            f"model {whole.input_shape[1:]}; give another teacher"
        )
    teacher.whole.trainable = False
    return teacher.whole


def _cut(whole: keras.Model, config: TrainingConfig):
    """Return the backbone's frozen start or None, the rest of it, and `whole` from the cut on."""
    backbone = whole.get_layer("backbone")
    name = config.start.frozen_until
    if not name:
        return None, backbone, whole
    names = [layer.name for layer in backbone.layers]
    if name not in names:
        raise XcosError(
            f"start: frozen_until names {name!r}, which is no layer of the backbone; its last are "
            f"{', '.join(names[-8:])}"
        )
    trunk = keras.Model(backbone.input, backbone.get_layer(name).output, name="trunk")
    tail = keras.Model(backbone.get_layer(name).output, backbone.output, name="backbone")
    trunk.trainable = False
    return trunk, tail, _after(whole, name)


def _after(whole: keras.Model, name: str) -> keras.Model:
    """Return a network from the output of a backbone's layer on, sharing its weights."""
    cut = whole.get_layer("backbone").get_layer(name).output
    tail = keras.Model(cut, whole.get_layer("backbone").output)
    head = whole.layers[-1]
    start = keras.Input(cut.shape[1:], name="stem")
    return keras.Model(start, head(tail(start)), name="features")


def _same_trunk(trunk: keras.Model, teacher: keras.Model) -> bool:
    """Return whether a teacher's backbone starts with the same layers, with the same weights."""
    theirs = named_weights(teacher.get_layer("backbone"))
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
        rate = build_schedule(config.schedule, peak, steps, steps_per_epoch, bool(config.epochs))
        built = build_optimizer(section, rate)
        parts.append(Part(layers[name], built.optimizer, built.l2))
    return parts
