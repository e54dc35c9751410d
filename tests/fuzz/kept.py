"""What commands keep and read again: templates, scores, stores, settings, states."""

import io
import json
import os
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
from PIL import Image
from safetensors.numpy import load

from tests.fuzz.engine import Reader, Trial
from tests.fuzz.models import odd_safetensors
from tests.fuzz.mutate import mutate_bytes, mutate_json, mutate_text
from tests.fuzz.sets import odd_npz
from xcos_tf.cli.unlock_steps import read_passphrase
from xcos_tf.data.occlude_folder import claim_folder
from xcos_tf.data.occlusion import Occluder
from xcos_tf.evaluation.score_cache import ScoreCache
from xcos_tf.evaluation.templates import (
    METADATA,
    TemplateInfo,
    _sha256,
    open_templates,
    write_templates,
)
from xcos_tf.evaluation.verification_set import Skipped
from xcos_tf.explain.whatif.covering import cover_faces
from xcos_tf.mobile import vault
from xcos_tf.mobile.attempts import Attempts, Moment
from xcos_tf.mobile.owner import Owner
from xcos_tf.mobile.sealing import Key, seal
from xcos_tf.templates import Gallery, fixed_weight_scores
from xcos_tf.training.correlation import StreamingCorrelation, _read_state

_NAMES = ["Ann/1.jpg", "Ann/2.jpg", os.fsdecode(b"Zo\xeb/\xff.jpg")]


def _templates(folder: Path) -> Trial:
    features = np.random.default_rng(5).normal(size=(3, 2, 2, 4)).astype(np.float32)
    skipped = [Skipped("Zoë/notes.txt", "no image")]
    info = TemplateInfo(
        "tiny", "ab" * 32, "cd" * 32, ["Ann", "Zoë"], _NAMES, skipped, np.array([0, 0, 1], np.int32)
    )
    path = folder / "templates"
    write_templates(path, info, (2, 2, 4), [features])
    arrays = load(path.read_bytes())
    known = {
        "format": 1,
        **{
            key: getattr(info, key)
            for key in ("preset", "weights", "faces", "people", "names", "skipped")
        },
    }
    config = {"name": "tiny", "weights": {"sha256": "ab" * 32}}

    def draw(random):
        told = mutate_json(known, random).decode("latin-1")
        try:  # as someone would do who made it so: then the contents are looked at
            facts = json.loads(told)
            facts["content"] = _sha256([arrays["features"]], arrays["labels"], facts)
            told = json.dumps(facts)
        except (ValueError, TypeError, RecursionError):
            pass
        if random.random() < 0.5:
            told = json.dumps({**known, "content": _sha256([features], info.labels, known)})
        return odd_safetensors(arrays, random, {METADATA: told})

    def read(content):
        path.write_bytes(content)
        store = open_templates(path)
        store.check_preset(config)
        store.check_faces("folder", "cd" * 32)
        features = store.read(0, len(store))
        gallery = Gallery(features)
        weights = np.full(int(np.prod(store.shape[:-1])) or 1, 0.25)
        if len(store):
            assert np.isfinite(fixed_weight_scores(gallery, gallery, weights)).all()
        assert len([store.info.people[label] for label in store.labels]) == len(store.names)

    return Trial(draw, read)


def _scores(folder: Path) -> Trial:
    cache, key = ScoreCache(folder / "cache"), {"weights": "ab" * 32, "photos": "cd" * 32}
    scores = {
        "learned": np.linspace(-1, 1, 5, dtype=np.float32),
        "patched": np.zeros(5, np.float32),
    }
    cache.save(key, scores)
    (path,) = (folder / "cache").iterdir()
    metadata = {"scoring": json.dumps(key, sort_keys=True), "scores": json.dumps(list(scores))}

    def draw(random):
        told = dict(metadata)
        if random.random() < 0.4:
            told["scores"] = mutate_json(list(scores), random).decode("latin-1")
        return odd_safetensors(scores, random, told)

    def read(content):
        path.write_bytes(content)
        found = cache.load(key)
        assert found is None or all(isinstance(x, np.ndarray) for x in found.values())

    return Trial(draw, read)


def _settings(folder: Path) -> Trial:
    settings = {**Occluder(share=0.3).settings(), "list": "pairs.csv", "list_sha256": "ab" * 32}
    claim_folder(folder / "copy", settings)

    def read(content):
        (folder / "copy/occlusion.json").write_bytes(content)
        claim_folder(folder / "copy", settings)

    return Trial(lambda random: mutate_json(settings, random), read)


def _owner() -> Owner:
    random = np.random.default_rng(6)
    templates = random.normal(size=(2, 7, 7, 32)).astype(np.float32)
    usual = np.full((7, 7), 0.5, np.float32)
    return Owner(templates, usual, 0.2, "ab" * 32, "float32", "/models", "cd" * 16, 1)


def _check_vault(opened: vault.Vault) -> None:
    owner, attempts = opened.owner, opened.attempts
    assert owner.templates.dtype == np.float32 and owner.templates.ndim == 4
    assert len(owner.templates) >= 1 and np.isfinite(owner.templates).all()
    assert owner.usual_similarity.shape == owner.templates.shape[1:3]
    assert np.isfinite(owner.usual_similarity).all() and np.isfinite(owner.threshold)
    now = Moment.now()
    assert attempts.wait(now) >= 0 and attempts.failed(now).failures == attempts.failures + 1
    opened.record(attempts.clock_set_back(now) or attempts.failed(now))


def _stores(folder: Path) -> Trial:
    """Stores whose key is known, so that what is sealed is looked at too."""
    key, path = Key(b"k" * 32, b"s" * 16), folder / "store"
    known = mock.patch.object(vault, "derive_key", lambda passphrase, salt=None: key)
    vault.Vault(path, key, _owner(), None).record(Attempts(1, 0, Moment.now()))
    whole = [path.read_bytes(), vault.attempts_path(path).read_bytes()]
    about = {
        "threshold": 0.2,
        "model": "ab" * 32,
        "variant": "float32",
        "models": "/models",
        "token": "cd" * 16,
        "attempts": 1,
    }
    record = {"token": "cd" * 16, "number": 1, "failures": 2, "wall": 1e9, "running": 5.0}
    arrays = {"templates": _owner().templates, "usual_similarity": _owner().usual_similarity}

    def packed(about: bytes) -> dict:
        return {**arrays, "about": np.frombuffer(about, np.uint8)}

    def draw(random):
        files, kind = list(whole), random.random()
        if kind < 0.3:
            which = random.integers(2)
            files[which] = mutate_bytes(files[which], random, whole)
        elif kind < 0.6:
            files[1] = seal(key, b"attempts", mutate_json(record, random))
        elif kind < 0.8:
            stream = io.BytesIO()
            np.savez(stream, **packed(mutate_json(about, random)))
            files[0] = seal(key, b"owner", stream.getvalue())
        else:
            files[0] = seal(key, b"owner", odd_npz(packed(json.dumps(about).encode()), random))
        return files

    def read(files):
        path.write_bytes(files[0])
        vault.attempts_path(path).write_bytes(files[1])
        with known, vault.locked(path):
            _check_vault(vault.open_vault(path, "some passphrase"))

    return Trial(draw, read)


def _passphrases(folder: Path) -> Trial:
    def read(content):
        (folder / "words").write_bytes(content)
        assert 0 < len(read_passphrase("words", new=False)) <= 1024

    return Trial(lambda random: mutate_text("correct horse battery\nstaple\n", random), read)


def _states(folder: Path) -> Trial:
    """Of `xcos fit-correlation`."""
    stream, path = StreamingCorrelation((2, 3)), folder / "state.npz"
    stream.update(np.random.default_rng(8).uniform(-1, 1, (6, 2, 3)), np.linspace(-1, 1, 6))
    arrays = {
        "step": np.int64(2),
        "genuine": np.int64(3),
        "identity": np.array("ab"),
        **stream.state(),
    }

    def read(content):
        path.write_bytes(content)
        again = StreamingCorrelation((2, 3))
        step, genuine = _read_state(path, again, "ab")
        assert type(step) is int and 0 <= genuine <= again.count
        with np.errstate(all="ignore"):
            again.update(np.zeros((6, 2, 3)), np.linspace(-1, 1, 6))
        assert np.isfinite(again.result()).all()

    return Trial(lambda random: odd_npz(arrays, random), read)


def _covered(folder: Path) -> Trial:
    """States of `xcos fit-whatif`: grids of faces, and of the same with each cell covered."""
    random, shape = np.random.default_rng(10), (2, 2, 3)
    runtime = SimpleNamespace(
        feature_shape=shape,
        face_shape=(24, 24, 3),
        embed=lambda faces: np.zeros((len(faces), *shape), np.float32),
    )
    stream = io.BytesIO()
    Image.new("RGB", (24, 24)).save(stream, "PNG")
    faces = SimpleNamespace(
        labels=np.array([0, 0, 1]), read=lambda positions: [stream.getvalue() for _ in positions]
    )
    arrays = {
        "identity": np.array("ab"),
        "grids": random.normal(size=(3, *shape)).astype(np.float32),
        "covered": random.normal(size=(3, 4, *shape)).astype(np.float16),
    }
    (folder / "state").mkdir()

    def read(content):
        (folder / "state/0000000.npz").write_bytes(content)
        with mock.patch("xcos_tf.explain.whatif.covering.Bar"):
            found = cover_faces(runtime, faces, np.arange(3), folder / "state", "ab")
        assert (found.grids.shape, found.grids.dtype) == ((3, *shape), np.float32)
        assert (found.covered.shape, found.covered.dtype) == ((3, 4, *shape), np.float16)

    return Trial(lambda random: odd_npz(arrays, random), read)


READERS = (
    Reader("templates", _templates, 1.5),
    Reader("kept scores", _scores),
    Reader("settings of xcos occlude", _settings, 0.5),
    Reader("unlock's stores", _stores),
    Reader("passphrase files", _passphrases, 0.3),
    Reader("states of xcos fit-correlation", _states, 0.5),
    Reader("states of xcos fit-whatif", _covered, 0.3),
)
