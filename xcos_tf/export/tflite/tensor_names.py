"""Names that nobody asks a TFLite model for, which are a fortieth of a float16 file."""

from tensorflow.lite.tools import flatbuffer_utils


def without_tensor_names(content: bytes) -> bytes:
    """Return a TFLite model whose tensors have no names but those of its signature.

    Inputs and outputs keep theirs.
    """
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    for graph in model.subgraphs:
        kept = {*graph.inputs, *graph.outputs}
        for number, tensor in enumerate(graph.tensors):
            if number not in kept:
                tensor.name = b""
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
