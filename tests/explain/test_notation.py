import pytest

from xcos_tf.explain.words import as_number, as_sentence, enough_decimals, short_title


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(0.714, 2, "0.71"), (-0.5, 3, "−0.500"), (-0.004, 2, "0.00"), (0.0, 2, "0.00"), (1, 1, "1.0")],
)
def test_numbers(value, decimals, text):
    assert as_number(value, decimals) == text


def test_numbers_get_the_decimals_that_tell_them_apart():
    assert enough_decimals(0.71, 0.35) == ("0.71", "0.35")
    assert enough_decimals(0.3519, 0.3521) == ("0.3519", "0.3521")
    assert enough_decimals(0.35, 0.35) == enough_decimals(0.35, 0.35 + 1e-9) == ("0.35", "0.35")


def test_sentences():
    assert as_sentence(" most alike: chin") == "Most alike: chin."
    assert as_sentence("Done.") == "Done."


def test_titles():
    assert short_title("a.jpg") == "a.jpg"
    assert short_title("a\nb\t.jpg") == "a b .jpg"
    assert short_title("caf\udce9.jpg") == "caf?.jpg"
    assert short_title("0123456789abcdef.jpg", longest=11) == "01234…f.jpg"
    assert len(short_title("x" * 100)) <= 27
