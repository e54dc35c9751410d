from pathlib import Path

import pytest

from xcos_tf.data.align_folder import check_folders
from xcos_tf.data.photo import read_photo
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.records.writer import open_source
from xcos_tf.errors import XcosError, as_message, counted, on_one_line, shown
from xcos_tf.evaluation.open_set import open_set
from xcos_tf.evaluation.pairs import check_photo_folder
from xcos_tf.models.presets import load_preset
from xcos_tf.training.checkpoints import take_weights
from xcos_tf.training.config_reader import read_config

PATH = "/home/someone/photos/a.jpg"


def test_short_inputs_are_shown_as_they_are():
    sentence = f"there is no file {PATH}; check the path"
    assert str(XcosError(sentence)) == sentence
    assert shown(PATH) == PATH


def test_long_inputs_lose_their_middle():
    for text in ("A" * 300_000, "a photo " * 40_000, "é" * 101):
        assert len(shown(text)) == 100
        for quoted in (text, f"{text!r}", f"({text})"):
            sentence = as_message(f"there is no file {quoted}; check the path", [text])
            assert len(sentence) < 140
            assert sentence.startswith("there is no file ") and sentence.endswith("check the path")
    assert len(str(XcosError(f"line 3 is {'a b ' * 5000!r}, which it must not be"))) < 150


def test_the_words_of_a_sentence_stay():
    own = "LFW's list of the photos' names " * 10
    assert as_message(own) == own


def test_one_line_whatever_a_name_holds():
    sentence = str(XcosError("there is no file a\nb\r\x1b[31m\u2028c\x85; check the path"))
    assert sentence.isprintable()
    assert r"a\nb\r\x1b[31m\u2028c\x85;" in sentence


def test_what_is_a_message_stays_one():
    sentence = as_message(f"no {'A' * 300} or {'b c ' * 300!r}")
    assert as_message(sentence) == sentence


def test_results_keep_their_length():
    assert on_one_line(Path("/a" * 200)) == "/a" * 200
    assert on_one_line("a\nb\tc") == r"a\nb\tc"


LONG = "a photo/" * 400


@pytest.mark.parametrize("path", [LONG, "a\0b"])
@pytest.mark.parametrize(
    "door",
    [
        read_photo,
        load_preset,
        read_config,
        PreparedSet,
        open_source,
        open_set,
        check_photo_folder,
        lambda path: check_folders(Path(path), Path("out")),
        lambda path: take_weights(None, path),
    ],
)
def test_any_door_shows_little_of_a_path_that_cannot_be(door, path):
    with pytest.raises(XcosError) as caught:
        door(path)
    assert len(str(caught.value)) < 300 and "fault" not in str(caught.value)


def test_counts():
    assert counted(1, "person", "people") == "1 person"
    assert counted(0, "person", "people") == "0 people"
    assert counted(2000, "photo") == "2,000 photos"
