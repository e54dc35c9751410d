from xcos_tf.explain.method_texts import METHOD_TEXTS
from xcos_tf.explain.methods.registry import METHODS


def test_every_method_has_a_title_of_its_own_and_a_meaning():
    assert list(METHOD_TEXTS) == list(METHODS)
    titles = [title for title, _ in METHOD_TEXTS.values()]
    assert len(set(titles)) == len(titles)
    assert all(len(meaning) > 20 for _, meaning in METHOD_TEXTS.values())
