"""From the keys and layouts of the authors' PyTorch models to ours; PyTorch itself is not needed.

Two kinds of state_dict are known. The xCos model has `backbone.*` with a `conv1x1`,
`attention.*`, mostly the teacher as `backbone_target.*`, and after training `head.kernel`. The
plain recogniser has the backbone and its fully connected embedding head, under `backbone.` or
without any prefix. `module.`, which DataParallel puts before every key, is ignored.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.models.builder import build_network
from xcos_tf.models.ir import STAGE_UNITS
from xcos_tf.models.network import FaceEmbedder, XCos
from xcos_tf.models.weights import named_weights, told_wrong

# PyTorch's sequences of layers, by our names, without the number of a unit of the body.
_SEQUENCES = {
    "input_layer": ("input_conv", "input_bn", "input_prelu"),
    "res_layer": ("body_bn1", "body_conv1", "body_prelu", "body_conv2", "body_bn2"),
    "shortcut_layer": ("body_shortcut_conv", "body_shortcut_bn"),
    "output_layer": ("feature_bn", "dropout", "flatten", "fc", "embedding_bn"),
    "conv1x1": ("conv", "bn", "prelu"),
    "embedding_net": ("embed_conv", "embed_bn", "embed_prelu"),
    "attention": ("fuse_conv", "fuse_bn", "fuse_prelu", "weight_conv", "weight_bn", "weight_prelu"),
}
_KEYS = {
    layer: f"{sequence}.{number}"
    for sequence, layers in _SEQUENCES.items()
    for number, layer in enumerate(layers)
}
_KEYS |= {"body_se_reduce": "res_layer.5.fc1", "body_se_expand": "res_layer.5.fc2"}
_WEIGHTS = {
    **dict.fromkeys(("kernel", "alpha", "gamma"), "weight"),
    **dict.fromkeys(("bias", "beta"), "bias"),
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
_UNIT = re.compile(r"body\.(\d+)\.")


@dataclass(frozen=True)
class ConvertedNetwork:
    """A network in our terms, with random weights, and those that `assign_arrays` takes."""

    model: FaceEmbedder | XCos
    arrays: dict[str, np.ndarray]


@dataclass(frozen=True)
class Conversion:
    """All that a state_dict holds.

    Attributes:
        network: the xCos network, or the plain recogniser.
        teacher: the plain recogniser that xCos was trained to follow, if it is there.
        margin_kernel: float32 (classes, dimension), as `MarginHead` has it, if it is there;
            dimension is 7·7·32 in the order (h, w, c), or 512 for the plain recogniser.
    """

    network: ConvertedNetwork
    teacher: ConvertedNetwork | None
    margin_kernel: np.ndarray | None


def convert_state_dict(state: Mapping[str, np.ndarray], source: str = "the file") -> Conversion:
    """Convert a state_dict of the authors' xCos model or of its plain FC variant.

    Args:
        state: {PyTorch key: array in PyTorch's layout}. Depth and squeeze-and-excitation are read
            from the keys.
        source: where the state_dict comes from, for the error's sentence.

    Raises:
        XcosError: keys are missing, unexpected or misshapen; the sentence names them.
    """
    state = _without_prefix(state)
    is_xcos = any(key.startswith("backbone.conv1x1.") for key in state)
    parts = {"backbone.": is_xcos}
    if is_xcos:
        # The authors' xCos backbone keeps the FC head that it started from, and never calls it.
        state = {k: x for k, x in state.items() if not k.startswith("backbone.output_layer.")}
        if any(key.startswith("backbone_target.") for key in state):
            parts["backbone_target."] = False
    models = [_model(state, prefix, explains, source) for prefix, explains in parts.items()]
    tables = [_weights(model, prefix) for model, prefix in zip(models, parts, strict=True)]
    shapes = {key: _their_shape(shape) for table in tables for key, (_, shape) in table.items()}
    feature_shape = models[0].features.output_shape[1:]
    if "head.kernel" in state:
        kernel = np.asarray(state["head.kernel"])
        classes = kernel.shape[1] if kernel.ndim == 2 else 1
        shapes["head.kernel"] = (math.prod(feature_shape), classes)
    _check(state, shapes, source)
    found = [
        {path: _in_our_layout(state[key], shape) for key, (path, shape) in table.items()}
        for table in tables
    ]
    own, *teacher = map(ConvertedNetwork, models, found)
    margin_kernel = None
    if "head.kernel" in state:
        margin_kernel = np.ascontiguousarray(_channels_last(kernel.T, feature_shape), np.float32)
    return Conversion(own, teacher[0] if teacher else None, margin_kernel)


def _without_prefix(state):
    plain = {}
    for key, value in state.items():
        key = key.removeprefix("module.")
        if re.match(r"(input_layer|body|output_layer)\.", key):
            key = f"backbone.{key}"
        if not key.endswith(".num_batches_tracked"):
            plain[key] = value
    return plain


def _backbone_section(state, prefix, source):
    tails = [key.removeprefix(prefix) for key in state if key.startswith(prefix)]
    matches = [match for tail in tails if (match := _UNIT.match(tail))]
    if not matches:
        raise XcosError(
            f"{source} has no keys like {prefix}body.0.res_layer.1.weight; give the state_dict of "
            "an xCos model or of an InsightFace_Pytorch IR backbone"
        )
    count = 1 + max(int(match[1]) for match in matches)
    depths = {sum(units): depth for depth, units in STAGE_UNITS.items()}
    if count not in depths:
        raise XcosError(
            f"{source} has {count} units under {prefix}body; give a model of depth 50, 100 or 152, "
            f"which have {', '.join(map(str, depths))}"
        )
    squeeze_excitation = any(".res_layer.5." in tail for tail in tails)
    return {"kind": "ir", "depth": depths[count], "squeeze_excitation": squeeze_excitation}


def _model(state, prefix, explains, source) -> FaceEmbedder | XCos:
    """Return the network that the keys with this prefix are of."""
    backbone = _backbone_section(state, prefix, source)
    if explains:
        # P needs correlations over training pairs, which PyTorch's file does not hold.
        xcos = {"attentions": ["patched", "learned"], "symmetric": False}
        return build_network({"backbone": backbone, "xcos": xcos})
    return build_network({"backbone": backbone, "embedding_head": {"kind": "fc", "dimension": 512}})


def _weights(model, prefix) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return {PyTorch key: our path and shape} of a network's weights."""
    weights = {}
    for path, variable in named_weights(model).items():
        part, *_, layer, weight = path.split("/")
        within = "attention." if part == "learned" else prefix
        if unit := re.match(r"body_(\d+)", layer):
            within += f"body.{unit[1]}."
            layer = layer.replace(unit[0], "body")
        key = f"{within}{_KEYS[layer]}.{_WEIGHTS[weight]}"
        weights[key] = path, tuple(variable.shape)
    return weights


def _their_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that PyTorch gives to what Keras gives this one."""
    if len(shape) == 4:
        height, width, channels_in, channels_out = shape
        return channels_out, channels_in, height, width
    return shape[::-1] if len(shape) == 2 else (math.prod(shape),)


def _in_our_layout(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return what PyTorch holds for a weight of this shape in Keras, as float32 of that shape."""
    if len(shape) == 4:
        array = array.transpose(2, 3, 1, 0)
    elif len(shape) == 2:
        array = _channels_last(array, (7, 7, 512)).T
    return np.ascontiguousarray(array.reshape(shape), np.float32)


def _channels_last(rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return rows (n, c·h·w), as PyTorch flattens features of shape (h, w, c), as (n, h·w·c)."""
    if len(shape) == 1:
        return rows
    height, width, channels = shape
    cells = rows.reshape(len(rows), channels, height, width)
    return cells.transpose(0, 2, 3, 1).reshape(len(rows), -1)


def _check(state, shapes, source) -> None:
    misshapen = [
        f"{key} is {tuple(state[key].shape)} instead of {shape}"
        for key, shape in sorted(shapes.items())
        if key in state and tuple(state[key].shape) != shape
    ]
    wrong = told_wrong(
        missing=shapes.keys() - state.keys(),
        unexpected=state.keys() - shapes.keys(),
        misshapen=misshapen,
    )
    if wrong:
        raise XcosError(
            f"{source} is not a model that can be converted ({wrong}); give the whole state_dict "
            "of an xCos model or of its plain FC variant"
        )
