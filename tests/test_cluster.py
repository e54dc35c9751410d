"""Work on a Ray cluster of two nodes on this machine, one of which is killed on the way."""

import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from xcos_tf import FaceStore, XcosError
from xcos_tf.cli.main import main
from xcos_tf.cluster import done_on_ray
from xcos_tf.data import align_folder as aligning
from xcos_tf.data.align_folder import align_folder
from xcos_tf.data.records.writer import open_source, prepare
from xcos_tf.search import enrolling
from xcos_tf.search.enrolling import enroll_photos, photos_of

PHOTOS = 20


@pytest.fixture
def cluster(monkeypatch):
    import ray
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONBREAKPOINT", "")  # which Ray sets, so that it is put back
    running = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    yield running
    ray.shutdown()
    running.shutdown()


@pytest.fixture
def kill_when(cluster):
    """Kill the second node as soon as something is so, and say so in the end."""
    second = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    killers = []

    def start(begun):
        def kill():
            while not begun():
                time.sleep(0.02)
            cluster.remove_node(second, allow_graceful=False)

        killers.append(threading.Thread(target=kill))
        killers[0].start()

    yield start
    killers[0].join()


@pytest.fixture
def folder(photos, tmp_path):
    """A folder of people, one photo each."""
    content = (photos / "biden.jpg").read_bytes()
    for i in range(PHOTOS):
        (tmp_path / "photos" / f"person-{i}").mkdir(parents=True)
        (tmp_path / "photos" / f"person-{i}" / "a.jpg").write_bytes(content)
    return tmp_path / "photos"


def files(folder):
    return {str(x.relative_to(folder)): x.read_bytes() for x in folder.rglob("*") if x.is_file()}


@pytest.mark.slow
def test_enrolling_loses_nothing(cluster, kill_when, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(enrolling, "AT_ONCE", 2)
    with FaceStore.open(tmp_path / "store", create=True) as store:
        kill_when(lambda: len(store) >= 6)
        summary = enroll_photos(store, photos_of(folder), ray=cluster.address)
        assert (summary.enrolled, len(store), summary.failed) == (PHOTOS, PHOTOS, {})
        assert list(store) == sorted((f"person-{i}", 1) for i in range(PHOTOS))
        again = enroll_photos(store, photos_of(folder), ray=cluster.address)
        assert (again.enrolled, again.already_done) == (0, PHOTOS)


@pytest.mark.slow
def test_aligning_loses_nothing(cluster, kill_when, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(aligning, "_AT_ONCE", 2)
    monkeypatch.chdir(tmp_path)  # which the machines do too
    Image.new("RGB", (50, 50)).save(folder / "black.png")
    (folder / "text.jpg").write_text("no photo")
    out = tmp_path / "on-ray"
    kill_when(lambda: len(list(out.rglob("a.jpg"))) >= 6)
    summary = align_folder("photos", "on-ray", ray=cluster.address)
    assert (summary.aligned, summary.failed) == (PHOTOS, 2)
    again = align_folder("photos", "on-ray", ray=cluster.address)
    assert (again.aligned, again.already_done, again.failed_before) == (0, PHOTOS, 2)
    align_folder("photos", "here")
    found, wanted = files(out), files(tmp_path / "here")
    listed = [sorted(x.pop("failures.csv").splitlines()) for x in (found, wanted)]
    assert listed[0] == listed[1]
    assert found == wanted


@pytest.mark.slow
def test_preparing_loses_nothing(cluster, kill_when, tmp_path):
    faces = np.random.default_rng(0).integers(0, 255, (100, 112, 112, 3), np.uint8)
    for person in range(PHOTOS):
        (tmp_path / "faces" / f"person-{person}").mkdir(parents=True)
        for i, face in enumerate(faces):
            Image.fromarray(face).save(tmp_path / "faces" / f"person-{person}" / f"{i}.jpg")
    (tmp_path / "faces" / "person-3" / "notes.txt").write_text("no face")
    out = tmp_path / "on-ray"
    kill_when(lambda: len(list(out.glob(".progress/*.json"))) >= 4)
    source = open_source(tmp_path / "faces")
    summary = prepare(source, out, PHOTOS, ray=cluster.address)
    assert (summary.images, summary.skipped, summary.checked) == (100 * PHOTOS, 1, 100 * PHOTOS + 1)
    assert prepare(source, out, PHOTOS, ray=cluster.address).checked == 0
    prepare(source, tmp_path / "here", PHOTOS)
    assert files(out) == files(tmp_path / "here")


@pytest.mark.slow
def test_ray_tells_nobody_what_it_does(cluster, monkeypatch):
    monkeypatch.delenv("RAY_DATA_USAGE_DISABLED", raising=False)
    before = {thread.name for thread in threading.enumerate()}
    assert list(done_on_ray(cluster.address, lambda: str, [7])) == ["7"]
    assert not any("usage" in x.name for x in threading.enumerate() if x.name not in before)


def _refuse(job):
    raise XcosError(f"job {job} is bad; give another")


@pytest.mark.slow
def test_what_a_machine_finds_wrong_is_said(cluster, tmp_path):
    with pytest.raises(XcosError, match=r"^job 7 is bad; give another$"):
        list(done_on_ray(cluster.address, lambda: _refuse, [7]))
    (tmp_path / "faces" / "ann").mkdir(parents=True)
    Image.new("RGB", (112, 112)).save(tmp_path / "faces" / "ann" / "a.png")
    source = open_source(tmp_path / "faces")
    source.fingerprint = "of another machine"
    with pytest.raises(XcosError, match=r"a machine of the cluster has another .*; give all"):
        prepare(source, tmp_path / "out", ray=cluster.address)


@pytest.fixture
def commands(photos, tmp_path):
    """Commands that take `--ray`, and where each of them writes."""
    (tmp_path / "faces" / "ann").mkdir(parents=True)
    Image.new("RGB", (112, 112)).save(tmp_path / "faces" / "ann" / "a.png")
    out = str(tmp_path / "out")
    yield {
        "enroll": ["enroll", str(photos), "--store", out],
        "align": ["align", str(photos), out],
        "prepare": ["prepare", str(tmp_path / "faces"), out],
    }
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["enroll", "align", "prepare"])
@pytest.mark.parametrize("address", ["localhost:1", "ray://localhost:1", "", "a:b:c"])
def test_there_is_no_cluster(commands, command, address, capsys):
    assert main([*commands[command], "--ray", address]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"xcos {command}: error: there is no Ray cluster at {address} (")
    assert (
        said.endswith("; check the address, and that the cluster runs\n") and "\n" not in said[:-1]
    )


@pytest.mark.parametrize("command", ["enroll", "align", "prepare"])
def test_ray_is_missing(commands, command, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main([*commands[command], "--ray", "auto"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"xcos {command}: error: a Ray cluster needs another package (")
    assert said.endswith("; run pip install 'xcos_tf[cluster]'\n")
