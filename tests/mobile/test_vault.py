"""The two files of an owner open together as they were written last, or not at all."""

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import xcos_tf.mobile.vault
from xcos_tf.errors import XcosError
from xcos_tf.mobile.attempts import Attempts, Moment
from xcos_tf.mobile.owner import Owner
from xcos_tf.mobile.sealing import NONCE_BYTES, SALT_BYTES, STORE_MAGIC
from xcos_tf.mobile.vault import attempts_path, check_new, create_vault, locked, open_vault

PASSPHRASE = "correct horse"
NOW = Moment(wall=1e9, running=5e3)
REFUSED = (
    "cannot be opened: the passphrase is wrong, or the file is damaged .* nothing was unlocked"
)
OUT_OF_STEP = "the record of attempts .* nothing was unlocked: delete .* and enroll again"

_SALT = len(STORE_MAGIC) + 1
_CONTENT = _SALT + SALT_BYTES + NONCE_BYTES
REGIONS = {
    "magic": 0,
    "version": len(STORE_MAGIC),
    "salt": _SALT + 3,
    "nonce": _SALT + SALT_BYTES + 3,
    "content": _CONTENT + 100,
    "tag": -1,
}


def make(path, token="aa", passphrase=PASSPHRASE):
    random = np.random.default_rng(3)
    owner = Owner(
        templates=random.standard_normal((2, 7, 7, 32)).astype(np.float32),
        usual_similarity=np.zeros((7, 7), np.float32),
        threshold=0.5,
        model="model",
        variant="float32",
        models="/models",
        token=token,
    )
    create_vault(path, passphrase, owner)
    return owner


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with a store and a record of attempts."""
    folder = tmp_path_factory.mktemp("vault")
    make(folder / "store")
    return folder


@pytest.fixture
def store(written, tmp_path):
    """A store that may be changed; its record of attempts is beside it."""
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    return tmp_path / "store"


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def fail(store, times=1):
    vault = open_vault(store, PASSPHRASE)
    for _ in range(times):
        vault.record(vault.attempts.failed(NOW))
    return vault


def test_opens_as_it_was_made(tmp_path):
    path = tmp_path / "store"
    owner = make(path)
    vault = open_vault(path, PASSPHRASE)
    np.testing.assert_array_equal(vault.owner.templates, owner.templates)
    assert vault.owner.token == "aa"
    assert (vault.attempts.number, vault.attempts.failures) == (1, 0)
    assert abs(vault.attempts.last.wall - Moment.now().wall) < 60


def test_both_files_are_private_and_encrypted(store):
    templates = open_vault(store, PASSPHRASE).owner.templates.tobytes()
    fail(store)
    for path in (store, attempts_path(store)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        content = path.read_bytes()
        assert content.startswith(STORE_MAGIC)
        for clear in (b"templates", b"failures", b"float32", templates[:8]):
            assert clear not in content
    # Encrypted bytes are as good as random; templates and .npz headers are not.
    counts = np.bincount(np.frombuffer(store.read_bytes()[_CONTENT:], np.uint8), minlength=256)
    expected = counts.sum() / 256
    assert ((counts - expected) ** 2 / expected).sum() < 400  # χ² of 255 degrees: 1 in 10⁷


def test_attempts_survive(store):
    fail(store, 3)
    vault = open_vault(store, PASSPHRASE)
    assert vault.attempts == Attempts(number=4, failures=3, last=NOW)
    assert vault.owner.attempts == 4


def test_wrong_passphrase(store):
    for passphrase in (PASSPHRASE + " ", PASSPHRASE.upper()):
        with pytest.raises(XcosError, match=REFUSED):
            open_vault(store, passphrase)


@pytest.mark.parametrize("region", REGIONS)
def test_flipped_bit_in_the_store(store, region):
    flip(store, REGIONS[region])
    with pytest.raises(XcosError, match=REFUSED):
        open_vault(store, PASSPHRASE)


@pytest.mark.parametrize("region", REGIONS)
def test_flipped_bit_in_the_record_of_attempts(store, region):
    flip(attempts_path(store), REGIONS[region] if region != "content" else _CONTENT + 5)
    with pytest.raises(XcosError, match=OUT_OF_STEP):
        open_vault(store, PASSPHRASE)


@pytest.mark.parametrize("left", [0, 5, _SALT + 8, _CONTENT, _CONTENT + 8, -1])
def test_cut_short(store, left):
    record = attempts_path(store)
    whole = store.read_bytes()
    store.write_bytes(whole[:left])
    with pytest.raises(XcosError, match=REFUSED):
        open_vault(store, PASSPHRASE)
    store.write_bytes(whole)
    record.write_bytes(record.read_bytes()[:left])
    with pytest.raises(XcosError, match=OUT_OF_STEP):
        open_vault(store, PASSPHRASE)


def test_files_of_something_else(store):
    store.write_bytes(b"\x89PNG" * 100)
    with pytest.raises(XcosError, match=REFUSED):
        open_vault(store, PASSPHRASE)


def test_store_of_someone_else(store, tmp_path):
    """With his passphrase it is refused; with its own, its record of attempts is missing."""
    make(tmp_path / "other", token="bb", passphrase="his own words")
    shutil.copy(tmp_path / "other", store)
    with pytest.raises(XcosError, match=REFUSED):
        open_vault(store, PASSPHRASE)
    with pytest.raises(XcosError, match=OUT_OF_STEP):
        open_vault(store, "his own words")


def test_the_two_files_do_not_stand_for_each_other(store):
    shutil.copy(attempts_path(store), store)
    with pytest.raises(XcosError, match=REFUSED):
        open_vault(store, PASSPHRASE)


def test_missing_record(store):
    attempts_path(store).unlink()
    with pytest.raises(XcosError, match=OUT_OF_STEP):
        open_vault(store, PASSPHRASE)


def test_older_record(store):
    record = attempts_path(store)
    older = record.read_bytes()
    fail(store)
    record.write_bytes(older)
    with pytest.raises(XcosError, match=OUT_OF_STEP):
        open_vault(store, PASSPHRASE)


def test_older_store(store):
    older = store.read_bytes()
    fail(store, 2)
    store.write_bytes(older)
    with pytest.raises(XcosError, match=OUT_OF_STEP):
        open_vault(store, PASSPHRASE)


def test_power_failure_between_the_two_files(store):
    """The failure counts: the record is written first, and may be one ahead."""
    older = store.read_bytes()
    fail(store)
    store.write_bytes(older)
    assert open_vault(store, PASSPHRASE).attempts.failures == 1


def test_record_of_another_enrolment_with_the_same_key(store):
    """Only the token tells it: the key and the number are the same."""
    vault = open_vault(store, PASSPHRASE)
    theirs = store.with_name("theirs")
    vault._path = theirs
    vault.owner = replace(vault.owner, token="bb")
    vault.record(vault.attempts)
    shutil.copy(attempts_path(theirs), attempts_path(store))
    with pytest.raises(XcosError, match=OUT_OF_STEP):
        open_vault(store, PASSPHRASE)


def test_no_store(tmp_path):
    with pytest.raises(XcosError, match=r"there is no store .*; enroll first"):
        open_vault(tmp_path / "store", PASSPHRASE)
    with pytest.raises(XcosError, match="cannot be read"):
        open_vault(tmp_path, PASSPHRASE)


def test_nothing_is_overwritten(store):
    before = store.read_bytes()
    with pytest.raises(XcosError, match="exists; delete it to enroll again"):
        make(store)
    assert store.read_bytes() == before
    with pytest.raises(XcosError, match="there is no folder"):
        check_new(store.parent / "missing" / "store")
    with pytest.raises(XcosError, match=r"the folder of .* cannot be used"):
        make(store.parent / "missing" / "store")


def test_a_dangling_link_is_not_followed(tmp_path):
    (tmp_path / "store").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(XcosError, match="exists"):
        make(tmp_path / "store")


WAITING = """
import sys
from pathlib import Path
from xcos_tf.mobile.vault import locked
print("waiting", flush=True)
with locked(Path(sys.argv[1])):
    print("in", flush=True)
"""


def test_one_process_at_a_time(tmp_path):
    store = tmp_path / "store"
    with locked(store):
        other = subprocess.Popen(
            [sys.executable, "-c", WAITING, str(store)], stdout=subprocess.PIPE, text=True
        )
        assert other.stdout.readline() == "waiting\n"
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(0.3)
    assert other.communicate(timeout=20)[0] == "in\n"
    assert other.returncode == 0


def test_a_lock_that_is_never_let_go_of_ends_the_wait(store, monkeypatch):
    monkeypatch.setattr(xcos_tf.mobile.vault, "LOCK_PATIENCE", 0.2)
    sentence = r"another process has held the folder of .* for 0 seconds; end it, or move"
    with locked(store), pytest.raises(XcosError, match=sentence), locked(store):
        pass
    with locked(store):
        pass


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_files_are_private_from_the_first_moment(tmp_path, umask, monkeypatch):
    before = os.umask(umask)
    try:
        monkeypatch.setattr(os, "fchmod", lambda *_: None)  # by which it would be mended too late
        make(tmp_path / "store")
    finally:
        assert os.umask(before) == umask
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {0o600}
