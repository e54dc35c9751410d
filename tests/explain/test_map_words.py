import numpy as np
import pytest

from xcos_tf.explain.explanation import Cost, Explanation
from xcos_tf.explain.map_words import explanation_sentence
from xcos_tf.explain.words import describe


def explanation(values, **changes):
    values = np.asarray(values, np.float32)
    known = {"method": "face-centre", "map_a": values, "map_b": values, "signed": False}
    known |= {"per_pair": True, "score": 0.5, "cost": Cost(0.1, 2)}
    return Explanation(**(known | changes))


def marked(places, base=0.0):
    values = np.full((7, 7), base)
    for place, value in places.items():
        values[place] = value
    return values


def test_each_face_its_own_map_is_no_sentence():
    assert explanation_sentence(explanation(np.eye(7), per_pair=False)) == ""


def test_xcos_says_what_agrees_and_what_counted_most():
    similarity = marked({(3, 3): 0.9, (5, 3): -0.5}, base=0.2)
    attention = marked({(3, 3): 0.5, (5, 3): 0.3, (4, 3): 0.2})
    maps = {"similarity_map": similarity, "attention_map": attention}
    said = explanation_sentence(explanation(similarity * attention, signed=True, **maps))
    first = describe(similarity, attention)
    expected = f"{first[0].upper()}{first[1:]}. Counted most: nose bridge (50 %), mouth (30 %)."
    assert said == expected and "least alike: mouth" in said


@pytest.mark.parametrize(
    "places, base, signed, sentence",
    [
        ({(3, 3): 1, (4, 3): 0.5, (5, 3): 0}, 0.1, False, "Marked most: nose bridge, nose tip;"),
        (
            {(3, 2): 1, (3, 3): 0.5, (5, 3): 0},
            0.1,
            False,
            "Marked most: left eye, nose bridge; least: mouth (left and right as seen in the "
            "picture).",
        ),
        (
            {(3, 3): 1, (5, 3): -1},
            0,
            True,
            "For the same person: nose bridge; against: mouth.",
        ),
        ({(3, 3): 1}, 0, True, "For the same person: nose bridge; against: no part."),
        ({(5, 3): -1}, 0, True, "For the same person: no part; against: mouth."),
        ({}, 0, True, "All parts of the face are marked alike."),
    ],
)
def test_other_maps_name_the_parts_that_stand_out(places, base, signed, sentence):
    said = explanation_sentence(explanation(marked(places, base), signed=signed))
    assert said.startswith(sentence)
