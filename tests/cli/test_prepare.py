"""`xcos prepare`, as a user runs it."""

import json
import os
import pickle
import re
import select
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.data.records.sources import (
    frame,
    insightface_records,
    jpeg,
    pack,
    write_mxnet,
    write_people,
)
from xcos_tf.cli.main import main
from xcos_tf.data.records.reader import PreparedSet

SHARDS = 40
# Starts the command in processes of their own, without importing TensorFlow anew for each.
STARTER = """
import json, os, sys
import tensorflow
from xcos_tf.cli.main import main
for line in sys.stdin:
    process = os.fork()
    if not process:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os._exit(main(json.loads(line)))
    print(process, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""


def files(folder):
    return {x.name: x.read_bytes() for x in folder.iterdir()}


@pytest.mark.slow
def test_killed_at_random_moments_and_started_again(tmp_path, chance):
    # Big enough that a shard takes some 50 ms: 400 faces, of which each tenth is cut short.
    faces = [jpeg(i, 480) for i in range(4)]
    images = [(i // 20, faces[i % 4][: 2000 if i % 10 == 7 else None]) for i in range(400)]
    write_mxnet(tmp_path / "set", insightface_records(images), people=20)
    arguments = ["--shards", str(SHARDS), "--jobs", "2"]
    assert main(["prepare", str(tmp_path / "set"), str(tmp_path / "whole"), *arguments]) == 0
    words = ["prepare", str(tmp_path / "set"), str(tmp_path / "out"), *arguments]
    out, kills, done, limit = tmp_path / "out", 0, 0, time.monotonic() + 300
    with subprocess.Popen(
        [sys.executable, "-c", STARTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as starter:
        while True:
            starter.stdin.write(json.dumps(words).encode() + b"\n")
            process = int(starter.stdout.readline())
            wanted = done + chance.randint(1, SHARDS // 2)
            while not select.select([starter.stdout], [], [], 0.002)[0]:
                assert time.monotonic() < limit
                done = len(list(out.glob(".progress/*.json"))) - 1
                if done >= wanted and kills < 2:
                    time.sleep(chance.uniform(0, 0.05))
                    os.kill(process, signal.SIGKILL)
                    wanted = SHARDS + 1
            code = int(starter.stdout.readline())
            if code != -signal.SIGKILL:
                break
            kills += 1
            done = max(0, len(list(out.glob(".progress/*.json"))) - 1)
        starter.stdin.close()
    assert code == 0
    assert kills >= 1
    assert files(out) == files(tmp_path / "whole")
    records = PreparedSet(out)
    assert records.read(np.arange(360)) == [image for _, image in images if len(image) > 2000]


def test_folder(tmp_path, capsys):
    write_people(tmp_path / "people", {"al": 3, "bea": 2})
    (tmp_path / "people" / "al" / "cut.jpg").write_bytes(jpeg(0)[:200])
    arguments = ["prepare", str(tmp_path / "people"), str(tmp_path / "new" / "out")]
    assert main(arguments) == 0
    captured = capsys.readouterr()
    summary, reasons = captured.out.splitlines()
    assert re.fullmatch(
        r"5 images, 2 people, 1 skipped, 6 shards, [\d.]+ s, [\d.]+ images/s", summary
    )
    assert reasons == f"reasons: {tmp_path}/new/out/skipped.csv"
    assert "6/6" in captured.err
    assert (tmp_path / "new" / "out" / "skipped.csv").read_text().splitlines() == [
        "name,reason",
        "al/cut.jpg,damaged or cut short",
    ]
    assert main(arguments) == 0
    summary = capsys.readouterr().out.splitlines()[0]
    assert summary == "5 images, 2 people, 1 skipped, 6 shards, all there already"


@pytest.mark.parametrize("path", ["set", "set/train.rec"])
def test_mxnet(tmp_path, capsys, path):
    write_mxnet(tmp_path / "set", insightface_records([(0, jpeg(0)), (1, jpeg(1))]))
    assert main(["prepare", str(tmp_path / path), str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.startswith("2 images, 2 people, 0 skipped, 2 shards, ")


def test_bin(tmp_path, capsys):
    images = [np.frombuffer(jpeg(i), np.uint8) for i in range(4)]
    (tmp_path / "lfw.bin").write_bytes(pickle.dumps((images, [True, False])))
    assert main(["prepare", str(tmp_path / "lfw.bin"), str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.startswith("4 images, 0 people, 0 skipped, 4 shards, ")
    assert len(PreparedSet(tmp_path / "out").pairs()) == 2


def test_ctrl_c(tmp_path, monkeypatch, capsys):
    write_people(tmp_path / "people", {"al": 1})

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("xcos_tf.data.records.writer.find_problems", interrupt)
    assert main(["prepare", str(tmp_path / "people"), str(tmp_path / "out")]) == 130
    assert "the same command goes on from here" in capsys.readouterr().err


class Attack:
    def __reduce__(self):
        return os.system, ("true",)


@pytest.fixture
def sources(tmp_path):
    write_people(tmp_path / "people", {"al": 2})
    (tmp_path / "empty").mkdir()
    (tmp_path / "set.zip").write_bytes(b"PK")
    (tmp_path / "evil.bin").write_bytes(pickle.dumps(([Attack()] * 2, [True])))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "train.rec").write_bytes(frame(pack(1.0, jpeg(0))))
    (tmp_path / "broken" / "train.idx").write_text("no index")
    return tmp_path


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["SRC/nowhere", "DST"], "nowhere; check the path"),
        (["SRC/empty", "DST"], "holds no people; give a folder with one sub-folder a person"),
        (["SRC/set.zip", "DST"], "is no set of faces that can be read; give a folder"),
        (["SRC/evil.bin", "DST"], "asks for posix.system, which no set of images needs"),
        (["SRC/broken", "DST"], "line 1 of"),
        (["SRC/people", "SRC/people/out"], "lie one within the other"),
        (["SRC/people", "SRC/people"], "would be written over"),
        (["SRC/people", "SRC"], "lie one within the other"),
        (["SRC/people", os.devnull + "/out"], "cannot be written"),
        (["SRC/people", "SRC/set.zip"], "is not a folder; choose another destination"),
        (["SRC/people", "DST", "--shards", "0"], "--shards 0 is under 1; give 1 or more"),
        (["SRC/people", "DST", "--shards", "100000"], "is over 99,999; give fewer"),
        (["SRC/people", "DST", "--jobs", "-1"], "--jobs -1 is under 1; give 1 or more"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(sources, capsys, options, sentence):
    out = sources / "out"
    options = [o.replace("SRC", str(sources)).replace("DST", str(out)) for o in options]
    assert main(["prepare", *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("xcos prepare: error: ")
    assert sentence in captured.err
    assert not out.exists()
