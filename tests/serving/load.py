"""Many clients at once of a server that is killed in the middle and started again.

    python -m tests.serving.load [--seconds 60]

exports the default preset, serves it by the stand-in for TF Serving in a process of its own, has
half of the clients ask by gRPC and half by REST, and counts what they got: right answers, wrong
ones (further than 1e-5 from `Verifier`), and failures, which each call must report to its caller as
XcosError, in time. Exit code: 0 if no answer was wrong, no failure went unreported and no call was
late or lost, else 1.
"""

import argparse
import collections
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.export.saved_model import plan_version, publish_version
from xcos_tf.serving.client import ServingClient
from xcos_tf.verifier import Verifier

ROOT = Path(__file__).resolve().parents[2]
MODEL = "xcos-mobilefacenet-2"
TOLERANCE = 1e-5
PAIRS = 8
LATE = 3.0  # seconds beyond its timeout by which a call on a busy machine may return
FAULTS = ("wrong", "unreported", "late")


class Server:
    """The stand-in in a process of its own, at two ports that it keeps."""

    def __init__(self, folder: Path):
        """Start it, and wait until it answers; `folder` holds the models."""
        self._folder, self.ports = folder, ("0", "0")
        self.start()

    def start(self) -> None:
        """Start the process, and wait until it serves."""
        ports = ("--grpc-port", self.ports[0], "--rest-port", self.ports[1])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.serving.server", str(self._folder), *ports],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        words = self._process.stdout.readline().split()
        assert len(words) >= 4, "the stand-in server did not start"
        self.ports = (words[-3], words[-1])

    def kill(self) -> None:
        """End the process at once, whatever is in flight."""
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


class Load:
    """Clients in threads that ask about pairs whose answers are known, and what they came to.

    `counts` has calls that "begun", answers that are "right before" the server was killed, "right
    after" it was back, or "wrong"; "XcosError"s by kind, "unreported" errors, and "late" calls.
    `seconds` are those of right answers.
    """

    def __init__(self, addresses: tuple[str, str], clients: int, timeout: float):
        """Make the pairs, and compute their answers here; half of the clients take each address."""
        random = np.random.default_rng(20211)
        self._faces = random.integers(0, 256, (2, PAIRS, 112, 112, 3), np.uint8)
        self._faces[1, 0] = self._faces[0, 0]
        verifier = Verifier.from_preset(MODEL)
        self.answers = verifier.explain_pairs(*map(verifier.embed, self._faces))
        self.same = self.answers["xcos"] >= verifier.threshold()
        self.counts, self.seconds = collections.Counter(), []
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._timeout, self.state = timeout, "before"
        self._threads = [
            threading.Thread(target=self._client, args=(addresses[i % 2], i), daemon=True)
            for i in range(clients)
        ]

    def start(self) -> None:
        """Start the clients."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let every client end its call."""
        self._stopped.set()
        end = time.monotonic() + self._timeout + LATE
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _client(self, address: str, number: int) -> None:
        random = np.random.default_rng(number)
        with ServingClient(address, MODEL, timeout=self._timeout) as client:
            while not self._stopped.is_set():
                row = int(random.integers(PAIRS))
                with self._lock:
                    self.counts["begun"] += 1
                start = time.monotonic()
                outcome = self._outcome(client, row)
                seconds = time.monotonic() - start
                with self._lock:
                    self.counts[outcome] += 1
                    self.counts["late"] += seconds > self._timeout + LATE
                    self.seconds += [seconds] * outcome.startswith("right")

    def _outcome(self, client, row: int) -> str:
        try:
            answer = client.verify(*(batch[row : row + 1] for batch in self._faces))
            return f"right {self.state}" if self.is_right(answer, row) else "wrong"
        except XcosError as error:
            return f"XcosError {type(error).__name__}"
        except Exception as error:
            print(repr(error), file=sys.stderr)
            return "unreported"

    def is_right(self, answer, row: int) -> bool:
        """Return whether an answer is that of `Verifier`."""
        close = all(
            np.allclose(getattr(answer, name)[0], expected[row], rtol=0, atol=TOLERANCE)
            for name, expected in self.answers.items()
        )
        return close and bool(answer.same[0]) == bool(self.same[row])


def passed(counts: collections.Counter) -> bool:
    """Return whether the test is passed; every call that begun also ended, see `Load`."""
    ended = counts.total() - counts["begun"] - counts["late"]
    faults = any(counts[fault] for fault in FAULTS) or ended != counts["begun"]
    return not faults and counts["right before"] > 0 and counts["right after"] > 0


def run(folder: Path, clients: int, seconds: float, timeout: float) -> tuple[Load, float]:
    """Run the test, and return what the calls came to and for how many seconds no server was there.

    Args:
        folder: that holds the models, as `xcos export` wrote it.
        clients: how many ask at the same time.
        seconds: with the server up, half of it before it is killed and half after it is back.
        timeout: of each call.
    """
    server = Server(folder)
    try:
        grpc, rest = server.ports
        load = Load((f"localhost:{grpc}", f"http://localhost:{rest}"), clients, timeout)
        load.start()
        time.sleep(seconds / 2)
        load.state, gone = "down", time.monotonic()
        server.kill()
        server.start()
        load.state, gone = "after", time.monotonic() - gone
        time.sleep(seconds / 2)
        load.stop()
        return load, gone
    finally:
        server.kill()


def main() -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        publish_version(plan_version(MODEL, Path(folder)))
        load, gone = run(Path(folder), args.clients, args.seconds, timeout=10)
    print(*(f"{count:7,} {what}" for what, count in sorted(load.counts.items())), sep="\n")
    median, tail = np.percentile(load.seconds or [np.nan], (50, 99))
    print(f"{gone:7.1f} s without a server")
    print(f"{median:7.2f} s for a right answer, median; 99th percentile {tail:.2f} s")
    return 0 if passed(load.counts) else 1


if __name__ == "__main__":
    sys.exit(main())
