"""`xcos unlock` on the sample photos: the owner gets in, others and tampered files never do."""

import json
import math
import os
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from xcos_tf.cli.main import main
from xcos_tf.export.tflite.int8 import SHIPPED
from xcos_tf.mobile.attempts import Moment
from xcos_tf.mobile.vault import attempts_path, open_vault
from xcos_tf.verifier import Verifier

OBAMA, OBAMA2, BIDEN = (str(SHIPPED / f"{name}.png") for name in ("obama", "obama2", "biden"))
PASSPHRASE = "correct horse"


@pytest.fixture(autouse=True)
def passphrase(monkeypatch):
    monkeypatch.setenv("XCOS_PASSPHRASE", PASSPHRASE)


@pytest.fixture(scope="module")
def variations(photos, tmp_path_factory):
    """Three photos of the owner, as of one sitting."""
    folder = tmp_path_factory.mktemp("owner")
    photo = Image.open(photos / "obama.jpg").convert("RGB")
    photo.save(folder / "plain.png")
    photo.rotate(8, Image.Resampling.BILINEAR).save(folder / "tilted.png")
    ImageEnhance.Brightness(photo).enhance(0.7).save(folder / "darker.png")
    return sorted(map(str, folder.iterdir()))


@pytest.fixture(scope="module")
def enrolled(lite_models, variations, tmp_path_factory):
    """A store that the command made of photos; not to be changed."""
    store = tmp_path_factory.mktemp("enrolled") / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XCOS_PASSPHRASE", PASSPHRASE)
        options = ["--store", str(store), "--models", str(lite_models)]
        assert main(["unlock", "enroll", *variations, *options]) == 0
    return store


@pytest.fixture
def store(enrolled, tmp_path):
    """A store that may be changed, in a folder with its record of attempts and nothing else."""
    folder = tmp_path / "vault"
    shutil.copytree(enrolled.parent, folder)
    return folder / enrolled.name


class Clock:
    """Two clocks that go on only when told to.

    Attributes:
        passed: seconds since the start.
        set_by: how far the user set the wall clock.
    """

    def __init__(self):
        now = Moment.now()
        # Of whole seconds, so that differences are exact.
        self.start = Moment(float(math.ceil(now.wall)), float(math.ceil(now.running)))
        self.passed, self.set_by = 0.0, 0.0

    def now(self) -> Moment:
        wall = self.start.wall + self.passed + self.set_by
        return Moment(wall, self.start.running + self.passed)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(Moment, "now", clock.now)
    return clock


@pytest.fixture
def attempt(store, capsys):
    """Try aligned faces; returns the exit code and the answer."""

    def run(*faces):
        capsys.readouterr()
        code = main(["unlock", "try", *faces, "--store", str(store), "--aligned", "--json"])
        captured = capsys.readouterr()
        assert captured.err == ""
        return code, json.loads(captured.out)

    return run


def test_photos_of_the_owner_unlock_and_others_do_not(store, photos, capsys):
    command = ["--store", str(store)]
    assert main(["unlock", "try", str(photos / "obama2.jpg"), *command]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.startswith("unlocked: 1 of 1 frames match, 1 must (best xCos 0.")
    assert captured.out.endswith(" ≥ 0.511)\n")

    assert main(["unlock", "try", str(photos / "biden.jpg"), *command]) == 1
    first, hint, what_next = capsys.readouterr().out.splitlines()
    assert first == "not unlocked: too few of 1 frames match, 1 must"
    assert hint == "look straight at the camera, in even light, with nothing before the face"
    assert what_next == "1 failure in a row; 4 more locks out"


def test_enrolled_store_is_private(store):
    for path in (store, attempts_path(store)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(open_vault(store, PASSPHRASE).owner.templates) == 3


@pytest.mark.parametrize("variant", ["float32", pytest.param("float16", marks=pytest.mark.slow)])
def test_models_ship_or_are_made_if_none_are_given(photos, tmp_path, capsys, monkeypatch, variant):
    from xcos_tf.export.tflite import export

    monkeypatch.setattr(export, "MODELS", ("embed", "compare"))  # the two that unlock runs
    monkeypatch.setattr(export, "BATCHES", (1,))
    store = tmp_path / "store"
    options = ["--store", str(store)]
    words = [str(photos / "obama.jpg"), *options, "--variant", variant]
    assert main(["unlock", "enroll", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == [
        f"enrolled 1 photo in {store}",
        "with 3 or more photos it refuses the owner less often",
    ]
    made = tmp_path / "store.models" / f"embed.{variant}.tflite"
    assert made.is_file() == (variant != "float32")
    assert main(["unlock", "try", OBAMA2, "--aligned", *options]) == 0


def test_json_says_everything(attempt):
    code, answer = attempt(OBAMA2)
    assert code == 0
    (frame,) = answer.pop("frames")
    assert frame.pop("score") > answer.pop("threshold") > 0.4
    assert frame == {"photo": OBAMA2, "faults": []}
    assert answer == {
        "unlocked": True,
        "locked_out": False,
        "needed": 1,
        "hint": "",
        "failures": 0,
    }


def test_a_failure_tells_no_scores(attempt, store, capsys):
    code, answer = attempt(BIDEN, OBAMA2, BIDEN)
    assert code == 1
    assert [frame["score"] for frame in answer["frames"]] == [None] * 3
    assert not any(isinstance(x, float) for x in answer.values())
    assert main(["unlock", "try", BIDEN, OBAMA2, BIDEN, "--store", str(store), "--aligned"]) == 1
    # Nor how many match, which over many tries would tell which.
    assert capsys.readouterr().out.startswith("not unlocked: too few of 3 frames match, 2 must\n")


def test_a_try_has_five_frames_at_most(store, capsys):
    assert "6 photos are too many for one try" in refused(
        capsys, "try", *[OBAMA2] * 6, "--store", store
    )
    assert open_vault(store, PASSPHRASE).attempts.failures == 0


@pytest.fixture
def lax_umask():
    before = os.umask(0)
    yield
    assert os.umask(before) == 0


@pytest.mark.usefixtures("lax_umask")
@pytest.mark.slow
def test_enrolling_that_was_killed_can_be_repeated(tmp_path, monkeypatch):
    from xcos_tf.export.tflite import export

    store, written = tmp_path / "store", []
    command = ["unlock", "enroll", OBAMA, "--aligned", "--store", str(store)]
    command += ["--variant", "float16"]
    write = export.replace_file

    def killed(path, content):
        if len(written) == 1:
            raise KeyboardInterrupt
        write(path, content)
        written.append(path)

    monkeypatch.setattr(export, "replace_file", killed)
    assert main(command) == 130
    assert len(written) == 1 and not store.exists()
    monkeypatch.setattr(export, "replace_file", write)
    assert main(command) == 0
    assert main(["unlock", "try", OBAMA2, "--aligned", "--store", str(store)]) == 0
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("kind", ["endless", "binary", "folder", "missing"])
def test_a_passphrase_file_that_is_none(store, tmp_path, monkeypatch, capsys, kind):
    path = {"endless": Path("/dev/zero"), "folder": tmp_path}.get(kind, tmp_path / "words")
    if kind == "binary":
        path.write_bytes(b"\xff\xfe\n")
    sentence = refused(capsys, "try", OBAMA2, "--store", store, "--passphrase-file", path)
    assert "give a file" in sentence or "cannot be read" in sentence


def test_more_than_half_of_the_frames_must_match(attempt):
    assert attempt(OBAMA2, BIDEN)[0] == 1
    assert attempt(BIDEN, OBAMA2, OBAMA2)[0] == 0
    assert attempt(BIDEN, BIDEN, OBAMA2)[0] == 1


def save(path, face):
    Image.fromarray(face).save(path)
    return str(path)


def test_frames_that_cannot_be_used_do_not_count(attempt, store, tmp_path, capsys):
    dark = save(tmp_path / "dark.png", np.asarray(Image.open(OBAMA2).convert("RGB")) // 6)
    before = store.read_bytes()
    code, answer = attempt(dark, dark)
    assert (code, answer["unlocked"], answer["failures"]) == (1, False, 0)
    assert answer["frames"][0]["faults"][0].startswith("is too dark")
    assert store.read_bytes() == before

    code, answer = attempt(dark, OBAMA2, dark)
    assert (code, answer["needed"]) == (0, 1)
    assert [frame["score"] is None for frame in answer["frames"]] == [True, False, True]

    command = ["unlock", "try", "--store", str(store), "--aligned", dark]
    assert main(command) == 1
    not_used, outcome = capsys.readouterr().out.splitlines()
    assert not_used.startswith(f"not used: {dark} is too dark")
    assert outcome == "not unlocked: no photo can be used; this try does not count"
    assert main([*command, OBAMA2]) == 0
    assert capsys.readouterr().out.startswith(not_used + "\nunlocked: 1 of 1")


def test_failure_is_explained(attempt, tmp_path):
    covered = np.array(Image.open(OBAMA2).convert("RGB"))
    covered[:64] = 128
    photo = save(tmp_path / "covered.png", covered)
    code, answer = attempt(photo)
    assert code == 1 and answer["hint"].startswith("look straight at the camera, in even light")
    code, answer = attempt(photo, "--debug")
    assert code == 1 and answer["threshold"] > answer["frames"][0]["score"]
    assert answer["hint"].startswith("the upper part of the face looks covered (")
    assert "take off sunglasses or a hat" in answer["hint"]


def test_waiting_and_lock_out(attempt, clock):
    for failures in (1, 2, 3):
        code, answer = attempt(BIDEN)
        assert (code, answer["failures"], answer["locked_out"]) == (1, failures, False)
    too_early = {"unlocked": False, "locked_out": False, "wait_seconds": 30}
    assert attempt(OBAMA2) == (3, too_early)
    clock.passed = 29
    assert attempt(OBAMA2) == (3, too_early | {"wait_seconds": 1})
    clock.passed = 31
    assert attempt(BIDEN)[1]["failures"] == 4
    assert attempt(OBAMA2) == (3, too_early | {"wait_seconds": 120})
    clock.passed += 121
    code, answer = attempt(BIDEN)
    assert (code, answer["failures"], answer["locked_out"]) == (1, 5, True)
    clock.passed += 1e9
    for _ in range(2):
        locked_out = {"unlocked": False, "locked_out": True, "wait_seconds": None}
        assert attempt(OBAMA2) == (3, locked_out)


def test_what_is_printed_before_a_lock_out(store, clock, capsys):
    def run(face):
        code = main(["unlock", "try", face, "--store", str(store), "--aligned"])
        return code, capsys.readouterr().out.splitlines()[-1]

    capsys.readouterr()
    assert run(BIDEN) == (1, "1 failure in a row; 4 more locks out")
    assert run(BIDEN) == (1, "2 failures in a row; 3 more locks out")
    assert run(BIDEN) == (1, "3 failures in a row; 2 more locks out")
    assert run(BIDEN) == (3, "too early after the last failure: wait 30 seconds")
    clock.passed = 31
    assert run(BIDEN)[0] == 1
    clock.passed = 200
    assert run(BIDEN) == (1, "locked out: 5 failures in a row")
    over = f"locked out after 5 failures in a row: delete {store} and enroll again"
    assert run(OBAMA2) == (3, over)


def test_success_ends_the_row(attempt):
    for face, failures in ((BIDEN, 1), (BIDEN, 2), (OBAMA2, 0), (BIDEN, 1), (BIDEN, 2)):
        assert attempt(face)[1]["failures"] == failures


def test_setting_the_clock_does_not_shorten_the_wait(attempt, clock):
    for _ in range(3):
        attempt(BIDEN)
    clock.set_by = 1e6
    assert attempt(OBAMA2)[1]["wait_seconds"] == 30
    clock.passed, clock.set_by = 29, -1e6
    assert attempt(OBAMA2)[1]["wait_seconds"] == 30  # begun anew
    clock.passed += 29
    assert attempt(OBAMA2)[1]["wait_seconds"] == 1
    clock.passed += 2
    assert attempt(OBAMA2)[0] == 0


def test_stopping_it_before_the_verdict_counts(store, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("xcos_tf.cli.unlock_steps.judge", stop)
    assert main(["unlock", "try", BIDEN, "--store", str(store), "--aligned"]) == 130
    assert open_vault(store, PASSPHRASE).attempts.failures == 1


def wrong_passphrase(store, monkeypatch):
    monkeypatch.setenv("XCOS_PASSPHRASE", PASSPHRASE + "!")


def cut_short(store, monkeypatch):
    store.write_bytes(store.read_bytes()[:-1])


def emptied(store, monkeypatch):
    store.write_bytes(b"")


def changed(store, monkeypatch):
    content = bytearray(store.read_bytes())
    content[len(content) // 2] ^= 1
    store.write_bytes(content)


def of_someone_else(store, monkeypatch):
    """He knows his own passphrase and has his own store, but must leave the record in place."""
    theirs = store.with_name("theirs")
    monkeypatch.setenv("XCOS_PASSPHRASE", "his own words")
    models = open_vault(store, PASSPHRASE).owner.models
    options = ["--store", str(theirs), "--models", models, "--aligned"]
    assert main(["unlock", "enroll", OBAMA2, *options]) == 0
    theirs.replace(store)


def of_someone_else_by_the_old_passphrase(store, monkeypatch):
    of_someone_else(store, monkeypatch)
    monkeypatch.setenv("XCOS_PASSPHRASE", PASSPHRASE)


def record_missing(store, monkeypatch):
    attempts_path(store).unlink()


def record_changed(store, monkeypatch):
    changed(attempts_path(store), monkeypatch)


def record_of_before(store, monkeypatch):
    record = attempts_path(store).read_bytes()
    assert main(["unlock", "try", BIDEN, "--store", str(store), "--aligned"]) == 1
    attempts_path(store).write_bytes(record)


def store_missing(store, monkeypatch):
    store.unlink()


def folder_in_its_place(store, monkeypatch):
    store.unlink()
    store.mkdir()


TAMPERING = {
    wrong_passphrase: "nothing was unlocked",
    cut_short: "nothing was unlocked",
    emptied: "nothing was unlocked",
    changed: "nothing was unlocked",
    of_someone_else: "nothing was unlocked",
    of_someone_else_by_the_old_passphrase: "nothing was unlocked",
    record_missing: "nothing was unlocked",
    record_changed: "nothing was unlocked",
    record_of_before: "nothing was unlocked",
    store_missing: "there is no store",
    folder_in_its_place: "cannot be read",
}


@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda tamper: tamper.__name__)
def test_the_owner_is_refused_with_tampered_files(store, monkeypatch, capsys, tamper):
    tamper(store, monkeypatch)
    capsys.readouterr()
    for _ in range(2):
        assert main(["unlock", "try", OBAMA2, "--store", str(store), "--aligned"]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        (line,) = captured.err.splitlines()
        assert line.startswith("xcos unlock: error: ") and TAMPERING[tamper] in line


def refused(capsys, *arguments):
    """Return the sentence of a command that is refused."""
    capsys.readouterr()
    assert main(["unlock", *map(str, arguments), "--aligned"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    return line.removeprefix("xcos unlock: error: ")


def test_other_models_are_refused(store, lite_models, tmp_path, capsys):
    """Changed by a comment in the zip archive at its end, the file would still run, and match."""
    models = tmp_path / "models"
    shutil.copytree(lite_models, models)
    path = models / "embed.float32.tflite"
    content = path.read_bytes()
    assert content.endswith(b"\0\0")  # the length of the comment
    path.write_bytes(content[:-2] + b"\1\0x")
    assert Verifier.from_export(models).threshold() > 0
    sentence = refused(capsys, "try", OBAMA2, "--store", store, "--models", models)
    assert "are not the models that were enrolled with" in sentence
    assert open_vault(store, PASSPHRASE).attempts.failures == 0
    gone = refused(capsys, "try", OBAMA2, "--store", store, "--models", tmp_path / "none")
    assert "there is no embed.float32.tflite" in gone


def test_enrolling_refuses(store, lite_models, tmp_path, capsys):
    options = ("--store", tmp_path / "new", "--models", lite_models)
    before = store.read_bytes()
    again = refused(capsys, "enroll", OBAMA, "--store", store, "--models", lite_models)
    assert "exists; delete it to enroll again" in again
    assert store.read_bytes() == before
    assert "biden.png match none" in refused(capsys, "enroll", OBAMA, BIDEN, *options)
    assert "6 photos are too many" in refused(capsys, "enroll", *[OBAMA] * 6, *options)
    unknown = refused(capsys, "enroll", OBAMA, *options, "--variant", "int4")
    assert "use one of float32" in unknown
    missing = refused(capsys, "enroll", OBAMA, "--store", tmp_path / "no" / "new")
    assert "there is no folder" in missing
    assert [path.name for path in tmp_path.iterdir()] == ["vault"]


def test_bad_photo_of_the_owner_is_named(lite_models, tmp_path, photos, capsys):
    both = Image.new("RGB", (1880, 2204))
    both.paste(Image.open(photos / "obama.jpg"))
    both.paste(Image.open(photos / "biden.jpg"), (910, 0))
    both.save(tmp_path / "both.png")
    options = ["--store", str(tmp_path / "new"), "--models", str(lite_models)]
    names = [str(photos / "obama.jpg"), str(tmp_path / "both.png")]
    assert main(["unlock", "enroll", *names, *options]) == 2
    assert capsys.readouterr().err.startswith(
        f"xcos unlock: error: {names[1]} shows 2 faces; be alone before the camera"
    )
    assert not (tmp_path / "new").exists()


def test_passphrase_of_a_file(lite_models, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("XCOS_PASSPHRASE")
    (tmp_path / "words").write_text("from a file\n")
    options = ("--store", tmp_path / "store", "--aligned")
    words = ("--passphrase-file", tmp_path / "words")

    def run(*arguments):
        return main(["unlock", *map(str, arguments)])

    assert run("enroll", OBAMA, *options, "--models", lite_models, *words) == 0
    assert run("try", OBAMA2, *options, *words) == 0
    monkeypatch.setenv("XCOS_PASSPHRASE", "from a file")
    assert run("try", OBAMA2, *options) == 0
    (tmp_path / "words").write_text("another\n")
    assert run("try", OBAMA2, *options, *words) == 2
    assert "the passphrase is wrong" in capsys.readouterr().err


def test_no_claim_of_liveness(capsys):
    for words in (["unlock"], ["unlock", "enroll"], ["unlock", "try"]):
        with pytest.raises(SystemExit):
            main([*words, "--help"])
        assert "a photo of the owner unlocks it" in " ".join(capsys.readouterr().out.split())
