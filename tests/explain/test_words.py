import numpy as np
import pytest

from xcos_tf.explain.explanation import Explanation
from xcos_tf.explain.regions import region_map
from xcos_tf.explain.words import (
    describe_drops,
    describe_maps,
    explanation_sentence,
    region_summary,
)

REGIONS = region_map(7, 7)
SIDES = "(left and right as seen in the picture)"


def paint(background: float, **regions: float) -> np.ndarray:
    """Return a map with some regions in other values; their names have _ for spaces."""
    values = np.full((7, 7), background)
    for name, value in regions.items():
        inside = name.replace("_", " ") == REGIONS
        assert inside.any()
        values[inside] = value
    return values


def weigh(**shares: float) -> np.ndarray:
    """Return weights that sum to 1: these shares, each evenly over its region; the rest evenly."""
    weights = np.zeros((7, 7))
    for name, share in shares.items():
        inside = name.replace("_", " ") == REGIONS
        weights[inside] = share / inside.sum()
    rest = weights == 0
    weights[rest] = (1 - weights.sum()) / rest.sum()
    return weights


EVEN = np.full((7, 7), 1 / 49)


def test_names_the_two_most_alike_and_the_least_with_its_weight():
    similarity = paint(0.5, nose_bridge=0.9, left_eye=0.8, mouth=0.1)
    assert describe_maps(similarity, weigh(mouth=0.14)) == (
        "most alike: nose bridge, left eye; least alike: mouth, which carried 14 % of the weight "
        + SIDES
    )


def test_the_note_on_sides_comes_only_with_a_side():
    similarity = paint(0.5, nose_bridge=0.9, chin=0.8, mouth=0.1)
    assert describe_maps(similarity, EVEN) == (
        "most alike: nose bridge, chin; least alike: mouth, which carried 2 % of the weight"
    )


def test_mirrored_maps_swap_left_and_right(random):
    for _ in range(20):
        similarity, weights = random.uniform(-1, 1, (7, 7)), random.dirichlet(np.ones(49))
        weights = weights.reshape(7, 7)
        sentence = describe_maps(similarity, weights).removesuffix(SIDES)
        mirrored = describe_maps(similarity[:, ::-1], weights[:, ::-1]).removesuffix(SIDES)
        swapped = sentence.replace("left", "…").replace("right", "left").replace("…", "right")
        assert mirrored == swapped


def test_a_second_region_that_is_hardly_alike_is_not_named():
    sentence = describe_maps(paint(0.1, nose_bridge=0.9, mouth=0.0), EVEN)
    assert sentence.startswith("most alike: nose bridge; least alike: mouth")


def test_regions_of_negligible_weight_are_passed_over():
    similarity = paint(0.5, nose_bridge=0.9, left_eye=0.8, chin=0.7, mouth=-0.3, nose_tip=0.2)
    weights = weigh(nose_bridge=0.0099, mouth=0.004)
    assert describe_maps(similarity, weights).startswith(
        "most alike: left eye, chin; least alike: nose tip, which carried 2 % of the weight"
    )


def test_the_mean_within_a_region_is_weighted():
    similarity, weights = paint(0.5, mouth=0.3), weigh(left_brow=0.2)
    similarity[2, 1:3], weights[2, 1:3] = (1.0, -1.0), (0.19, 0.01)
    assert describe_maps(similarity, weights).startswith("most alike: left brow; ")
    weights[2, 1:3] = (0.01, 0.19)
    assert "least alike: left brow, which carried 20 % of the weight" in describe_maps(
        similarity, weights
    )


def test_nothing_alike_is_not_called_alike():
    similarity = paint(-0.5, nose_bridge=-0.1, mouth=-0.9)
    assert describe_maps(similarity, weigh(mouth=0.3)) == (
        "no part is alike, the nose bridge comes closest; least alike: mouth, which carried 30 % "
        "of the weight"
    )
    similarity = paint(-0.5, nose_bridge=0.1, mouth=-0.9, chin=-0.1)
    assert describe_maps(similarity, EVEN).startswith("most alike: nose bridge; ")


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1.00"), (-0.25, "−0.25"), (0.0, "0.00"), (-0.001, "0.00")]
)
def test_an_even_map_is_called_even(value, text):
    expected = f"all parts of the face are equally alike, with similarity {text}"
    assert describe_maps(np.full((7, 7), value), weigh(mouth=0.5)) == expected
    noisy = np.full((7, 7), value) + np.linspace(-1e-7, 1e-7, 49).reshape(7, 7)
    assert describe_maps(noisy, EVEN) == expected


def test_one_region_with_all_the_weight():
    similarity, weights = paint(0.9, mouth=-0.12), paint(0.0, mouth=1.0)
    assert describe_maps(similarity, weights) == "the mouth alone decided, with similarity −0.12"
    assert describe_maps(similarity, paint(0.0, left_eye=1.0)).endswith(SIDES)


def test_equals_are_ranked_by_weight_and_then_from_above():
    similarity = paint(0.5, nose_bridge=0.9, chin=0.9, nose_tip=0.9, mouth=0.1, forehead=0.1)
    # Rounding errors must not decide.
    similarity[4, 3] += 1e-9
    assert describe_maps(similarity, weigh(nose_tip=0.1, chin=0.1, forehead=0.05, mouth=0.3)) == (
        "most alike: nose tip, chin; least alike: mouth, which carried 30 % of the weight"
    )
    assert describe_maps(similarity, weigh(nose_tip=0.05, chin=0.2, nose_bridge=0.1)).startswith(
        "most alike: chin, nose bridge; least alike: forehead"
    )


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 4), (14, 14)])
def test_other_grids_and_no_weight_at_all(random, shape):
    similarity = random.uniform(-1, 1, shape)
    parts = region_map(*shape)
    for weights in (random.random(shape), np.zeros(shape)):
        size = weights if weights.any() else np.ones(shape)  # then all cells count alike
        means = {
            name: np.average(similarity[parts == name], weights=size[parts == name])
            for name in np.unique(parts)
        }
        most, least = (choose(means, key=means.get) for choose in (max, min))
        sentence = describe_maps(similarity.astype(np.float32), weights.astype(np.float32))
        if len(means) == 1:
            assert sentence.startswith(f"the {most} alone decided, with similarity ")
        else:
            assert (
                sentence.startswith(f"most alike: {most}") and f"least alike: {least}" in sentence
            )


def test_the_summary_adds_up(random):
    similarity = random.uniform(-1, 1, (7, 7)).astype(np.float32)
    weights = random.dirichlet(np.ones(49)).reshape(7, 7).astype(np.float32)
    regions = region_summary(similarity, weights)
    assert [region.name for region in regions] == list(dict.fromkeys(REGIONS.flat))
    assert sum(region.weight_share for region in regions) == pytest.approx(1)
    assert sum(region.similarity * region.weight_share for region in regions) == pytest.approx(
        (similarity.astype(float) * weights).sum()
    )
    for region in regions:
        inside = region.name == REGIONS
        assert region.weight_share == pytest.approx(weights[inside].sum(), rel=1e-5)
        assert region.similarity * region.weight_share == pytest.approx(
            (similarity[inside] * weights[inside]).sum(), abs=1e-6
        )


def test_negative_weights_count_by_their_size():
    similarity, weights = paint(0.5, mouth=0.2), paint(1.0, mouth=-4.0)
    mouth = next(r for r in region_summary(similarity, weights) if r.name == "mouth")
    assert mouth.similarity == pytest.approx(0.2)
    assert mouth.weight_share == pytest.approx(4 / 52)


def test_maps_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match=r"similarity.shape=\(7, 7\), attention.shape=\(7, 6\)"):
        describe_maps(np.zeros((7, 7)), np.zeros((7, 6)))
    with pytest.raises(ValueError, match="same shape"):
        region_summary(np.zeros(49), np.zeros(49))
    with pytest.raises(ValueError, match="finite"):
        describe_maps(np.full((7, 7), np.nan), EVEN)


def explanation(values, **changes):
    values = np.asarray(values, np.float32)
    known = {"method": "face-centre", "map_a": values, "map_b": values, "signed": False}
    known |= {"per_pair": True, "score": 0.5, "seconds": 0.1, "forward": 2}
    return Explanation(**(known | changes))


def marked(places, base=0.0):
    values = np.full((7, 7), base)
    for place, value in places.items():
        values[place] = value
    return values


def test_each_face_its_own_map_is_no_sentence():
    assert explanation_sentence(explanation(np.eye(7), per_pair=False)) == ""


@pytest.mark.parametrize(
    "similarity, attention, sentence",
    [
        (
            marked({(3, 3): 0.9, (4, 3): 0.5, (5, 3): -0.5}, base=0.2),
            marked({(3, 3): 0.5, (5, 3): 0.3, (4, 3): 0.2}),
            "Adds most to the score: nose bridge (+0.45), nose tip (+0.10); takes most from it: "
            "mouth (−0.15).",
        ),
        (  # Two cells of a part add up.
            marked({}, base=1),
            marked({(4, 1): 0.3, (4, 2): 0.3, (4, 3): 0.4}),
            "Adds most to the score: left cheek (+0.60), nose tip (+0.40) (left and right as seen "
            "in the picture).",
        ),
        (
            marked({(5, 3): -0.5}),
            marked({(5, 3): 1}),
            "Adds most to the score: no part; takes most from it: mouth (−0.50).",
        ),
        (marked({(5, 3): 0.004}), marked({(5, 3): 1}), "Adds most to the score: no part."),
    ],
)
def test_xcos_says_what_adds_to_the_score(similarity, attention, sentence):
    maps = {"similarity_map": similarity, "attention_map": attention}
    shown = explanation(similarity * attention, signed=True, **maps)
    assert explanation_sentence(shown) == sentence


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


COVERED = ", by how much the score would drop if one cell there were covered"


def one_cell(**values: float) -> np.ndarray:
    """Return drops that are 0 but in the last cell of some regions."""
    drops = np.zeros((7, 7))
    for name, value in values.items():
        drops[tuple(np.argwhere(name.replace("_", " ") == REGIONS)[-1])] = value
    return drops


def test_what_decided_is_named_with_what_its_strongest_cell_would_cost():
    drops = one_cell(left_cheek=0.21, nose_tip=0.12, chin=0.1, mouth=-0.03, hairline=-0.02)
    assert describe_drops(drops, drops, True) == (
        f"decided by: left cheek (+0.21), nose tip (+0.12); against: mouth (−0.03){COVERED} {SIDES}"
    )
    assert describe_drops(drops, drops, False) == (
        f"decided by: mouth (−0.03), hairline (−0.02); against: left cheek (+0.21){COVERED} {SIDES}"
    )


def test_drops_are_the_mean_of_both_faces():
    said = describe_drops(one_cell(mouth=0.4, chin=0.1), one_cell(chin=0.1, nose_tip=-0.06), True)
    assert said == f"decided by: mouth (+0.20), chin (+0.10); against: nose tip (−0.03){COVERED}"


def test_of_a_part_the_strongest_cell_speaks_and_not_the_sum():
    drops = paint(0.0, chin=0.03)
    drops[5, 3] = 0.05
    drops[6, 2] = -0.04
    assert describe_drops(drops, drops, True).startswith("decided by: mouth (+0.05); against: chin")
    drops[6, 2] = 0.03
    assert describe_drops(drops, drops, True).startswith("decided by: mouth (+0.05), chin (+0.03),")


def test_what_may_have_the_wrong_sign_is_not_named():
    small = one_cell(mouth=0.0199, chin=-0.0199)
    nothing = "no part decided alone: covering one cell would hardly move the score"
    for same in (True, False):
        assert describe_drops(small, small, same) == nothing
    trusted = one_cell(mouth=0.02)
    assert describe_drops(trusted, trusted, True) == f"decided by: mouth (+0.02){COVERED}"
    assert describe_drops(trusted, trusted, False) == (
        f"decided by: no part alone; against: mouth (+0.02){COVERED}"
    )


def test_drops_that_are_no_maps_are_refused():
    for wrong in (np.zeros(49), np.full((7, 7), np.nan)):
        with pytest.raises(ValueError, match="Expected"):
            describe_drops(wrong, np.zeros((7, 7)), True)
