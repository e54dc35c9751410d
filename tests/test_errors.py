from pathlib import Path

from xcos_tf.errors import XcosError, as_message, on_one_line, shown

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
