"""The warm-up requests, read by TF Serving's own messages and played to the model."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from tests.export.conftest import SIGNATURES
from xcos_tf.export.saved_model import WARMUP_FILE


@pytest.fixture(scope="module")
def requests(version_folder):
    records = tf.data.TFRecordDataset(str(version_folder / WARMUP_FILE)).as_numpy_iterator()
    logs = [PredictionLog.FromString(record) for record in records]
    assert all(log.WhichOneof("log_type") == "predict_log" for log in logs)
    return [log.predict_log.request for log in logs]


def test_each_signature_is_warmed_up_once(requests):
    assert sorted(request.model_spec.signature_name for request in requests) == sorted(SIGNATURES)
    assert {request.model_spec.name for request in requests} == {"xcos-mobilefacenet-2"}


def test_the_model_answers_them(requests, signatures):
    for request in requests:
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        assert {len(value) for value in inputs.values()} == {1}
        outputs = signatures[request.model_spec.signature_name](
            **{name: tf.constant(value) for name, value in inputs.items()}
        )
        for name, value in outputs.items():
            assert np.isfinite(value.numpy().astype(np.float32)).all()
            if name.startswith("valid"):
                assert value.numpy().all()


def test_nothing_in_them_is_unknown_to_tf_serving(requests):
    """A field of a wrong number would be kept as an unknown one, or lost."""
    for request in requests:
        copy = type(request).FromString(request.SerializeToString())
        copy.DiscardUnknownFields()
        assert copy == request and copy.ByteSize() == request.ByteSize()
