"""An exported model, loaded once, and servers of it by both protocols."""

import numpy as np
import pytest

from tests.serving.making import NAME
from tests.serving.servables import Servables
from tests.serving.stand_in import StandIn
from xcos_tf.serving.client import ServingClient
from xcos_tf.verifier import Verifier


@pytest.fixture(scope="session")
def servables(served_folder):
    return Servables(served_folder)


@pytest.fixture(params=["grpc", "rest"])
def kind(request):
    return request.param


@pytest.fixture
def server(servables, kind):
    with StandIn(servables, kind) as server:
        yield server


@pytest.fixture
def client(server):
    with ServingClient(server.address, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def verifier():
    return Verifier.from_preset(NAME)


@pytest.fixture(scope="session")
def faces():
    """Two batches of three noisy faces, the first pair of which is one face."""
    random = np.random.default_rng(20211)
    a, b = random.integers(0, 256, (2, 3, 112, 112, 3), np.uint8)
    b[0] = a[0]
    return a, b


@pytest.fixture(scope="session")
def expected(verifier, faces):
    """What `Verifier` makes of them: the answers, and both batches' grids."""
    grids = [verifier.embed(batch) for batch in faces]
    answers = verifier.explain_pairs(*grids)
    answers["same"] = answers["xcos"] >= verifier.threshold()
    return answers, grids
