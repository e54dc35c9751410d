"""What the tests of whole runs share."""

import pytest

from tests.training.running import (
    draw_and_prepare,
    in_another_process,
    succeed,
    train_command,
    write_config,
)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """The folder that `draw_and_prepare` makes."""
    folder = tmp_path_factory.mktemp("drawn")
    draw_and_prepare(folder)
    return folder


@pytest.fixture(scope="session")
def sets(drawn):
    """The folder of the prepared sets."""
    return drawn / "prepared"


@pytest.fixture(scope="session")
def started(sets, tmp_path_factory):
    """Start what `alone` waits for; gives the folder, which holds `run.yaml`, and processes."""
    room = tmp_path_factory.mktemp("alone")
    config = write_config(room / "run.yaml", {"devices": {"deterministic": True}})
    two = {"deterministic": True, "strategy": "mirrored", "logical_cpus": 2}
    mirrored = write_config(room / "two.yaml", {"devices": two})
    words = train_command(config, sets, room / "alone")
    fit_words = train_command(config, sets, room / "fit")[1:]
    processes = [
        in_another_process(f"xcos({words})", f"fit({fit_words})", nice=5),
        in_another_process(f"xcos({train_command(mirrored, sets, room / 'two')})", nice=5),
    ]
    yield room, processes
    for process in processes:
        process.kill()


@pytest.fixture(scope="session")
def alone(started):
    """A run by our loop, one of the same configuration by `fit`, and one on two devices.

    All of them deterministic, in `alone`, `fit` and `two` of the folder.
    """
    room, (first, second) = started
    assert succeed(first).splitlines() == [f"wrote {room / x}/preset" for x in ("alone", "fit")]
    assert succeed(second) == f"wrote {room / 'two'}/preset\n"
    return room
