"""Fine-tunes a toy in each way, for test_fine_tuning.py: run under TF_USE_LEGACY_KERAS=1.

Prints, as JSON, {variant: {"first", "last", "resumed": losses; "same": whether a run that was
stopped half-way ends with the same weights; and what the variant promises}}.
"""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from tests.export.compression.toy import BLOCKS, SIZE, toy_weights
from tools.generate_faces import draw_face
from xcos_tf.errors import XcosError
from xcos_tf.export.compression.fine_tuning import FineTuning, make_student
from xcos_tf.export.compression.layout import grid_feature
from xcos_tf.export.compression.operations import FloatOperations
from xcos_tf.export.compression.request import Request

STEPS, BATCH = 8, 4


def drawn(number):
    face = draw_face(np.random.default_rng([2, number % 3]), np.random.default_rng([2, number, 1]))
    return (np.asarray(face.resize((SIZE, SIZE)), np.float32) - 127.5) / 128


def main(folder: Path) -> None:
    random = np.random.default_rng(3)
    weights = {
        name: np.clip(array, -1, 1) if name.endswith("alpha") else array
        for name, array in toy_weights(random).items()
    }
    images = np.stack([drawn(i) for i in range(BATCH)])
    batch = tf.constant(images)

    def teacher(x):
        return grid_feature(x, FloatOperations(weights), BLOCKS)

    def start(request):
        student = make_student(request, weights, images, BLOCKS)
        return FineTuning(student, teacher, request)

    def end(run):
        run.student.settle()
        return run.student.arrays()

    results = {}
    for variant in ("pruned", "clustered", "qat"):
        request = Request(
            "", variant, [], steps=STEPS, batch=BATCH, rate=1e-3, sparsity=0.6, clusters=8
        )
        state = folder / f"{variant}.npz"
        run = start(request)
        losses = []
        for step in range(STEPS):
            if step == STEPS // 2:
                run.save(state)
            losses.append(run.advance(batch))
        arrays = end(run)
        again = start(request)
        again.restore(state)
        assert again.step == STEPS // 2
        resumed = [again.advance(batch) for _ in range(STEPS // 2)]
        other = end(again)
        result = {"losses": losses, "resumed": resumed}
        result["same"] = all(np.allclose(arrays[x], other[x], atol=1e-5) for x in arrays)
        result["zeros"] = float(np.mean(arrays["block_0_expand/kernel"] == 0))
        result["values"] = len(np.unique(arrays["block_0_expand/kernel"]))
        result["small_values"] = len(np.unique(arrays["stem_conv/kernel"]))
        result["names"] = sorted(arrays)
        if "block_0_add/range" in arrays or "block_1_add/range" in arrays:
            first = make_student(request, weights, images, BLOCKS).arrays()
            for name, values in (("first_range", first), ("range", arrays)):
                result[name] = [float(x) for x in values["block_1_add/range"]]
        try:
            FineTuning(again.student, teacher, dataclasses.replace(request, seed=9)).restore(state)
        except XcosError as error:
            result["other settings"] = str(error)
        state.write_bytes(b"no archive")
        try:
            again.restore(state)
        except XcosError as error:
            result["damaged"] = str(error)
        results[variant] = result
    print(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
