"""Load the HTTP service with many clients, some of them bad, and hold its answers against our own.

    python -m tests.web.load [--clients 32] [--seconds 60]

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
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
from PIL.PngImagePlugin import putchunk

from xcos_tf.verifier import Verifier

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("obama", "obama2", "biden")
BOMB_SIDE = 60_000  # pixels
AFTERWARDS = 10  # seconds


def serve(port: int) -> tuple[subprocess.Popen, int]:
    """Start `xcos serve` at a port, or any for 0; return its process and the port."""
    words = [sys.executable, "-m", "xcos_tf", "serve", "--port", str(port)]
    service = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    told = service.stderr.readline()
    # Its log has to go somewhere, or it waits once the pipe is full.
    threading.Thread(target=service.stderr.read, daemon=True).start()
    return service, int(re.search(r"127\.0\.0\.1:(\d+)", told)[1])


def stop(service: subprocess.Popen) -> None:
    service.send_signal(signal.SIGTERM)
    service.wait(60)


def load(clients: int, seconds: float) -> tuple[dict[str, list], list[float], dict[str, str]]:
    """Return the clients' answers by kind, the memory at each second, how the bad ones fared."""
    service, port = serve(0)
    url, tally, memory = f"http://127.0.0.1:{port}/verify", defaultdict(list), []
    photos = {name: (ROOT / f"tests/photos/{name}.jpg").read_bytes() for name in NAMES}
    verifier = Verifier.from_preset()
    templates = {name: verifier.enroll(content) for name, content in photos.items()}
    expected = {
        (a, b): verifier.verify(templates[a], templates[b]).score
        for a, b in itertools.permutations(NAMES, 2)
    }
    restart = time.monotonic() + seconds
    end = restart + AFTERWARDS
    with ThreadPoolExecutor(clients + 2) as pool:
        asking = [
            pool.submit(ask, url, photos, expected, tally, end, turn) for turn in range(clients)
        ]
        bad = {"photo bomb": pool.submit(send_bomb, url, photos["biden"])}
        bad["slow client"] = pool.submit(send_slowly, port, end)
        while time.monotonic() < restart:
            time.sleep(1)
            status = Path(f"/proc/{service.pid}/status").read_text()
            memory.append(int(status.partition("VmRSS:")[2].split()[0]) / 2**10)
        stop(service)
        service, _ = serve(port)
    stop(service)
    for client in asking:
        client.result()
    return tally, memory, {name: told.result() for name, told in bad.items()}


def ask(url: str, photos, expected, tally: dict[str, list], end: float, turn: int) -> None:
    """Be a client until the end; whoever is not served tries again."""
    pairs = itertools.islice(itertools.cycle(expected.items()), turn, None)
    with httpx.Client(timeout=60) as client:
        for (a, b), score in pairs:
            if time.monotonic() > end:
                return
            start = time.perf_counter()
            try:
                answer = client.post(url, files={"a": photos[a], "b": photos[b]})
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


def send_bomb(url: str, photo: bytes) -> str:
    """Send a PNG of one colour, a few MB that unpack to 3.6 GB; it must be refused."""
    packer, packed, png = zlib.compressobj(9), io.BytesIO(), io.BytesIO(b"\x89PNG\r\n\x1a\n")
    for _ in range(BOMB_SIDE):
        packed.write(packer.compress(bytes(1 + BOMB_SIDE)))
    packed.write(packer.flush())
    png.seek(0, io.SEEK_END)
    putchunk(png, b"IHDR", struct.pack(">IIBBBBB", BOMB_SIDE, BOMB_SIDE, 8, 0, 0, 0, 0))
    putchunk(png, b"IDAT", packed.getvalue())
    putchunk(png, b"IEND")
    answer = httpx.post(url, files={"a": png.getvalue(), "b": photo}, timeout=60)
    return f"{answer.status_code}, {answer.json()['error']}"


def send_slowly(port: int, end: float) -> str:
    """Promise a body and send it byte by byte; others must be served meanwhile."""
    sent = 0
    try:
        with socket.create_connection(("127.0.0.1", port)) as opened:
            opened.sendall(b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
            while time.monotonic() < end:
                opened.sendall(b"-")
                sent += 1
                time.sleep(0.5)
    except OSError:
        pass  # the service was stopped
    return f"sent {sent} bytes"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=32, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=60, help="default: %(default)s")
    args = parser.parse_args(argv)
    tally, memory, bad = load(args.clients, args.seconds)
    right, wrong, away, busy = (tally[x] for x in ("seconds", "wrong", "away", "busy"))
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
