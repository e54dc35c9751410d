"""LiteRT and Keras give the same scores of the presets that ship, and say the same of bad input."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import xcos_tf
from xcos_tf.data.detection import FaceDetector
from xcos_tf.errors import XcosError
from xcos_tf.models.preset_folder import BUNDLED, bundled_presets, lite_folder
from xcos_tf.runtime import loading
from xcos_tf.runtime.litert import LiteRuntime
from xcos_tf.runtime.model_file import ModelFile
from xcos_tf.verifier import Verifier

PACKAGE = Path(xcos_tf.__file__).parent
BOTH = ("litert", "tensorflow")
XCOS, PLAIN = "xcos-mobilefacenet-2", "mobilefacenet"


@pytest.fixture(scope="module", params=bundled_presets())
def verifiers(request):
    return [Verifier.from_preset(request.param, runtime=runtime) for runtime in BOTH]


@pytest.fixture(scope="module", params=BOTH)
def runtime(request):
    return request.param


@pytest.fixture(scope="module")
def verifier(runtime):
    return Verifier.from_preset(XCOS, runtime=runtime)


@pytest.fixture(scope="module")
def plain(runtime):
    return Verifier.from_preset(PLAIN, runtime=runtime)


@pytest.fixture(scope="module")
def faces(portraits):
    """Three faces as they are, mirrored and in part covered, uint8 (9, 112, 112, 3)."""
    three = np.stack(list(portraits.values()))
    covered = three.copy()
    covered[:, 60:] = 128
    return np.concatenate([three, three[:, :, ::-1], covered])


def test_scores_agree(verifiers, faces):
    lite, keras = verifiers
    assert lite.attentions == keras.attentions and lite.config == keras.config
    features = [verifier.embed(faces) for verifier in verifiers]
    first, second = np.triu_indices(len(faces))
    for attention in lite.attentions:
        for a, b in (features, features[::-1]):  # templates of one serve the other
            ours = lite.compare_pairs(a[first], a[second], attention)
            theirs = keras.compare_pairs(b[first], b[second], attention)
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)
        if not lite.explains:
            continue
        ours, theirs = (x.explain_pairs(features[0], features[1], attention) for x in verifiers)
        for name, values in theirs.items():
            np.testing.assert_allclose(ours[name], values, rtol=0, atol=1e-5, err_msg=name)


def test_feature_maps_and_heads_agree(plain, faces):
    maps = plain.runtime.feature_maps(faces[:3])
    assert maps.shape == (3, 7, 7, 512)
    embeddings = plain.embed(faces[:3])
    difference = np.abs(plain.runtime.head(maps) - embeddings).max()
    assert difference < 1e-5 * np.linalg.norm(embeddings, axis=-1).min()


@pytest.mark.parametrize("preset", bundled_presets())
def test_files_are_of_the_presets_weights(preset):
    folder, verifier = BUNDLED / preset, Verifier.from_preset(preset, runtime="litert")
    for path in lite_folder(folder).iterdir():
        about = ModelFile.read(path).metadata
        attention = verifier.attentions[-1]
        assert about["preset_sha256"] == verifier.config["weights"]["sha256"]
        assert about["attention"] == attention
        stated = verifier.config["thresholds"].get(attention, {})
        assert about["thresholds"] == pytest.approx(stated, abs=1e-6)  # measured by themselves


@pytest.mark.parametrize("model", ["embed", "compare"])
def test_files_are_what_export_makes(lite_models, model):
    """If not, `python tools/ship.py tflite` makes them anew."""
    name = f"{model}.float32.batch.tflite"
    assert (lite_folder(BUNDLED / XCOS) / name).read_bytes() == (lite_models / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("preset", bundled_presets())
def test_all_files_are_what_the_tool_ships(preset, tmp_path, monkeypatch):
    """The same bytes, and so the same numbers and metadata."""
    from tools import ship

    monkeypatch.setattr(ship, "bundled_presets", lambda: [preset])
    monkeypatch.setattr(ship, "lite_folder", lambda folder: tmp_path / "made")
    ship.ship_tflite()
    made, shipped = (
        {path.name: path.read_bytes() for path in folder.iterdir()}
        for folder in (tmp_path / "made", lite_folder(BUNDLED / preset))
    )
    assert made.keys() == shipped.keys() and len(made) == 2
    for name, content in made.items():
        assert content == shipped[name], name


BAD_FACES = {
    "floats": (np.zeros((1, 112, 112, 3), np.float32), "Expected `faces` as uint8"),
    "one face": (np.zeros((112, 112, 3), np.uint8), r"Expected `faces` as uint8 \(N, 112, 112, 3"),
    "another size": (np.zeros((1, 111, 112, 3), np.uint8), r"Received: faces.shape=\(1, 111"),
}


@pytest.mark.parametrize("case", BAD_FACES)
def test_bad_faces(verifier, case):
    faces, sentence = BAD_FACES[case]
    with pytest.raises(ValueError, match=sentence):
        verifier.embed(faces)


GRID = np.zeros((2, 7, 7, 32), np.float32)
BAD_PAIRS = {
    "not as many": ((GRID, GRID[:1]), None, ValueError, "Expected two arrays of features"),
    "one grid": ((GRID[0], GRID[0]), None, ValueError, "Expected two arrays of features"),
    "texts": ((["a"], ["b"]), None, ValueError, "to hold real numbers"),
    "attention": ((GRID, GRID), "lazy", XcosError, "no attention 'lazy'; use one of patched, corr"),
    "not finite": ((GRID * np.nan,) * 2, None, XcosError, "a score that is not finite"),
}


@pytest.mark.parametrize("case", BAD_PAIRS)
def test_bad_pairs(verifier, case):
    pair, attention, kind, sentence = BAD_PAIRS[case]
    with pytest.raises(kind, match=sentence):
        verifier.explain_pairs(*pair, attention)


def test_a_plain_preset_has_no_maps(plain):
    with pytest.raises(XcosError, match="'mobilefacenet' has no maps to explain"):
        plain.explain_pairs(*np.zeros((2, 1, 192)))
    with pytest.raises(XcosError, match="a plain cosine, and no attention to choose"):
        plain.threshold("learned")


def test_nothing_gives_nothing(verifier):
    for grids in (verifier.embed([]), []):
        for attention in verifier.attentions:
            found = verifier.explain_pairs(grids, grids, attention)
            shapes = {name: (x.shape, x.dtype) for name, x in found.items()}
            maps = ((0, 7, 7), np.float32)
            expected = {"xcos": ((0,), np.float32), "similarity_map": maps, "attention_map": maps}
            assert shapes == expected


def test_which_runtime_a_preset_gets(tmp_path, monkeypatch):
    chosen = []
    monkeypatch.setattr(loading, "find_preset", lambda folder: folder)
    monkeypatch.setattr("xcos_tf.runtime.litert.LiteRuntime.from_preset", chosen.append)
    with pytest.raises(XcosError, match="no runtime 'onnx'; use one of auto, litert, tensorflow"):
        loading.load_runtime(tmp_path, "onnx")
    (tmp_path / "lite").mkdir()
    loading.load_runtime(tmp_path)
    assert chosen == [tmp_path]
    monkeypatch.setattr(loading, "has_gpu", lambda: True)
    monkeypatch.setattr("xcos_tf.models.presets.load_preset", lambda folder: 1 / 0)
    for asked in ("auto", "tensorflow"):
        with pytest.raises(ZeroDivisionError):
            loading.load_runtime(tmp_path, asked)
    loading.load_runtime(tmp_path, "litert")
    assert chosen == [tmp_path] * 2


def test_a_preset_without_files_or_with_those_of_another(tmp_path):
    import shutil

    from tests.verifying import untrained_preset

    folder = untrained_preset(tmp_path)
    assert hasattr(Verifier.from_preset(folder).runtime, "network")
    with pytest.raises(XcosError, match="'untrained-xcos' has no TFLite files; use runtime='tens"):
        Verifier.from_preset(folder, runtime="litert")
    shutil.copytree(lite_folder(BUNDLED / XCOS), lite_folder(folder))
    with pytest.raises(XcosError, match="of the preset 'untrained-xcos' were made of other weigh"):
        Verifier.from_preset(folder)


def test_who_asks_for_the_network_computes_by_it(faces, lite):
    verifier = Verifier.from_preset(PLAIN, runtime="litert")
    before = verifier.embed(faces[:1])
    kernel = verifier.network.head.weights[0]
    kernel.assign(kernel * 0)
    assert not np.allclose(verifier.embed(faces[:1]), before)
    with pytest.raises(XcosError, match="exported files have no Keras network"):
        lite.network  # noqa: B018


def test_what_a_pair_of_photos_passes(photos, monkeypatch):
    """One call of the detector, one run of the backbone, one comparison; and how many files."""
    calls, passed = [], set()
    verifier = Verifier.from_preset(XCOS, runtime="litert")
    for owner, name in (
        (FaceDetector, "detect"),
        (LiteRuntime, "embed"),
        (LiteRuntime, "compare"),
    ):
        called = getattr(owner, name)

        def counted(*arguments, called=called, name=name):
            calls.append((name, len(arguments[-1])))
            return called(*arguments)

        monkeypatch.setattr(owner, name, counted)

    def note(frame, event, argument):
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(PACKAGE):
            passed.add(path.relative_to(PACKAGE))

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        assert verifier.verify(photos / "obama.jpg", photos / "obama2.jpg").same
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    assert calls == [("detect", 2), ("embed", 2), ("compare", 1)]
    assert len(passed) <= 14, passed


WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Without(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "keras", "tf_keras"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Without())
import xcos_tf
from xcos_tf.cli.main import main
from xcos_tf.models.preset_folder import bundled_presets

a, b, c, out, photo, another, people, pairs = sys.argv[1:]
for preset in bundled_presets():
    assert xcos_tf.Verifier.from_preset(preset).verify(a, b, aligned=True).same
    assert not xcos_tf.Verifier.from_preset(preset).verify(a, c, aligned=True).same
drawn = ["--attention", "patched", "--explain", f"{out}/why.png"]
assert main(["verify", a, b, "--aligned", *drawn]) == 0
assert main(["verify", a, c, "--aligned", "--json"]) == 1
assert main(["verify", a, b, "--aligned", "--preset", "mobilefacenet"]) == 0
assert main(["verify", photo, another]) == 0
assert main(["align", people, f"{out}/faces"]) == 0
for preset in ("xcos-mobilefacenet-2", "mobilefacenet"):
    assert main(["evaluate", f"{out}/faces", pairs, "--aligned", "--preset", preset]) == 0
assert main(["evaluate", people, pairs]) == 0
shown = ["--aligned", "--out", f"{out}/gallery"]
assert main(["gallery", "xcos-mobilefacenet-2", f"{out}/faces", pairs, *shown]) == 0
picture = ["--out", f"{out}/methods.png"]
methods = "xcos,xcos-patched,tail,face-centre"
assert main(["explain", a, b, "--aligned", "--method", methods, *picture]) == 0
assert main(["explain", a, b, "--aligned", "--method", "gradcam", *picture]) == 2
try:
    xcos_tf.XCos
except xcos_tf.XcosError as error:
    print(error, file=sys.stderr)
"""


PAIRS = """1\t2
Obama\t1\t2
Biden\t1\t2
Obama\t1\tBiden\t1
Obama\t2\tBiden\t2
"""


def test_without_tensorflow(tmp_path, photos):
    from xcos_tf.export.tflite.int8 import SHIPPED

    faces = [str(SHIPPED / f"{name}.png") for name in ("obama", "obama2", "biden")]
    (tmp_path / "pairs.txt").write_text(PAIRS)
    for name, person, number in (
        ("obama", "Obama", 1),
        ("obama2", "Obama", 2),
        ("biden", "Biden", 1),
        ("biden", "Biden", 2),
    ):
        with Image.open(photos / f"{name}.jpg") as photo:
            photo.thumbnail((300, 300))
            copy = tmp_path / "people" / person / f"{person}_{number:04}.jpg"
            copy.parent.mkdir(parents=True, exist_ok=True)
            photo.save(copy)
    words = [sys.executable, "-c", WITHOUT, *faces, str(tmp_path)]
    words += [str(photos / f"{name}.jpg") for name in ("obama", "obama2")]
    words += [str(tmp_path / "people"), str(tmp_path / "pairs.txt")]
    run = subprocess.run(words, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    *_, of_gradients, of_keras = (x.split("\r")[-1] for x in run.stderr.splitlines())
    sentence = "this needs TensorFlow, which is not installed (No module named 'tensorflow'); run "
    assert of_gradients.startswith(f"xcos explain: error: {sentence}pip install tensorflow")
    assert of_keras == f"{sentence}pip install tensorflow"
