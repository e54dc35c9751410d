"""One exported .tflite file, ready to run."""

import numpy as np

from xcos_tf.errors import XcosError, reason_of
from xcos_tf.export.tflite.metadata import ModelFile
from xcos_tf.extras import extra

SIGNATURE = "serving_default"

_TENSORS = {
    "embed": ({"image"}, {"grid"}),
    "compare": ({"grid_a", "grid_b"}, {"xcos", "similarity_map", "attention_map"}),
    "verify": ({"image_a", "image_b"}, {"xcos", "similarity_map", "attention_map"}),
}


class LiteModel:
    """Runs one exported model on batches, whatever batch it was exported for.

    Attributes:
        metadata: what the file says of itself; see `ModelFile`.
        sha256: of the whole file, in hexadecimal.
    """

    def __init__(self, file: ModelFile, threads: int = 1):
        """Load a model.

        Args:
            file: what was read.
            threads: that the interpreter may use.

        Raises:
            XcosError: it is damaged, or ai-edge-litert is missing.
        """
        interpreter_of = interpreter_class()
        self.metadata, self.sha256 = file.metadata, file.sha256
        try:
            interpreter = interpreter_of(model_content=file.content, num_threads=threads)
            interpreter.allocate_tensors()
            self._run = interpreter.get_signature_runner(SIGNATURE)
        except (ValueError, RuntimeError, TypeError, KeyError) as error:
            raise XcosError(
                f"{file.name} cannot be run ({reason_of(error)}); export it again with `xcos "
                "export`"
            ) from None
        inputs, outputs = _TENSORS.get(self.metadata["model"], (None, set()))
        if set(self._run.get_input_details()) != inputs or not (
            outputs <= set(self._run.get_output_details())
        ):
            raise XcosError(
                f"{file.name} is not the model that it says it is; export it again with `xcos "
                "export`"
            )
        self._names = sorted(self._run.get_input_details())
        shapes = [x["shape_signature"] for x in self._run.get_input_details().values()]
        self._one_by_one = all(shape[0] == 1 for shape in shapes)

    def __call__(self, *batches: np.ndarray) -> dict[str, np.ndarray]:
        """Run the model.

        Args:
            batches: one array (N, …) for each input in the order of their names; N may be 0.

        Returns:
            {output: array (N, …)}, as the metadata names them.
        """
        if not len(batches[0]):
            return {
                name: np.empty((0, *output["shape"][1:]), output["dtype"])
                for name, output in self._run.get_output_details().items()
            }
        if not self._one_by_one:
            return self._run(**dict(zip(self._names, batches, strict=True)))
        rows = [
            self._run(
                **{name: batch[i : i + 1] for name, batch in zip(self._names, batches, strict=True)}
            )
            for i in range(len(batches[0]))
        ]
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def interpreter_class():
    """Return ai-edge-litert's interpreter.

    Raises:
        XcosError: the package is missing.
    """
    with extra("mobile", "a TFLite model"):
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter
