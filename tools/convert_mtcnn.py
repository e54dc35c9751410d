"""Make the TFLite files by which faces are found, from the weights of the package `mtcnn`.

    python tools/convert_mtcnn.py [FOLDER]

P-, R- and O-Net each take float32 RGB from 0 to 255 and return what they find side by side: the log
odds of a face, the offsets of a box's sides (4), and of O-Net the landmarks (10).
"""

import argparse
import hashlib
import io
import sys
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import ended
from xcos_tf.files import replace_file, write_json

SHIPPED = Path(__file__).resolve().parents[1] / "xcos_tf/data/mtcnn"
RECORD = "made.json"

# Convolutional and dense layers, each with a PReLU; and max-pooling by 2, by side and padding.
_LAYER = None
NETWORKS = {
    "pnet": ((1, None, None, 3), (_LAYER, (2, "SAME"), _LAYER, _LAYER)),
    "rnet": ((None, 24, 24, 3), (_LAYER, (3, "SAME"), _LAYER, (3, "VALID"), _LAYER, _LAYER)),
    "onet": (
        (None, 48, 48, 3),
        (_LAYER, (3, "SAME"), _LAYER, (3, "VALID"), _LAYER, (2, "SAME"), _LAYER, _LAYER),
    ),
}
"""The shape of what each takes, and its steps; a linear layer follows for each output."""


def convert(folder: Path) -> None:
    """Write the three files, the package's licence, and a record of what they were made from."""
    import joblib
    import lz4.frame
    import tensorflow as tf

    package = distribution("mtcnn")
    record = {
        "command": "python tools/convert_mtcnn.py",
        "from": f"mtcnn {package.version} (MIT licence)",
        "by": f"tensorflow {tf.__version__}",
        "sha256 of the weights": {},
        "sha256 of the files": {},
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, (shape, steps) in NETWORKS.items():
        packed = (files("mtcnn.assets.weights") / f"{name}.lz4").read_bytes()
        # From Python 3.13 on, a file that joblib opens itself ends in a printed traceback of lz4's.
        weights = joblib.load(io.BytesIO(lz4.frame.decompress(packed)))
        module = tf.Module()
        image = tf.TensorSpec(shape, tf.float32, "image")
        module.run = tf.function(network(steps, weights), [image])
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [module.run.get_concrete_function()], module
        )
        file = converter.convert()
        replace_file(folder / f"{name}.tflite", lambda stream, file=file: stream.write(file))
        for key, data in (("weights", packed), ("files", file)):
            record[f"sha256 of the {key}"][name] = hashlib.sha256(data).hexdigest()
    (licence,) = (file for file in package.files if file.name == "LICENSE")
    replace_file(folder / "LICENSE", lambda stream: stream.write(licence.read_binary()))
    write_json(folder / RECORD, record)


def network(steps: tuple, weights: list[np.ndarray]):
    """Return a network of these steps as a function of tensors."""
    import tensorflow as tf

    def linear(x, kernel, bias):
        if kernel.ndim == 4:
            return tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "VALID"), bias)
        if len(x.shape) == 4:  # columns come first, as where the weights were trained
            _, height, width, channels = x.shape
            kernel = kernel.reshape(width, height, channels, -1).swapaxes(0, 1)
            x = tf.reshape(x, [-1, height * width * channels])
        return tf.nn.bias_add(tf.matmul(x, kernel.reshape(x.shape[1], -1)), bias)

    def prelu(x, slopes):  # written as the converter knows it
        slopes = slopes.reshape((1,) * (len(x.shape) - 2) + (-1,))
        return tf.nn.relu(x) + -slopes * tf.nn.relu(-x)

    def run(x):
        x = (x - 127.5) / 128
        rest = iter(weights)
        for pooling in steps:
            if pooling is _LAYER:
                x = prelu(linear(x, next(rest), next(rest)), next(rest))
            else:
                x = tf.nn.max_pool2d(x, pooling[0], 2, pooling[1])
        *others, logits = zip(rest, rest, strict=True)
        odds = [np.diff(array) for array in logits]  # of a face, less those of none
        kernel, bias = (np.concatenate(arrays, -1) for arrays in zip(odds, *others, strict=True))
        return linear(x, kernel, bias)

    return run


def main(argv: list[str] | None = None) -> int:
    text = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("convert_mtcnn", description=__doc__, formatter_class=text)
    parser.add_argument("folder", nargs="?", type=Path, default=SHIPPED, metavar="FOLDER")
    return ended(parser, lambda args: convert(args.folder), argv)


if __name__ == "__main__":
    sys.exit(main())
