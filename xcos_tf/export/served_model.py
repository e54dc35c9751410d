"""The graph that is served: an xCos network behind named signatures that check their inputs."""

from collections.abc import Callable, Mapping

import tensorflow as tf

from xcos_tf.export.encoded_faces import decode_faces
from xcos_tf.models.network import XCos
from xcos_tf.models.normalisation import normalise_pixels

Outputs = dict[str, tf.Tensor]


class ServedModel(tf.Module):
    """An xCos network with one attention and one threshold.

    `named` holds a traced function for each signature. All but `embed` return, for N pairs,

    - `xcos`: float32 (N,), in [−1, 1];
    - `similarity_map`: S, float32 (N, h, w), in [−1, 1];
    - `attention_map`: W, float32 (N, h, w), each summing to 1, so that xcos = Σ S·W;
    - `same`: bool (N,), xcos ≥ threshold.

    Every batch size from 1 on will do; input of another shape, and batches that do not pair up,
    fail with `tf.errors.InvalidArgumentError` and a sentence.
    """

    def __init__(self, network: XCos, attention: str, threshold: float):
        """Wrap a network; `attention` is one of its comparisons."""
        super().__init__()
        face, grid = network.features.input_shape[1:], network.features.output_shape[1:]
        comparison = network.comparisons[attention]
        # A Keras 3 variable is saved as a copy of its TensorFlow variable, and a server's session
        # would fill the copy alone. So the module holds no Keras object, functions aside.
        weights = [*network.features.weights, *comparison.weights]
        self.weights = [w if isinstance(w, tf.Variable) else w.value for w in weights]
        # Once in the file, however many signatures run the backbone.
        self._grids = tf.function(
            lambda faces: network.features(normalise_pixels(faces)),
            input_signature=[tf.TensorSpec((None, *face), tf.uint8)],
        )
        self._comparison = lambda a, b: comparison([a, b])
        self._threshold = threshold
        self.named: dict[str, Callable[..., Outputs]] = {}
        for function, names, shape, dtype in (
            (self.verify, ("image_a", "image_b"), face, tf.uint8),
            (self.verify_encoded, ("encoded_a", "encoded_b"), (), tf.string),
            (self.embed, ("image",), face, tf.uint8),
            (self.compare, ("grid_a", "grid_b"), grid, tf.float32),
            (self.compare_one_to_many, ("grid_a", "grid_b"), grid, tf.float32),
        ):
            specs = [tf.TensorSpec((None, *shape), dtype, name=name) for name in names]
            traced = tf.function(function, input_signature=specs)
            self.named[function.__name__] = traced
        self.named["serving_default"] = self.named["verify"]

    def embed(self, image: tf.Tensor) -> Outputs:
        """Return `grid`, the grid features of aligned RGB faces, uint8 (N, 112, 112, 3).

        It is float32 (N, h, w, c), of no unit.
        """
        return {"grid": self._grids(checked_batch(image, "image", "aligned RGB faces"))}

    def verify(self, image_a: tf.Tensor, image_b: tf.Tensor) -> Outputs:
        """Compare aligned RGB faces, uint8 (N, 112, 112, 3), one to one."""
        pair = {"image_a": image_a, "image_b": image_b}
        return self._verify(*checked_pair(pair, "aligned RGB faces"))

    def verify_encoded(self, encoded_a: tf.Tensor, encoded_b: tf.Tensor) -> Outputs:
        """Compare aligned faces as JPEG or PNG files' bytes, string (N,), one to one.

        Returns what `verify` does, and `valid_a` and `valid_b`, bool (N,): whether `decode_faces`
        could decode the image. A pair with one that could not has `same` False, and zeros for all
        numbers.
        """
        pair = {"encoded_a": encoded_a, "encoded_b": encoded_b}
        a, b = checked_pair(pair, "JPEG or PNG files' bytes")
        (images_a, valid_a), (images_b, valid_b) = decode_faces(a), decode_faces(b)
        outputs = self._verify(images_a, images_b)
        valid = valid_a & valid_b
        kept = {
            name: tf.where(tf.reshape(valid, (-1,) + (1,) * (value.shape.rank - 1)), value, 0)
            for name, value in outputs.items()
            if name != "same"
        }
        return {**kept, "same": outputs["same"] & valid, "valid_a": valid_a, "valid_b": valid_b}

    def compare(self, grid_a: tf.Tensor, grid_b: tf.Tensor) -> Outputs:
        """Compare grid features of `embed`, float32 (N, h, w, c), one to one."""
        return self._compare(*checked_pair({"grid_a": grid_a, "grid_b": grid_b}, "grid features"))

    def compare_one_to_many(self, grid_a: tf.Tensor, grid_b: tf.Tensor) -> Outputs:
        """Compare one grid feature with each of many.

        `grid_a` is float32 (1, h, w, c), and `grid_b` (N, h, w, c). N of both will do too, one to
        one, for a server that joins requests of one pair each to a batch.
        """
        a, b = checked_pair({"grid_a": grid_a, "grid_b": grid_b}, "grid features", one_to_many=True)
        return self._compare(tf.broadcast_to(a, tf.shape(b)), b)

    def _verify(self, images_a: tf.Tensor, images_b: tf.Tensor) -> Outputs:
        grids = self._grids(tf.concat([images_a, images_b], axis=0))
        return self._compare(*tf.split(grids, 2))

    def _compare(self, grids_a: tf.Tensor, grids_b: tf.Tensor) -> Outputs:
        outputs = self._comparison(grids_a, grids_b)
        # As `Verifier` decides: a threshold as a 32-bit number is another one.
        same = tf.cast(outputs["xcos"], tf.float64) >= tf.constant(self._threshold, tf.float64)
        return {**outputs, "same": same}


def checked_batch(value: tf.Tensor, name: str, what: str) -> tf.Tensor:
    """Return an input of a declared shape that, when the graph runs, is refused unless it has it.

    TF Serving's session feeds what it was sent whatever shape the signature declares, and an
    operation in the midst of the network would fail in words about itself. A batch of none is
    refused too, as not every build of TensorFlow can convolve it. `what` says what rows hold.
    Whatever is computed of the result waits for the check, which raises
    `tf.errors.InvalidArgumentError`.
    """
    declared = value.shape
    # Of the declared shape, the graph's optimisers would conclude that the check always passes.
    fed = tf.raw_ops.PlaceholderWithDefault(input=value, shape=None)
    sizes = tf.shape(fed)
    fits = tf.reduce_all(
        [
            tf.equal(tf.size(sizes), declared.rank),
            tf.reduce_all(sizes > 0),
            tf.reduce_all(sizes[1:] == tf.constant(declared[1:].as_list(), tf.int32)),
        ]
    )
    shape = ", ".join(["N", *map(str, declared[1:])]) + ("," if declared.rank == 1 else "")
    message = (
        f"Expected {name} to be a batch of {what}, of shape ({shape}), N ≥ 1; a single one needs "
        "a first dimension of 1. Received shape:"
    )
    with tf.control_dependencies([tf.debugging.Assert(fits, [message, sizes], summarize=8)]):
        return tf.ensure_shape(tf.identity(fed), declared)


def checked_pair(
    pair: Mapping[str, tf.Tensor], what: str, one_to_many: bool = False
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return two inputs, {name: batch}, that are refused unless they pair up; see `checked_batch`.

    With `one_to_many`, the first may also hold a single row.
    """
    names = tuple(pair)
    a, b = (checked_batch(value, name, what) for name, value in pair.items())
    counts = tf.shape(a)[0], tf.shape(b)[0]
    fits = tf.equal(*counts)
    wanted = f"as many rows in {names[0]} as in {names[1]}"
    if one_to_many:
        fits = tf.logical_or(fits, tf.equal(counts[0], 1))
        wanted = f"one row in {names[0]}, or {wanted}"
    check = tf.debugging.Assert(fits, [f"Expected {wanted}. Received:", *counts])
    with tf.control_dependencies([check]):
        return tf.identity(a), tf.identity(b)
