"""`xcos evaluate` on a test set of four photos in the manner of LFW."""

import json
import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from tests.verifying import ATTENTIONS, THRESHOLDS, untrained_preset
from xcos_tf.cli.main import main
from xcos_tf.data.aligner import FaceAligner
from xcos_tf.data.photo import read_photo
from xcos_tf.models.presets import load_preset, save_preset

PHOTOS = Path(__file__).parents[1] / "photos"
PAIRS = """2\t1
Barack_Obama\t1\t2
Barack_Obama\t1\tJoe_Biden\t1
Joe_Biden\t1\t2
Barack_Obama\t2\tJoe_Biden\t2
"""
SCORES = (*ATTENTIONS, "flattened")

pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.fixture(scope="session")
def preset(tmp_path_factory):
    return str(untrained_preset(tmp_path_factory.getbasetemp()))


@pytest.fixture(scope="module")
def photo_set(tmp_path_factory):
    """A folder with `photos`, `faces` (the same, aligned) and `pairs.txt`."""
    root = tmp_path_factory.mktemp("lfw")
    biden = Image.open(PHOTOS / "biden.jpg")
    portraits = {
        "Barack_Obama_0001": Image.open(PHOTOS / "obama.jpg"),
        "Barack_Obama_0002": Image.open(PHOTOS / "obama2.jpg"),
        "Joe_Biden_0001": biden,
        "Joe_Biden_0002": ImageOps.mirror(biden),
    }
    aligner = FaceAligner()
    for name, image in portraits.items():
        image.thumbnail((500, 500))
        photo = root / "photos" / name[:-5] / f"{name}.jpg"
        face = root / "faces" / name[:-5] / f"{name}.png"
        for path in (photo, face):
            path.parent.mkdir(parents=True, exist_ok=True)
        image.save(photo)
        Image.fromarray(aligner.align([read_photo(photo)])[0].image).save(face)
    (root / "pairs.txt").write_text(PAIRS)
    return root


def evaluate(capsys, *arguments):
    assert main(["evaluate", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_one_row_for_each_score(photo_set, preset, capsys):
    text = evaluate(capsys, photo_set / "photos", photo_set / "pairs.txt", "--preset", preset)
    headline, header, rule, *rows = text.splitlines()
    assert headline == f"4 pairs of 4 photos in {photo_set / 'photos'}"
    assert "| accuracy % | AUC | EER % | at FMR 1e-3 |" in header  # two impostors show no FAR
    assert len(rows) == len(SCORES)
    for row, score in zip(rows, SCORES, strict=True):
        assert row.startswith(f"| {preset} | {score} | ")
        assert row.count("|") == header.count("|") == rule.count("|")


def test_aligned_faces_give_the_same_numbers(photo_set, preset, capsys):
    pairs = photo_set / "pairs.txt"
    options = [pairs, "--json", "--preset", preset]
    raw = json.loads(evaluate(capsys, photo_set / "photos", *options))
    aligned = json.loads(evaluate(capsys, photo_set / "faces", *options, "--aligned"))
    assert raw["results"] == aligned["results"]
    counts = {"photos": 4, "videos": None, "pairs": 4, "genuine": 2, "impostor": 2, "folds": 2}
    assert aligned["set"].items() >= counts.items()
    assert (raw["set"]["name"], aligned["set"]["name"]) == ("photos", "faces")
    assert len(aligned["set"]["fingerprint"]) == 64
    assert (aligned["set"]["skipped"], aligned["set"]["notes"]) == ([], [])
    assert "occlusion" not in aligned
    for row, score in zip(aligned["results"], SCORES, strict=True):
        assert (row["preset"], row["score"]) == (preset, score)
        assert all(0 <= row[name] <= 1 for name in ("accuracy", "accuracy_std", "auc", "eer"))
        assert row["tar_at_far"] == dict.fromkeys(("0.1", "0.01", "0.001", "0.0001"))
        thresholds = {} if score == "flattened" else THRESHOLDS
        assert {k: v["threshold"] for k, v in row["at_threshold"].items()} == thresholds


def test_trained_recogniser_gets_all_pairs_right(photo_set, preset, tmp_path, capsys):
    plain = load_preset("mobilefacenet")
    config = {**plain.config, "thresholds": {"cosine": {"0.001": 0.5}}}
    save_preset(tmp_path / "plain", config, plain.network)
    arguments = [photo_set / "faces", photo_set / "pairs.txt", "--aligned"]
    arguments += ["--preset", preset, "--preset", tmp_path / "plain", "--json"]
    *_, row = rows = json.loads(evaluate(capsys, *arguments))["results"]
    assert [row["score"] for row in rows] == [*SCORES, "cosine"]
    assert row["preset"] == str(tmp_path / "plain")
    assert row["sha256"] == plain.config["weights"]["sha256"]
    metrics = [row[name] for name in ("accuracy", "accuracy_std", "auc", "eer")]
    assert metrics == [1.0, 0.0, 1.0, 0.0]
    [(fmr, at)] = row["at_threshold"].items()
    assert (fmr, at["threshold"], at["fmr"]["value"], at["fnmr"]["value"]) == ("0.001", 0.5, 0, 0)
    # None of two wrong: 1 − 0.025^(1/2) cannot be ruled out.
    assert at["fmr"]["high"] == pytest.approx(0.8419, abs=1e-4)


def test_a_preset_without_a_threshold(photo_set, tmp_path, capsys):
    plain = load_preset("mobilefacenet")
    save_preset(tmp_path / "plain", {**plain.config, "thresholds": {}}, plain.network)
    arguments = [photo_set / "faces", photo_set / "pairs.txt", "--aligned"]
    arguments += ["--preset", tmp_path / "plain"]
    row = evaluate(capsys, *arguments).splitlines()[-1]
    assert "100.00 ± 0.00" in row and row.endswith("| no threshold |")
    [row] = json.loads(evaluate(capsys, *arguments, "--json"))["results"]
    assert row["at_threshold"] == {}


def test_under_occlusion(photo_set, capsys):
    options = ["--preset", "mobilefacenet", "--occlusion"]
    of_photos = [photo_set / "photos", photo_set / "pairs.txt", *options]
    text = evaluate(capsys, *of_photos)
    heading, _, row = text.split("\n\n")[1].splitlines()
    assert [cell.split(", ")[-1] for cell in heading.strip("| ").split(" | ")] == [
        *("preset", "score", "0 % covered", "10 % covered", "20 % covered", "30 % covered"),
        *("40 % covered", "50 % covered"),
    ]
    assert row.startswith("| mobilefacenet | cosine | 100.00 ± 0.00 | ")
    # Photos that are aligned first have the same covers, which follow from the seed.
    document = json.loads(evaluate(capsys, *of_photos, "--json"))
    assert [row["share"] for row in document["occlusion"]] == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert document["results"][0]["accuracy"] == document["occlusion"][0]["accuracy"] == 1
    assert all(0 <= row["accuracy"] <= 1 for row in document["occlusion"])


def test_pairs_are_drawn_of_a_tag_and_skipped_photos_named(photo_set, tmp_path, capsys):
    for person, number in (("Barack_Obama", 1), ("Barack_Obama", 2), ("Joe_Biden", 1)):
        name = f"{person}_{number:04d}.jpg"
        target = tmp_path / "people" / person / "scarf" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((photo_set / "photos" / person / name).read_bytes())
    Image.new("RGB", (200, 200)).save(target.with_name("blank.png"))
    (target.parent.with_name("none") / "x.jpg").parent.mkdir()
    Image.new("RGB", (200, 200)).save(target.parent.with_name("none") / "x.jpg")
    arguments = [tmp_path / "people", "--draw", 1, "--select", "scarf", "--seed", 3, "--json"]
    assert main(["evaluate", *map(str, arguments), "--preset", "mobilefacenet"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert (document["set"]["genuine"], document["set"]["impostor"]) == (1, 1)
    [skipped] = document["set"]["skipped"]
    assert skipped["name"] == "Joe_Biden/scarf/blank.png"
    assert f"left out: {skipped['name']} ({skipped['reason']})" in captured.err
    assert "by the seed 3 from 3 of 5 photos" in document["set"]["notes"][0]
    assert document["results"][0]["accuracy"] is None  # one fold
    assert document["results"][0]["auc"] == 1


def test_the_report_gets_everything(photo_set, tmp_path, monkeypatch, capsys):
    import xcos_tf.explain.report.page as page

    given = []
    monkeypatch.setattr(page, "write_report", lambda *arguments: given.append(arguments))
    out = tmp_path / "out.html"
    arguments = [photo_set / "photos", photo_set / "pairs.txt", "--preset", "mobilefacenet"]
    evaluate(capsys, *arguments, "--report", out)
    [(path, vset, [(scored, measured)], face, occlusion, command)] = given
    assert (path, len(vset.pairs), scored.score, measured.auc) == (str(out), 4, "cosine", 1)
    with Image.open(photo_set / "faces/Barack_Obama/Barack_Obama_0001.png") as aligned:
        assert (face(0) == aligned).all()
    assert list(occlusion) == []
    assert command == shlex.join(["xcos", "evaluate", *map(str, arguments), "--report", str(out)])


def test_all_pairs_are_handed_over(monkeypatch, tmp_path):
    import xcos_tf.cli.evaluate as evaluate

    given = []

    def run_all_pairs(args, presets):
        given.append((args.folder, presets, args.templates, args.json))
        return 0

    monkeypatch.setattr(evaluate, "_run_all_pairs", run_all_pairs)
    folder = str(tmp_path)
    chosen = ["--preset", "mobilefacenet"]
    assert main(["evaluate", folder, "--all-pairs", "--aligned", *chosen]) == 0
    assert main(["evaluate", folder, "--all-pairs", "--templates", "file", "--json"]) == 0
    bundled = ["mobilefacenet", "xcos-mobilefacenet-2"]
    assert given[0] == (folder, ["mobilefacenet"], None, False)
    assert given[1][0] == folder and given[1][2:] == ("file", True)
    assert set(bundled) <= set(given[1][1])


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["pairs.txt", "--all-pairs"], "every pair of a folder, without PAIRS"),
        (["--all-pairs", "--draw", "0"], "without --draw"),
        (["--all-pairs", "--select", "a", "--seed", "0"], "without --select, --seed"),
        (["--all-pairs", "--occlusion", "--report", "a.html"], "without --occlusion, --report"),
        (["pairs.txt", "--templates", "file"], "--templates is for --all-pairs"),
        (["--draw", "0"], "--draw 0 draws no pairs"),
        (["pairs.txt", "--select", "scarf"], "--select is for --draw"),
        (["pairs.txt", "--seed", "1"], "--seed is for --draw and --occlusion"),
        (["--draw", "9", "--seed", "-1"], "--seed -1 is under 0"),
        (["pairs.txt", "--draw", "9"], "not both"),
        ([], "is a folder; give a list of pairs"),
        (["--draw", "1", "--occlusion"], "the pairs are all in one fold"),
        (["pairs.txt", "--report", "a.pdf"], "a report cannot be written as 'a.pdf'"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments, sentence, photo_set, capsys):
    arguments = [str(photo_set / x) if x == "pairs.txt" else x for x in arguments]
    assert main(["evaluate", str(photo_set / "photos"), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    *_, error = captured.err.splitlines()  # after a progress bar, where photos had to be read
    assert error.startswith("xcos evaluate: error: ") and sentence in error


@pytest.mark.parametrize(
    "folder, pairs, options, sentence",
    [
        ("photos", "nowhere.txt", [], "there is no list of pairs"),
        ("nowhere", "pairs.txt", [], "give a folder of photos or a .bin file"),
        ("photos", "more.txt", [], "the photo Joe_Biden/Joe_Biden_0007.jpg of line 4 of"),
        ("blank", "pairs.txt", [], "no face was found in"),
        ("photos", "pairs.txt", ["--aligned"], "is not a 112×112 face; run `xcos align` first"),
        ("photos", "pairs.txt", ["--preset", "nonesuch"], "there is no preset 'nonesuch'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    photo_set, preset, capsys, folder, pairs, options, sentence
):
    (photo_set / "more.txt").write_text(PAIRS.replace("Joe_Biden\t1\t2", "Joe_Biden\t1\t7"))
    for photo in (photo_set / "photos").rglob("*.jpg"):
        path = photo_set / "blank" / photo.relative_to(photo_set / "photos")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (200, 200)).save(path)
    arguments = [str(photo_set / folder), str(photo_set / pairs), "--preset", preset, *options]
    assert main(["evaluate", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    *progress, error = captured.err.splitlines()
    assert all(line.lstrip("\r").startswith("faces") for line in progress if line)
    assert error.startswith("xcos evaluate: error: ")
    assert sentence in error
    assert "Traceback" not in captured.err


def test_named_columns_and_photos_without_a_face(photo_set, tmp_path, capsys):
    people = tmp_path / "people"
    shutil.copytree(photo_set / "photos", people)
    for name in ("Joe_Biden/a.jpg", "Joe_Biden/b.jpg"):
        Image.new("RGB", (200, 200)).save(people / name)
    (people / "Barack_Obama/Barack_Obama_0001.jpg").rename(people / "Barack_Obama/cap.JPG")
    rows = [
        "probe;reference;match",
        "Barack_Obama/cap.jpg;Barack_Obama/Barack_Obama_0002.jpg;Yes",
        "Barack_Obama/cap.jpg;Joe_Biden/Joe_Biden_0001.jpg;No",
        "Joe_Biden/a.jpg;Joe_Biden/Joe_Biden_0001.jpg;Yes",
        "Joe_Biden/b.jpg;Barack_Obama/cap.jpg;No",
    ]
    (tmp_path / "list.csv").write_text("\n".join(rows))
    arguments = [people, tmp_path / "list.csv", "--columns", "probe,reference,match"]
    arguments += ["--preset", "mobilefacenet"]
    assert main(["evaluate", *map(str, arguments)]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "no face was found in Joe_Biden/a.jpg, Joe_Biden/b.jpg; take" in error
    assert main(["evaluate", *map(str, arguments), "--skip-faceless", "--json"]) == 0
    captured = capsys.readouterr()
    assert "left out: Joe_Biden/a.jpg (no face was found" in captured.err
    document = json.loads(captured.out)
    assert (document["set"]["pairs"], document["set"]["genuine"]) == (2, 1)
    assert document["results"][0]["auc"] == 1


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--draw", "1", "--columns", "a,b,c"], "--columns is for a list of PAIRS"),
        (["--draw", "1", "--skip-faceless"], "--skip-faceless is for a list of PAIRS"),
        (["pairs.txt", "--aligned", "--skip-faceless"], "not --aligned; leave one out"),
        (["--all-pairs", "--skip-faceless"], "without --skip-faceless"),
        (["pairs.txt", "--columns", "a,b,c"], "has no column 'a'"),
    ],
)
def test_options_of_lists_that_say_nothing_are_refused(arguments, sentence, photo_set, capsys):
    arguments = [str(photo_set / x) if x == "pairs.txt" else x for x in arguments]
    assert main(["evaluate", str(photo_set / "photos"), *arguments]) == 2
    assert sentence in capsys.readouterr().err
