"""What is asked of DeepFace, with a stand-in for it that answers by the photos' names."""

import shutil
import sys
from pathlib import Path

import pytest

from tools import beside_deepface

PHOTOS = Path(__file__).parents[1] / "photos"
STAND_IN = """
from pathlib import Path
import pandas

def verify(a, b, model_name, detector_backend, enforce_detection, silent):
    assert model_name == "Dlib" and Path(a).is_file() and Path(b).is_file()
    print("it prints")
    return {"verified": True}

def find(photo, gallery, model_name, detector_backend, threshold, enforce_detection, silent):
    first = sorted(Path(gallery).glob("*/*.jpg"))[0]
    return [pandas.DataFrame({"identity": [str(first)]})]
"""


@pytest.mark.slow
def test_it_times_both_and_counts_who_comes_first(tmp_path, monkeypatch, capsys):
    stand_in = tmp_path / "packages"
    (stand_in / "deepface").mkdir(parents=True)
    (stand_in / "deepface/__init__.py").write_text("from deepface import DeepFace")
    (stand_in / "deepface/DeepFace.py").write_text(STAND_IN)
    (stand_in / "face_recognition_models").mkdir()
    (stand_in / "face_recognition_models/__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(stand_in), prepend=":")
    for person, photos in {"biden": ["biden"], "obama": ["obama", "obama2"]}.items():
        (tmp_path / "people" / person).mkdir(parents=True)
        for photo in photos:
            shutil.copy(PHOTOS / f"{photo}.jpg", tmp_path / "people" / person)
    for name, value in {"PROBES": 1, "ENROLLED": 2, "COLD": 1, "WARM": 1}.items():
        monkeypatch.setattr(beside_deepface, name, value)
    beside_deepface.beside_deepface(sys.executable, tmp_path / "people")
    said = capsys.readouterr().out
    assert "FaceStore.find: the person comes first for 1 of 1 photos" in said
    assert "DeepFace.find, opencv: the person comes first for 0 of 1 photos" in said
    assert said.count(" times\n") == 2 + 3 + 2
