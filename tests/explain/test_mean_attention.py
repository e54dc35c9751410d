import numpy as np
import pytest

from tests.explain.making import check_layout
from xcos_tf.explain.mean_attention import claimed_shares, draw_mean_attention, region_shares
from xcos_tf.explain.regions import region_map


def attention(*places):
    """Return W of a pair, all of it in these cells of 7×7, evenly."""
    values = np.zeros((7, 7), np.float32)
    for place in places:
        values[place] = 1 / len(places)
    return values


def by_part(shares):
    return {share.part: share for share in shares}


def test_shares_of_regions_by_hand():
    # One genuine pair looks at the mouth and an ear, one impostor pair at the mouth alone.
    maps = np.stack([attention((5, 3), (3, 0)), attention((5, 3))])
    shares = region_shares(maps, np.array([True, False]))
    assert [share.part for share in shares[:2]] == ["mouth", "left ear"]
    mouth, ear = shares[:2]
    assert (mouth.mean, mouth.spread, mouth.genuine, mouth.impostor) == (0.75, 0.25, 0.5, 1)
    assert (ear.mean, ear.genuine, ear.impostor) == (0.25, 0.5, 0)
    assert (mouth.cells, ear.cells) == (1 / 49, 2 / 49)
    assert all(share.mean == 0 for share in shares[2:])
    assert {share.part for share in shares} == set(region_map(7, 7).ravel())


def test_shares_of_all_regions_add_up(random):
    maps = random.dirichlet(np.ones(49), 20).reshape(20, 7, 7)
    shares = region_shares(maps, random.random(20) < 0.5)
    assert sum(share.mean for share in shares) == pytest.approx(1)
    assert sum(share.cells for share in shares) == pytest.approx(1)
    means = [share.mean for share in shares]
    assert means == sorted(means, reverse=True)


@pytest.mark.parametrize(
    "place, central, low",
    [
        ((0, 2), 1, 0),
        ((3, 4), 1, 0),
        ((3, 1), 0, 0),
        ((3, 5), 0, 0),
        ((5, 2), 1, 1),
        ((6, 4), 1, 1),
        ((6, 1), 0, 0),
        ((4, 3), 1, 0),
    ],
)
def test_the_claim_is_of_three_columns_and_of_mouth_and_chin(place, central, low):
    shares = by_part(claimed_shares(attention(place)[np.newaxis], np.array([True])))
    assert shares["central columns"].mean == central
    assert shares["mouth and chin"].mean == low
    assert shares["central columns"].cells == pytest.approx(21 / 49)
    assert shares["mouth and chin"].cells == pytest.approx(6 / 49)
    assert np.isnan(shares["mouth and chin"].impostor)


def test_face_map_and_bars(random):
    maps = random.dirichlet(np.ones(49), 20).reshape(20, 7, 7)
    face = random.integers(0, 256, (112, 112, 3), np.uint8)
    shares = region_shares(maps, random.random(20) < 0.5)
    figure = draw_mean_attention(maps, face, shares, "Title", "subtitle", "learned")
    face_axes, map_axes, bars = figure.axes
    np.testing.assert_array_equal(face_axes.images[0].get_array(), face)
    assert len(face_axes.lines) == 12  # the grid
    np.testing.assert_allclose(map_axes.collections[0].get_array(), maps.mean(axis=0))
    assert map_axes.get_title(loc="left") == "W: weight, learned attention"
    assert len(map_axes.texts) == 49 and len(map_axes.child_axes) == 1
    assert [label.get_text() for label in bars.get_yticklabels()] == [x.part for x in shares]
    means = [100 * share.mean for share in shares]
    np.testing.assert_allclose([patch.get_width() for patch in bars.patches], means)
    assert bars.get_ylim()[0] > bars.get_ylim()[1]  # the first on top
    *_, even = bars.collections
    places = [segment[0, 0] for segment in even.get_segments()]
    np.testing.assert_allclose(places, [100 * share.cells for share in shares])
    assert [text.get_text() for text in figure.texts] == ["Title", "subtitle"]
    check_layout(figure)
