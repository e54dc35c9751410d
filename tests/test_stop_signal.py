"""A signal ends a wait that Python does not see the end of."""

import signal
import subprocess
import sys
import time

import pytest

# A lock that is taken twice: like a step of TensorFlow, it waits outside Python, for ever.
WAIT = """
import ctypes, sys
from xcos_tf.stop_signal import stop_asked
library = ctypes.CDLL(None)
mutex = ctypes.create_string_buffer(64)
library.pthread_mutex_lock(mutex)
with stop_asked({patience}) as asked:
    with asked.step():
        print("waits", flush=True)
        library.pthread_mutex_lock(mutex)
"""


@pytest.mark.parametrize(
    ("patience", "numbers", "code"),
    [
        (0.2, [signal.SIGTERM], 143),
        (0.2, [signal.SIGINT], 130),
        (600, [signal.SIGTERM, signal.SIGINT], 130),
        (600, [signal.SIGINT, signal.SIGTERM], 143),
    ],
)
def test_a_step_that_does_not_end_is_cut_short(patience, numbers, code):
    process = subprocess.Popen(
        [sys.executable, "-c", WAIT.format(patience=patience)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "waits\n"
        for number in numbers:
            time.sleep(1.1 if number == numbers[-1] else 0)
            process.send_signal(number)
        said = process.communicate(timeout=20)[1]
    finally:
        process.kill()
    assert process.returncode == code
    assert said.strip() == (
        "stopped within a step that did not end; the same command goes on from the last checkpoint"
    )
