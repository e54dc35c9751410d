"""Load the HTTP service with many clients, some of them bad, and hold its answers against our own.

    python tools/load_service.py [--clients 32] [--seconds 60]

Clients of a real `xcos serve` compare the sample photos, one pair after another. Meanwhile one
sends a photo that unpacks to gigabytes and one sends its photo two bytes a second. After the minute
the service is stopped by SIGTERM and started again, while they go on for a little. Prints how many
answers came, that none was wrong, seconds, and the service's memory in the minute. Exit code: 0, or
1 if an answer was wrong or none came.
"""

import argparse
import io
import itertools
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import httpx
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
NAMES = ("obama", "obama2", "biden")
KINDS = ("seconds", "wrong", "away", "busy")
BOMB_SIDE = 60_000  # pixels
AFTERWARDS = 10  # seconds


class Service:
    """`xcos serve` in a process of its own, which can be started again at the same port."""

    def __init__(self):
        self.port = 0
        self.start()

    def start(self) -> None:
        words = ["-m", "xcos_tf", "serve", "--port", str(self.port)]
        options = {"cwd": ROOT, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([sys.executable, *words], **options)
        told = self.process.stderr.readline()
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", told)[1])

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/verify"

    def memory(self) -> float:
        """Return what it holds now, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 2**10


def load(clients: int, seconds: float) -> tuple[dict[str, list], list[float], dict[str, str]]:
    """Return the clients' answers by kind, the memory at each second, how the bad ones fared."""
    service, tally, bad = Service(), {kind: [] for kind in KINDS}, {}
    photos = {name: (ROOT / f"tests/photos/{name}.jpg").read_bytes() for name in NAMES}
    expected = expected_scores(photos)
    restart = time.monotonic() + seconds
    end = restart + AFTERWARDS
    roles = [(ask, service, photos, expected, tally, end, turn) for turn in range(clients)]
    roles += [(send_bomb, service, photos, bad), (send_slowly, service, bad, end)]
    threads = [threading.Thread(target=act, args=args) for act, *args in roles]
    for thread in threads:
        thread.start()
    memory = []
    while time.monotonic() < restart:
        time.sleep(1)
        memory.append(service.memory())
    service.stop()
    service.start()
    for thread in threads:
        thread.join()
    service.stop()
    return tally, memory, bad


def expected_scores(photos: dict[str, bytes]) -> dict[tuple[str, str], float]:
    """Return the score of each pair, by this process's own verifier."""
    from xcos_tf.verifier import Verifier

    verifier = Verifier.from_preset()
    templates = {name: verifier.enroll(content) for name, content in photos.items()}
    pairs = itertools.permutations(NAMES, 2)
    return {(a, b): verifier.verify(templates[a], templates[b]).score for a, b in pairs}


def ask(service, photos, expected, tally: dict[str, list], end: float, turn: int) -> None:
    """Be a client until the end; whoever is not served tries again."""
    pairs = itertools.islice(itertools.cycle(expected.items()), turn, None)
    with httpx.Client(timeout=60) as client:
        for (a, b), score in pairs:
            if time.monotonic() > end:
                return
            start = time.perf_counter()
            try:
                answer = client.post(service.address(), files={"a": photos[a], "b": photos[b]})
            except httpx.TransportError:  # it is being started again
                tally["away"].append(1)
                time.sleep(0.2)
                continue
            if answer.status_code == 503:
                tally["busy"].append(1)
            elif answer.status_code != 200 or abs(answer.json()["score"] - score) > 1e-4:
                tally["wrong"].append(answer.text[:200])
            else:
                tally["seconds"].append(time.perf_counter() - start)


def send_bomb(service, photos, bad: dict[str, str]) -> None:
    """Send a PNG of a few MB that unpacks to gigabytes; it must be refused."""
    files = {"a": bomb(), "b": photos["biden"]}
    answer = httpx.post(service.address(), files=files, timeout=60)
    bad["photo bomb"] = f"{answer.status_code}, {answer.json()['error']}"


def bomb() -> bytes:
    """Return a PNG of one colour, whose pixels would take 3.6 GB."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    packer, stream = zlib.compressobj(9), io.BytesIO()
    for _ in range(BOMB_SIDE):
        stream.write(packer.compress(bytes(1 + BOMB_SIDE)))
    stream.write(packer.flush())
    header = struct.pack(">IIBBBBB", BOMB_SIDE, BOMB_SIDE, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", stream.getvalue()), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def send_slowly(service, bad: dict[str, str], end: float) -> None:
    """Promise a body and send it byte by byte; others must be served meanwhile."""
    sent = 0
    try:
        with socket.create_connection(("127.0.0.1", service.port)) as opened:
            opened.sendall(b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
            while time.monotonic() < end:
                opened.sendall(b"-")
                sent += 1
                time.sleep(0.5)
    except OSError:
        pass  # the service was stopped
    bad["slow client"] = f"sent {sent} bytes"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=32, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=60, help="default: %(default)s")
    args = parser.parse_args(argv)
    tally, memory, bad = load(args.clients, args.seconds)
    right, wrong, away, busy = tally.values()
    p50, p95 = np.percentile(right or [np.nan], (50, 95))
    print(f"{len(right)} answers, {len(wrong)} wrong; p50 {p50:.2f} s, p95 {p95:.2f} s")
    print(f"told to wait: {len(busy)}; asked while it was away: {len(away)}")
    for name, how in bad.items():
        print(f"{name}: {how}")
    for name, of in (("median", np.median), ("most", np.max)):
        quarters = [of(part) for part in np.array_split(memory, 4)]
        growth = f"{quarters[3] - quarters[1]:+.0f} from second to last"
        told = " ".join(f"{x:.0f}" for x in quarters)
        print(f"memory, {name} of each quarter, MiB: {told} ({growth})")
    return 1 if wrong or not right else 0


if __name__ == "__main__":
    sys.exit(main())
