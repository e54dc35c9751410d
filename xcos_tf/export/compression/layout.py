"""MobileFaceNet and its grid head as a list of simple operations, and which feeds which.

The compressed networks are this, computed in one of several ways: see `operations` and `students`.
Weights are {operation/weight: array}, as in "block_0_expand/kernel".
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.models.mobilefacenet import BLOCKS
from xcos_tf.models.network import XCos
from xcos_tf.models.preset_folder import DEFAULT_PRESET
from xcos_tf.models.weights import read_arrays


def grid_feature(image: Any, ops: Any, blocks: Sequence[tuple[int, int, int]] = BLOCKS) -> Any:
    """Return the grid feature (N, 7, 7, 32) of images (N, 112, 112, 3) in [−1, 1].

    It is what `XCos.features` computes, with the weights that `simple_weights` makes of its.

    Args:
        image: the batch, of the kind that `ops` takes.
        ops: how to compute, with the methods that `FloatOperations` has for operations.
        blocks: as `mobilefacenet.BLOCKS`; other ones make a network of another size.
    """
    x = ops.prelu("stem_conv_prelu", ops.conv("stem_conv", image, stride=2))
    x = ops.prelu("stem_depthwise_prelu", ops.depthwise("stem_depthwise", x, 1))
    x = ops.conv("stem_project", x)
    for index, (_, _, stride) in enumerate(blocks):
        block = f"block_{index}"
        y = ops.prelu(f"{block}_expand_prelu", ops.conv(f"{block}_expand", x))
        y = ops.prelu(f"{block}_depthwise_prelu", ops.depthwise(f"{block}_depthwise", y, stride))
        y = ops.conv(f"{block}_project", y)
        x = ops.add(f"{block}_add", x, y) if stride == 1 else y
    x = ops.prelu("feature_conv_prelu", ops.conv("feature_conv", x))
    x = ops.conv("conv", ops.cell_scale("cell_scale", x))
    return ops.cell_restore("cell_restore", x)


def prelu_links() -> list[tuple[str, str]]:
    """Return (what feeds a PReLU, the one operation that takes its output) of each PReLU."""
    links = [("stem_conv", "stem_depthwise"), ("stem_depthwise", "stem_project")]
    for index in range(len(BLOCKS)):
        names = [f"block_{index}_{part}" for part in ("expand", "depthwise", "project")]
        links += [(names[0], names[1]), (names[1], names[2])]
    return [*links, ("feature_conv", "cell_scale")]


def residual_streams() -> list[tuple[list[str], list[str]]]:
    """Return (all that is added up, all that takes the sums) of each run of residual blocks."""
    streams, givers, takers = [], ["stem_project"], []
    for index, (_, _, stride) in enumerate(BLOCKS):
        takers.append(f"block_{index}_expand")
        if stride != 1:
            streams.append((givers, takers))
            givers, takers = [], []
        givers.append(f"block_{index}_project")
    return [*streams, (givers, ["feature_conv", *takers])]


def simple_weights(network: XCos) -> dict[str, np.ndarray]:
    """Return the weights of a network's grid as the operations have them.

    The head's shift becomes an offset behind its convolution, 7×7×32 instead of 7×7×512 numbers.

    Raises:
        XcosError: the grid is not MobileFaceNet's with folded batch normalisation and a head of a
            cell affine and a convolution.
    """
    arrays = {
        path.split("/", 1)[1]: np.asarray(array, np.float32)
        for path, array in read_arrays(network.features).items()
    }
    links = prelu_links()
    biased = {name for link in links for name in link} - {"cell_scale"} | {"conv"}
    names = {f"{name}/{weight}" for name in biased for weight in ("kernel", "bias")}
    names |= {f"{giver}_prelu/alpha" for giver, _ in links}
    if set(arrays) != {*names, "cell_affine/scale", "cell_affine/shift"}:
        raise XcosError(
            "compression is made for grids of MobileFaceNet with folded batch normalisation and a "
            "head of a cell affine and one convolution to 32 channels; use the preset "
            f"{DEFAULT_PRESET!r}"
        )
    scale, shift = arrays.pop("cell_affine/scale"), arrays.pop("cell_affine/shift")
    kernel, bias = arrays["conv/kernel"], arrays.pop("conv/bias")
    arrays["cell_scale/scale"] = scale
    arrays["cell_restore/factor"] = np.ones((*scale.shape[:2], bias.size), np.float32)
    arrays["cell_restore/offset"] = np.einsum("hwc,cd->hwd", shift, kernel[0, 0]) + bias
    return arrays
