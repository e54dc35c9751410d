"""Self-distillation: a compressed network learns the grid feature of the one it came from."""

import importlib.metadata
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tqdm import tqdm

from xcos_tf.arrays import read_npz
from xcos_tf.data.augmentation import augment_face, mirror_face
from xcos_tf.data.face_set import FaceSet, hold_out, join_sets
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.training_input import decode_face, face_batches, normalise_faces
from xcos_tf.errors import XcosError, explained
from xcos_tf.export.compression.equalise import equalised
from xcos_tf.export.compression.layout import simple_weights
from xcos_tf.export.compression.operations import SHARES, int8_ranges, with_rests
from xcos_tf.export.compression.students import (
    ClusteredStudent,
    PrunedStudent,
    QatStudent,
    Student,
)
from xcos_tf.files import replace_file
from xcos_tf.models.mobilefacenet import BLOCKS
from xcos_tf.models.normalisation import unit_length
from xcos_tf.models.presets import load_preset
from xcos_tf.models.weights import LARGEST_WEIGHTS
from xcos_tf.stop_signal import stop_asked

STATE = "state.npz"
WARMUP = 0.1
L2_WEIGHT = 0.5
LARGEST_NORM = 1.0  # of the gradient of one variable
AUGMENTED = 0.5
RECENT = 20
"""Losses of so many steps are told of as their mean."""


@dataclass(frozen=True)
class Request:
    """One fine-tuning.

    Attributes:
        preset: name or folder of an xCos preset.
        variant: one of `COMPRESSED`.
        sets: prepared sets to draw faces from, folders.
        hold_out: {set's name: people of it that are left out}, as the preset's training did.
        hold_out_seed: of that draw.
        steps: to make, 1 or more.
        batch: faces of a step.
        rate: the highest learning rate; it comes and goes by a cosine.
        seed: of the faces' order and of their augmentation.
        every: steps between two checkpoints.
        calibration: faces to see the channels' sizes on.
        sparsity: share of each large kernel's weights that become 0; "pruned" alone.
        clusters: distinct values of each large kernel; "clustered" alone.
    """

    preset: str
    variant: str
    sets: list[str]
    hold_out: dict[str, int] = field(default_factory=dict)
    hold_out_seed: int = 0
    steps: int = 600
    batch: int = 32
    rate: float = 5e-5
    seed: int = 1
    every: int = 50
    calibration: int = 256
    sparsity: float = 0.5
    clusters: int = 64


def faces_of(request: Request) -> tuple[FaceSet, FaceSet]:
    """Return the faces of the people whom the preset was trained on, and of those held out.

    Raises XcosError if a set is not there, or has too few people.
    """
    everyone = join_sets([PreparedSet(folder) for folder in request.sets])
    return hold_out(everyone, request.hold_out, request.hold_out_seed)


def face_order(faces: int, needed: int, seed: int) -> np.ndarray:
    """Return int64 positions (needed,): all faces in random order, then again in another, …"""
    random = np.random.default_rng(seed)
    rounds = -(-needed // faces)
    return np.concatenate([random.permutation(faces) for _ in range(rounds)])[:needed]


def training_batches(faces: FaceSet, request: Request, first_step: int) -> tf.data.Dataset:
    """Return the batches of steps `first_step` up to the last, the same whenever they are made.

    Half of the faces are changed as in training, see `augment_face`, and half of these mirrored.

    Returns:
        Elements float32 (batch, 112, 112, 3) RGB in [−1, 1].
    """
    order = face_order(len(faces), request.steps * request.batch, request.seed)

    def read(number):
        return faces.read(order[number : number + 1])[0]

    def face(number):
        image = tf.ensure_shape(tf.numpy_function(read, [number], tf.string), ())
        pixels = decode_face(image)
        seed = tf.stack([tf.constant(request.seed, tf.int32), tf.cast(number, tf.int32)])
        changed = tf.random.stateless_uniform((), seed) < AUGMENTED
        change = lambda: augment_face(mirror_face(pixels, seed), seed)  # noqa: E731
        pixels = tf.cond(changed, change, lambda: pixels)
        return tf.ensure_shape(pixels, (112, 112, 3))

    numbers = tf.data.Dataset.range(first_step * request.batch, len(order))
    return (
        numbers.map(face, num_parallel_calls=2, deterministic=True)
        .batch(request.batch, drop_remainder=True)
        .map(normalise_faces)
        .prefetch(2)
    )


def make_student(
    request: Request, weights: dict, faces: np.ndarray, blocks: Sequence = BLOCKS
) -> Student:
    """Return the variant's network, of these blocks, before its first step.

    Its weights are equalised; faces, float32 (N, h, w, 3) in [−1, 1], are for the ranges of int8.
    """
    if request.variant == "pruned":
        return PrunedStudent(weights, request.sparsity, request.steps, blocks)
    if request.variant == "clustered":
        return ClusteredStudent(weights, request.clusters, request.seed, blocks)
    weights = with_rests(weights)
    ranges = int8_ranges(weights, faces, SHARES, blocks=blocks, batch=request.batch)
    return QatStudent(weights, ranges, blocks)


def learning_rate(request: Request, step: int) -> float:
    """Return the rate of a step, from 0: up in a tenth of the steps, down by half a cosine."""
    warm = max(round(WARMUP * request.steps), 1)
    down = 0.5 * (1 + np.cos(np.pi * step / request.steps))
    return request.rate * min((step + 1) / warm, 1.0) * down


def distillation_loss(grid: tf.Tensor, teacher: tf.Tensor) -> tf.Tensor:
    """Return 1 − the mean cosine of each two cells, and a part of their squared difference.

    S sees the cells' directions alone, the learned W also their lengths.

    Args:
        grid, teacher: float32 (N, h, w, c).
    """
    cosine = tf.reduce_sum(unit_length(grid) * unit_length(teacher), axis=-1)
    error = tf.reduce_mean(tf.square(grid - teacher)) / tf.reduce_mean(tf.square(teacher))
    return 1 - tf.reduce_mean(cosine) + L2_WEIGHT * error


class FineTuning:
    """A student, its teacher and the optimiser, at some step; `losses` are of the last steps."""

    def __init__(self, student: Student, teacher: Callable, request: Request):
        """Take all at step 0."""
        self.student, self._request, self.step = student, request, 0
        self.losses: list[float] = []
        self._optimizer = keras.optimizers.Adam(0.0)
        trained = _each_once(student.trained)
        self._optimizer.build(trained)
        self._state = _each_once([*student.state, *self._optimizer.variables])

        @tf.function
        def train(images):
            target = teacher(images)
            with tf.GradientTape() as tape:
                loss = distillation_loss(student(images), target)
            # Those of clusters have a row for each place; Keras 3 would clip them otherwise.
            clipped = [tf.clip_by_norm(x, LARGEST_NORM) for x in tape.gradient(loss, trained)]
            gradients = map(tf.convert_to_tensor, clipped)
            self._optimizer.apply_gradients(zip(gradients, trained, strict=True))
            return loss

        self._train = train

    def advance(self, images: tf.Tensor) -> float:
        """Make one step; returns its loss."""
        self._optimizer.learning_rate.assign(learning_rate(self._request, self.step))
        loss = float(self._train(images))
        if not np.isfinite(loss):
            raise XcosError(
                f"the loss of step {self.step} is {loss}; try again with a lower learning rate"
            )
        self.step += 1
        self.losses = [*self.losses, loss][-RECENT:]
        return loss

    def save(self, path: Path) -> None:
        """Write everything that the next step depends on."""
        arrays = {f"v{i}": np.asarray(variable) for i, variable in enumerate(self._state)}
        arrays |= {"step": self.step, "losses": self.losses}
        told = np.array(json.dumps(asdict(self._request)))
        replace_file(path, lambda stream: np.savez(stream, request=told, **arrays))

    def restore(self, path: Path) -> None:
        """Go on from a saved state, if there is one.

        Raises XcosError if it is damaged, or of another request.
        """
        if not path.exists():
            return
        errors = OSError, ValueError, KeyError, TypeError
        with explained(f"{path} cannot be read", "delete it to start again", errors):
            saved = read_npz(path, LARGEST_WEIGHTS)
            told = json.loads(str(saved["request"]))
            arrays = [saved[f"v{i}"] for i in range(len(self._state))]
            step, losses = int(saved["step"]), saved["losses"].tolist()
        if told != asdict(self._request):
            raise XcosError(
                f"{path} is of a run with other settings; delete it or choose another folder"
            )
        for variable, array in zip(self._state, arrays, strict=True):
            variable.assign(array)
        self.step, self.losses = step, losses


def _each_once(variables: Sequence) -> list:
    return list({id(variable): variable for variable in variables}.values())


def fine_tune(request: Request, folder: Path) -> tuple[dict[str, np.ndarray], dict] | None:
    """Fine-tune a variant, or go on with it, with a progress bar on stderr.

    Args:
        request: what to do.
        folder: made if need be; holds the state.

    Returns:
        What `save_compressed` takes of the variant, and facts of how it was made; None if Ctrl-C or
        SIGTERM stopped it, and the same call goes on.

    Raises:
        XcosError: there is no such preset or set, a package is not there, or the state is not of
            this request.
    """
    network = load_preset(request.preset).network
    faces, _ = faces_of(request)
    count = min(request.calibration, len(faces))
    chosen = np.random.default_rng([request.seed, 1]).choice(len(faces), count, replace=False)
    some = next(iter(face_batches(faces, chosen, batch=count))).numpy()
    to_int8 = request.variant == "qat"
    weights = equalised(simple_weights(network), some, typical=not to_int8, cells=to_int8)
    run = FineTuning(make_student(request, weights, some), network.features, request)
    folder.mkdir(parents=True, exist_ok=True)
    run.restore(folder / STATE)
    with (
        stop_asked() as asked,
        tqdm(total=request.steps, initial=run.step, desc=request.variant, unit="step") as bar,
    ):
        for images in training_batches(faces, request, run.step):
            run.advance(images)
            bar.update()
            bar.set_postfix(loss=f"{np.mean(run.losses):.5f}")
            if run.step % request.every == 0 or run.step == request.steps or asked():
                run.save(folder / STATE)
            if asked() and run.step < request.steps:
                return None
    names = ["tensorflow", *(["tensorflow-model-optimization"] if not to_int8 else [])]
    facts = {
        "loss": float(np.mean(run.losses)),
        "faces": len(faces),
        "people": len(faces.people),
        **{name: importlib.metadata.version(name) for name in names},
    }
    return run.student.arrays(), facts
