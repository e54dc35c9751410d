"""`xcos serve` as a process: every line of docs/http.md, and how it stops."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from pathlib import Path
from types import SimpleNamespace

import pytest
import uvicorn

from xcos_tf import FaceStore
from xcos_tf.cli.main import main
from xcos_tf.web import server

ROOT = Path(__file__).resolve().parents[2]
LINES = re.findall(r"^curl (.*)$", (ROOT / "docs/http.md").read_text(encoding="utf-8"), re.M)


@pytest.fixture
def process(photos, tmp_path):
    with FaceStore.open(tmp_path / "store", create=True) as store:
        store.enroll("obama", photos / "obama.jpg")
    words = ["-m", "xcos_tf", "serve", "--port", "0", "--store", str(tmp_path / "store")]
    started = subprocess.Popen(
        [sys.executable, *words], stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    yield started
    started.kill()
    started.communicate()


def test_the_lines_of_the_page_work_and_sigterm_stops_it(process):
    address = re.search(r"http://[\d.:]+", process.stderr.readline())[0]
    assert len(LINES) == 7
    for line in LINES:
        words = line.replace("http://127.0.0.1:8080", address).split()
        answer = subprocess.run(
            ["curl", "-sS", "-w", "\n%{http_code}", *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        body, _, status = answer.stdout.rpartition("\n")
        assert status == "200", (line, answer)
        assert line.endswith("/metrics") or json.loads(body)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) in (0, -signal.SIGTERM)


def test_freed_memory_is_given_back_while_it_serves(monkeypatch):
    given, heaps = [], []
    library = SimpleNamespace(malloc_trim=given.append, mallopt=lambda *of: heaps.append(of))
    monkeypatch.setattr(server, "ctypes", SimpleNamespace(CDLL=lambda name: library))
    monkeypatch.setattr(server, "_EVERY", 0.01)
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: time.sleep(0.3))
    server.serve("no app", None)
    time.sleep(0.05)
    assert len(given) > 1 and {*given} == {0} and heaps == [(-8, 2)]
    given.clear()
    time.sleep(0.05)
    assert not given


def test_demo_opens_the_page_on_a_free_port(monkeypatch):
    served = {}
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: time.sleep(0.7))
    monkeypatch.setattr(webbrowser, "open", lambda page: served.update(page=page))
    assert main(["demo"]) == 0
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d+", served["page"])


def test_bad_input_is_one_sentence(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for words, sentence in {
            ("--port", str(port)): "nobody can listen at 127.0.0.1:",
            ("--port", "99999"): "is no port",
            ("--host", "no.such.host.invalid"): "nobody can listen at no.such.host.invalid:8080",
            ("--preset", "nonsense"): "there is no preset 'nonsense'",
            ("--store", os.fspath(tmp_path / "x")): "there is no store",
        }.items():
            assert main(["serve", *words]) == 2
            assert sentence in capsys.readouterr().err
