"""What goes wrong inside `tf.data`, in sentences for the user."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from xcos_tf.errors import XcosError

_OWN = re.compile(r"XcosError: (.+)")
_SHAPE = re.compile(r"\[(\d+),(\d+),3\] is not compatible with expected shape \[(\d+),(\d+),3\]")


@contextmanager
def reading_faults() -> Iterator[None]:
    """Raise what TensorFlow says of unreadable faces as an XcosError.

    `tf.data` wraps an XcosError of a reader in an error of its own, with a traceback in the text;
    and a face of another size breaks a promise about shapes. Other errors pass unchanged.
    """
    try:
        yield
    except tf.errors.OpError as error:
        if own := _OWN.search(str(error)):
            raise XcosError(own[1]) from None
        if shape := _SHAPE.search(str(error)):
            height, width, *expected = shape.groups()
            raise XcosError(
                f"a face of the sets is {width}×{height} pixels and the models take "
                f"{expected[1]}×{expected[0]}; prepare faces that `xcos align` made"
            ) from None
        raise
