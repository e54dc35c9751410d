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

FEATURE_SHAPE = (7, 7, 512)
GRID_CHANNELS = 32
ATTENTION_CHANNELS = 16
EMBEDDING_DIMENSION = 512

_UNIT = re.compile(r"body\.(\d+)\.")


@dataclass(frozen=True)
class Target:
    """Where a PyTorch tensor goes.

    Attributes:
        path: layer path of our weight.
        shape: the tensor's shape in PyTorch.
        convert: from the tensor's layout to ours.
    """

    path: str
    shape: tuple[int, ...]
    convert: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class ConvertedNetwork:
    """A network in our terms.

    Attributes:
        model: the `model` section of a preset's configuration; see `build_network`.
        arrays: {layer path: float32 array}, what `assign_arrays` takes.
    """

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
    backbone_section = _backbone_section(state, "backbone.", source)
    is_xcos = any(key.startswith("backbone.conv1x1.") for key in state)
    has_teacher = is_xcos and any(key.startswith("backbone_target.") for key in state)
    if is_xcos:
        model = {
            "backbone": backbone_section,
            # P needs correlations over training pairs, which PyTorch's file does not hold.
            "xcos": {"attentions": ["patched", "learned"], "symmetric": False},
        }
        targets = _backbone("backbone.", "grid/backbone/", backbone_section)
        targets |= _grid_head("backbone.conv1x1.", "grid/grid_head/")
        targets |= _attention("attention.", "learned/learned_attention/")
    else:
        model, targets = _recogniser("backbone.", backbone_section)
    teacher_model, teacher_targets = None, {}
    if has_teacher:
        section = _backbone_section(state, "backbone_target.", source)
        teacher_model, teacher_targets = _recogniser("backbone_target.", section)
    optional = _margin_kernel(state, is_xcos)
    # The authors' xCos backbone keeps the FC head that it started from, and never calls it.
    unused = _embedding_head("backbone.output_layer.", "") if is_xcos else {}
    _check(state, {**targets, **teacher_targets}, optional, unused, source)

    def arrays(table):
        return {t.path: _float32(t.convert(state[key])) for key, t in table.items()}

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
    model = {
        "backbone": backbone_section,
        "embedding_head": {"kind": "fc", "dimension": EMBEDDING_DIMENSION},
    }
    targets = _backbone(prefix, "backbone/", backbone_section)
    return model, targets | _embedding_head(f"{prefix}output_layer.", "embedding_head/")


def _backbone(prefix, path, section):
    targets = _conv(f"{prefix}input_layer.0", f"{path}input_conv", 3, STEM_CHANNELS, 3)
    targets |= _batch_norm(f"{prefix}input_layer.1", f"{path}input_bn", STEM_CHANNELS)
    targets |= _prelu(f"{prefix}input_layer.2", f"{path}input_prelu", STEM_CHANNELS)
    for index, (width, channels, _) in enumerate(ir_units(section["depth"])):
        unit, ours = f"{prefix}body.{index}.", f"{path}body_{index}_"
        targets |= _batch_norm(f"{unit}res_layer.0", f"{ours}bn1", width)
        targets |= _conv(f"{unit}res_layer.1", f"{ours}conv1", width, channels, 3)
        targets |= _prelu(f"{unit}res_layer.2", f"{ours}prelu", channels)
        targets |= _conv(f"{unit}res_layer.3", f"{ours}conv2", channels, channels, 3)
        targets |= _batch_norm(f"{unit}res_layer.4", f"{ours}bn2", channels)
        if section["squeeze_excitation"]:
            reduced = channels // SE_REDUCTION
            targets |= _conv(f"{unit}res_layer.5.fc1", f"{ours}se_reduce", channels, reduced, 1)
            targets |= _conv(f"{unit}res_layer.5.fc2", f"{ours}se_expand", reduced, channels, 1)
        if width != channels:
            shortcut = f"{unit}shortcut_layer."
            targets |= _conv(f"{shortcut}0", f"{ours}shortcut_conv", width, channels, 1)
            targets |= _batch_norm(f"{shortcut}1", f"{ours}shortcut_bn", channels)
    return targets


def _embedding_head(prefix, path):
    height, width, channels = FEATURE_SHAPE
    flat = height * width * channels

    def dense(weight):
        # PyTorch flattens (c, h, w) and we (h, w, c).
        cells = weight.reshape(EMBEDDING_DIMENSION, channels, height, width)
        return cells.transpose(2, 3, 1, 0).reshape(flat, EMBEDDING_DIMENSION)

    targets = _batch_norm(f"{prefix}0", f"{path}feature_bn", channels)
    targets |= _batch_norm(f"{prefix}4", f"{path}embedding_bn", EMBEDDING_DIMENSION)
    shape = (EMBEDDING_DIMENSION, flat)
    targets[f"{prefix}3.weight"] = Target(f"{path}fc/kernel", shape, dense)
    return targets | _vector(f"{prefix}3.bias", f"{path}fc/bias", EMBEDDING_DIMENSION)


def _grid_head(prefix, path):
    targets = _conv(f"{prefix}0", f"{path}conv", FEATURE_SHAPE[2], GRID_CHANNELS, 1, bias=True)
    targets |= _batch_norm(f"{prefix}1", f"{path}bn", GRID_CHANNELS)
    return targets | _prelu(f"{prefix}2", f"{path}prelu", GRID_CHANNELS)


def _attention(prefix, path):
    targets = {}
    for module, first, ours, channels_in, channels_out in (
        ("embedding_net", 0, "embed", GRID_CHANNELS, ATTENTION_CHANNELS),
        ("attention", 0, "fuse", 2 * ATTENTION_CHANNELS, ATTENTION_CHANNELS),
        ("attention", 3, "weight", ATTENTION_CHANNELS, 1),
    ):
        conv, norm, prelu = (f"{prefix}{module}.{first + i}" for i in range(3))
        targets |= _conv(conv, f"{path}{ours}_conv", channels_in, channels_out, 3, bias=True)
        targets |= _batch_norm(norm, f"{path}{ours}_bn", channels_out)
        targets |= _prelu(prelu, f"{path}{ours}_prelu", 1)
    return targets


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


def _same(array):
    return array


def _float32(array):
    return np.ascontiguousarray(array, np.float32)


def _vector(key, path, length):
    return {key: Target(path, (length,), _same)}


def _conv(key, path, channels_in, channels_out, size, bias=False):
    shape = (channels_out, channels_in, size, size)
    targets = {f"{key}.weight": Target(f"{path}/kernel", shape, lambda w: w.transpose(2, 3, 1, 0))}
    if bias:
        targets |= _vector(f"{key}.bias", f"{path}/bias", channels_out)
    return targets


def _batch_norm(key, path, channels):
    targets = {}
    for theirs, ours in (
        ("weight", "gamma"),
        ("bias", "beta"),
        ("running_mean", "moving_mean"),
        ("running_var", "moving_variance"),
    ):
        targets |= _vector(f"{key}.{theirs}", f"{path}/{ours}", channels)
    return targets


def _prelu(key, path, channels):
    def convert(slope):
        return slope.reshape(1, 1, channels)

    return {f"{key}.weight": Target(f"{path}/alpha", (channels,), convert)}


def _check(state, required, optional, unused, source):
    missing = sorted(set(required) - set(state))
    known = {**required, **optional}
    unexpected = sorted(set(state) - set(known) - set(unused))
    misshapen = [
        f"{key} is {tuple(state[key].shape)} instead of {target.shape}"
        for key, target in sorted(known.items())
        if key in state and tuple(state[key].shape) != target.shape
    ]
    problems = []
    for kind, keys in (("missing", missing), ("unexpected", unexpected), ("misshapen", misshapen)):
        if keys:
            rest = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
            problems.append(f"{kind}: {', '.join(keys[:5])}{rest}")
    if problems:
        raise XcosError(
            f"{source} is not a model that can be converted ({'; '.join(problems)}); give the "
            "whole state_dict of an xCos model or of its plain FC variant"
        )
