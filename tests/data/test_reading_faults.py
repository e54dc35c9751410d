import pytest
import tensorflow as tf

from tests.data.records.sources import jpeg
from xcos_tf.data.training_input import decode_face, reading_faults
from xcos_tf.errors import XcosError


def fail(number):
    raise XcosError("a shard is missing; prepare the set again")


def break_down(number):
    raise RuntimeError("no fault of the user")


def first(function):
    dataset = tf.data.Dataset.range(3)
    return next(iter(dataset.map(lambda n: tf.numpy_function(function, [n], tf.string))))


def test_a_reader_s_own_sentence():
    with pytest.raises(XcosError) as caught, reading_faults():
        first(fail)
    assert str(caught.value) == "a shard is missing; prepare the set again"


def test_a_face_of_another_size():
    faces = tf.data.Dataset.from_tensors(jpeg(0, 24)).map(decode_face)
    for read in (lambda: next(iter(faces)), lambda: decode_face(jpeg(0, 24))):
        with pytest.raises(XcosError, match="is 24×24 pixels and"), reading_faults():
            read()


def test_other_errors_pass():
    with pytest.raises(tf.errors.UnknownError, match="no fault of the user"), reading_faults():
        first(break_down)
