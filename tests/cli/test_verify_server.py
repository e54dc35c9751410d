"""`xcos verify --server` prints what `xcos verify` prints, or one sentence.

What decided is told from grid features, which stay on the server; its sentence is of the maps.
"""

import json
import re

import numpy as np
import pytest
from PIL import Image

from tests.cli.test_verify import BIDEN, OBAMA, OBAMA2, check_refusal
from tests.serving.servables import Servables
from tests.serving.stand_in import StandIn
from xcos_tf.cli.main import main


@pytest.fixture(scope="module")
def servables(served_folder):
    return Servables(served_folder)


@pytest.fixture(scope="module", params=["grpc", "rest"])
def server(servables, request):
    with StandIn(servables, request.param) as server:
        yield server


def output_of(capsys, *arguments):
    code = main(["verify", *arguments])
    captured = capsys.readouterr()
    assert captured.err == ""
    return code, captured.out


@pytest.mark.parametrize("photos", [(OBAMA, OBAMA2), (OBAMA, BIDEN)], ids=["same", "different"])
def test_the_same_text(server, capsys, photos):
    here = output_of(capsys, *photos)
    there = output_of(capsys, *photos, "--server", server.address, "--timeout", "60")
    code, (verdict, said) = there[0], there[1].splitlines()
    assert code == here[0] and verdict == here[1].splitlines()[0]
    assert "threshold at FMR 0.001" in verdict and "; least alike: " in said


def test_the_same_json_and_a_picture(server, capsys, tmp_path):
    photos, options = (OBAMA, BIDEN), ("--fmr", "1e-2", "--json")
    code, here = output_of(capsys, *photos, *options)
    picture = tmp_path / "why.png"
    options += ("--server", server.address, "--explain", str(picture), "--timeout", "60")
    assert output_of(capsys, *photos, *options)[0] == code
    code, there = output_of(capsys, *photos, *options)
    here, there = json.loads(here), json.loads(there)
    assert "least alike" in there.pop("sentence") and here.pop("sentence")
    assert all(np.shape(here.pop(f"drops_{x}")) == (7, 7) for x in "ab")
    assert list(here) == list(there)
    for name in ("score", "similarity_map", "attention_map"):
        np.testing.assert_allclose(here.pop(name), there.pop(name), rtol=0, atol=1e-5)
    assert here == there
    assert Image.open(picture).format == "PNG"


def test_a_threshold_and_a_version(server, capsys):
    options = ("--server", server.address, "--timeout", "60", "--threshold", "0.99")
    for version in ("1", "stable"):
        code, text = output_of(capsys, OBAMA, OBAMA2, *options, "--model-version", version)
        assert code == 1
        assert re.search(r"< 0\.990 \(your threshold\)", text)


def test_aligned_faces(server, capsys, tmp_path):
    face = tmp_path / "face.png"
    Image.open(OBAMA).convert("RGB").resize((112, 112)).save(face)
    options = ("--aligned", "--server", server.address, "--timeout", "60")
    code, text = output_of(capsys, str(face), str(face), *options)
    assert code == 0
    assert "xCos (learned attention) 1.000" in text


REFUSED = {
    "model": (["--model", "nope"], "does not serve the model 'nope'"),
    "version": (["--model-version", "7"], "does not serve the version 7 of the model"),
    "label": (["--model-version", "beta"], "does not know the version label 'beta'"),
    "attention": (["--attention", "patched"], "computes with the learned attention only"),
    "timeout": (["--timeout", "-1"], "a timeout of -1 s is none"),
    "certificate": (["--root-certificate", OBAMA], "certificates are for an encrypted connection"),
    "plain preset": (
        ["--preset", "mobilefacenet"],
        "no maps, and no server computes with it",
    ),
    "rate": (["--fmr", "0.05"], "has no threshold for FMR 0.05"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_option(server, tmp_path, capsys, case):
    options, sentence = REFUSED[case]
    arguments = [OBAMA, OBAMA2, "--server", server.address, "--timeout", "60", *options]
    check_refusal(tmp_path, capsys, arguments, sentence)


def test_bad_photo(server, tmp_path, capsys):
    arguments = [OBAMA, str(tmp_path / "none.jpg"), "--server", server.address]
    check_refusal(tmp_path, capsys, arguments, "none.jpg; check the path")


@pytest.mark.parametrize("address", ["localhost:1", "http://localhost:1"])
def test_server_down(tmp_path, capfd, address):
    check_refusal(tmp_path, capfd, [OBAMA, OBAMA2, "--server", address], "cannot be reached")


def test_no_address(tmp_path, capsys):
    arguments = [OBAMA, OBAMA2, "--server", "ftp://host"]
    check_refusal(tmp_path, capsys, arguments, "'ftp://host' is no server's address")


def test_options_of_a_server_without_one(tmp_path, capsys):
    arguments = [OBAMA, OBAMA2, "--timeout", "3"]
    check_refusal(tmp_path, capsys, arguments, "--timeout belongs to a server")
