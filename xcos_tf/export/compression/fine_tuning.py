"""Self-distillation: a compressed network learns the grid feature of the one it came from.

Run as `python -m xcos_tf.export.compression.fine_tuning FOLDER` under TF_USE_LEGACY_KERAS=1, with
FOLDER/request.json, the fields of a `Request`. It keeps FOLDER/state.npz, from which the same
command goes on, and ends with FOLDER/result.safetensors and FOLDER/result.json. It exits with 0
when done, 2 with one sentence on stderr after an `XcosError`, and 3 when it was told to stop.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tqdm import tqdm

from xcos_tf.arrays import read_npz
from xcos_tf.errors import XcosError, reason_of
from xcos_tf.export.compression.equalise import equalised
from xcos_tf.export.compression.faces import calibration_faces, faces_of, training_batches
from xcos_tf.export.compression.layout import grid_feature, simple_weights
from xcos_tf.export.compression.operations import CuttingOperations, with_rests
from xcos_tf.export.compression.request import Request, package_versions
from xcos_tf.export.compression.students import ClusteredStudent, PrunedStudent, Student
from xcos_tf.files import replace_file, write_json
from xcos_tf.models.mobilefacenet import BLOCKS
from xcos_tf.models.normalisation import unit_length
from xcos_tf.models.presets import load_preset
from xcos_tf.models.weights import LARGEST_WEIGHTS
from xcos_tf.stop_signal import stop_asked

STATE, RESULT, FACTS = "state.npz", "result.safetensors", "result.json"
WARMUP = 0.1
L2_WEIGHT = 0.5
STOPPED = 3


def make_student(
    request: Request, weights: dict, faces: np.ndarray, blocks: Sequence = BLOCKS
) -> Student:
    """Return the variant's network before its first step.

    Args:
        request: what to do.
        weights: equalised.
        faces: float32 (N, h, w, 3) in [−1, 1], for the ranges of int8.
        blocks: of the network.
    """
    keras.utils.set_random_seed(request.seed)
    size = faces.shape[1]
    if request.variant == "pruned":
        return PrunedStudent(weights, size, request.sparsity, request.steps, blocks)
    if request.variant == "clustered":
        return ClusteredStudent(weights, size, request.clusters, blocks)
    from xcos_tf.export.compression.qat_student import QatStudent

    weights = with_rests(weights)
    calibrating = CuttingOperations(weights)
    for start in range(0, len(faces), request.batch):
        grid_feature(tf.constant(faces[start : start + request.batch]), calibrating, blocks)
    return QatStudent(weights, size, calibrating.ranges(), blocks)


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
    """A student, its teacher and the optimiser, at some step."""

    def __init__(self, student: Student, teacher: Callable, request: Request):
        """Take all at step 0."""
        self.student, self._request, self.step = student, request, 0
        self._optimizer = keras.optimizers.Adam(0.0, clipnorm=1.0)
        self._trained = list({id(x): x for x in student.model.trainable_variables}.values())
        self._optimizer.build(self._trained)
        self._state = list(
            {id(x): x for x in (*student.model.variables, *self._optimizer.variables)}.values()
        )

        @tf.function
        def train(images):
            target = teacher(images)
            with tf.GradientTape() as tape:
                loss = distillation_loss(student.model(images, training=True), target)
            gradients = tape.gradient(loss, self._trained)
            self._optimizer.apply_gradients(zip(gradients, self._trained, strict=True))
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
        return loss

    def save(self, path: Path) -> None:
        """Write everything that the next step depends on."""
        arrays = {f"v{i}": np.asarray(variable) for i, variable in enumerate(self._state)}
        told = np.array(json.dumps(asdict(self._request)))
        replace_file(path, lambda f: np.savez(f, step=self.step, request=told, **arrays))

    def restore(self, path: Path) -> None:
        """Go on from a saved state, if there is one.

        Raises:
            XcosError: it is damaged, or of another request.
        """
        if not path.exists():
            return
        try:
            saved = read_npz(path, LARGEST_WEIGHTS)
            told = json.loads(str(saved["request"]))
            arrays = [saved[f"v{i}"] for i in range(len(self._state))]
            step = int(saved["step"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise XcosError(
                f"{path} cannot be read ({reason_of(error)}); delete it to start again"
            ) from None
        if told != asdict(self._request):
            raise XcosError(
                f"{path} is of a run with other settings; delete it or choose another folder"
            )
        for variable, array in zip(self._state, arrays, strict=True):
            variable.assign(array)
        self.step = step


def fine_tune(folder: Path) -> bool:
    """Do what FOLDER/request.json says; returns whether it came to the end."""
    from safetensors.numpy import save

    request = Request(**json.loads((folder / "request.json").read_text()))
    if _is_done(folder, request):
        return True
    network = load_preset(request.preset).network
    faces, _ = faces_of(request)
    some = calibration_faces(faces, request)
    to_int8 = request.variant == "qat"
    weights = equalised(simple_weights(network), some, typical=not to_int8, cells=to_int8)
    run = FineTuning(make_student(request, weights, some), network.features, request)
    run.restore(folder / STATE)
    losses = []
    with (
        stop_asked() as asked,
        tqdm(total=request.steps, initial=run.step, desc=request.variant, unit="step") as bar,
    ):
        for images in training_batches(faces, request, run.step):
            losses.append(run.advance(images))
            bar.update()
            bar.set_postfix(loss=f"{np.mean(losses[-20:]):.5f}")
            if run.step % request.every == 0 or run.step == request.steps or asked():
                run.save(folder / STATE)
            if asked():
                return run.step == request.steps
    run.student.settle()
    facts = {
        "loss": float(np.mean(losses[-20:])),
        "faces": len(faces),
        "people": len(faces.people),
        **package_versions(),
        "request": asdict(request),
    }
    arrays = {name: np.ascontiguousarray(x) for name, x in run.student.arrays().items()}
    replace_file(folder / RESULT, lambda stream: stream.write(save(arrays)))
    write_json(folder / FACTS, facts)
    return True


def _is_done(folder: Path, request: Request) -> bool:
    done = (folder / RESULT).exists() and (folder / FACTS).exists()
    return done and json.loads((folder / FACTS).read_text())["request"] == asdict(request)


def main(argv: list[str]) -> int:
    try:
        return 0 if fine_tune(Path(argv[0])) else STOPPED
    except XcosError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
