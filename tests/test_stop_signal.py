"""A signal ends a wait that Python does not see the end of."""

import signal
import subprocess
import sys
import time

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


CASES = [  # patience, signals, exit code
    (0.2, [signal.SIGTERM], 143),
    (0.2, [signal.SIGINT], 130),
    (600, [signal.SIGTERM, signal.SIGINT], 130),
    (600, [signal.SIGINT, signal.SIGTERM], 143),
]


def start(patience):
    return subprocess.Popen(
        [sys.executable, "-c", WAIT.format(patience=patience)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_step_that_does_not_end_is_cut_short():
    processes = [start(patience) for patience, _, _ in CASES]  # they wait at the same time
    try:
        for process, (_, numbers, _) in zip(processes, CASES, strict=True):
            assert process.stdout.readline() == "waits\n"
            for number in numbers[:-1]:
                process.send_signal(number)
        time.sleep(1.1)
        for process, (_, numbers, _) in zip(processes, CASES, strict=True):
            process.send_signal(numbers[-1])
        for process, (_, numbers, code) in zip(processes, CASES, strict=True):
            said = process.communicate(timeout=20)[1]
            assert process.returncode == code, numbers
            assert said.strip() == (
                "stopped within a step that did not end; the same command goes on from the last "
                "checkpoint"
            )
    finally:
        for process in processes:
            process.kill()
