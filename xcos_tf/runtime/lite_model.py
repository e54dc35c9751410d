"""One exported .tflite file, ready to run."""

import threading

import numpy as np

from xcos_tf.errors import XcosError, explained
from xcos_tf.quiet import quiet_start
from xcos_tf.runtime.model_file import ModelFile

SIGNATURE = "serving_default"

_VERDICT = {"xcos", "similarity_map", "attention_map"}
_TENSORS = {
    "embed": ({"image"}, {"grid"}, {"embedding", "feature_map"}),
    "head": ({"feature_map"}, {"embedding"}),
    "compare": ({"grid_a", "grid_b"}, _VERDICT),
    "verify": ({"image_a", "image_b"}, _VERDICT),
    "whatif": ({"grid"}, {"covered"}),
}


class LiteModel:
    """Runs one exported model on batches, whatever batch it was exported for.

    It may be called from several threads, which wait for one another.

    Attributes:
        metadata: what the file says of itself; see `ModelFile`.
        inputs, outputs: {name: shape without the batch}.
    """

    def __init__(self, file: ModelFile, threads: int = 1, at_once: int = 8):
        """Load a model.

        Args:
            file: what was read.
            threads: that the interpreter may use.
            at_once: the most rows of a batch that go through it together; a CPU is fastest while
                what a layer makes of them stays in its cache.

        Raises:
            XcosError: it is damaged, or ai-edge-litert is missing.
        """
        self.metadata = file.metadata
        self._lock = threading.Lock()
        interpreter_of = interpreter_class()
        errors = ValueError, RuntimeError, TypeError, KeyError
        advice = "export it again with `xcos export`"
        with explained(f"{file.name} cannot be run", advice, errors), quiet_start():
            interpreter = interpreter_of(model_content=file.content, num_threads=threads)
            interpreter.allocate_tensors()
            self._run = interpreter.get_signature_runner(SIGNATURE)
        details = self._run.get_input_details(), self._run.get_output_details()
        self.inputs, self.outputs = (
            {name: tuple(x["shape_signature"][1:].tolist()) for name, x in one.items()}
            for one in details
        )
        inputs, *outputs = _TENSORS.get(self.metadata["model"], (None,))
        if set(self.inputs) != inputs or not any(x <= set(self.outputs) for x in outputs):
            raise XcosError(
                f"{file.name} is not the model that it says it is; export it again with `xcos "
                "export`"
            )
        one_by_one = all(x["shape_signature"][0] == 1 for x in details[0].values())
        self._at_once = 1 if one_by_one else at_once

    def __call__(self, *batches: np.ndarray) -> dict[str, np.ndarray]:
        """Run the model.

        Args:
            batches: one array (N, …) for each input in the order of their names; N may be 0.

        Returns:
            {output: float32 (N, …)}, as the metadata names them.
        """
        if not len(batches[0]):
            return {x: np.empty((0, *shape), np.float32) for x, shape in self.outputs.items()}
        names, step = sorted(self.inputs), self._at_once
        with self._lock:
            parts = [
                self._run(**dict(zip(names, (x[i : i + step] for x in batches), strict=True)))
                for i in range(0, len(batches[0]), step)
            ]
        return {x: np.concatenate([part[x] for part in parts]) for x in self.outputs}


def interpreter_class():
    """Return ai-edge-litert's interpreter.

    Raises:
        XcosError: the package is missing.
    """
    advice = "run pip install ai-edge-litert"
    with explained("a TFLite model needs LiteRT", advice, (ImportError,)):
        from ai_edge_litert.interpreter import Interpreter
    return Interpreter
