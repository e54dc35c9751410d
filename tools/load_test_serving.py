"""Many clients at once of a server that is killed in the middle and started again.

    python tools/load_test_serving.py

exports the default preset, serves it by the tests' stand-in for TF Serving in a process of its own,
has half of the clients ask by gRPC and half by REST, and counts what they got: right answers,
wrong ones (further than 1e-5 from `Verifier`), and failures, which each call must report to its
caller as XcosError, in time. Exit code: 0 if no answer was wrong, no failure went unreported and no
call was late or lost, else 1.
"""

import argparse
import collections
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

MODEL = "xcos-mobilefacenet"
TOLERANCE = 1e-5
PAIRS = 8
LATE = 3.0  # seconds beyond its timeout by which a call on a busy machine may return


@dataclass
class Tally:
    """What the calls of all clients came to.

    Attributes:
        right, wrong: answers.
        reported: failures that the caller was told of, by kind.
        unreported: exceptions of any other kind, in words.
        late: calls that returned after their time.
        begun: calls; those that never ended are `lost`.
        before, after: right answers before the server was killed and after it was back.
        seconds: of each right answer.
    """

    right: int = 0
    wrong: int = 0
    reported: collections.Counter = field(default_factory=collections.Counter)
    unreported: list[str] = field(default_factory=list)
    late: int = 0
    begun: int = 0
    before: int = 0
    after: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Calls that neither returned nor raised."""
        ended = self.right + self.wrong + self.reported.total() + len(self.unreported)
        return self.begun - ended

    @property
    def passed(self) -> bool:
        """Whether the test is passed."""
        faults = self.wrong or self.unreported or self.late or self.lost
        return not faults and self.before > 0 and self.after > 0


class Server:
    """The stand-in in a process of its own, at two ports that it keeps."""

    def __init__(self, folder: Path):
        """Start it, and wait until it answers; `folder` holds the models."""
        self._folder, self._ports = folder, ("0", "0")
        self.start()

    def start(self) -> None:
        """Start the process, and wait until it serves."""
        grpc_port, rest_port = self._ports
        command = [sys.executable, "-m", "tests.serving.server", str(self._folder)]
        self._process = subprocess.Popen(
            [*command, "--grpc-port", grpc_port, "--rest-port", rest_port],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        words = self._process.stdout.readline().split()
        if len(words) < 4:
            raise RuntimeError("the stand-in server did not start")
        self._ports = (words[-3], words[-1])

    def kill(self) -> None:
        """End the process at once, whatever is in flight."""
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    @property
    def addresses(self) -> tuple[str, str]:
        """By gRPC and by REST."""
        return f"localhost:{self._ports[0]}", f"http://localhost:{self._ports[1]}"


class Load:
    """Clients in threads that ask about pairs whose answers are known."""

    def __init__(self, addresses: tuple[str, str], clients: int, timeout: float):
        """Make the pairs, and compute their answers here; half of the clients take each address."""
        from xcos_tf.verifier import Verifier

        random = np.random.default_rng(20211)
        self._faces = random.integers(0, 256, (2, PAIRS, 112, 112, 3), np.uint8)
        self._faces[1, 0] = self._faces[0, 0]
        verifier = Verifier.from_preset(MODEL)
        self._answers = verifier.explain_pairs(*map(verifier.embed, self._faces))
        self._same = self._answers["xcos"] >= verifier.threshold()
        self._timeout = timeout
        self._tally, self._lock = Tally(), threading.Lock()
        self._stopped, self.server_state = threading.Event(), "before"
        self._threads = [
            threading.Thread(target=self._client, args=(addresses[i % 2], i), daemon=True)
            for i in range(clients)
        ]

    def start(self) -> None:
        """Start the clients."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> Tally:
        """Let every client end its call; return what all of them came to."""
        self._stopped.set()
        end = time.monotonic() + self._timeout + LATE
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        with self._lock:
            return self._tally

    def _client(self, address: str, number: int) -> None:
        from xcos_tf.serving.client import ServingClient

        random = np.random.default_rng(number)
        with ServingClient(address, MODEL, timeout=self._timeout) as client:
            while not self._stopped.is_set():
                self._call(client, int(random.integers(PAIRS)))

    def _call(self, client, row: int) -> None:
        from xcos_tf.errors import XcosError

        with self._lock:
            self._tally.begun += 1
        start, answer, error = time.monotonic(), None, None
        try:
            answer = client.verify(*(batch[row : row + 1] for batch in self._faces))
            right = self._is_right(answer, row)
        except Exception as caught:
            error = caught
        seconds = time.monotonic() - start
        with self._lock:
            tally = self._tally
            tally.late += seconds > self._timeout + LATE
            if isinstance(error, XcosError):
                tally.reported[type(error).__name__] += 1
            elif error is not None:
                tally.unreported.append(repr(error))
            elif right:
                tally.right += 1
                tally.seconds.append(seconds)
                tally.before += self.server_state == "before"
                tally.after += self.server_state == "after"
            else:
                tally.wrong += 1

    def _is_right(self, answer, row: int) -> bool:
        close = all(
            np.allclose(getattr(answer, name)[0], expected[row], rtol=0, atol=TOLERANCE)
            for name, expected in self._answers.items()
        )
        return close and bool(answer.same[0]) == bool(self._same[row])


def run(folder: Path, clients: int, seconds: float, timeout: float) -> tuple[Tally, float]:
    """Run the test.

    Args:
        folder: that holds the models, as `xcos export` wrote it.
        clients: how many ask at the same time.
        seconds: with the server up, half of it before it is killed and half after it is back.
        timeout: of each call.

    Returns:
        What the calls came to, and for how many seconds there was no server.
    """
    server = Server(folder)
    try:
        load = Load(server.addresses, clients, timeout)
        load.start()
        time.sleep(seconds / 2)
        load.server_state = "down"
        gone = time.monotonic()
        server.kill()
        server.start()
        gone = time.monotonic() - gone
        load.server_state = "after"
        time.sleep(seconds / 2)
        return load.stop(), gone
    finally:
        server.kill()


def as_text(tally: Tally, gone: float) -> str:
    """Return the result in words."""
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(tally.reported.items()))
    median, tail = np.percentile(tally.seconds or [np.nan], (50, 99))
    return "\n".join(
        [
            f"{tally.begun:,} calls; the server was away for {gone:.1f} s",
            f"right answers: {tally.right:,} ({tally.before:,} before, {tally.after:,} after)",
            f"wrong answers: {tally.wrong:,}",
            f"failures reported to the caller: {tally.reported.total():,} ({kinds or 'none'})",
            f"failures not reported: {len(tally.unreported):,}",
            *tally.unreported[:3],
            f"calls late: {tally.late:,}, lost: {tally.lost:,}",
            f"seconds for a right answer: median {median:.2f}, 99th percentile {tail:.2f}",
        ]
    )


def main(argv: list[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--timeout", type=float, default=10, help="of each call, in seconds")
    parser.add_argument("--folder", type=Path, help="an export's `serving` (default: a new one)")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        if args.folder is None:
            from xcos_tf.export.saved_model import export_saved_model

            export_saved_model(MODEL, folder)
        tally, gone = run(folder, args.clients, args.seconds, args.timeout)
    print(as_text(tally, gone))
    return 0 if tally.passed else 1


if __name__ == "__main__":
    sys.exit(main())
