"""Enrolling on a Ray cluster of two nodes on this machine, one of which is killed on the way."""

import threading
import time

import pytest

from xcos_tf import FaceStore, XcosError
from xcos_tf.search import enrolling
from xcos_tf.search.enrolling import enroll_photos, photos_of

PHOTOS = 40


@pytest.fixture
def cluster(monkeypatch):
    import ray
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONBREAKPOINT", "")  # which Ray sets, so that it is put back
    running = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    yield running
    ray.shutdown()
    running.shutdown()


@pytest.mark.slow
def test_a_node_that_is_killed_loses_nothing(cluster, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(enrolling, "AT_ONCE", 2)
    for i in range(PHOTOS):
        (tmp_path / "photos" / f"person-{i}").mkdir(parents=True)
        content = (photos / "biden.jpg").read_bytes()
        (tmp_path / "photos" / f"person-{i}" / "a.jpg").write_bytes(content)
    second = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    with FaceStore.open(tmp_path / "store", create=True) as store:

        def kill():
            while len(store) < 6:
                time.sleep(0.05)
            cluster.remove_node(second, allow_graceful=False)

        killer = threading.Thread(target=kill)
        killer.start()
        summary = enroll_photos(store, photos_of(tmp_path / "photos"), ray=cluster.address)
        killer.join()
        assert (summary.enrolled, len(store), summary.failed) == (PHOTOS, PHOTOS, {})
        assert list(store) == sorted((f"person-{i}", 1) for i in range(PHOTOS))
        again = enroll_photos(store, photos_of(tmp_path / "photos"), ray=cluster.address)
        assert (again.enrolled, again.already_done) == (0, PHOTOS)


@pytest.mark.parametrize("address", ["localhost:1", "ray://localhost:1", "", "a:b:c"])
def test_there_is_no_cluster(photos, tmp_path, address):
    with (
        FaceStore.open(tmp_path / "store", create=True) as store,
        pytest.raises(XcosError, match=f"there is no Ray cluster at {address} "),
    ):
        enroll_photos(store, photos_of(photos), ray=address)
