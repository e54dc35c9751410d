"""The model in a session, which is how TF Serving runs it, rather than in Python's functions."""

import numpy as np
import pytest
import tensorflow as tf

from tests.export.conftest import SIGNATURES

tf1 = tf.compat.v1


class ServerSession:
    """A session with the model loaded, fed as a server does: whatever it was sent."""

    def __init__(self, session, meta_graph):
        self._session, self._meta_graph = session, meta_graph

    def run(self, signature, **inputs):
        definition = self._meta_graph.signature_def[signature]
        outputs = list(definition.outputs)
        # `Session.run` would check the shapes itself.
        values = self._session._call_tf_sessionrun(
            None,
            {self._tensor(definition.inputs[key]): inputs[key] for key in inputs},
            [self._tensor(definition.outputs[key]) for key in outputs],
            [],
            None,
        )
        return dict(zip(outputs, values, strict=True))

    def _tensor(self, info):
        return self._session.graph.get_tensor_by_name(info.name)._as_tf_output()


@pytest.fixture(scope="module")
def server(version_folder):
    with tf1.Session(graph=tf1.Graph()) as session:
        meta_graph = tf1.saved_model.load(session, ["serve"], str(version_folder))
        assert sorted(meta_graph.signature_def) == sorted(["__saved_model_init_op", *SIGNATURES])
        yield ServerSession(session, meta_graph)


def test_the_weights_are_restored(server, expected):
    answers = server.run("verify", image_a=expected.faces_a, image_b=expected.faces_b)
    for name in ("xcos", "similarity_map", "attention_map"):
        np.testing.assert_allclose(answers[name], expected.answers[name], rtol=0, atol=1e-5)
    assert answers["same"].tolist() == expected.answers["same"].tolist()
    grids = {"grid_a": expected.grids_a, "grid_b": expected.grids_b}
    np.testing.assert_allclose(
        server.run("compare", **grids)["xcos"], expected.answers["xcos"], rtol=0, atol=1e-5
    )


def test_damaged_images(server):
    contents = np.array([b"", b"x"], object)
    answers = server.run("verify_encoded", encoded_a=contents, encoded_b=contents)
    assert not answers["valid_a"].any() and not answers["same"].any()


@pytest.mark.parametrize(
    "signature, shapes, sentence",
    [
        ("embed", {"image": (112, 112, 3)}, r"Expected image to be .*\[112 112 3\]"),
        ("embed", {"image": (2, 96, 112, 3)}, r"Expected image to be .*\[2 96 112 3\]"),
        ("embed", {"image": (0, 112, 112, 3)}, r"Expected image to be .*\[0 112 112 3\]"),
        (
            "verify",
            {"image_a": (2, 112, 112, 3), "image_b": (1, 112, 112, 3)},
            r"Expected as many rows in image_a as in image_b. Received:\] \[2\] \[1\]",
        ),
        (
            "compare",
            {"grid_a": (2, 7, 7, 16), "grid_b": (2, 7, 7, 16)},
            r"Expected grid_. to be .*\[2 7 7 16\]",
        ),
        (
            "compare_one_to_many",
            {"grid_a": (2, 7, 7, 32), "grid_b": (3, 7, 7, 32)},
            r"Expected one row in grid_a, .*Received:\] \[2\] \[3\]",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_words(signature, shapes, sentence, server):
    dtype = np.uint8 if signature in ("embed", "verify") else np.float32
    inputs = {name: np.zeros(shape, dtype) for name, shape in shapes.items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match=sentence):
        server.run(signature, **inputs)
