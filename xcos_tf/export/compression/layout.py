"""MobileFaceNet and its grid head as a list of simple operations, and which feeds which.

The compressed networks are this, computed in one of several ways: see `operations` and `student`.
Weights are {operation/weight: array}, as in "block_0_expand/kernel".
"""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.models.mobilefacenet import BLOCKS
from xcos_tf.models.network import XCosNetwork
from xcos_tf.models.weights import read_arrays


class Operations(Protocol):
    """How each operation is computed; x is a batch (N, h, w, c) of whatever kind."""

    def conv(self, name: str, x: Any, stride: int = 1) -> Any:
        """Convolve; padding is TensorFlow's SAME."""

    def depthwise(self, name: str, x: Any, stride: int) -> Any:
        """Convolve each channel by itself."""

    def prelu(self, name: str, x: Any) -> Any:
        """Multiply what is negative by a slope of its channel."""

    def add(self, name: str, a: Any, b: Any) -> Any:
        """Add two feature maps."""

    def cell_scale(self, name: str, x: Any) -> Any:
        """Multiply each cell and channel by a number of its own."""

    def cell_restore(self, name: str, x: Any) -> Any:
        """Multiply each cell and channel by a number of its own and add one; in float32 always."""


def grid_feature(image: Any, ops: Operations) -> Any:
    """Return the grid feature (N, 7, 7, 32) of images (N, 112, 112, 3) in [−1, 1].

    It is what `XCosNetwork.grid` computes, with the weights that `simple_weights` makes of its.
    """
    x = ops.prelu("stem_conv_prelu", ops.conv("stem_conv", image, stride=2))
    x = ops.prelu("stem_depthwise_prelu", ops.depthwise("stem_depthwise", x, 1))
    x = ops.conv("stem_project", x)
    for index, (_, _, stride) in enumerate(BLOCKS):
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


def simple_weights(network: XCosNetwork) -> dict[str, np.ndarray]:
    """Return the weights of a network's grid as the operations have them.

    The head's shift becomes an offset behind its convolution, 7×7×32 instead of 7×7×512 numbers.

    Raises:
        XcosError: the grid is not MobileFaceNet's with folded batch normalisation and a head of a
            cell affine and a convolution.
    """
    arrays = {
        path.split("/", 1)[1]: np.asarray(array, np.float32)
        for path, array in read_arrays(network.grid).items()
    }
    try:
        scale, shift = arrays.pop("cell_affine/scale"), arrays.pop("cell_affine/shift")
        kernel, bias = arrays["conv/kernel"], arrays.pop("conv/bias")
    except KeyError:
        raise _not_this_kind() from None
    arrays["cell_scale/scale"] = scale
    arrays["cell_restore/factor"] = np.ones((*scale.shape[:2], bias.size), np.float32)
    arrays["cell_restore/offset"] = np.einsum("hwc,cd->hwd", shift, kernel[0, 0]) + bias
    check_weights(arrays)
    return arrays


def weight_shapes() -> dict[str, tuple[int, ...]]:
    """Return {operation/weight: shape} of all weights, for the preset's 112×112 faces."""
    shapes = {}

    class Noting:
        """Follows the channels alone."""

        def conv(self, name, channels, stride=1):
            side = 3 if name == "stem_conv" else 1
            shapes[f"{name}/kernel"] = (side, side, channels, self.channels[name])
            if name != "conv":
                shapes[f"{name}/bias"] = (self.channels[name],)
            return self.channels[name]

        def depthwise(self, name, channels, stride):
            shapes[f"{name}/kernel"] = (3, 3, channels, 1)
            shapes[f"{name}/bias"] = (channels,)
            return channels

        def prelu(self, name, channels):
            shapes[f"{name}/alpha"] = (1, 1, channels)
            return channels

        def add(self, name, a, b):
            return a

        def cell_scale(self, name, channels):
            shapes[f"{name}/scale"] = (7, 7, channels)
            return channels

        def cell_restore(self, name, channels):
            shapes[f"{name}/factor"] = shapes[f"{name}/offset"] = (7, 7, channels)
            return channels

        channels = {  # noqa: RUF012
            "stem_conv": 64,
            "stem_project": 64,
            "feature_conv": 512,
            "conv": 32,
            **{f"block_{i}_expand": block[0] for i, block in enumerate(BLOCKS)},
            **{f"block_{i}_project": block[1] for i, block in enumerate(BLOCKS)},
        }

    grid_feature(3, Noting())
    return shapes


def check_weights(arrays: Mapping[str, np.ndarray]) -> None:
    """Raise XcosError unless these are exactly the weights of `grid_feature`, in their shapes."""
    if {name: array.shape for name, array in arrays.items()} != weight_shapes():
        raise _not_this_kind()


def _not_this_kind() -> XcosError:
    return XcosError(
        "compression is made for grids of MobileFaceNet with folded batch normalisation and a "
        "head of a cell affine and one convolution to 32 channels; use the preset "
        "'xcos-mobilefacenet'"
    )
