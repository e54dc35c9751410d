"""A network of MobileFaceNet's kind with two blocks, for faces of 32×32."""

import numpy as np

from xcos_tf.export.compression.layout import grid_feature

BLOCKS = ((64, 64, 2), (64, 64, 1))
SIZE, CELLS, CHANNELS = 32, 8, 64


class _Drawing:
    """Operations that draw their weights; x is nothing."""

    def __init__(self, random):
        self.random, self.weights = random, {}

    def conv(self, name, x, stride=1):
        side, channels = (3, 3) if name == "stem_conv" else (1, CHANNELS)
        out = 8 if name == "conv" else CHANNELS
        spread = (side * side * channels) ** -0.5
        self._draw(f"{name}/kernel", (side, side, channels, out), spread)
        if name != "conv":
            self._draw(f"{name}/bias", (out,), 0.1)

    def depthwise(self, name, x, stride):
        # As folded batch normalisation has it: channels of very different size.
        self._draw(f"{name}/kernel", (3, 3, CHANNELS, 1), 0.3)
        self.weights[f"{name}/kernel"] *= np.geomspace(0.1, 10, CHANNELS, dtype="f4")[:, None]
        self._draw(f"{name}/bias", (CHANNELS,), 0.1)

    def prelu(self, name, x):
        self._draw(f"{name}/alpha", (1, 1, CHANNELS), 2.0)

    def add(self, name, a, b):
        pass

    def cell_scale(self, name, x):
        self._draw(f"{name}/scale", (CELLS, CELLS, CHANNELS), 1.0)

    def cell_restore(self, name, x):
        self.weights[f"{name}/factor"] = np.ones((CELLS, CELLS, 8), np.float32)
        self._draw(f"{name}/offset", (CELLS, CELLS, 8), 0.1)

    def _draw(self, name, shape, spread):
        self.weights[name] = self.random.normal(0, spread, shape).astype(np.float32)


def toy_weights(random: np.random.Generator) -> dict[str, np.ndarray]:
    """Return weights of a grid 8×8×8, for `grid_feature` with `BLOCKS`."""
    drawing = _Drawing(random)
    grid_feature(None, drawing, BLOCKS)
    return drawing.weights
