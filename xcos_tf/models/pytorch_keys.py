"""From the keys and layouts of the authors' PyTorch models to ours; PyTorch itself is not needed.

Two kinds of state_dict are known. The xCos model has `backbone.*` with a `conv1x1`,
`attention.*`, mostly the teacher as `backbone_target.*`, and after training `head.kernel`. The
plain recogniser has the backbone and its fully connected embedding head, under `backbone.` or
without any prefix. `module.`, which DataParallel puts before every key, is ignored.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.models.ir import SE_REDUCTION, STAGE_UNITS, STEM_CHANNELS, ir_units
from xcos_tf.models.weights import told_wrong

FEATURE_SHAPE = (7, 7, 512)
GRID_CHANNELS = 32
ATTENTION_CHANNELS = 16
EMBEDDING_DIMENSION = 512

_BATCH_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
# (PyTorch key, our name, numbers); see `_targets`.
_GRID_HEAD = (
    ("0", "conv", GRID_CHANNELS, FEATURE_SHAPE[2], 1),
    ("1", "bn", GRID_CHANNELS),
    ("2", "prelu", GRID_CHANNELS),
)
_ATTENTION = (
    ("embedding_net.0", "embed_conv", ATTENTION_CHANNELS, GRID_CHANNELS, 3),
    ("embedding_net.1", "embed_bn", ATTENTION_CHANNELS),
    ("embedding_net.2", "embed_prelu", 1),
    ("attention.0", "fuse_conv", ATTENTION_CHANNELS, 2 * ATTENTION_CHANNELS, 3),
    ("attention.1", "fuse_bn", ATTENTION_CHANNELS),
    ("attention.2", "fuse_prelu", 1),
    ("attention.3", "weight_conv", 1, ATTENTION_CHANNELS, 3),
    ("attention.4", "weight_bn", 1),
    ("attention.5", "weight_prelu", 1),
)

_UNIT = re.compile(r"body\.(\d+)\.")


@dataclass(frozen=True)
class Target:
    """Where a PyTorch tensor of this shape goes, by layer path, and how it gets our layout."""

    path: str
    shape: tuple[int, ...]
    convert: Callable[[np.ndarray], np.ndarray] = np.asarray


@dataclass(frozen=True)
class ConvertedNetwork:
    """A network in our terms: a preset's `model` section, and what `assign_arrays` takes."""

    model: dict
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
    has_teacher = is_xcos and any(key.startswith("backbone_target.") for key in state)
    section = _backbone_section(state, "backbone.", source)
    if is_xcos:
        # P needs correlations over training pairs, which PyTorch's file does not hold.
        xcos = {"attentions": ["patched", "learned"], "symmetric": False}
        model = {"backbone": section, "xcos": xcos}
        targets = _targets(_backbone(section), "backbone.", "grid/backbone/")
        targets |= _targets(_GRID_HEAD, "backbone.conv1x1.", "grid/grid_head/", bias=True)
        targets |= _targets(_ATTENTION, "attention.", "learned/learned_attention/", bias=True)
    else:
        model, targets = _recogniser("backbone.", section)
    teacher_model, teacher_targets = None, {}
    if has_teacher:
        section = _backbone_section(state, "backbone_target.", source)
        teacher_model, teacher_targets = _recogniser("backbone_target.", section)
    optional = _margin_kernel(state, is_xcos)
    # The authors' xCos backbone keeps the FC head that it started from, and never calls it.
    unused = _embedding_head("backbone.output_layer.", "") if is_xcos else {}
    _check(state, {**targets, **teacher_targets}, optional, unused, source)

    def arrays(table):
        return {
            target.path: np.ascontiguousarray(target.convert(state[key]), np.float32)
            for key, target in table.items()
        }

    kernel = arrays(optional).get("kernel")
    teacher = ConvertedNetwork(teacher_model, arrays(teacher_targets)) if has_teacher else None
    return Conversion(ConvertedNetwork(model, arrays(targets)), teacher, kernel)


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


def _recogniser(prefix, backbone_section):
    head = {"kind": "fc", "dimension": EMBEDDING_DIMENSION}
    targets = _targets(_backbone(backbone_section), prefix, "backbone/")
    targets |= _embedding_head(f"{prefix}output_layer.", "embedding_head/")
    return {"backbone": backbone_section, "embedding_head": head}, targets


def _targets(layers, theirs, ours, bias=False):
    """Return {PyTorch key: target} of layers (key, path, numbers).

    A convolution has three numbers, the channels that go out and come in and its side; what has one
    is a PReLU or a batch normalisation of so many channels.
    """
    targets = {}
    for key, path, channels, *convolution in layers:
        key, path, vector = f"{theirs}{key}.", f"{ours}{path}/", (channels,)
        if convolution:
            channels_in, side = convolution
            shape = (channels, channels_in, side, side)
            targets[f"{key}weight"] = Target(
                f"{path}kernel", shape, lambda weight: weight.transpose(2, 3, 1, 0)
            )
            names = {"bias": "bias"} if bias else {}
        elif path.endswith("prelu/"):
            targets[f"{key}weight"] = Target(
                f"{path}alpha", vector, lambda slope: slope.reshape(1, 1, -1)
            )
            names = {}
        else:
            names = _BATCH_NORM
        targets |= {key + name: Target(path + own, vector) for name, own in names.items()}
    return targets


def _backbone(section):
    yield "input_layer.0", "input_conv", STEM_CHANNELS, 3, 3
    yield "input_layer.1", "input_bn", STEM_CHANNELS
    yield "input_layer.2", "input_prelu", STEM_CHANNELS
    for index, (width, channels, _) in enumerate(ir_units(section["depth"])):
        unit, ours = f"body.{index}.res_layer", f"body_{index}"
        yield f"{unit}.0", f"{ours}_bn1", width
        yield f"{unit}.1", f"{ours}_conv1", channels, width, 3
        yield f"{unit}.2", f"{ours}_prelu", channels
        yield f"{unit}.3", f"{ours}_conv2", channels, channels, 3
        yield f"{unit}.4", f"{ours}_bn2", channels
        if section["squeeze_excitation"]:
            reduced = channels // SE_REDUCTION
            yield f"{unit}.5.fc1", f"{ours}_se_reduce", reduced, channels, 1
            yield f"{unit}.5.fc2", f"{ours}_se_expand", channels, reduced, 1
        if width != channels:
            yield f"body.{index}.shortcut_layer.0", f"{ours}_shortcut_conv", channels, width, 1
            yield f"body.{index}.shortcut_layer.1", f"{ours}_shortcut_bn", channels


def _embedding_head(theirs, ours):
    height, width, channels = FEATURE_SHAPE
    flat = height * width * channels

    def dense(weight):
        # PyTorch flattens (c, h, w) and we (h, w, c).
        cells = weight.reshape(EMBEDDING_DIMENSION, channels, height, width)
        return cells.transpose(2, 3, 1, 0).reshape(flat, EMBEDDING_DIMENSION)

    norms = (("0", "feature_bn", channels), ("4", "embedding_bn", EMBEDDING_DIMENSION))
    shape = (EMBEDDING_DIMENSION, flat)
    return {
        **_targets(norms, theirs, ours),
        f"{theirs}3.weight": Target(f"{ours}fc/kernel", shape, dense),
        f"{theirs}3.bias": Target(f"{ours}fc/bias", (EMBEDDING_DIMENSION,)),
    }


def _margin_kernel(state, is_xcos):
    if "head.kernel" not in state:
        return {}
    height, width, _ = FEATURE_SHAPE
    dimension = height * width * GRID_CHANNELS if is_xcos else EMBEDDING_DIMENSION
    shape = state["head.kernel"].shape
    classes = shape[1] if len(shape) == 2 else 1

    def channels_last(kernel):
        cells = kernel.T.reshape(classes, GRID_CHANNELS, height, width)
        return cells.transpose(0, 2, 3, 1).reshape(classes, dimension)

    convert = channels_last if is_xcos else np.transpose
    return {"head.kernel": Target("kernel", (dimension, classes), convert)}


def _check(state, required, optional, unused, source):
    known = {**required, **optional}
    misshapen = [
        f"{key} is {tuple(state[key].shape)} instead of {target.shape}"
        for key, target in sorted(known.items())
        if key in state and tuple(state[key].shape) != target.shape
    ]
    wrong = told_wrong(
        missing=set(required) - set(state),
        unexpected=set(state) - set(known) - set(unused),
        misshapen=misshapen,
    )
    if wrong:
        raise XcosError(
            f"{source} is not a model that can be converted ({wrong}); give the whole state_dict "
            "of an xCos model or of its plain FC variant"
        )
