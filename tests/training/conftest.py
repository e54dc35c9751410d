"""What the tests of whole runs share."""

import functools

import pytest

from tests.training.running import (
    draw_and_prepare,
    in_another_process,
    succeed,
    train_command,
    write_config,
)


@pytest.fixture(scope="session")
def drawn(make_once):
    """The folder that `draw_and_prepare` makes."""
    return make_once("drawn", draw_and_prepare)


@pytest.fixture(scope="session")
def sets(drawn):
    """The folder of the prepared sets."""
    return drawn / "prepared"


@pytest.fixture(scope="session")
def _load_preset_once():
    from xcos_tf.models.presets import load_preset

    return functools.cache(load_preset)


@pytest.fixture
def presets_loaded_once(_load_preset_once, monkeypatch):
    """Load the presets that a run starts from once for all tests, of which none must train."""
    monkeypatch.setattr("xcos_tf.training.assembly.load_preset", _load_preset_once)


@pytest.fixture(scope="session")
def started(sets, tmp_path_factory):
    """Start what `alone` waits for; gives the folder, which holds `run.yaml`, and processes."""
    room = tmp_path_factory.mktemp("alone")
    config = write_config(room / "run.yaml", {"devices": {"deterministic": True}})
    two = {"deterministic": True, "strategy": "mirrored", "logical_cpus": 2}
    mirrored = write_config(room / "two.yaml", {"devices": two})
    words = train_command(config, sets, room / "alone")
    processes = [
        in_another_process(f"xcos({words})", nice=5),
        in_another_process(f"xcos({train_command(mirrored, sets, room / 'two')})", nice=5),
    ]
    yield room, processes
    for process in processes:
        process.kill()


@pytest.fixture(scope="session")
def alone(started):
    """A run, and one of the same configuration on two devices.

    Both of them deterministic, in `alone` and `two` of the folder.
    """
    room, processes = started
    for process, name in zip(processes, ("alone", "two"), strict=True):
        assert succeed(process) == f"wrote {room / name}/preset\n"
    return room
